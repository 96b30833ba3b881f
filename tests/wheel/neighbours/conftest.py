"""One environment with the packages that people have beside threadwheel, and each release wheel in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from threadwheel_build.matrix import jobs
from threadwheel_build.options import load_table
from threadwheel_build.wheelhouse import read_stamp

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ["numpy", "scipy", "scikit-learn", "numba", "tbb", "mkl", "intel-openmp"]
TORCH = "torch==2.13.0+cpu"  # the label: without it an index may answer with gigabytes of CUDA
# Whatever would choose a runtime or a count in the place of the test.
DROPPED = ("PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "UV_PYTHON", "VIRTUAL_ENV", "THREADWHEEL_MIXED_RUNTIMES")
PREFIXES = ("OMP_", "MKL_", "KMP_", "OPENBLAS_", "NUMBA_")


def environment(**extra: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in DROPPED and not k.startswith(PREFIXES)}
    return kept | extra


def install(*command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@dataclass(frozen=True)
class Verdict:
    """What `threadwheel info` said at the end of a process."""

    exit_code: int
    info: dict[str, Any]
    stderr: str

    @property
    def problems(self) -> list[dict[str, Any]]:
        return [finding for finding in self.info["findings"] if finding["severity"] != "note"]

    def files(self, kind: str) -> list[str]:
        return [Path(row["file"]).name for row in self.info["runtimes"] if row["kind"] == kind]


@dataclass(frozen=True)
class Neighbours:
    """The environment with the wheel of one family in it."""

    folder: Path
    family: str

    def library(self, name: str) -> Path:
        return self.folder / "lib" / name

    def run(self, code: str, **variables: str) -> Verdict:
        """Run `code` in a process of its own, which must end by itself, and ask `info` there."""
        code += "\nfrom threadwheel.__main__ import main\nsys.exit(main(['info', '--json']))\n"
        command = [self.folder / "bin" / "python", "-c", "import sys\n" + code]
        done = subprocess.run(
            command, env=environment(**variables), cwd=self.folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode in (0, 1) and done.stdout.startswith("{"), done.stdout[-3000:] + done.stderr[-3000:]
        return Verdict(done.returncode, json.loads(done.stdout), done.stderr)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("neighbours") / "venv"
    install("uv", "venv", "--seed", "--python", sys.executable, folder)
    install("uv", "pip", "install", "--python", folder / "bin" / "python", *PACKAGES)
    return folder


@pytest.fixture(scope="session", params=[job.variant for job in jobs(load_table(ROOT)) if job.release])
def neighbours(request: pytest.FixtureRequest, packages: Path) -> Neighbours:
    stamp = read_stamp(ROOT, request.param)
    assert stamp is not None, f"{request.param}: has no wheel; run the session wheel-{request.param} first"
    install("uv", "pip", "install", "--python", packages / "bin" / "python", "--no-deps", "--reinstall", stamp["wheel"])
    return Neighbours(packages, json.loads(build_info(packages))["family"])


def build_info(folder: Path) -> str:
    (path,) = folder.glob("lib/python*/site-packages/threadwheel/build_info.json")
    return path.read_text()


@pytest.fixture(scope="session")
def torch(packages: Path) -> None:
    """Pip, not uv: it reads where this machine's configuration says that wheels are."""
    command = [
        packages / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-compile",
        "--only-binary=:all:",
        TORCH,
    ]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"pip cannot get {TORCH}: {done.stderr.strip().splitlines()[-1]}")
