"""Real front ends in fresh environments, on copies of the project.

Copies share the project's compiler cache: it sees paths below the folder of the project, or of temporary files,
relative to the build directory, which is `build/<name>` of each copy.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "wheel"))

import processes  # noqa: E402

TBB = ["-C", "cmake.define.ATEN_THREADING=TBB", "-C", "cmake.define.USE_TBB=ON"]


def compiler_cache() -> dict[str, str]:
    ccache = shutil.which("ccache")
    if ccache is None:
        return {}
    return {
        "CMAKE_CXX_COMPILER_LAUNCHER": ccache,
        "CMAKE_C_COMPILER_LAUNCHER": ccache,
        "CCACHE_DIR": str(ROOT / "build" / "ccache"),
        "CCACHE_NOHASHDIR": "1",
        "CCACHE_BASEDIR": tempfile.gettempdir(),
        # As scikit-build-core calls the compiler; by another name it is another one to the cache.
        **{name: sysconfig.get_config_var(name).split()[0] for name in ("CC", "CXX")},
    }


def environment(**extra: str) -> dict[str, str]:
    return processes.environment(**compiler_cache() | extra)


def from_sdist() -> dict[str, str]:
    """What uv needs beside `environment` to find in the compiler cache what it unpacks in a cache of its own."""
    return {"CCACHE_BASEDIR": run("uv", "cache", "dir").stdout.strip()}


def run(*command: str | Path, cwd: Path = ROOT, ok: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
    return processes.run(*command, cwd=cwd, ok=ok, **compiler_cache() | extra)


@dataclass(frozen=True)
class Environment:
    """A plain virtual environment."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def pip(self, *arguments: str | Path, ok: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
        return run(self.python, "-m", "pip", "--disable-pip-version-check", *arguments, ok=ok, **extra)

    def uv(self, *arguments: str | Path, ok: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
        return run("uv", *arguments, ok=ok, VIRTUAL_ENV=str(self.folder), **extra)

    def info(self, cwd: Path) -> dict[str, object]:
        """What the installed threadwheel says of itself, asked from `cwd`."""
        done = run(self.folder / "bin" / "threadwheel", "info", "--json", cwd=cwd)
        found: dict[str, object] = json.loads(done.stdout)
        return found

    def text(self, cwd: Path) -> str:
        return run(self.folder / "bin" / "parallel_info", cwd=cwd).stdout

    def installed(self) -> set[str]:
        done = run("uv", "pip", "list", "--format", "json", "--python", self.python)
        return {row["name"] for row in json.loads(done.stdout)}


@pytest.fixture
def venv(tmp_path: Path) -> Environment:
    folder = tmp_path / "venv"
    run("uv", "venv", "--seed", "--python", sys.executable, folder)
    return Environment(folder)


def copy_project(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("build", "dist", ".nox", ".git", "__pycache__", "site", ".hypothesis", "tests")
    return Path(shutil.copytree(ROOT, folder / "project", ignore=ignored))


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, for tests that build and leave it as it is."""
    return copy_project(tmp_path_factory.mktemp("checkout"))


def install_wheel(folder: Path, variant: str) -> Environment:
    """A new environment with the wheel of dist/ in it."""
    run("uv", "venv", folder)
    (wheel,) = (ROOT / "dist" / variant).glob("*.whl")
    environment = Environment(folder)
    environment.uv("pip", "install", wheel)
    return environment


def prefix_of(environment: Environment, cwd: Path) -> Path:
    """Where the installed package's find_package(threadwheel) is."""
    code = "import threadwheel; print(threadwheel.utils.cmake_prefix_path)"
    return Path(run(environment.python, "-c", code, cwd=cwd).stdout.strip())


def build_against(prefix: Path, source: Path, folder: Path) -> Path:
    """Build a user's project with the installed package, warnings being errors; returns the folder of what it makes."""
    arguments = [
        f"-DCMAKE_PREFIX_PATH={prefix}",
        "-DCMAKE_BUILD_TYPE=Release",
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror",
    ]
    run("cmake", "-G", "Ninja", "-S", source, "-B", folder, *arguments, CMAKE_CXX_COMPILER_LAUNCHER="")
    run("cmake", "--build", folder)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project without anything built, for tests that edit or kill."""
    return copy_project(tmp_path)


def tag() -> str:
    return f"cp{sys.version_info.major}{sys.version_info.minor}-cp{sys.version_info.major}{sys.version_info.minor}-{sysconfig.get_platform().replace('-', '_')}"
