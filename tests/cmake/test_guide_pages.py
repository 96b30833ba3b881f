"""The pages of the guide whose examples configure with bare cmake."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ci"))
import guide  # noqa: E402


@pytest.mark.parametrize("page", guide.pages("cmake"), ids=lambda path: path.name)
def test_examples_do_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    programs = [Path(sys.executable).parent, guide.builder_programs(tmp_path / "programs")]
    runner = guide.Runner(guide.Page.read(page), guide.copy_project(tmp_path / "p"), guide.environment(*programs))
    assert [str(difference) for difference in runner.run()] == []
