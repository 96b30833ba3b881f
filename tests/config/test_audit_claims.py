"""audit.py: a wheel of ours must be what it claims: build_info, METADATA, file name, RECORD, the label expected."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from audits import kinds, library, text_of
from conftest import ROOT
from elves import (
    WHEEL_NAME,
    Elves,
    needs_compiler,
    plan_source,
    record_hash,
    rewrite_wheel,
    tbb_claims,
    write_wheel,
)

from threadwheel_build import audit
from threadwheel_build.errors import BuildError

pytestmark = [needs_compiler, pytest.mark.usefixtures("folder_without_a_project")]


# --- claims


Claimed = dict[str, Any]


def claims_text(report: audit.Report) -> str:
    assert kinds(report) == ["claims-mismatch"], report.problems
    return text_of(report, "claims-mismatch")


def test_a_wheel_that_is_what_it_claims_is_clean(ours: Callable[..., Path]) -> None:
    report = audit.audit_wheel(ours(), expect="tbb")
    assert report.problems == ()
    assert report.claims == audit.Claims(
        "threadwheel/build_info.json", "threadwheel", "0.1.0", "tbb", False, ("tbb",), ("numpy>=1.24", "tbb>=2021.13")
    )
    assert [note.text for note in report.notes] == ["RPATH $ORIGIN/../../../.. points outside the wheel"]


def test_requirements_of_extras_and_spaces_do_not_count(ours: Callable[..., Path]) -> None:
    assert (
        audit.audit_wheel(ours(requires=["tbb (>= 2021.13)", "numpy >=1.24", 'pytest; extra == "test"'])).problems == ()
    )


def test_the_default_variant_has_no_label_in_its_version(elves: Elves, ours: Callable[..., Path]) -> None:
    claims = tbb_claims() | {"default": True}
    core = elves.tbb_user(source=plan_source(claims)).read_bytes()
    files = {"threadwheel/lib/libthreadwheel.so": core, "threadwheel/build_info.json": json.dumps(claims).encode()}
    assert (
        audit.audit_wheel(ours(files, "threadwheel-0.1.0-cp311-cp311-linux_x86_64.whl", version="0.1.0")).problems == ()
    )
    both = [problem.text for problem in audit.audit_wheel(ours(files)).problems]
    source = "threadwheel/build_info.json says 0.1.0; build again"
    assert f"says version 0.1.0+tbb but {source}" in both[0]
    assert f"threadwheel-0.1.0+tbb.dist-info/METADATA says version 0.1.0+tbb but {source}" in both[1]


def test_a_plan_that_differs_from_build_info_names_key_and_both_values(ours: Callable[..., Path]) -> None:
    text = claims_text(
        audit.audit_wheel(ours({"threadwheel/build_info.json": json.dumps(tbb_claims() | {"libraries": {}}).encode()}))
    )
    where = "threadwheel/lib/libthreadwheel.so, section .threadwheel_plan"
    assert f'{where}: libraries is {{"tbb": "2021.13.1"}} but {{}} in threadwheel/build_info.json; build again' in text


def test_claims_without_an_embedded_plan_are_refused(ours: Callable[..., Path], elves: Elves) -> None:
    text = claims_text(audit.audit_wheel(ours({"threadwheel/lib/libthreadwheel.so": elves.tbb_user().read_bytes()})))
    assert (
        "threadwheel/build_info.json: no ELF file of the wheel embeds it in a section .threadwheel_plan; build again"
        in text
    )


def test_an_embedded_plan_without_build_info_is_refused(ours: Callable[..., Path]) -> None:
    text = claims_text(audit.audit_wheel(ours({"threadwheel/build_info.json": None})))
    assert (
        "section .threadwheel_plan: a plan is embedded but the wheel has no <package>/build_info.json; build again"
        in text
    )


def test_runtimes_that_are_not_the_claimed_ones_are_refused(ours: Callable[..., Path], elves: Elves) -> None:
    extra = elves.llvm_user().read_bytes()
    report = audit.audit_wheel(ours({"threadwheel/extra.so": extra}))
    assert kinds(report) == ["claims-mismatch", "mixed-runtimes"]
    assert "claims the runtimes tbb but the ELF files need or define llvm-openmp, tbb; build again" in text_of(
        report, "claims-mismatch"
    )


def test_a_claimed_runtime_that_nothing_needs_is_refused(ours: Callable[..., Path], elves: Elves) -> None:
    core = elves.shared("a.so", "namespace a {}" + plan_source(tbb_claims())).read_bytes()
    assert "claims the runtimes tbb but the ELF files need or define none" in claims_text(
        audit.audit_wheel(ours({"threadwheel/lib/libthreadwheel.so": core}))
    )


@pytest.mark.parametrize(
    ("file_name", "metadata", "text"),
    [
        (
            "threadwheel-0.1.0-cp311-cp311-linux_x86_64.whl",
            {},
            "the file name says version 0.1.0 but threadwheel/build_info.json says 0.1.0+tbb; build again",
        ),
        (
            "other-0.1.0+tbb-cp311-cp311-linux_x86_64.whl",
            {},
            "the file name says other but threadwheel/build_info.json says threadwheel; build again",
        ),
        ("threadwheel.whl", {}, "the file name has 1 parts; a wheel's is NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl"),
        (
            WHEEL_NAME,
            {"version": "0.2.0+tbb"},
            "METADATA says version 0.2.0+tbb but threadwheel/build_info.json says 0.1.0+tbb; build again",
        ),
        (
            WHEEL_NAME,
            {"name": "other"},
            "METADATA is of other but threadwheel/build_info.json says threadwheel; build again",
        ),
        (
            WHEEL_NAME,
            {"requires": ["numpy>=1.24"]},
            "METADATA requires numpy>=1.24 but threadwheel/build_info.json says numpy>=1.24, tbb>=2021.13; build again",
        ),
    ],
)
def test_file_name_and_metadata_that_contradict_the_claims_are_refused(
    ours: Callable[..., Path], file_name: str, metadata: Claimed, text: str
) -> None:
    assert text in claims_text(audit.audit_wheel(ours({}, file_name, **metadata)))


def test_a_file_name_with_other_tags_than_the_build_said_is_refused(ours: Callable[..., Path]) -> None:
    wheel = ours()
    renamed = wheel.rename(wheel.with_name(wheel.name.replace("linux", "manylinux_2_17")))
    assert claims_text(audit.audit_wheel(renamed)).endswith(
        ": the file name has the tags cp311-cp311-manylinux_2_17_x86_64 but threadwheel-0.1.0+tbb.dist-info/WHEEL "
        "says cp311-cp311-linux_x86_64; build again"
    )


def test_a_wheel_without_its_wheel_file_is_refused(ours: Callable[..., Path]) -> None:
    report = audit.audit_wheel(rewrite_wheel(ours(), {"threadwheel-0.1.0+tbb.dist-info/WHEEL": None}))
    assert kinds(report) == ["claims-mismatch", "record"]
    assert text_of(report, "claims-mismatch").endswith(": has 0 .dist-info/WHEEL files; a wheel has one, build again")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"schema": 2}, "threadwheel/build_info.json: schema is 2; this audit reads schema 1"),
        ({"runtimes": "tbb"}, 'threadwheel/build_info.json: runtimes is "tbb"; name, version and label are texts'),
        ({"default": "no"}, 'threadwheel/build_info.json: default is "no"; name, version and label are texts'),
    ],
)
def test_claims_of_another_shape_are_refused(
    ours: Callable[..., Path], elves: Elves, changes: Claimed, text: str
) -> None:
    claims = tbb_claims() | changes
    core = elves.tbb_user(source=plan_source(claims)).read_bytes()
    report = audit.audit_wheel(
        ours({"threadwheel/lib/libthreadwheel.so": core, "threadwheel/build_info.json": json.dumps(claims).encode()})
    )
    assert text in claims_text(report)
    assert report.claims is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            b'{"schema": 1,',
            "is no JSON text (Expecting property name enclosed in double quotes: line 1 column 14 (char 13))",
        ),
        (b"[1]", "is [1]"),
        (b"[" * 5000, "is no JSON text (5000 objects and lists; at most 300 are read)"),
    ],
)
def test_build_info_that_is_no_json_object_is_refused(ours: Callable[..., Path], data: bytes, text: str) -> None:
    text = f"threadwheel/build_info.json: {text}; it must be a JSON object, build again"
    assert claims_text(audit.audit_wheel(ours({"threadwheel/build_info.json": data}))).endswith(text)


def test_a_build_info_of_another_project_is_no_claim(elves: Elves, tmp_path: Path) -> None:
    path = tmp_path / "foreign-1.0-py3-none-any.whl"
    for data in (b"not JSON", b'{"label": "release", "runtimes": 3}', b"[]"):
        report = audit.audit_wheel(
            write_wheel(path, {"p/a.so": elves.openmp_user().read_bytes(), "p/build_info.json": data}, record=False)
        )
        assert (report.claims, report.problems) == (None, ())


def test_one_library_of_a_build_may_need_less_than_claimed_but_not_more(elves: Elves) -> None:
    assert library(elves.shared("a.so", "namespace a {}" + plan_source(tbb_claims())), "tbb").problems == ()
    path = elves.shared("b.so", "namespace a {}" + plan_source(tbb_claims()), "-lgomp")
    assert (
        "section .threadwheel_plan claims the runtimes tbb but the ELF files need or define gnu-openmp"
        in claims_text(library(path))
    )


def test_the_claims_of_an_installed_package_are_about_that_package(
    ours: Callable[..., Path], elves: Elves, tmp_path: Path
) -> None:
    with zipfile.ZipFile(ours()) as archive:
        archive.extractall(tmp_path / "site")
    assert library(tmp_path / "site").problems == ()
    elves.tbb_user().rename(tmp_path / "site" / "neighbour.so")
    assert library(tmp_path / "site").problems == ()
    elves.openmp_user().rename(tmp_path / "site" / "threadwheel" / "extra.so")
    assert kinds(library(tmp_path / "site")) == ["claims-mismatch", "mixed-runtimes"]


# --- RECORD


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"threadwheel/_core.so": b"cut"},
            "threadwheel/_core.so of another hash or size than RECORD says; build again",
        ),
        ({"threadwheel/_core.so": None}, "threadwheel/_core.so in RECORD but not in the wheel; build again"),
        ({"threadwheel/new.py": b"x"}, "threadwheel/new.py not in RECORD; build again"),
        ({"threadwheel-0.1.0+tbb.dist-info/RECORD": None}, "has 0 RECORD files; a wheel has one, build again"),
    ],
)
def test_a_half_written_wheel_does_not_pass(
    ours: Callable[..., Path], changes: dict[str, bytes | None], text: str
) -> None:
    wheel = rewrite_wheel(ours(), changes)
    report = audit.audit_wheel(wheel)
    assert kinds(report) == ["record"]
    assert text_of(report, "record") == f"{wheel}: {text}"


def test_a_record_row_with_a_wrong_size_or_no_hash_does_not_pass(ours: Callable[..., Path]) -> None:
    record = "threadwheel-0.1.0+tbb.dist-info/RECORD"
    for change in ((b",3\n", b",4\n"), (record_hash(b"abc").encode(), b"")):
        wheel = ours({"threadwheel/a.txt": b"abc"})
        with zipfile.ZipFile(wheel) as archive:
            rows = archive.read(record)
        assert change[0] in rows
        assert "threadwheel/a.txt of another hash" in text_of(
            audit.audit_wheel(rewrite_wheel(wheel, {record: rows.replace(*change)})), "record"
        )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_twice_in_the_wheel_does_not_pass(
    ours: Callable[..., Path], our_files: dict[str, bytes]
) -> None:
    wheel = ours()
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("threadwheel/_core.so", our_files["threadwheel/_core.so"])
    assert (
        text_of(audit.audit_wheel(wheel), "record") == f"{wheel}: threadwheel/_core.so twice in the wheel; build again"
    )


def test_record_is_not_asked_of_wheels_without_claims(elves: Elves, tmp_path: Path) -> None:
    assert (
        audit.audit_wheel(
            write_wheel(tmp_path / "a-1-py3-none-any.whl", {"p/a.so": elves.shared("a.so").read_bytes()}, record=False)
        ).problems
        == ()
    )


# --- expectations


@pytest.mark.parametrize(
    ("label", "fits"),
    [
        *((label, "gnu llvm any") for label in ("omp", "openmp", "omp.nomkl")),
        *((label, "none") for label in ("native", "none", "seq")),
        *(("tbb", "tbb"), ("gnu-openmp", "gnu"), ("llvm-openmp", "llvm")),
    ],
)
def test_a_label_names_a_class_or_a_runtime(elves: Elves, label: str, fits: str) -> None:
    files = {
        "gnu": elves.openmp_user(),
        "llvm": elves.llvm_user(),
        "tbb": elves.tbb_user(),
        "none": elves.shared("plain.so"),
    }
    files["any"] = elves.shared("any.so", "void omp_get_level(void); void f(void) { omp_get_level(); }")
    assert {name for name, path in files.items() if library(path, label).exit_code == audit.CLEAN} == set(fits.split())


def test_a_mismatch_says_what_is_there_and_what_is_expected(elves: Elves) -> None:
    path = elves.openmp_user()
    report = library(path, "tbb")
    assert report.exit_code == audit.FINDING
    assert text_of(report, "expect-mismatch") == f"{path}: needs or defines gnu-openmp but tbb is expected; that is tbb"


def test_a_claimed_label_must_be_the_expected_one(ours: Callable[..., Path]) -> None:
    wheel = ours()
    source = f"{wheel}: threadwheel/build_info.json"
    assert text_of(audit.audit_wheel(wheel, "tbb.nomkl"), "expect-mismatch") == (
        f"{source} says the label tbb but tbb.nomkl is expected; give the wheel of that label"
    )
    texts = [problem.text for problem in audit.audit_wheel(wheel, "native").problems]
    assert f"{wheel}: claims tbb but native is expected; that is none" in texts


def test_the_families_of_the_project_come_first(tmp_path: Path) -> None:
    assert audit.expected_runtimes("omp.nomkl", ROOT) == (frozenset({"gnu-openmp"}),)
    assert audit.expected_runtimes("native", ROOT) == (frozenset(),)
    (tmp_path / "configs").mkdir()
    table = tmp_path / "configs" / "options.toml"
    table.write_text('[families.X]\nlabel = "mine"\nruntimes = ["llvm-openmp"]\n')
    assert audit.expected_runtimes("mine", tmp_path) == (frozenset({"llvm-openmp"}),)


@pytest.mark.parametrize(
    ("toml", "text"),
    [
        (
            "[families.X]\nlabel = 'x'\n",
            "the families cannot be read: 'runtimes'; each has a label and a list of runtimes",
        ),
        ("families = ", "the families cannot be read: Invalid value"),
        (
            "[families.X]\nlabel = 'x'\nruntimes = ['gomp']\n",
            "family x has the runtime 'gomp'; the audit knows gnu-openmp, llvm-openmp, tbb",
        ),
    ],
)
def test_a_broken_table_of_the_project_is_told(tmp_path: Path, toml: str, text: str) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "options.toml").write_text(toml)
    with pytest.raises(BuildError) as caught:
        audit.expected_runtimes("x", tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/configs/options.toml: {text}")
