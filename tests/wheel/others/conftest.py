"""Other projects build with threadwheel-build as a distribution: front ends get it from a folder of links."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "wheel"))

from processes import run  # noqa: E402


@dataclass(frozen=True)
class Builder:
    """An environment that has threadwheel-build with its tools, and no threadwheel."""

    folder: Path
    links: Path

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])
        # Links go to uv's cache by name and version: a builder of an hour ago must not come back.
        links = {
            "PIP_FIND_LINKS": str(self.links),
            "UV_FIND_LINKS": str(self.links),
            "UV_REFRESH_PACKAGE": "threadwheel-build",
        }
        return {"PATH": path, "SOURCE_DATE_EPOCH": "1700000000", **links}

    def __call__(self, *arguments: object, cwd: Path, ok: bool = True) -> subprocess.CompletedProcess[str]:
        return run(self.folder / "bin" / "threadwheel_build", *arguments, cwd=cwd, ok=ok, **self.environment)

    def install(self, venv: Path, tool: str, project: Path, *more: str, ok: bool = True) -> str:
        """Install `project` with pip or uv; returns what was printed."""
        pip = [venv / "bin" / "python", "-m", "pip", "install", "--force-reinstall"]
        uv = ["uv", "pip", "install", "--reinstall", "--python", venv]
        done = run(*(pip if tool == "pip" else uv), project, *more, ok=ok, **self.environment)
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    folder = tmp_path_factory.mktemp("builder")
    source = folder / "source"
    shutil.copytree(ROOT / "python", source, ignore=shutil.ignore_patterns("threadwheel", "__pycache__"))
    run("uv", "build", "--quiet", source, "-o", folder / "links")  # the wheel is made from the sdist
    (wheel,) = (folder / "links").glob("*.whl")
    run("uv", "venv", "--quiet", "--python", sys.executable, folder / "venv")
    run(
        "uv", "pip", "install", "--quiet", "--python", folder / "venv", f"threadwheel-build[release] @ {wheel.as_uri()}"
    )
    return Builder(folder / "venv", folder / "links")


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    run("uv", "venv", "--quiet", "--seed", "--python", sys.executable, tmp_path / "venv")
    return tmp_path / "venv"
