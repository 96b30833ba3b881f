"""Wheel variants (experimental): stamped copies, the indexes that prefer one label, and what is refused."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from audits import kinds
from commands import builder, tree
from conftest import ROOT
from elves import Families, needs_compiler, record_hash, rewrite_wheel
from test_index import linked, links, refused, requirement, sha256

from threadwheel_build.audit import Report, audit_wheel
from threadwheel_build.errors import BuildError
from threadwheel_build.wheel_variants import split_name, stamped_name

pytestmark = needs_compiler
LABELS = ("omp", "tbb", "native")
ORDER = ["omp", "tbb", "native", "omp.bare", "omp.nomkl", "omp.nomkldnn"]  # how configs/variants/ begins


@pytest.fixture
def dist(families: Families, tmp_path: Path) -> Path:
    for label in LABELS:
        families.wheel(tmp_path / "dist" / label, label)
    return tmp_path / "dist"


def indexed(dist: Path, site: Path) -> Path:
    done = builder("index", dist, "-o", site, "--wheel-variants")
    assert done.returncode == 0, done.stderr
    return site


def stamped(site: Path, label: str) -> Path:
    return site / label / "wheels" / f"threadwheel-0.1.0-cp311-cp311-linux_x86_64-{label}.whl"


def preferred(site: Path, label: str) -> Path:
    return site / label / "variants" / "threadwheel"


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def order_of(document: dict[str, Any]) -> list[str]:
    order: list[str] = document["providers"]["threading"]["static-properties"]["backend"]
    return order


# --- the copies


@pytest.mark.parametrize("label", LABELS)
def test_a_copy_differs_by_its_label_and_nothing_else(dist: Path, tmp_path: Path, label: str) -> None:
    site = indexed(dist, tmp_path / "site")
    before, after = members(next((dist / label).glob("*.whl"))), members(stamped(site, label))
    version = "0.1.0" if label == "omp" else f"0.1.0+{label}"
    renamed = {name.replace(f"-{version}.dist-info/", "-0.1.0.dist-info/"): data for name, data in before.items()}
    info = "threadwheel-0.1.0.dist-info"
    assert set(after) - set(renamed) == {f"{info}/variant.json"}
    changed = {name for name in renamed if renamed[name] != after[name]}
    assert changed == {f"{info}/RECORD"} | ({f"{info}/METADATA"} if label != "omp" else set())
    metadata = renamed[f"{info}/METADATA"].replace(f"Version: {version}".encode(), b"Version: 0.1.0", 2)
    assert after[f"{info}/METADATA"] == metadata
    document = json.loads(after[f"{info}/variant.json"])
    assert document["variants"] == {label: {"threading": {"backend": [label]}}}
    assert order_of(document)[: len(ORDER)] == ORDER


@pytest.mark.parametrize("label", LABELS)
def test_the_audit_of_a_copy_is_clean_and_its_record_fits(dist: Path, tmp_path: Path, label: str) -> None:
    wheel = stamped(indexed(dist, tmp_path / "site"), label)
    assert builder("audit", wheel, "--expect", label).returncode == 0
    files = members(wheel)
    rows = files.pop("threadwheel-0.1.0.dist-info/RECORD").decode().splitlines()
    wanted = {f"{name},{record_hash(data)},{len(data)}" for name, data in files.items()}
    assert set(rows) == wanted | {"threadwheel-0.1.0.dist-info/RECORD,,"}


def test_folders_for_the_installer_follow_the_version(families: Families, tmp_path: Path) -> None:
    script = {"threadwheel-0.1.0+tbb.data/scripts/tool": b"#!python\n", "threadwheel-0.1.0+tbb.txt": b""}
    families.wheel(tmp_path / "dist", "tbb", script)
    families.wheel(tmp_path / "dist", "omp")
    names = set(members(stamped(indexed(tmp_path / "dist", tmp_path / "site"), "tbb")))
    assert {"threadwheel-0.1.0.data/scripts/tool", "threadwheel-0.1.0+tbb.txt"} <= names


def test_equal_wheels_make_equal_copies(dist: Path, tmp_path: Path) -> None:
    sites = [indexed(dist, tmp_path / name) for name in ("a", "b")]
    for label in LABELS:
        assert stamped(sites[0], label).read_bytes() == stamped(sites[1], label).read_bytes()


def test_programs_stay_executable_and_times_stay(families: Families, tmp_path: Path) -> None:
    wheel = families.wheel(tmp_path / "dist", "omp", {"threadwheel/tool": b"#!/bin/sh\n"})
    with zipfile.ZipFile(wheel) as archive:
        files = {info: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(wheel, "w") as archive:
        for info, data in files.items():
            info.date_time = (2001, 2, 3, 4, 5, 6)
            info.external_attr = (0o755 if info.filename.endswith("/tool") else 0o644) << 16
            archive.writestr(info, data)
    with zipfile.ZipFile(stamped(indexed(tmp_path / "dist", tmp_path / "site"), "omp")) as archive:
        assert {info.date_time for info in archive.infolist()} == {(2001, 2, 3, 4, 5, 6)}
        executable = [info.filename for info in archive.infolist() if info.external_attr >> 16 & 0o111]
    assert executable == ["threadwheel/tool"]


# --- the indexes


@pytest.mark.parametrize("label", LABELS)
def test_an_index_prefers_its_own_label_among_the_same_wheels(dist: Path, tmp_path: Path, label: str) -> None:
    site = indexed(dist, tmp_path / "site")
    *wheels, document = links(preferred(site, label) / "index.html")
    found = {
        linked(preferred(site, label) / "index.html", link): link["href"].partition("#sha256=")[2] for link in wheels
    }
    plain = site / "omp" / "wheels" / "threadwheel-0.1.0-cp311-cp311-linux_x86_64.whl"
    assert set(found) == {plain, *(stamped(site, other) for other in LABELS)}
    assert all(sha256(path) == digest for path, digest in found.items())
    assert document == {"href": "threadwheel-0.1.0-variants.json"}
    data = json.loads((preferred(site, label) / document["href"]).read_text())
    assert set(data["variants"]) == set(LABELS)
    assert order_of(data)[:3] == [label, *(other for other in LABELS if other != label)]


def test_json_names_the_document_too(dist: Path, tmp_path: Path) -> None:
    data = json.loads((preferred(indexed(dist, tmp_path / "site"), "tbb") / "index.json").read_text())
    assert data["versions"] == ["0.1.0"]
    assert data["files"][-1] == {
        "filename": "threadwheel-0.1.0-variants.json",
        "url": "threadwheel-0.1.0-variants.json",
        "hashes": {},
    }


def test_what_any_variant_requires_is_in_every_index(dist: Path, tmp_path: Path) -> None:
    requirement(dist / "others", "numpy")
    requirement(dist / "others", "tbb")
    site = indexed(dist, tmp_path / "site")
    for label in LABELS:
        found = [link["href"] for link in links(site / label / "variants" / "index.html")]
        assert found == ["numpy/", "tbb/", "threadwheel/"]


def test_the_indexes_of_one_backend_stay_as_they_are(dist: Path, tmp_path: Path) -> None:
    """Labels never meet where an installer would choose by the version."""
    site = indexed(dist, tmp_path / "site")
    builder("index", dist, "-o", tmp_path / "without")
    for path, data in tree(tmp_path / "without").items():
        assert path == ".threadwheel-index.json" or tree(site)[path] == data


def test_without_the_option_nothing_is_stamped(dist: Path, tmp_path: Path) -> None:
    assert builder("index", dist, "-o", tmp_path / "site").returncode == 0
    assert not [name for name in tree(tmp_path / "site") if "variant" in name]


def test_a_second_run_writes_nothing_and_audits_nothing(dist: Path, tmp_path: Path) -> None:
    site = indexed(dist, tmp_path / "site")
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*")}
    done = builder("index", dist, "-o", site, "--wheel-variants", "--json")
    assert (json.loads(done.stdout)["added"], done.stderr) == ([], "")
    assert {path: path.stat().st_mtime_ns for path in site.rglob("*")} == before


def test_a_site_that_has_them_keeps_its_pages_right_without_the_option(dist: Path, tmp_path: Path) -> None:
    site = indexed(dist / "omp", tmp_path / "site")
    assert builder("index", dist, "-o", site).returncode == 0
    assert not stamped(site, "tbb").exists()
    assert len(links(preferred(site, "omp") / "index.html")) == 3
    indexed(dist, site)
    assert len(links(preferred(site, "omp") / "index.html")) == len(links(preferred(site, "tbb") / "index.html")) == 5


def test_a_copy_may_stay_when_its_wheel_is_removed(dist: Path, tmp_path: Path) -> None:
    requirement(dist / "others", "tbb")
    site = indexed(dist, tmp_path / "site")
    next((site / "tbb" / "wheels").glob("*+tbb*.whl")).unlink()
    done = builder("index", dist / "omp", "-o", site)
    assert (done.returncode, done.stdout) == (0, f"{site}: 0 wheels added, 6 unchanged: native, omp\n"), done.stderr
    assert stamped(site, "tbb") in {linked(page, link) for page in [preferred(site, "omp") / "index.html"] for link in links(page)}  # fmt: skip


def test_copies_alone_are_no_wheels_for_everybody(dist: Path, tmp_path: Path) -> None:
    copy = stamped(indexed(dist, tmp_path / "site"), "tbb")
    done = builder("index", copy, "-o", tmp_path / "other")
    assert (done.returncode, (tmp_path / "other").exists()) == (2, False)
    assert done.stderr.endswith(f"{copy}: holds no wheel of a variant; threadwheel_build release makes them\n")


def test_another_project_gets_its_own_labels(dist: Path, tmp_path: Path) -> None:
    """The order is that of the project's configs/, which name what its wheels are."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "configs", project / "configs")
    shutil.copy(ROOT / "pyproject.toml", project)
    (project / "configs" / "variants" / "omp.toml").write_text("")  # no release any more: after those that are
    done = builder("index", dist, "-o", tmp_path / "site", "--wheel-variants", project=project)
    assert done.returncode == 0
    document = json.loads((preferred(tmp_path / "site", "native") / "threadwheel-0.1.0-variants.json").read_text())
    assert order_of(document)[:3] == ["native", "tbb", "omp"]


