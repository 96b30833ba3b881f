"""When a wheel is stale: what changes the digest of its making, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from threadwheel_build.wheelhouse import fingerprint, read_stamp


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.cpp").write_text("int a;")
    return tmp_path


CHANGES: dict[str, Callable[[Path], object]] = {
    "a source": lambda p: (p / "src" / "a.cpp").write_text("int b;"),
    "a new source": lambda p: (p / "src" / "b.cpp").write_text(""),
    "a renamed source": lambda p: (p / "src" / "a.cpp").rename(p / "src" / "c.cpp"),
    "the metadata": lambda p: (p / "pyproject.toml").write_text("[project]"),
}
NO_CHANGES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda p: None,
    "a build": lambda p: (p / "build").mkdir() or (p / "build" / "x").write_text(""),
    "an index": lambda p: (p / "site").mkdir() or (p / "site" / "x").write_text(""),
    "a cache": lambda p: (p / "src" / "__pycache__").mkdir() or (p / "src" / "__pycache__" / "x").write_text(""),
    "a hidden folder": lambda p: (p / ".git").mkdir() or (p / ".git" / "x").write_text(""),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_input_makes_a_wheel_stale(small: Path, change: str) -> None:
    before = fingerprint(small, "plan")
    CHANGES[change](small)
    assert fingerprint(small, "plan") != before


@pytest.mark.parametrize("change", NO_CHANGES)
def test_anything_else_does_not(small: Path, change: str) -> None:
    before = fingerprint(small, "plan")
    NO_CHANGES[change](small)
    assert fingerprint(small, "plan") == before


def test_the_plan_and_the_flags_count(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(small, "plan")
    assert fingerprint(small, "another") != before
    monkeypatch.setenv("CCACHE_DIR", "x")
    assert fingerprint(small, "plan") == before
    monkeypatch.setenv("CXXFLAGS", "-O0")
    assert fingerprint(small, "plan") != before


def test_a_project_may_name_its_inputs(small: Path) -> None:
    (small / "pyproject.toml").write_text('[tool.threadwheel]\ninputs = ["src"]\n')
    before = fingerprint(small, "plan")
    (small / "notes.txt").write_text("x")
    assert fingerprint(small, "plan") == before
    (small / "src" / "a.cpp").write_text("int b;")
    assert fingerprint(small, "plan") != before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"wheel": 3}', '{"wheel": "gone.whl", "sha256": ""}', "\x00"])
def test_a_damaged_stamp_is_no_stamp(small: Path, text: str) -> None:
    (small / "build" / "wheels").mkdir(parents=True)
    (small / "build" / "wheels" / "x.json").write_text(text)
    assert read_stamp(small, "x") is None
