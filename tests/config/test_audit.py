"""audit.py: what it finds in really built ELF files and in wheels around them, and how it says so."""

from __future__ import annotations

import argparse
import json
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from elves import (
    LLVM_LIBRARY,
    LLVM_USER,
    PLAIN,
    TBB_USER,
    Elves,
    needs_compiler,
    plan_source,
    record_hash,
    rewrite_wheel,
    tbb_claims,
    write_wheel,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from threadwheel_build import audit
from threadwheel_build.errors import BuildError

pytestmark = needs_compiler


@pytest.fixture
def elves(tmp_path: Path) -> Elves:
    return Elves(tmp_path / "built")


@pytest.fixture(autouse=True)
def folder_without_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels mean what audit.py says by itself unless a test has a project."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def pack(tmp_path: Path) -> Callable[..., Path]:
    """Pack a wheel that makes no claims: `pack(member=path of a built file, ...)`."""

    def pack_wheel(members: Mapping[str, Path], name: str = "foreign-1.0-py3-none-any.whl") -> Path:
        return write_wheel(
            tmp_path / name,
            {member: path.read_bytes() for member, path in members.items()},
            name="foreign",
            version="1.0",
            requires=(),
        )

    return pack_wheel


def command(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    audit.add_arguments(parser)
    return audit.run(parser.parse_args(list(map(str, arguments))))


def kinds(report: audit.Report) -> list[str]:
    return sorted(problem.kind for problem in report.problems)


def text_of(report: audit.Report, kind: str) -> str:
    (text,) = (problem.text for problem in report.problems if problem.kind == kind)
    return text


def library(path: Path, expect: str | None = None) -> audit.Report:
    (report,) = audit.audit_path(path, expect)
    return report


# --- one runtime, two runtimes


def test_a_plain_wheel_is_clean(elves: Elves, pack: Callable[..., Path]) -> None:
    report = audit.audit_wheel(pack({"p/a.so": elves.shared("a.so")}))
    assert (report.runtimes, report.problems, report.notes, report.exit_code) == ((), (), (), audit.CLEAN)
    assert report.verdict == "clean: no threading runtime"


def test_a_wheel_without_elf_files_is_clean(pack: Callable[..., Path]) -> None:
    assert audit.audit_wheel(pack({})).verdict == "clean: no ELF files"


def test_each_runtime_is_seen_once_by_needed_and_symbols(elves: Elves) -> None:
    for path, runtime in (
        (elves.openmp_user(), "gnu-openmp"),
        (elves.tbb_user(), "tbb"),
        (elves.llvm_user(), "llvm-openmp"),
    ):
        report = library(path)
        assert (report.runtimes, report.elves[0].needs, report.elves[0].defines) == ((runtime,), (runtime,), ())
        assert report.exit_code == audit.CLEAN


def test_openmp_and_tbb_in_one_wheel_are_mixed_and_both_files_are_named(
    elves: Elves, pack: Callable[..., Path]
) -> None:
    wheel = pack({"p/omppool.so": elves.openmp_user(), "p/tbbpool.so": elves.tbb_user()})
    report = audit.audit_wheel(wheel)
    assert kinds(report) == ["mixed-runtimes"]
    assert text_of(report, "mixed-runtimes") == (
        f"{wheel}: mixes the threading runtimes gnu-openmp (p/omppool.so), tbb (p/tbbpool.so); one wheel may need or define only one"
    )
    assert report.exit_code == audit.FINDING


def test_one_library_that_needs_both_is_mixed(elves: Elves) -> None:
    path = elves.shared("both.so", TBB_USER, links=[elves.tbb_library(), elves.openmp_user("liba.so"), Path("-lgomp")])
    assert kinds(library(path)) == ["mixed-runtimes"]


def test_two_openmp_runtimes_are_mixed(elves: Elves, pack: Callable[..., Path]) -> None:
    report = audit.audit_wheel(pack({"p/a.so": elves.openmp_user(), "p/b.so": elves.llvm_user()}))
    assert report.runtimes == ("gnu-openmp", "llvm-openmp")
    assert kinds(report) == ["mixed-runtimes"]


def test_code_of_gcc_on_llvms_library_is_one_runtime(elves: Elves) -> None:
    path = elves.shared(
        "a.so",
        "void GOMP_parallel(void); void f(void) { GOMP_parallel(); }",
        links=[elves.llvm_library("libiomp5.so", "libiomp5.so")],
    )
    assert library(path).runtimes == ("llvm-openmp",)


def test_weak_imports_are_no_need(elves: Elves) -> None:
    source = "__attribute__((weak)) int kmp_get_blocktime(void); __attribute__((weak)) int omp_pause_resource_all(int);"
    path = elves.shared(
        "a.so",
        source + "int f(void) { return kmp_get_blocktime ? kmp_get_blocktime() : omp_pause_resource_all ? 1 : 0; }",
    )
    assert library(path).runtimes == ()


def test_only_omp_calls_are_of_the_openmp_that_is_linked_or_of_any(elves: Elves) -> None:
    source = "int omp_get_max_threads(void); int f(void) { return omp_get_max_threads(); }"
    assert library(elves.shared("a.so", source)).runtimes == ("openmp",)
    assert library(elves.shared("b.so", source, "-lgomp")).runtimes == ("gnu-openmp",)
    assert library(elves.shared("c.so", source, links=[elves.llvm_library()])).runtimes == ("llvm-openmp",)


def test_names_that_only_look_like_openmp_are_none(elves: Elves) -> None:
    source = "int omp_scan(void); int kmp_search(void); void GOMP_OFFLOAD_run(void) {} int f(void) { return omp_scan() + kmp_search(); }"
    assert library(elves.shared("libgomp-plugin-x.so.1", source)).runtimes == ()


def test_tbb_of_before_2021_is_seen(elves: Elves) -> None:
    source = (
        "namespace tbb::internal { void* allocate(unsigned long); } void* f() { return tbb::internal::allocate(1); }"
    )
    assert library(elves.shared("a.so", source)).runtimes == ("tbb",)


def test_tbbs_allocator_is_shown_and_not_counted(elves: Elves, pack: Callable[..., Path]) -> None:
    malloc = elves.shared("libtbbmalloc.so.2", "void scalable_free(void) {}", soname="libtbbmalloc.so.2")
    report = audit.audit_wheel(
        pack({"p/a.so": elves.shared("a.so", PLAIN, "-fopenmp", links=[malloc]), "p/libtbbmalloc.so.2": malloc})
    )
    assert (report.runtimes, report.exit_code) == (("gnu-openmp",), audit.CLEAN)
    assert [(note.level, note.elf, note.text) for note in report.notes] == [
        ("note", "p/a.so", "needs libtbbmalloc.so.2, TBB's allocator: no threading runtime"),
        ("note", "p/libtbbmalloc.so.2", "TBB's allocator: no threading runtime"),
    ]


# --- static copies and bundled copies


def test_a_static_copy_shows_when_exported_and_when_hidden(elves: Elves) -> None:
    for name, flags in (("exported", ["-rdynamic"]), ("hidden", [])):
        report = library(elves.static_openmp_program(name, *flags))
        assert report.elves[0].needs == ()
        assert report.elves[0].defines == ("gnu-openmp",)
        assert report.notes[0].text == "holds a copy of gnu-openmp: a second one where the shared library is loaded too"
        assert report.exit_code == audit.CLEAN


def test_a_static_copy_that_is_exported_shows_when_stripped(elves: Elves) -> None:
    assert library(elves.strip(elves.static_openmp_program("a", "-rdynamic"))).runtimes == ("gnu-openmp",)


def test_a_static_copy_that_is_hidden_and_stripped_is_not_seen_as_documented(elves: Elves) -> None:
    assert library(elves.strip(elves.static_openmp_program("a"))).runtimes == ()
    parser = argparse.ArgumentParser()
    audit.add_arguments(parser)
    assert "not seen: a static copy whose symbols are hidden and stripped" in parser.format_help()
    assert "a static copy whose symbols are hidden and stripped" in (audit.__doc__ or "")


def test_a_static_copy_beside_the_shared_one_is_two_copies(elves: Elves, pack: Callable[..., Path]) -> None:
    wheel = pack({"p/tool": elves.static_openmp_program("tool"), "p/a.so": elves.openmp_user()})
    report = audit.audit_wheel(wheel)
    assert kinds(report) == ["two-copies"]
    assert text_of(report, "two-copies") == (
        f"{wheel}: 2 copies of gnu-openmp: libgomp.so.1 (p/a.so), the copy inside p/tool (p/tool); link every file to one shared library"
    )


def test_a_hidden_copy_beside_symbols_that_nobody_provides_is_two_copies(
    elves: Elves, pack: Callable[..., Path]
) -> None:
    hidden = elves.shared("hidden.so", '__attribute__((visibility("hidden"))) void __kmpc_fork_call(void) {}')
    user = elves.shared("user.so", LLVM_USER)
    assert "a library that no DT_NEEDED names (p/user.so)" in text_of(
        audit.audit_wheel(pack({"p/h.so": hidden, "p/user.so": user})), "two-copies"
    )


def test_files_that_share_an_exported_copy_have_one(elves: Elves, pack: Callable[..., Path]) -> None:
    own = elves.shared("libown.so", LLVM_LIBRARY, soname="libown.so")
    report = audit.audit_wheel(pack({"p/libown.so": own, "p/a.so": elves.shared("a.so", LLVM_USER, links=[own])}))
    assert (report.runtimes, report.problems) == (("llvm-openmp",), ())


def test_a_renamed_bundled_copy_is_a_note(elves: Elves, pack: Callable[..., Path]) -> None:
    name = "libgomp-e985bcbb.so.1.0.0"
    copy = elves.shared(name, "void GOMP_parallel(void) {}", soname=name)
    user = elves.shared(
        "a.so",
        "void GOMP_parallel(void); void f(void) { GOMP_parallel(); }",
        links=[copy],
        rpath="$ORIGIN/../foreign.libs",
    )
    report = audit.audit_wheel(pack({"p/a.so": user, f"foreign.libs/{name}": copy}))
    assert (report.runtimes, report.exit_code) == (("gnu-openmp",), audit.CLEAN)
    assert [(note.level, note.elf) for note in report.notes] == [("note", f"foreign.libs/{name}")]
    assert (
        report.notes[0].text
        == f"a copy of gnu-openmp under the changed name {name}: a second one where the usual is loaded too"
    )
    assert [row.runtime_library for row in report.elves] == ["gnu-openmp", None]


@pytest.mark.parametrize(
    ("file_name", "soname", "runtime"),
    [
        ("libomp-a1b2c3d4.so", "libomp-a1b2c3d4.so", "llvm-openmp"),
        ("libtbb-0f1e2d3c.so.12", "libtbb-0f1e2d3c.so.12", "tbb"),
        ("libgomp-24e2ab19.so.1.0.0", "libgomp.so.1", "gnu-openmp"),
        ("libours.so", "libgomp.so.1", "gnu-openmp"),
    ],
)
def test_a_changed_file_name_or_soname_is_a_note(elves: Elves, file_name: str, soname: str, runtime: str) -> None:
    report = library(elves.shared(file_name, PLAIN, soname=soname))
    assert (report.runtimes, len(report.notes)) == ((runtime,), 1)
    assert f"under the changed name {file_name}" in report.notes[0].text


def test_a_renamed_copy_beside_the_usual_one_is_two_copies(elves: Elves, pack: Callable[..., Path]) -> None:
    renamed = elves.shared("libgomp-abc.so.1", "void GOMP_parallel(void) {}", soname="libgomp-abc.so.1")
    report = audit.audit_wheel(pack({"p/libgomp-abc.so.1": renamed, "p/a.so": elves.openmp_user()}))
    assert kinds(report) == ["two-copies"]
    assert "libgomp-abc.so.1 (p/libgomp-abc.so.1), libgomp.so.1 (p/a.so)" in text_of(report, "two-copies")


def test_a_bundled_runtime_under_its_own_name_is_clean_without_a_note(elves: Elves, pack: Callable[..., Path]) -> None:
    copy = elves.shared("libgomp.so.1", "void GOMP_parallel(void) {}", soname="libgomp.so.1")
    report = audit.audit_wheel(
        pack({"p/lib/libgomp.so.1": copy, "p/a.so": elves.openmp_user(), "p/libgomp.so.1.0.0": copy})
    )
    assert (report.runtimes, report.problems, report.notes) == (("gnu-openmp",), (), ())


def test_a_renamed_copy_that_is_not_in_the_wheel_is_a_warning(elves: Elves, pack: Callable[..., Path]) -> None:
    copy = elves.shared("libtbb-abc.so.12", PLAIN, soname="libtbb-abc.so.12")
    report = audit.audit_wheel(pack({"p/a.so": elves.shared("a.so", PLAIN, links=[copy])}))
    assert [(note.level, note.text) for note in report.notes] == [
        ("warning", "needs libtbb-abc.so.12, a renamed copy of tbb that is not in the wheel")
    ]


# --- RPATH


@pytest.mark.parametrize(
    ("rpath", "notes"),
    [
        ("$ORIGIN", []),
        ("${ORIGIN}/../q.libs", []),
        ("$ORIGIN:$ORIGIN/../../../..", [("note", "RPATH $ORIGIN/../../../.. points outside the wheel")]),
        ("/opt/tbb/lib", [("warning", "RPATH /opt/tbb/lib is absolute: a folder of the machine it was built on")]),
        ("lib:$ORIGIN", [("warning", "RPATH lib is relative to the folder a process runs in")]),
        ("$ORIGIN:::", [("warning", "RPATH (an empty entry) is relative to the folder a process runs in")]),
    ],
)
def test_rpath_entries_that_leave_the_wheel_are_noted(
    elves: Elves, pack: Callable[..., Path], rpath: str, notes: list[tuple[str, str]]
) -> None:
    report = audit.audit_wheel(pack({"p/a.so": elves.shared("a.so", PLAIN, rpath=rpath)}))
    assert [(note.level, note.text) for note in report.notes] == notes
    assert report.exit_code == audit.CLEAN
    assert report.elves[0].rpath == tuple(rpath.split(":"))


def test_rpath_is_resolved_from_where_a_data_folder_installs(elves: Elves, pack: Callable[..., Path]) -> None:
    user = elves.shared("a.so", PLAIN, rpath="$ORIGIN/../..")
    assert len(audit.audit_wheel(pack({"foreign-1.0.data/platlib/p/a.so": user})).notes) == 1
    assert len(audit.audit_wheel(pack({"p/lib/a.so": user})).notes) == 0


# --- what is examined


def test_every_member_with_elf_magic_is_examined_whatever_its_name(elves: Elves, pack: Callable[..., Path]) -> None:
    report = audit.audit_wheel(
        pack({"p/data.bin": elves.openmp_user(), "foreign-1.0.data/scripts/tool": elves.tbb_user()})
    )
    assert kinds(report) == ["mixed-runtimes"]


def test_a_member_that_leads_outside_is_reported(elves: Elves, pack: Callable[..., Path], tmp_path: Path) -> None:
    wheel = pack({"../evil.so": elves.shared("a.so")})
    before = sorted(tmp_path.iterdir())
    report = audit.audit_wheel(wheel)
    assert (
        text_of(report, "unsafe-name")
        == f"{wheel}: member '../evil.so' names no file inside the wheel; build it again without that name"
    )
    assert sorted(tmp_path.iterdir()) == before


def test_a_member_without_a_name_is_reported(elves: Elves, pack: Callable[..., Path]) -> None:
    wheel = pack({"p.so": elves.shared("a.so")})
    wheel.write_bytes(wheel.read_bytes().replace(b"p.so", b"\0.so"))  # zipfile ends a name at the first zero byte
    assert (
        text_of(audit.audit_wheel(wheel), "unsafe-name")
        == f"{wheel}: member '' names no file inside the wheel; build it again without that name"
    )


def test_a_member_that_says_it_is_huge_is_not_inflated(elves: Elves, pack: Callable[..., Path]) -> None:
    wheel = pack({"p/a.so": elves.shared("a.so")})
    data = bytearray(wheel.read_bytes())
    entry = data.rindex(b"p/a.so", 0, data.rindex(b"foreign-1.0.dist-info/METADATA")) - 46
    assert data[entry : entry + 4] == b"PK\1\2"
    struct.pack_into("<I", data, entry + 24, 0xF0000000)
    wheel.write_bytes(data)
    report = audit.audit_wheel(wheel)
    assert (
        text_of(report, "unreadable")
        == f"{wheel}: p/a.so: has 4026531840 bytes; the audit reads 1073741824 of one file and 8589934592 of all"
    )
    assert report.exit_code == audit.UNREADABLE


def test_a_member_that_does_not_unpack_is_told_once(ours: Callable[..., Path]) -> None:
    wheel = ours()
    wheel.write_bytes(b"XX" + wheel.read_bytes()[2:])  # the header of the first member
    report = audit.audit_wheel(wheel)
    assert [problem.text for problem in report.problems if problem.kind == "unreadable"] == [
        f"{wheel}: threadwheel/lib/libthreadwheel.so: cannot be read: bad magic number for file header; build or download the wheel again"
    ]


def test_an_elf_file_that_is_not_examined_is_a_warning(elves: Elves, pack: Callable[..., Path]) -> None:
    wide = elves.shared("a.so")
    data = bytearray(wide.read_bytes())
    data[4] = 1
    narrow = wide.with_name("b.so")
    narrow.write_bytes(data)
    report = audit.audit_wheel(pack({"p/a.so": wide, "p/b.so": narrow}))
    assert [(note.level, note.elf, note.text) for note in report.notes] == [
        ("warning", "p/b.so", "not examined: a 32-bit little endian file; only 64-bit little endian is read")
    ]
    assert (report.verdict, report.exit_code) == ("clean: no threading runtime, 1 ELF file not examined", audit.CLEAN)


def test_a_wheel_of_which_nothing_is_examined_is_not_called_clean(elves: Elves, pack: Callable[..., Path]) -> None:
    path = elves.shared("a.so")
    path.write_bytes(b"\x7fELF\x02\x02" + path.read_bytes()[6:])
    wheel = pack({"p/a.so": path})
    report = audit.audit_wheel(wheel)
    reason = "a 64-bit big endian file; only 64-bit little endian is read"
    assert (
        text_of(report, "unreadable")
        == f"{wheel}: none of its ELF files is examined: {reason}; give another build of it"
    )


def test_object_files_are_named_and_do_not_count(elves: Elves, pack: Callable[..., Path]) -> None:
    report = audit.audit_wheel(pack({"p/libtbb.so": elves.program("a.o", PLAIN, "-c")}))
    assert (report.runtimes, report.notes, report.exit_code) == ((), (), audit.CLEAN)
    assert report.elves[0].not_examined == "a relocatable object, which no process loads"
    assert (
        "  1 ELF file not examined: a relocatable object, which no process loads"
        in audit.report_text(report).splitlines()
    )


def test_a_folder_is_one_unit_and_links_are_counted_once(elves: Elves, tmp_path: Path) -> None:
    elves.openmp_user("tree/p/a.so")
    elves.shared("tree/p/libgomp.so.1.0.0", "void GOMP_parallel(void) {}", soname="libgomp.so.1")
    (elves.folder / "tree/p/libgomp.so.1").symlink_to("libgomp.so.1.0.0")
    (elves.folder / "tree/p/gone.so").symlink_to("nowhere")
    os.mkfifo(elves.folder / "tree/p/pipe")
    report = library(elves.folder / "tree")
    assert [row.path for row in report.elves] == ["p/a.so", "p/libgomp.so.1.0.0"]
    assert (report.kind, report.runtimes, report.problems) == ("directory", ("gnu-openmp",), ())


def test_wheels_in_a_folder_are_units_of_their_own(elves: Elves, pack: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    pack({"p/a.so": elves.openmp_user()}, "dist/omp.whl")
    pack({"p/a.so": elves.tbb_user()}, "dist/tbb.whl")
    reports = audit.audit_path(tmp_path / "dist")
    assert [(report.kind, report.runtimes, report.exit_code) for report in reports] == [
        ("wheel", ("gnu-openmp",), 0),
        ("wheel", ("tbb",), 0),
    ]


def test_a_damaged_elf_file_in_a_wheel_is_unreadable_and_the_rest_is_reported(
    elves: Elves, pack: Callable[..., Path]
) -> None:
    broken = elves.shared("b.so")
    broken.write_bytes(broken.read_bytes()[:1000])
    wheel = pack({"p/a.so": elves.openmp_user(), "p/b.so": broken})
    report = audit.audit_wheel(wheel)
    assert text_of(report, "unreadable").startswith(f"{wheel}: p/b.so: is a damaged ELF file: section headers: ")
    assert text_of(report, "unreadable").endswith("; build or download it again")
    assert (report.runtimes, report.exit_code) == (("gnu-openmp",), audit.UNREADABLE)


# --- claims


Claimed = dict[str, Any]


@pytest.fixture(scope="module")
def our_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The ELF files of a TBB wheel: the library embeds the claims."""
    built = Elves(tmp_path_factory.mktemp("ours"))
    core = built.tbb_user("libthreadwheel.so", rpath="$ORIGIN:$ORIGIN/../../../..", source=plan_source(tbb_claims()))
    return {
        "threadwheel/lib/libthreadwheel.so": built.strip(core).read_bytes(),
        "threadwheel/_core.so": built.shared("_core.so").read_bytes(),
    }


WHEEL_NAME = "threadwheel-0.1.0+tbb-cp311-cp311-linux_x86_64.whl"


@pytest.fixture
def ours(our_files: dict[str, bytes], tmp_path: Path) -> Callable[..., Path]:
    """Write a TBB wheel that is right but for what is passed; `files` with None are left out."""

    def write(files: Mapping[str, bytes | None] | None = None, file_name: str = WHEEL_NAME, **metadata: Any) -> Path:
        members = (
            our_files | {"threadwheel/build_info.json": json.dumps(tbb_claims(), indent=1).encode()} | dict(files or {})
        )
        return write_wheel(
            tmp_path / file_name, {name: data for name, data in members.items() if data is not None}, **metadata
        )

    return write


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


# --- command line


def test_an_unknown_label_is_a_usage_error_with_choices(elves: Elves, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(elves.shared("a.so"), "--expect", "tbbb") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "--expect tbbb: is no known label; did you mean 'tbb'? its first part is one of "
        "gnu-openmp, llvm-openmp, native, none, omp, openmp, seq, tbb\n"
    )


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("gone.whl", None, "cannot be read: no such file or directory; give wheels, folders or shared libraries"),
        ("text.whl", b"hello", "cannot be read: file is not a zip file; give a whole wheel"),
        ("cut.whl", b"PK\3\4" + bytes(40), "cannot be read: file is not a zip file; give a whole wheel"),
        ("empty.so", b"", "starts with nothing; give wheels, folders or shared libraries"),
        ("a.txt", b"hello", "starts with 68 65 6c 6c; give wheels, folders or shared libraries"),
        (
            "cut.so",
            b"\x7fELF\2\1",
            "is a damaged ELF file: ELF identification: 16 bytes at 0 reach past the end of the file at 6; "
            "the file is cut short or damaged; build or download it again",
        ),
    ],
)
def test_input_that_cannot_be_read_is_one_sentence_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, data: bytes | None, text: str
) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    assert command(path) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"{path}: {text}\n")


def test_a_special_file_is_refused_without_waiting_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert command(tmp_path / "pipe") == 2
    assert (
        capsys.readouterr().err
        == f"{tmp_path}/pipe: cannot be read: it is no regular file; give wheels, folders or shared libraries\n"
    )


def test_one_unreadable_path_does_not_hide_the_others(elves: Elves, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(elves.openmp_user(), "gone.so", elves.tbb_user()) == 2
    out, err = capsys.readouterr()
    assert out.count("verdict: clean") == 2
    assert err.startswith("gone.so: ")


def test_paths_are_judged_one_by_one(elves: Elves) -> None:
    assert command(elves.openmp_user(), elves.tbb_user()) == 0


def test_the_report_for_people_shows_a_table_and_a_verdict(
    elves: Elves, pack: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = pack(
        {"p/a.so": elves.openmp_user(), "p/b.so": elves.tbb_user(rpath="/opt"), "p/c.so": elves.shared("c.so")}
    )
    assert command(wheel) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{wheel} (wheel, 3 ELF files)"
    assert [line.split() for line in lines[1:4]] == [
        ["ELF", "needs", "defines", "rpath", "notes"],
        ["p/a.so", "gnu-openmp", "-", "-"],
        ["p/b.so", "tbb", "-", "/opt", "1", "below"],
    ]
    assert lines[4] == "  1 ELF file with no threading runtime and no RPATH"
    assert lines[5].startswith("  warning: p/b.so: RPATH /opt is absolute")
    assert lines[6].startswith("  problem: [mixed-runtimes] ")
    assert lines[7:] == ["  verdict: 1 problem (mixed-runtimes)"]


def test_json_has_this_shape_and_nothing_else_on_stdout(
    ours: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = ours()
    assert command(wheel, "gone.whl", "--json") == 2
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert set(data) == {"schema", "reports"}
    assert data["schema"] == 1
    report, gone = data["reports"]
    assert {key: report[key] for key in ("path", "kind", "ok", "verdict", "runtimes", "classes", "problems")} == {
        "path": str(wheel), "kind": "wheel", "ok": True, "verdict": "clean: tbb", "runtimes": ["tbb"], "classes": ["tbb"], "problems": []
    }  # fmt: skip
    assert report["claims"] == {
        "source": "threadwheel/build_info.json",
        "name": "threadwheel",
        "version": "0.1.0",
        "label": "tbb",
        "default": False,
        "runtimes": ["tbb"],
        "requires": ["numpy>=1.24", "tbb>=2021.13"],
    }
    assert report["elves"][1] == {
        "path": "threadwheel/lib/libthreadwheel.so",
        "soname": None,
        "needed": ["libtbb.so.12"],
        "needs": ["tbb"],
        "defines": [],
        "runtime_library": None,
        "rpath": ["$ORIGIN", "$ORIGIN/../../../.."],
        "not_examined": None,
    }
    assert report["notes"] == [
        {
            "level": "note",
            "elf": "threadwheel/lib/libthreadwheel.so",
            "text": "RPATH $ORIGIN/../../../.. points outside the wheel",
        }
    ]
    assert set(gone) == set(report)
    assert (gone["kind"], gone["ok"], gone["problems"][0]["kind"]) == ("unreadable", False, "unreadable")
    assert err.startswith("gone.whl: ")


def test_names_from_a_file_cannot_act_on_the_terminal(
    elves: Elves, pack: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    command(pack({"p/\x1b[31mred.so": elves.openmp_user()}))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert r"p/\x1b[31mred.so" in out


def test_the_command_leaves_no_traceback() -> None:
    arguments = [sys.executable, "-S", "-m", "threadwheel_build", "audit", "gone.whl", "--expect", "tbb"]
    done = subprocess.run(arguments, env={"PYTHONPATH": str(ROOT / "python")}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == "gone.whl: cannot be read: no such file or directory; give wheels, folders or shared libraries\n"
    )


# --- damage


@pytest.fixture(scope="module")
def whole_wheel(our_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = our_files | {"threadwheel/build_info.json": json.dumps(tbb_claims()).encode()}
    return write_wheel(tmp_path_factory.mktemp("whole") / WHEEL_NAME, files)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_wheel_is_reported_and_never_an_exception(whole_wheel: Path, data: st.DataObject) -> None:
    whole = whole_wheel.read_bytes()
    headers = whole.index(b"PK\1\2")
    mutated = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(
            st.one_of(st.integers(0, 60), st.integers(headers, len(whole) - 1), st.integers(0, len(whole) - 1))
        )
        mutated[place] = data.draw(st.integers(0, 255))
    damaged = whole_wheel.with_name(f"damaged-{WHEEL_NAME}")
    damaged.write_bytes(mutated[: data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))])
    report = audit.audit_wheel(damaged)
    assert report.exit_code in (audit.CLEAN, audit.FINDING, audit.UNREADABLE)
    assert all(problem.text for problem in report.problems)
