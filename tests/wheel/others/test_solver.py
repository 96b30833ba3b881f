"""tests/data/solver: a project of its own options and families, which never imports threadwheel."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, Builder, run

ASK = "import json, solver; print(json.dumps([solver.dot([1.0] * 5000, [2.0] * 5000), solver.build_info()['label']]))"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "tests" / "data" / "solver", tmp_path / "solver")
    return tmp_path / "solver"


@pytest.mark.parametrize(
    ("tool", "options", "label"),
    [
        ("pip", [], "alone"),
        ("uv", ["ENGINE=tasks", "ALLOW_TASKS=yes"], "tasks"),
        ("pip", ["ENGINE=TASKS", "ALLOW_TASKS=ON", "CHECKS=full"], "tasks.checked"),
    ],
)
def test_it_installs_as_asked(
    builder: Builder, project: Path, venv: Path, tool: str, options: list[str], label: str
) -> None:
    settings = [word for option in options for word in ("-C", f"cmake.define.{option}")]
    builder.install(venv, tool, project, *settings)
    assert json.loads(run(venv / "bin" / "python", "-c", ASK).stdout) == [10000.0, label]
    installed = {row["name"] for row in json.loads(run("uv", "pip", "list", "--format=json", "--python", venv).stdout)}
    assert ("tbb" in installed) == label.startswith("tasks")
    assert not [name for name in installed if name.startswith("threadwheel")]


def test_a_permit_that_is_off_is_named_with_the_cure(builder: Builder, project: Path, venv: Path) -> None:
    said = builder.install(venv, "uv", project, "-C", "cmake.define.ENGINE=TASKS", ok=False)
    assert "R2: ENGINE=TASKS (-C cmake.define.ENGINE) needs ALLOW_TASKS=ON; ALLOW_TASKS is OFF by default" in said
    assert "use: -C cmake.define.ENGINE=TASKS -C cmake.define.ALLOW_TASKS=ON" in said


def test_its_releases_are_audited_by_its_own_labels(builder: Builder, project: Path) -> None:
    rows = json.loads(builder("release", "alone", "tasks", "tasks-checked", "--json", cwd=project).stdout)
    assert [row["label"] for row in rows] == ["alone", "tasks", "tasks.checked"]
    for row in rows:
        builder("audit", row["wheel"], "--expect", row["label"], cwd=project)
    builder("index", "dist/release", "-o", "site", cwd=project)
    assert sorted(path.name for path in (project / "site").iterdir() if path.is_dir()) == ["alone", "tasks", "tasks-checked"]  # fmt: skip
