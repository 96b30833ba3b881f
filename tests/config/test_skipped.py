"""ci/skipped.py: a test that every variant skips fails CI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conftest import ROOT

TESTS = """
import os, pytest
def test_everywhere(): pass
@pytest.mark.parametrize("number", [1, 2])
def test_of_one_wheel(number):
    if os.environ["WHEEL"] != "tbb": pytest.skip("has no TBB")
"""
NEVER = """
@pytest.mark.skip(reason="one day")
def test_of_none(): pass
"""


def report(folder: Path, wheel: str, tests: str = TESTS) -> Path:
    (folder / "test_it.py").write_text(tests)
    path = folder / f"{wheel}.xml"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junit-xml={path}", folder / "test_it.py"]
    subprocess.run(command, cwd=folder, env={"WHEEL": wheel}, check=True, capture_output=True)
    return path


def skipped(*reports: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, ROOT / "ci" / "skipped.py", *reports], capture_output=True, text=True)


def test_a_test_that_every_wheel_skips_fails(tmp_path: Path) -> None:
    done = skipped(*(report(tmp_path, wheel, TESTS + NEVER) for wheel in ("omp", "tbb")))
    assert done.returncode == 1
    assert done.stderr == "test_it::test_of_none: is skipped with every wheel (one day); make it run with one, or remove it\n"  # fmt: skip


def test_what_one_wheel_runs_is_fine(tmp_path: Path) -> None:
    done = skipped(report(tmp_path, "omp"), report(tmp_path, "tbb"))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_parameter_that_no_wheel_takes_fails(tmp_path: Path) -> None:
    done = skipped(report(tmp_path, "omp"), report(tmp_path, "native"))
    assert done.returncode == 1
    assert done.stderr.count("is skipped with every wheel (has no TBB)") == 2
