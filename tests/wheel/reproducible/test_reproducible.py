"""The last commit, released from two folders, the second with an empty compiler cache: the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def release(folder: Path, cache: Path) -> dict[str, bytes]:
    """Release a fresh clone in `folder`; returns the wheels by name."""
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    env = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
    env |= {"PYTHONPATH": str(folder / "python"), "CCACHE_DIR": str(cache)}
    subprocess.run([sys.executable, "-m", "threadwheel_build", "release"], cwd=folder, env=env, check=True)
    return {path.name: path.read_bytes() for path in (folder / "dist" / "release").rglob("*.whl")}


def test_two_folders_make_the_same_bytes(tmp_path: Path) -> None:
    first = release(tmp_path / "a", Path(os.environ.get("CCACHE_DIR", ROOT / "build" / "ccache")))
    second = release(tmp_path / "another-folder" / "with-a-longer-name", tmp_path / "empty")
    assert len(first) >= 3
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []
