"""The command line: tables, JSON, exit codes, and mistakes without tracebacks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from threadwheel_build.options import OptionTable


def run(*arguments: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "python"), **(env or {})}
    command = [sys.executable, "-S", "-m", "threadwheel_build", *arguments]  # -S: nothing installed is needed
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def test_plan_shows_requested_resolved_why_and_provided_by() -> None:
    done = run("plan", "-C", "threadwheel.variant=tbb", "-C", "cmake.define.MKL_THREADING=SEQ")
    assert done.returncode == 0
    header, _, *rows = done.stdout.splitlines()
    assert re.split(r"\s{2,}", header) == ["option", "requested", "resolved", "why", "provided by"]
    cells = {
        row.split()[0]: re.split(r"\s{2,}", row)[1:]
        for row in rows
        if "_" in row.split("  ")[0] or row.startswith("BLAS")
    }
    assert cells["ATEN_THREADING"] == ["TBB", "TBB", "said by variant tbb", "tbb-devel==2021.13.1"]
    assert cells["MKL_THREADING"][:3] == ["SEQ", "SEQ", "said by -C cmake.define.MKL_THREADING"]
    assert cells["MKLDNN_THREADING"][:3] == ["-", "TBB", "follows ATEN_THREADING"]
    assert cells["USE_OPENMP"][:3] == ["-", "OFF", "nothing uses OpenMP"]
    assert "variant tbb-mklseq, version 0.1.0+tbb.mklseq, family TBB" in done.stdout


def test_plan_json_has_the_same_facts() -> None:
    data = json.loads(run("plan", "--json", "-C", "threadwheel.variant=native").stdout)
    assert (data["ok"], data["label"], data["version"]) == (True, "native", "0.1.0+native")
    assert data["options"]["ATEN_THREADING"] == {
        "requested": "NATIVE", "source": "variant native", "resolved": "NATIVE", "why": "said by variant native", "provided_by": None,
    }  # fmt: skip
    assert data["options"]["MKLDNN_THREADING"]["resolved"] is None
    assert data["requires"] == ["numpy>=1.26"]


def test_a_refused_plan_leaves_with_2_and_every_problem() -> None:
    done = run("plan", "--json", "-C", "cmake.define.ATEN_THREADING=TBB", "-C", "cmake.define.MKL_THREADING=OMP")
    assert done.returncode == 2
    data = json.loads(done.stdout)
    assert [p["rule"] for p in data["problems"]] == ["R2", "R4"]
    assert data["corrected"]["options"] == {"ATEN_THREADING": "TBB", "USE_TBB": "ON"}
    human = run("plan", "-C", "cmake.define.ATEN_THREADING=TBB", "-C", "cmake.define.MKL_THREADING=OMP")
    assert (human.returncode, human.stdout) == (2, "")
    assert all(p["text"] in human.stderr for p in data["problems"])


def test_plan_takes_cmake_definitions_and_spells_the_line_so() -> None:
    done = run("plan", "-D", "ATEN_THREADING:STRING=TBB")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "  use: -DATEN_THREADING=TBB -DUSE_TBB=ON"
    assert run("plan", "-DATEN_THREADING=TBB", "-DUSE_TBB=ON").returncode == 0


def test_plan_reads_the_environment() -> None:
    assert "variant tbb," in run("plan", env={"ATEN_THREADING": "TBB", "USE_TBB": "1"}).stdout


def test_matrix_lists_every_variant_with_its_sessions(table: OptionTable) -> None:
    rows = json.loads(run("matrix", "--format", "json").stdout)
    assert {row["variant"] for row in rows} == set(table.variants)
    assert [row["variant"] for row in rows if row["release"]] == ["omp", "tbb", "native"]
    assert all(row["wheel_session"] == f"wheel-{row['variant']}" for row in rows)


def test_matrix_for_github_is_one_line_of_jobs(table: OptionTable) -> None:
    done = run("matrix", "--format", "github")
    assert done.stdout.count("\n") == 1
    assert len(json.loads(done.stdout)["include"]) == len(table.variants)


def test_matrix_all_walks_the_full_cross_product() -> None:
    verdicts = json.loads(run("matrix", "--all", "--format", "json").stdout)
    assert len(verdicts) == 3888
    assert {"said", "ok"} <= set(verdicts[0])
    assert all(v["label"] if v["ok"] else v["rules"] and v["corrected"] for v in verdicts)


@pytest.mark.parametrize("name", ["omp", "tbb", "native", "omp-nomkl", "omp-nomkldnn", "omp-bare", "tbb-nomkl", "tbb-nomkldnn", "tbb-bare", "native-bare"])  # fmt: skip
def test_a_variant_file_is_named_as_its_label(name: str) -> None:
    data = json.loads(run("plan", "--json", "-C", f"threadwheel.variant={name}").stdout)
    assert data["label"].replace(".", "-") == name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan", "-C", "x"), "-C x: has no value; write -C KEY=VALUE"),
        (("wheel", "tb"), "tb: no such variant (did you mean tbb?); the variants are"),
        (("wheel", "omp", "tbb", "--out", "x"), "--out: takes the wheel of one variant"),
        (("--project", "nowhere", "plan"), "nowhere/configs/options.toml: there is no such file"),
        (("bogus",), "invalid choice: 'bogus'"),
        (("--project", "nowhere", "index", ".", "-o", "x"), "nowhere/configs/options.toml: there is no such file"),
        (("--project", "nowhere", "release"), "nowhere/configs/options.toml: there is no such file"),
    ],
)
def test_mistakes_get_one_line_and_exit_code_2(arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", [(), ("plan",), ("matrix",), ("audit",), ("wheel",), ("repair",), ("release",), ("index",)]
)
def test_help_is_there(command: tuple[str, ...]) -> None:
    done = run(*command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: threadwheel_build")


def test_the_cmake_package_is_where_it_says() -> None:
    folder = Path(run("--cmake-dir").stdout.removesuffix("\n"))
    assert (folder / "threadwheel_build-config.cmake").is_file()


def in_bash(command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": "python"}
    command = f"set -o pipefail; {sys.executable} -S -m threadwheel_build {command}"
    return subprocess.run(["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_a_closed_pipe_is_no_error() -> None:
    done = in_bash("matrix --all | head -1")
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("arguments", ["plan", "--cmake-dir", "--help", "--version"])
def test_output_that_goes_nowhere_is_told(arguments: str) -> None:
    done = in_bash(f"{arguments} > /dev/full")
    problem = "threadwheel_build: No space left on device; make room or choose another folder\n"
    assert (done.returncode, done.stderr) == (2, problem)
    assert in_bash(f"{arguments} >&-").returncode == 0  # nobody asked for it


GOOD = "[families.F]\nlabel='f'\n[options.A]\nkind='threading'\nfamilies={F='F'}\ndefault='F'\n"


def test_a_variant_file_with_a_misspelt_table_is_no_empty_variant(tmp_path: Path) -> None:
    (tmp_path / "configs" / "variants").mkdir(parents=True)
    (tmp_path / "configs" / "options.toml").write_text(GOOD)
    (tmp_path / "configs" / "variants" / "f.toml").write_text("[option]\nA = 'F'\n")
    done = run("matrix", cwd=tmp_path)
    assert "f.toml: unknown key 'option'; the keys are description, release, options" in done.stderr
    assert done.returncode == 2


def test_broken_configs_are_named_by_file_and_row(tmp_path: Path) -> None:
    folder = tmp_path / "configs"
    folder.mkdir()
    (tmp_path / "pyproject.toml").write_text("")
    for text, words in [
        ("options = 1 2", "cannot be read"),
        ("[options.A]\nkind='x'\ndefault='1'", "options.A: kind is 'x'; it is one of threading, permit, feature"),
        ("[options.A]\nkind='feature'\nvalues=['1']", "options.A: has no default; every option has one"),
        ("[options.A]\nkind='feature'\nvalues=['1']\ndefault='2'", "options.A: the default '2' is not one of 1"),
        ("[options.A]\nkind='feature'\nvalues=['1']\ndefault='1'\nfoo=1", "options.A: unknown key 'foo'"),
        ("[options.A]\nkind='permit'\nfamily='F'\ndefault='ON'", "options.A: names the family 'F'; the families are"),
        ("[options.A]\nkind='feature'\nvalues=['1']\ndefault='1'", "has no threading option"),
        ("[options.A]\nkind='feature'\ndefault='1'", "a table is incomplete or of the wrong kind: 'values'"),
        ("[families.F]\ntitle='F'", "a table is incomplete or of the wrong kind: 'label'"),
        ("options = 3", "a table is incomplete or of the wrong kind"),
        (GOOD + "[families.G]\nlabel='f'", "the label 'f' is there twice"),
        (
            GOOD + "[options.B]\nkind='feature'\nvalues=['1']\ndefault='1'\naliases=['A']",
            "the option or alias 'A' is there twice",
        ),
        (GOOD + "[[label]]\ntext='x'\nwhen={NOPE='1'}", "a condition names 'NOPE'; the options are A"),
    ]:
        (folder / "options.toml").write_text(text)
        done = run("plan", cwd=tmp_path)
        assert done.returncode == 2
        assert words in done.stderr, text
        assert "Traceback" not in done.stderr
