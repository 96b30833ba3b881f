"""tests/data/tally: an extension that links to the installed threadwheel. One wheel of it runs beside each backend's."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT, Builder, run

LABELS = ("omp", "tbb", "native")

ASK = """
import hashlib, json, pathlib, numpy, tally, threadwheel
core = pathlib.Path(tally._core.__file__)
threadwheel.set_num_threads(3)
counts, num_threads = tally.count(numpy.arange(300_000) % 7, 7)
found = {"counts": counts, "threads": 1 <= num_threads <= 3, "num_threads": tally.num_threads()}
try:
    tally.count(numpy.arange(300_000), 7)
except IndexError as error:
    found["error"] = str(error)
found["sha256"] = hashlib.sha256(core.read_bytes()).hexdigest()
found["labels"] = [tally.build_info()["label"], threadwheel.__config__.build_info()["label"]]
found["problems"] = [finding for finding in threadwheel.__config__.process_info()["findings"] if finding["severity"] != "note"]
print(json.dumps(found))
"""


def built(label: str) -> Path:
    (wheel,) = (ROOT / "dist" / label).glob("*.whl")
    return wheel


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "tests" / "data" / "tally", tmp_path / "tally")
    return tmp_path / "tally"


def beside(builder: Builder, label: str, folder: Path) -> Builder:
    """A builder whose front ends also find threadwheel, with one backend's wheel."""
    shutil.copytree(builder.links, folder)
    shutil.copy(built(label), folder)
    return replace(builder, links=folder)


def check(venv: Path, label: str) -> str:
    """What is installed in `venv` counts on the threads of the backend `label`; returns the hash of its extension."""
    found = json.loads(run(venv / "bin" / "python", "-c", ASK).stdout)
    sha256: str = found.pop("sha256")
    assert found == {
        "counts": [300_000 // 7 + (number < 300_000 % 7) for number in range(7)],
        "threads": True,
        "num_threads": 3,
        "error": "a number is in no bin",
        "labels": ["shared", label],
        "problems": [],
    }
    return sha256


@pytest.mark.parametrize(("tool", "label"), [("pip", "omp"), ("uv", "native")])
def test_it_installs_from_source_and_brings_threadwheel(
    builder: Builder, project: Path, venv: Path, tmp_path: Path, tool: str, label: str
) -> None:
    beside(builder, label, tmp_path / "links").install(venv, tool, project)
    check(venv, label)


@pytest.fixture(scope="module")
def wheel(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once, against the wheel of one backend."""
    folder = tmp_path_factory.mktemp("tally")
    shutil.copytree(ROOT / "tests" / "data" / "tally", folder / "tally")
    own = beside(builder, "native", folder / "links")
    run("uv", "build", "--wheel", folder / "tally", "-o", folder / "out", **own.environment)
    (path,) = (folder / "out").glob("*.whl")
    return path


def test_its_wheel_audits_and_names_no_backend(builder: Builder, project: Path, wheel: Path) -> None:
    report = json.loads(builder("audit", wheel, "--expect", "shared", "--json", cwd=project).stdout)["reports"][0]
    assert (report["runtimes"], report["claims"]["requires"]) == ([], ["threadwheel>=0.1"])
    (row,) = report["elves"]
    assert "libthreadwheel.so" in row["needed"]
    assert row["rpath"] == []


def test_its_release_leaves_the_library_where_it_is_shared(builder: Builder, project: Path, tmp_path: Path) -> None:
    own = beside(builder, "tbb", tmp_path / "links")
    (row,) = json.loads(own("release", "--json", cwd=project).stdout)
    assert "manylinux" in row["wheel"]
    with zipfile.ZipFile(row["wheel"]) as archive:
        assert len([name for name in archive.namelist() if ".so" in name]) == 1


@pytest.mark.parametrize("label", LABELS)
def test_the_same_bytes_run_beside_every_backend(wheel: Path, venv: Path, label: str) -> None:
    run("uv", "pip", "install", "--quiet", "--python", venv, wheel, built(label))
    with zipfile.ZipFile(wheel) as archive:
        (core,) = (archive.read(name) for name in archive.namelist() if name.endswith(".so"))
    assert check(venv, label) == hashlib.sha256(core).hexdigest()


def test_its_serial_build_needs_no_threadwheel(builder: Builder, project: Path, venv: Path) -> None:
    builder.install(venv, "uv", project, "-C", "threadwheel.variant=serial")
    run("uv", "pip", "install", "--quiet", "--python", venv, "numpy")
    ask = "import numpy, tally; print(tally.count(numpy.arange(10) % 2, 2), tally.num_threads())"
    assert run(venv / "bin" / "python", "-c", ask).stdout == "([5, 5], 1) 1\n"


def test_without_threadwheel_configure_names_the_command(project: Path, builder: Builder, tmp_path: Path) -> None:
    folder = builder("--cmake-dir", cwd=tmp_path).stdout.strip()
    options = [f"-Dthreadwheel_build_DIR={folder}", f"-DPython_EXECUTABLE={builder.folder / 'bin' / 'python'}"]
    run("uv", "pip", "install", "--quiet", "--target", tmp_path / "pybind11", "pybind11>=3,<4")
    options.append(f"-Dpybind11_DIR={tmp_path / 'pybind11' / 'pybind11' / 'share' / 'cmake' / 'pybind11'}")
    refused = run("cmake", "-G", "Ninja", "-S", project / "native", "-B", tmp_path / "b", *options, ok=False)
    assert "threadwheel: threadwheel was not found" in refused.stderr
    assert "-m pip install 'threadwheel>=0.1' 'pybind11>=3,<4'" in refused.stderr