# --- refusals


def test_a_variant_that_configs_do_not_know_is_refused(dist: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "configs", project / "configs")
    shutil.copy(ROOT / "pyproject.toml", project)
    (project / "configs" / "variants" / "tbb.toml").unlink()
    done = builder("index", dist, "-o", tmp_path / "site", "--wheel-variants", project=project)
    assert (done.returncode, (tmp_path / "site").exists()) == (2, False)
    words = "threadwheel-0.1.0+tbb-cp311-cp311-linux_x86_64.whl: has the label tbb, and wheel variants are ordered as "
    assert words in done.stderr
    assert "add a file for it, the labels there are omp, native, omp.bare" in done.stderr


def test_without_the_default_wheel_there_is_nothing_for_other_installers(dist: Path, tmp_path: Path) -> None:
    done = builder("index", dist / "tbb", "-o", tmp_path / "site", "--wheel-variants")
    assert (done.returncode, (tmp_path / "site").exists()) == (2, False)
    words = (
        "has no wheel of the default variant for 0.1.0, which an installer that knows no wheel variants takes; add it"
    )
    assert f"{tmp_path}/site: {words}\n" in done.stderr


@pytest.mark.parametrize("label", ["Omp", "a-b", "null", ""])
def test_a_label_that_the_drafts_do_not_take_is_refused(label: str) -> None:
    with pytest.raises(BuildError) as caught:
        stamped_name("loops-1.0-cp311-cp311-linux_x86_64.whl", label)
    rule = "PEP 825 takes lower case letters, digits, . and _, and keeps null for itself"
    assert str(caught.value) == (
        f"loops-1.0-cp311-cp311-linux_x86_64.whl: its label {label!r} is none for a wheel variant; {rule}"
    )


