"""The project that `threadwheel_build init` writes builds, tests and audits with real front ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Builder, run


@pytest.fixture
def project(builder: Builder, tmp_path: Path) -> Path:
    assert builder("init", "my-loops", cwd=tmp_path).stdout == "my-loops: is ready; its README.md says what to run\n"
    return tmp_path / "my-loops"


def check(venv: Path, project: Path, label: str) -> None:
    """The project's own tests pass on what is installed, which says its label."""
    run("uv", "pip", "install", "--quiet", "--python", venv, "pytest")
    run(venv / "bin" / "python", "-m", "pytest", "tests", cwd=project)
    said = run(venv / "bin" / "python", "-c", "import my_loops; print(my_loops.build_info()['label'])").stdout
    assert said == f"{label}\n"


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_it_installs_as_either_backend_and_its_tests_pass(
    builder: Builder, project: Path, venv: Path, tool: str
) -> None:
    builder.install(venv, tool, project)
    check(venv, project, "omp")
    builder.install(venv, tool, project, "-C", "cmake.define.THREADING=THREADS")
    check(venv, project, "threads")


def test_it_refuses_with_its_own_words(builder: Builder, project: Path, venv: Path) -> None:
    said = builder.install(venv, "pip", project, "-C", "cmake.define.THREADING=TBB", ok=False)
    assert "THREADING=TBB is no value of it; it is one of OMP, THREADS" in said
    assert "Traceback" not in said


def test_its_variants_are_built_audited_released_and_indexed(builder: Builder, project: Path) -> None:
    rows = json.loads(builder("release", "--json", cwd=project).stdout)
    assert [row["variant"] for row in rows] == ["omp", "threads"]
    for row in rows:
        builder("audit", row["wheel"], "--expect", row["label"], cwd=project)
        other = {"omp": "threads", "threads": "omp"}[row["label"]]
        assert builder("audit", row["wheel"], "--expect", other, cwd=project, ok=False).returncode == 1
    builder("index", "dist/release", "-o", "site", cwd=project)
    assert "omp/simple/ my-loops===0.1.0" in (project / "site" / "index.html").read_text()


def test_bare_cmake_builds_it(builder: Builder, project: Path, tmp_path: Path) -> None:
    folder = builder("--cmake-dir", cwd=tmp_path).stdout.strip()
    options = [f"-Dthreadwheel_build_DIR={folder}", "-DTHREADING=THREADS"]
    run("cmake", "-G", "Ninja", "-S", project / "native", "-B", tmp_path / "b", *options)
    run("cmake", "--build", tmp_path / "b")
    refused = run("cmake", "-S", project / "native", "-B", tmp_path / "c", options[0], "-DTHREADING=TBB", ok=False)
    assert "THREADING=TBB is no value of it" in refused.stderr
