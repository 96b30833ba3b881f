"""audit.py: what it finds in really built ELF files: runtimes, copies, RPATHs, what it examines."""

from __future__ import annotations

import argparse
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from audits import kinds, library, text_of
from elves import (
    LLVM_LIBRARY,
    LLVM_USER,
    PLAIN,
    TBB_USER,
    Elves,
    needs_compiler,
)

from threadwheel_build import audit

pytestmark = [needs_compiler, pytest.mark.usefixtures("folder_without_a_project")]


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
