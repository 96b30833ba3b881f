"""The project's own table, and one way to ask a verdict of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))

from threadwheel_build.options import OptionTable, load_table  # noqa: E402


@pytest.fixture(scope="session")
def table() -> OptionTable:
    return load_table(ROOT)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, table: OptionTable) -> None:
    """No option of the caller's environment reaches a test."""
    for name in ("CMAKE_ARGS", "SKBUILD_CMAKE_ARGS", "SKBUILD_CMAKE_DEFINE", *table.spellings):
        monkeypatch.delenv(name, raising=False)