def test_a_build_number_stays_before_the_tags() -> None:
    name = stamped_name("loops-1.0+tbb.bare-2-cp311-cp311-linux_x86_64.whl", "tbb.bare")
    assert name == "loops-1.0-2-cp311-cp311-linux_x86_64-tbb.bare.whl"
    assert split_name(name) == (["loops", "1.0", "2", "cp311", "cp311", "linux_x86_64"], "tbb.bare")


def with_files(wheel: Path, target: Path, changes: dict[str, bytes | None]) -> Path:
    """A copy of `wheel` under another name with changed files and a RECORD that fits."""
    shutil.copy(wheel, target)
    info = "threadwheel-0.1.0.dist-info"
    files = {name: data for name, data in (members(wheel) | changes).items() if data is not None}
    del files[f"{info}/RECORD"]
    rows = [f"{name},{record_hash(data)},{len(data)}" for name, data in files.items()]
    return rewrite_wheel(target, changes | {f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,"]).encode()})


@pytest.fixture
def copy(dist: Path, tmp_path: Path) -> Path:
    return stamped(indexed(dist, tmp_path / "site"), "tbb")


def problem_of(wheel: Path) -> str:
    report: Report = audit_wheel(wheel)
    assert kinds(report) == ["claims-mismatch"], report.problems
    return report.problems[0].text


def test_a_label_in_the_name_alone_is_refused(copy: Path, tmp_path: Path) -> None:
    lying = with_files(copy, tmp_path / copy.name, {"threadwheel-0.1.0.dist-info/variant.json": None})
    assert problem_of(lying) == (
        f"{lying}: has 0 .dist-info/variant.json files; a name with a label asks for one, stamp it again"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"variants": {"omp": {}}}', "omp"),
        ('{"variants": {"omp": {}, "tbb": {}}}', "omp, tbb"),
        ('{"variants": 3}', "none"),
        ("not JSON", "none"),
        ("[" * 100_000, "none"),
    ],
)
def test_a_document_that_says_something_else_is_refused(copy: Path, tmp_path: Path, text: str, said: str) -> None:
    name = "threadwheel-0.1.0.dist-info/variant.json"
    lying = with_files(copy, tmp_path / copy.name, {name: text.encode()})
    assert problem_of(lying) == (f"{lying}: {name} names the labels {said} but the file name says tbb; stamp it again")


