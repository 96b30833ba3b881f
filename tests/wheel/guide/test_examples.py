"""The examples of README.md and docs/ that need an installed wheel, with the wheel of each backend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import VARIANTS, Environment, guide

# What these pages show is of one wheel: the files and threads of its process.
OF_ONE = {"mixed-runtimes.md": "omp", "refusals-wheels.md": "omp", "releasing.md": "omp", "building.md": "omp"}
RUNS = [(page, variant) for page in guide.pages("guide") for variant in VARIANTS if OF_ONE.get(page.name) in (None, variant)]  # fmt: skip


@pytest.mark.parametrize(("page", "variant"), RUNS, ids=[f"{page.name}-{variant}" for page, variant in RUNS])
def test_examples_do_what_the_page_shows(
    page: Path, variant: str, environment_of: Callable[[str], Environment], tmp_path: Path
) -> None:
    environment = guide.environment(environment_of(variant).programs)
    runner = guide.Runner(guide.Page.read(page), guide.copy_project(tmp_path / "threadwheel"), environment)
    assert [str(difference) for difference in runner.run()] == []
