"""Runs the `threadwheel_build` command with stand-ins for the tools of others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from conftest import ROOT


def environment(tools: Path | None = None, **extra: str) -> dict[str, str]:
    """What the command sees; `tools` is a folder of Python modules that go before the installed ones."""
    paths = [str(path) for path in (tools, ROOT / "python") if path]
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(paths),
        "SOURCE_DATE_EPOCH": "1700000000",
        **extra,
    }


def builder(
    *arguments: object, project: Path = ROOT, tools: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "threadwheel_build", "--project", str(project), *map(str, arguments)]
    done = subprocess.run(command, env={**environment(tools), **(env or {})}, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def write_tool(folder: Path, name: str, main: str) -> Path:
    """A module that can be run as `python -m NAME`; returns the folder it is in."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / "__init__.py").touch()
    (folder / name / "__main__.py").write_text(main)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, with its contents."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
