"""Runs the programs of a user, without what the environment of the tests would tell them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

# What finds a library, an option or an environment by itself. UV_PYTHON would send every `uv pip install` into the
# environment that runs the tests.
_DROPPED = {"PYTHONPATH", "LD_LIBRARY_PATH", "CMAKE_PREFIX_PATH", "CMAKE_ARGS", "VIRTUAL_ENV"}
_DROPPED |= {"UV_PYTHON", "UV_PROJECT_ENVIRONMENT"}


def environment(**extra: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _DROPPED} | extra


def run(*command: object, cwd: Path = Path("/"), ok: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command, by default outside of every project; `extra` are environment variables."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment(**extra), capture_output=True, text=True)
    if ok:
        assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    return done
