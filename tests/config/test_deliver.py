"""A wheel appears in its folder whole or not at all."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from threadwheel_build.deliver import deliver
from threadwheel_build.errors import BuildError


@pytest.mark.parametrize("old", [None, b"the wheel of yesterday"])
def test_killed_in_the_middle_of_writing_it_leaves_the_folder_as_it_was(tmp_path: Path, old: bytes | None) -> None:
    """The source is a pipe that never ends, so the kill always comes in the middle."""
    folder, source = tmp_path / "dist", tmp_path / "a.whl"
    folder.mkdir()
    if old is not None:
        (folder / "a.whl").write_bytes(old)
    os.mkfifo(source)
    code = "import sys; from pathlib import Path; from threadwheel_build.deliver import deliver; deliver(Path(sys.argv[1]), Path(sys.argv[2]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(source), str(folder)], env={"PYTHONPATH": str(ROOT / "python")}
    )
    with source.open("wb") as pipe:
        pipe.write(b"x" * (4 << 20))  # more than a pipe holds: when this returns, some of it was written
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == ({} if old is None else {"a.whl": old})


def test_it_replaces_an_older_file(tmp_path: Path) -> None:
    source = tmp_path / "a.whl"
    for text in ("one", "two"):
        source.write_text(text)
        assert deliver(source, tmp_path / "dist").read_text() == text
    assert [p.name for p in (tmp_path / "dist").iterdir()] == ["a.whl"]


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on file sizes stands for the full disk: both fail in the middle of a write."""
    source = tmp_path / "a.whl"
    source.write_bytes(b"x" * (2 << 20))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(
            BuildError, match="dist: cannot be written: File too large; make room or choose another folder"
        ):
            deliver(source, tmp_path / "dist")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert list((tmp_path / "dist").iterdir()) == []


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "dist").touch()
    (tmp_path / "a.whl").touch()
    with pytest.raises(BuildError, match="dist: cannot be written: File exists"):
        deliver(tmp_path / "a.whl", tmp_path / "dist")
