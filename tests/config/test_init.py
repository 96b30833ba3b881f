"""`init`: a project whole or not at all, and the names it takes. That it builds is shown in tests/wheel/others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import builder, tree
from conftest import ROOT


def test_the_project_plans_its_variants(tmp_path: Path) -> None:
    done = builder("init", tmp_path / "fast-sums")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/fast-sums: is ready; its README.md says what to run\n")
    assert [path.name for path in tmp_path.iterdir()] == ["fast-sums"]
    rows = json.loads(builder("matrix", "--format", "json", project=tmp_path / "fast-sums").stdout)
    assert [(row["variant"], row["release"]) for row in rows] == [("omp", True), ("threads", True)]
    assert (tmp_path / "fast-sums" / "python" / "fast_sums" / "__init__.py").is_file()
    files = tree(tmp_path / "fast-sums")
    assert ".gitignore" in files
    assert not [name for name, data in files.items() if b"PACKAGE_NAME" in data]


def test_an_empty_folder_and_another_name_are_fine(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    assert builder("init", tmp_path / "x", "--name", "sums").returncode == 0
    assert (tmp_path / "x" / "python" / "sums").is_dir()


@pytest.mark.parametrize("name", ["1st", "Sums", "a b", "class", "a.b", ""])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    done = builder("init", tmp_path / "x", f"--name={name or '_'}")
    words = "is no name for a package; use lower case letters, digits and _, a letter first\n"
    assert (done.returncode, done.stderr) == (2, f"{name or '_'}: {words}")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("kind", ["file", "folder with a file"])
def test_what_is_there_is_left_alone(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "x"
    if kind == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine").touch()
    done = builder("init", target)
    assert (done.returncode, done.stderr) == (2, f"{target}: is there already and not empty; name a new folder\n")
    assert target.exists()


def test_the_template_names_no_option_of_threadwheel() -> None:
    text = (ROOT / "python" / "threadwheel_build" / "template" / "configs" / "options.toml").read_text()
    assert not [word for word in ("ATEN", "MKL", "TBB") if word in text]
