"""What is generated is current, and CI runs only what a developer can run."""

from __future__ import annotations

import subprocess
import sys

from conftest import ROOT

from threadwheel_build.options import OptionTable


def test_guide_and_workflow_are_current() -> None:
    done = subprocess.run([sys.executable, "ci/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_workflow_has_a_job_for_every_variant(table: OptionTable) -> None:
    workflow = (ROOT / ".github" / "workflows" / "wheels.yml").read_text()
    assert all(f"variant: {name}, test_session: test-{name}," in workflow for name in table.variants)


def test_ci_calls_the_command_of_the_readme() -> None:
    command = "python3 noxfile.py -t tests"
    assert command in (ROOT / "README.md").read_text()
    assert command in (ROOT / ".ci" / "run").read_text()
