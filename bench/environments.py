"""The virtual environments of the contenders, below build/bench."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from figures import BUILDER, ROOT

TORCH = "torch==2.13.0"
HOME = ROOT / "build" / "bench"


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


# Nobody here uses numpy's own threads, which spin for 50 ms after its import.
NUMPY_ALONE = {"OPENBLAS_NUM_THREADS": "1"}


def output(command: Sequence[str | Path], **variables: str) -> str:
    """What the command prints; its environment says nothing about threads but what is given."""
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH" and not k.startswith(("OMP_", "MKL_", "GOMP_"))}
    done = subprocess.run(
        [str(c) for c in command], env=clean | NUMPY_ALONE | variables, capture_output=True, text=True, timeout=600
    )
    if done.returncode:
        sys.exit(f"bench: {' '.join(map(str, command))}: ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def release_wheels() -> dict[str, Path]:
    command = [sys.executable, "-m", "threadwheel_build", "wheel", "--show", "--json", "omp", "tbb", "native"]
    shown = subprocess.run(command, cwd=ROOT, env=BUILDER, check=True, capture_output=True, text=True).stdout
    return {stamp["variant"]: Path(stamp["wheel"]) for stamp in json.loads(shown)}


def make(name: str, *packages: str | Path) -> None:
    """Make an environment with the packages, unless the one of the last run holds the same files."""
    wanted = "\n".join(f"{p} {p.stat().st_mtime_ns if isinstance(p, Path) else ''}" for p in packages)
    stamp = HOME / name / "packages.txt"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"environment of {name}")
    output([sys.executable, "-m", "venv", "--clear", HOME / name])
    pip: list[str | Path] = [python(name), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    output([*pip, "install", *packages])
    stamp.write_text(wanted)


def python(environment: str) -> Path:
    return HOME / environment / "bin" / "python"


def package(environment: str, name: str) -> Path:
    """Where a package is installed; without importing it, which takes seconds for torch."""
    code = f"import importlib.util as u; print(u.find_spec('{name}').submodule_search_locations[0])"
    return Path(output([python(environment), "-c", code]).strip())


def version(environment: str, distribution: str) -> str:
    code = f"import importlib.metadata as m; print(m.version('{distribution}'))"
    return output([python(environment), "-c", code]).strip()