def test_a_document_without_a_label_in_the_name_is_refused(copy: Path, tmp_path: Path) -> None:
    lying = tmp_path / "threadwheel-0.1.0+tbb-cp311-cp311-linux_x86_64.whl"
    shutil.copy(copy, lying)
    texts = [problem.text for problem in audit_wheel(lying).problems]
    words = "has threadwheel-0.1.0.dist-info/variant.json but no label in the file name; build again"
    assert f"{lying}: {words}" in texts


def test_another_label_in_the_name_is_refused(copy: Path, tmp_path: Path) -> None:
    lying = tmp_path / copy.name.replace("-tbb.whl", "-omp.whl")
    shutil.copy(copy, lying)
    texts = [problem.text for problem in audit_wheel(lying).problems]
    assert f"{lying}: the file name says the label omp but threadwheel/build_info.json says tbb; build again" in texts


def test_a_copy_that_keeps_the_label_in_its_version_is_refused(copy: Path, tmp_path: Path) -> None:
    lying = tmp_path / copy.name.replace("-0.1.0-", "-0.1.0+tbb-")
    shutil.copy(copy, lying)
    assert problem_of(lying).endswith(
        "the file name says version 0.1.0+tbb but threadwheel/build_info.json says 0.1.0; build again"
    )


def test_a_copy_that_was_changed_in_the_site_is_refused(copy: Path, dist: Path) -> None:
    with zipfile.ZipFile(copy, "a") as archive:
        archive.writestr("threadwheel/extra.py", b"")
    text = refused(copy.parents[2], dist)
    assert f"{copy}: was changed after it was published" in text


def test_the_help_says_that_it_is_experimental() -> None:
    said = " ".join(builder("index", "--help").stdout.split())
    assert "--wheel-variants EXPERIMENTAL, after drafts that will change (PEP 825, PEP 850)" in said
