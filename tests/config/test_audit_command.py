"""audit.py: the command line, its text and JSON, and damaged input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from audits import command
from conftest import ROOT
from elves import (
    WHEEL_NAME,
    Elves,
    needs_compiler,
    tbb_claims,
    write_wheel,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from threadwheel_build import audit

pytestmark = [needs_compiler, pytest.mark.usefixtures("folder_without_a_project")]


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
