"""Real pip, uv and build refuse in the first hook: with --no-index there is nothing they could have downloaded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, TBB, Environment, environment, run

MIXED = [
    "-C",
    "cmake.define.ATEN_THREADING=TBB",
    "-C",
    "cmake.define.USE_TBB=ON",
    "-C",
    "cmake.define.MKL_THREADING=OMP",
]
WORDS = "R4: mixed TBB/OpenMP build"
LINE = "use: -C cmake.define.ATEN_THREADING=TBB -C cmake.define.USE_TBB=ON"


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    text = done.stdout + done.stderr
    assert done.returncode != 0
    for word in words:
        assert word in text, text
    assert "Traceback" not in text
    assert "ModuleNotFoundError" not in text


@pytest.mark.parametrize(
    "command", [("install",), ("install", "-e"), ("wheel", "--no-deps", "-w", "out")], ids=" ".join
)
def test_pip_refuses_a_mixed_build_without_an_index(
    venv: Environment, tmp_path: Path, command: tuple[str, ...]
) -> None:
    refused(venv.pip("--isolated", *command, ROOT, "--no-index", *MIXED, ok=False), WORDS, LINE)


def test_uv_refuses_a_mixed_build_without_an_index(venv: Environment, tmp_path: Path) -> None:
    refused(venv.uv("pip", "install", ROOT, "--no-index", "--offline", *MIXED, ok=False), WORDS, LINE)
    refused(run("uv", "build", ROOT, "--no-index", "--offline", "-o", tmp_path, *MIXED, ok=False), WORDS, LINE)
    assert list(tmp_path.glob("*.whl")) == []


def test_build_refuses_a_mixed_build_without_an_index(tmp_path: Path) -> None:
    offline = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_NO_INDEX": "1"}
    command = [sys.executable, "-m", "build", "--installer", "uv", "--outdir", tmp_path, *MIXED, ROOT]
    refused(run(*command, ok=False, **offline), WORDS, LINE)
    assert list(tmp_path.glob("*.whl")) == []


@pytest.mark.parametrize(
    ("arguments", "extra", "words"),
    [
        (["-C", "cmake.args=-DATEN_THREADING=TBB"], {}, "R2: ATEN_THREADING=TBB (-C cmake.args)"),
        (["-C", "threadwheel.variant=tbbb"], {}, "unknown variant 'tbbb' (did you mean tbb?)"),
        (["-C", "cmake.define.ATEN_THREADING=TBB", "-C", "cmake.define.ATEN_THREADING=OMP"], {}, "R6: ATEN_THREADING is said differently"),
        ([], {"CMAKE_ARGS": "-DATEN_THREADING=TBB"}, "R2: ATEN_THREADING=TBB ($CMAKE_ARGS)"),
        ([], {"SKBUILD_CMAKE_DEFINE": "ATEN_THREADING=TBB"}, "R2: ATEN_THREADING=TBB ($SKBUILD_CMAKE_DEFINE)"),
        ([], {"SKBUILD_CMAKE_ARGS": "-DATEN_THREADING=TBB"}, "R2: ATEN_THREADING=TBB ($SKBUILD_CMAKE_ARGS)"),
        ([], {"ATEN_THREADING": "TBB"}, "R2: ATEN_THREADING=TBB ($ATEN_THREADING)"),
        (TBB, {"CMAKE_ARGS": "-DATEN_THREADING=OMP"}, "R6: ATEN_THREADING is said differently: TBB by -C cmake.define.ATEN_THREADING; OMP by $CMAKE_ARGS"),
    ],
)  # fmt: skip
def test_pip_refuses_on_every_road(venv: Environment, arguments: list[str], extra: dict[str, str], words: str) -> None:
    refused(venv.pip("--isolated", "install", ROOT, "--no-index", *arguments, ok=False, **extra), words, "use: -C ")


def test_the_corrected_line_of_a_refusal_builds(venv: Environment, checkout: Path, tmp_path: Path) -> None:
    wrong = [
        "-C",
        "cmake.define.ATEN_THREADING=NATIVE",
        "-C",
        "cmake.define.BLAS=BUILTIN",
        "-C",
        "cmake.define.USE_MKLDNN=ON",
    ]
    done = venv.uv("pip", "install", checkout, *wrong, ok=False)
    line = done.stderr.split("  use: -C ")[1].splitlines()[0].split()
    venv.uv("pip", "install", checkout, "-C", *line)
    assert venv.info(tmp_path)["build"]["label"] == "native.bare"  # type: ignore[index]


def test_a_preset_is_caught_when_cmake_configures(project: Path, tmp_path: Path) -> None:
    preset = '{"version": 3, "configurePresets": [{"name": "p", "cacheVariables": {"ATEN_THREADING": "NATIVE", "BLAS": "BUILTIN"}}]}'
    (project / "native" / "CMakePresets.json").write_text(preset)
    settings = ["-C", "threadwheel.variant=omp-bare", "-C", "cmake.args=--preset=p"]
    done = run("uv", "build", "--wheel", "-o", tmp_path / "out", *settings, project, ok=False)
    refused(done, "R6: ATEN_THREADING is NATIVE at configure", "but the build hooks planned OMP")
    assert list((tmp_path / "out").glob("*.whl")) == []


def test_a_reused_build_directory_cannot_smuggle_its_options(project: Path, tmp_path: Path) -> None:
    place = ["-C", "build-dir=build/b", "-o", str(tmp_path / "out")]
    run("uv", "build", "--wheel", *place, "-C", "threadwheel.variant=native-bare", project)
    done = run("uv", "build", "--wheel", *place, "-C", "threadwheel.variant=omp-bare", project, ok=False)
    refused(done, "R6: ATEN_THREADING is OMP (default) but NATIVE in", "use: -C cmake.fresh=true ")
    line = done.stderr.split("  use: -C ")[1].splitlines()[0].split()
    run("uv", "build", "--wheel", *place, "-C", *line, project)
    assert sorted(p.name.split("-")[1] for p in (tmp_path / "out").glob("*.whl")) == [
        "0.1.0+native.bare",
        "0.1.0+omp.bare",
    ]


def test_a_wheel_that_contradicts_its_plan_is_not_delivered(project: Path, tmp_path: Path) -> None:
    """The native plan, with an OpenMP runtime linked behind its back: whole, and wrong."""
    lists = project / "native" / "CMakeLists.txt"
    lists.write_text(lists.read_text() + "target_link_libraries(threadwheel PRIVATE -Wl,--no-as-needed gomp)\n")
    done = run(
        "uv", "build", "--wheel", "-o", tmp_path / "out", "-C", "threadwheel.variant=native-bare", project, ok=False
    )
    refused(done, "contradicts its plan and is not delivered", "gnu-openmp")
    assert list((tmp_path / "out").glob("*.whl")) == []


@pytest.mark.parametrize(
    "moment",
    ["isolated env", "Configuring CMake", "Building CXX object", "Installing project into wheel", "Making wheel"],
)
def test_a_killed_build_leaves_nothing_in_dist(project: Path, moment: str) -> None:
    """Killed with SIGKILL, process group and all, when its output reaches a moment."""
    command = [sys.executable, "-u", "-m", "threadwheel_build", "wheel", "native-bare"]
    env = environment(PYTHONPATH=str(project / "python"), PYTHONUNBUFFERED="1", NINJA_STATUS="")
    process = subprocess.Popen(
        command,
        cwd=project,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if moment in line:
            break
    else:
        pytest.fail(f"the build never said {moment!r}:\n{''.join(seen[-40:])}")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert [p for p in (project / "dist").rglob("*") if p.is_file()] == []
    assert not (project / "build" / "wheels" / "native-bare.json").exists()


def test_the_environment_cannot_turn_a_variant_into_another(project: Path) -> None:
    command = [sys.executable, "-m", "threadwheel_build", "wheel", "native"]
    done = run(*command, cwd=project, ok=False, PYTHONPATH=str(project / "python"), BLAS="BUILTIN")
    assert done.returncode == 2
    assert done.stderr == "native: the environment makes it native.bare; unset $BLAS\n"
    assert not (project / "dist").exists()
