"""Every way to build and install: the wheel imports at once, from any directory, and says its backend."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, TBB, Environment, from_sdist, run, tag

TBB_LINE = "ATen parallel backend: native thread pool and TBB"
OMP_LINE = "ATen parallel backend: OpenMP"
NATIVE_LINE = "ATen parallel backend: native thread pool"

MULTIPLY = """
import numpy as np, threadwheel as tw
a, b = np.random.rand(300, 200).astype("f4"), np.random.rand(200, 100).astype("f4")
np.testing.assert_allclose(tw.mm(a, b).numpy(), a @ b, rtol=1e-4)
print(tw.__config__.parallel_info())
"""


def check(venv: Environment, tmp_path: Path, line: str, label: str) -> None:
    """The installed package multiplies matrices and names its backend, in Python and as a program."""
    assert line in run(venv.python, "-c", MULTIPLY, cwd=tmp_path).stdout.splitlines()
    assert line in venv.text(tmp_path).splitlines()
    assert venv.info(tmp_path)["build"]["label"] == label  # type: ignore[index]
    packages = venv.installed()
    assert ("tbb" in packages) == label.startswith("tbb")
    assert not packages & {"mkl", "intel-openmp", "onednn-cpu-tbb", "onednn-cpu-gomp"}


def test_pip_install_brings_openmp_by_default(venv: Environment, checkout: Path, tmp_path: Path) -> None:
    venv.pip("install", checkout)
    check(venv, tmp_path, OMP_LINE, "omp")
    assert run(venv.python, "-m", "threadwheel", cwd=Path("/")).stdout.startswith(
        "ATen/Parallel:\n\tat::get_num_threads() : "
    )


def test_pip_install_with_definitions_brings_tbb(venv: Environment, checkout: Path, tmp_path: Path) -> None:
    venv.pip("install", checkout, *TBB)
    check(venv, tmp_path, TBB_LINE, "tbb")


def test_uv_pip_install_brings_a_variant(venv: Environment, checkout: Path, tmp_path: Path) -> None:
    venv.uv("pip", "install", checkout, "-C", "threadwheel.variant=native")
    check(venv, tmp_path, NATIVE_LINE, "native")


def test_an_editable_install_says_tbb(venv: Environment, checkout: Path, tmp_path: Path) -> None:
    venv.uv("pip", "install", "-e", checkout, "-C", "threadwheel.variant=tbb")
    check(venv, tmp_path, TBB_LINE, "tbb")
    where = run(venv.python, "-c", "import threadwheel; print(threadwheel.__file__)", cwd=tmp_path).stdout.strip()
    assert where == str(checkout / "python" / "threadwheel" / "__init__.py")


def test_pip_editable_install_follows_the_sources(venv: Environment, project: Path, tmp_path: Path) -> None:
    venv.pip("install", "-e", project, "-C", "threadwheel.variant=native-bare")
    check(venv, tmp_path, NATIVE_LINE, "native.bare")
    (project / "python" / "threadwheel" / "new_module.py").write_text("answer = 42\n")
    assert run(venv.python, "-c", "import threadwheel.new_module as m; print(m.answer)", cwd=tmp_path).stdout == "42\n"


def test_pip_wheel_names_the_label(venv: Environment, checkout: Path, tmp_path: Path) -> None:
    venv.pip("wheel", "--no-deps", "-w", tmp_path / "out", checkout, "-C", "threadwheel.variant=tbb")
    assert [p.name for p in (tmp_path / "out").iterdir()] == [f"threadwheel-0.1.0+tbb-{tag()}.whl"]


def test_build_makes_an_sdist_and_from_it_the_wheel(venv: Environment, checkout: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--installer", "uv", "--outdir", tmp_path / "out", *TBB, checkout)
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == [f"threadwheel-0.1.0+tbb-{tag()}.whl", "threadwheel-0.1.0+tbb.tar.gz"]
    venv.uv("pip", "install", tmp_path / "out" / names[0])
    check(venv, tmp_path, TBB_LINE, "tbb")


def test_uv_build_makes_both_too(checkout: Path, tmp_path: Path) -> None:
    run("uv", "build", "--out-dir", tmp_path / "out", "-C", "threadwheel.variant=native-bare", checkout, **from_sdist())
    names = sorted(p.name for p in (tmp_path / "out").iterdir() if not p.name.startswith("."))
    assert names == [f"threadwheel-0.1.0+native.bare-{tag()}.whl", "threadwheel-0.1.0+native.bare.tar.gz"]


def test_an_sdist_installs_as_another_backend(venv: Environment, checkout: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--installer", "uv", "--sdist", "--outdir", tmp_path, checkout)
    venv.uv(
        "pip", "install", tmp_path / "threadwheel-0.1.0.tar.gz", "-C", "threadwheel.variant=native-bare", **from_sdist()
    )
    check(venv, tmp_path, NATIVE_LINE, "native.bare")


def test_bare_cmake_builds_a_tbb_library_and_its_program(venv: Environment, checkout: Path, tmp_path: Path) -> None:
    """As a person without pip's help would, with the packages that R7's command names."""
    build = checkout / "build" / "bare-tbb"
    configure = ["cmake", "-G", "Ninja", "-S", checkout / "native", "-B", build, f"-DPython_EXECUTABLE={venv.python}"]
    tbb = ["-DATEN_THREADING=TBB", "-DUSE_TBB=ON", "-DCMAKE_INSTALL_LIBDIR=lib64/inner"]
    first = run(*configure, *tbb, ok=False)
    assert "R7: nothing is built with something else instead" in first.stderr
    command = next(line for line in first.stderr.splitlines() if " -m pip install " in line)
    packages = [word.strip("'") for word in command.split(" -m pip install ")[1].split()]
    venv.uv("pip", "install", *packages)
    run(*configure, *tbb)
    run("cmake", "--build", build)
    assert TBB_LINE in run(build / "parallel_info").stdout.splitlines()
    run("cmake", "--install", build, "--prefix", tmp_path / "i")
    assert (tmp_path / "i" / "lib64" / "inner" / "libthreadwheel.so").is_file()
    assert TBB_LINE in run(tmp_path / "i" / "bin" / "parallel_info").stdout.splitlines()


def test_a_tbb_wheel_without_tbb_names_the_cure(venv: Environment, tmp_path: Path) -> None:
    (wheel,) = (ROOT / "dist" / "tbb").glob("*.whl")
    venv.uv("pip", "install", "--no-deps", wheel)
    done = run(venv.python, "-c", "import threadwheel", cwd=tmp_path, ok=False)
    assert done.returncode != 0
    assert "pip install 'tbb>=2021.13'" in done.stderr


def test_tbb_is_found_in_an_overlay_environment(venv: Environment, tmp_path: Path) -> None:
    """tbb in another prefix than threadwheel: no RPATH reaches it, the preload does."""
    (wheel,) = (ROOT / "dist" / "tbb").glob("*.whl")
    venv.uv("pip", "install", "tbb>=2021.13", "numpy")
    run("uv", "pip", "install", "--no-deps", "--target", tmp_path / "overlay", wheel)
    done = run(venv.python, "-c", MULTIPLY, cwd=tmp_path, PYTHONPATH=str(tmp_path / "overlay"))
    assert TBB_LINE in done.stdout.splitlines()


def test_release_wheels_are_small() -> None:
    for variant in ("omp", "tbb", "native"):
        (wheel,) = (ROOT / "dist" / variant).glob("*.whl")
        assert wheel.stat().st_size <= 30e6
        with zipfile.ZipFile(wheel) as archive:
            assert sum(m.file_size for m in archive.infolist()) <= 120e6


@pytest.mark.parametrize("label", ["omp", "tbb", "native"])
def test_the_builder_as_a_distribution_of_its_own_audits_the_wheels(venv: Environment, label: str) -> None:
    venv.uv("pip", "install", ROOT / "python")
    command = venv.folder / "bin" / "threadwheel_build"
    (wheel,) = (ROOT / "dist" / label).glob("*.whl")
    run(command, "audit", wheel, "--expect", label)
    other = {"omp": "tbb", "tbb": "native", "native": "omp"}[label]
    assert run(command, "audit", wheel, "--expect", other, ok=False).returncode == 1
    assert f"variant {label}," in run(command, "plan", "-C", f"threadwheel.variant={label}").stdout
