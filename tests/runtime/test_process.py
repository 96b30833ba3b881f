"""What `info` and an import say of other threading runtimes in the process.

The runtimes here are fakes of a few lines: a private copy is known by what it exports, so that is all it takes. Real
packages are in tests/wheel/neighbours.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import RunPython

TBB_COUNT = "_ZN3tbb6detail2r127global_control_active_valueEi"
# Each answers with a count of its own: it shows which copy was asked.
SOURCES = {
    "gnu": "void GOMP_parallel(void) {} int omp_get_max_threads(void) { return 71; }",
    "llvm": "void __kmpc_fork_call(void) {} void GOMP_parallel(void) {} int omp_get_max_threads(void) { return 72; }",
    "llvm-alone": "void __kmpc_fork_call(void) {} int omp_get_max_threads(void) { return 73; }",
    "intel": "void __kmpc_fork_call(void) {} int _You_must_link_with_Intel_OpenMP_library = 1;",
    "tbb": f"int TBB_runtime_interface_version(void) {{ return 1; }} int {TBB_COUNT}(int which) {{ return 74 + which; }}",
    "openblas": "int openblas_get_parallel(void) { return 1; } int openblas_get_num_threads(void) { return 5; }",
    "openblas64": "int scipy_openblas_get_parallel64_(void) { return 2; }"
    " int scipy_openblas_get_num_threads64_(void) { return 6; }",
    "openblas-serial": "int openblas_get_parallel64_(void) { return 0; } int openblas_get_num_threads64_(void) { return 1; }",
    "mkl": "int mkl_serv_get_max_threads(void) { return 7; }",
    "mkl-rt": "void MKL_Set_Threading_Layer(void) {} int MKL_Get_Max_Threads(void) { __builtin_trap(); }",
    "blis": "int bli_thread_get_num_threads(void) { return 8; }",
    "onednn": "void dnnl_version(void) {}",
    "nothing": "int answer(void) { return 42; }",
}

Library = Callable[..., Path]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Compile a fake under any file name, linked to others or not."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to make fake runtimes with")

    def build(source: str, name: str, *needed: Path) -> Path:
        path = tmp_path / name
        (tmp_path / "source.c").write_text(SOURCES[source])
        options = ["-shared", "-fPIC", "-w", "-fno-builtin", f"-Wl,-soname,{name}", "-Wl,--no-as-needed"]
        subprocess.run(
            [compiler, *options, "-o", path, tmp_path / "source.c", *needed, f"-Wl,-rpath,{tmp_path}"], check=True
        )
        return path

    return build


def opened(*paths: Path) -> str:
    return "import ctypes, sys\n" + "".join(f"ctypes.CDLL({str(path)!r})\n" for path in paths)


INFO = "from threadwheel.__main__ import main\nsys.exit(main(['info', '--json']))\n"


@pytest.fixture
def info(run_python: RunPython) -> Callable[..., dict[str, Any]]:
    """What `info` says in a process that has opened `paths` after importing threadwheel."""

    def ask(*paths: Path, **variables: str) -> dict[str, Any]:
        done = run_python("import threadwheel\n" + opened(*paths) + INFO, check=False, **variables)
        result: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (result["verdict"] == "mixed"), done.stderr
        return result

    return ask


Info = Callable[..., dict[str, Any]]


def row_of(info: dict[str, Any], path: Path) -> dict[str, Any]:
    (row,) = (row for row in info["runtimes"] if row["file"] == str(path))
    return row


def problems(info: dict[str, Any]) -> list[dict[str, Any]]:
    return [finding for finding in info["findings"] if finding["severity"] != "note"]


# --- what is seen ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "name", "title", "num_threads", "mode"),
    [
        ("gnu", "gnu-openmp", "GNU OpenMP", 71, None),
        ("llvm", "llvm-openmp", "LLVM OpenMP", 72, None),
        ("intel", "llvm-openmp", "Intel OpenMP", None, None),
        ("tbb", "tbb", "oneTBB", 74, None),
        ("openblas", "openblas", "OpenBLAS", 5, "pthreads"),
        ("openblas64", "openblas", "OpenBLAS", 6, "openmp"),
        ("openblas-serial", "openblas", "OpenBLAS", 1, "sequential"),
        ("mkl", "mkl", "MKL", 7, None),
        ("mkl-rt", "mkl", "MKL", None, None),
        ("blis", "blis", "BLIS", 8, None),
        ("onednn", "onednn", "oneDNN", None, None),
    ],
)
def test_a_private_copy_is_known_by_its_symbols_and_asked_itself(
    library: Library, info: Info, source: str, name: str, title: str, num_threads: int | None, mode: str | None
) -> None:
    path = library(source, "libprivate.so")
    assert row_of(info(path), path) == {
        "name": name,
        "title": title,
        "kind": {"gnu-openmp": "openmp", "llvm-openmp": "openmp", "tbb": "tbb"}.get(name, "library"),
        "file": str(path),
        "soname": "libprivate.so",
        "needed_by": [],
        "loaded_by": "dlopen",
        "is_called": False,
        "bypassed_by": None,
        "num_threads": num_threads,
        "mode": mode,
    }


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("libgomp-0123abcd.so.1.0.0", "gnu-openmp"),
        ("libiomp5.so", "llvm-openmp"),
        ("libtbb.so.12.9", "tbb"),
        ("libgomp-plugin-nvptx.so.1", None),
        ("libtbbmalloc.so.2", None),
        ("libgompertz.so", None),
    ],
)
def test_a_runtime_without_its_symbols_is_known_by_its_name(
    library: Library, info: Info, file: str, name: str | None
) -> None:
    path = library("nothing", file)
    found = [(row["name"], row["num_threads"]) for row in info(path)["runtimes"] if row["file"] == str(path)]
    assert found == ([(name, None)] if name else [])


def test_who_needs_a_runtime_is_named(library: Library, info: Info) -> None:
    runtime = library("openblas", "libprivate.so")
    users = [library("nothing", f"libuser{i}.so", runtime) for i in range(2)]
    row = row_of(info(*users), runtime)
    assert (row["needed_by"], row["loaded_by"]) == (list(map(str, users)), "dependency")


def test_a_preloaded_library_is_said_to_be(library: Library, info: Info) -> None:
    path = library("openblas", "libprivate.so")
    row = row_of(info(LD_PRELOAD=str(path)), path)
    assert (row["needed_by"], row["loaded_by"]) == ([], "LD_PRELOAD")


def test_the_copy_that_our_calls_are_bound_to_is_marked(info: Info, build: dict[str, Any]) -> None:
    called = [row["name"] for row in info()["runtimes"] if row["is_called"] and row["kind"] != "library"]
    assert called == build["runtimes"]


# --- the verdict ----------------------------------------------------------------------------------------


def test_alone_it_is_ok(info: Info) -> None:
    found = info()
    assert (found["verdict"], found["findings"]) == ("ok", [])


@pytest.mark.parametrize("source", ("gnu", "llvm", "tbb"))
def test_one_foreign_runtime(library: Library, info: Info, build: dict[str, Any], source: str) -> None:
    path = library(source, "libprivate.so")
    found = problems(info(path))
    version = build["version"]
    if build["family"] == "NATIVE":
        expected = []
    elif (build["family"], source) in (("OMP", "gnu"), ("TBB", "tbb")):
        ours = next(row["file"] for row in info()["runtimes"] if row["is_called"])
        expected = [("warning", f"LD_PRELOAD={ours}")]
    elif (build["family"], source) == ("OMP", "llvm"):
        expected = [("error", f"LD_PRELOAD={path}")]
    else:
        expected = [("warning", f"pip install 'threadwheel==={version}+native'")]
    assert [(finding["severity"], finding["cure"]) for finding in found] == expected
    assert all(f"{path} (loaded by dlopen)" in finding["message"] for finding in found)


def test_a_runtime_under_the_name_that_wheels_share_asks_for_its_wheel(
    library: Library, info: Info, build: dict[str, Any]
) -> None:
    if build["family"] == "NATIVE":
        pytest.skip("the native pool goes with any runtime")
    source, name, label = {"OMP": ("tbb", "libtbb.so.12", "+tbb"), "TBB": ("gnu", "libgomp.so.1", "")}[build["family"]]
    (finding,) = problems(info(library(source, name)))
    assert finding["cure"] == f"pip install 'threadwheel==={build['version']}{label}'"


def test_two_foreign_runtimes_are_mixed_beside_any_wheel(library: Library, info: Info) -> None:
    gnu, llvm = library("gnu", "libone.so"), library("llvm-alone", "libother.so")
    found = problems(info(gnu, llvm))
    assert found[0]["severity"] == "error"
    assert found[0]["message"].startswith("two different OpenMP runtimes: ")
    assert f"LLVM OpenMP {llvm} (loaded by dlopen)" in found[0]["message"]
    assert found[0]["cure"] == f"keep one out of this process: no setting unites them, {llvm} lacks GNU's entry points"


def test_two_copies_are_mixed_and_only_one_is_to_be_asked(library: Library, info: Info) -> None:
    copies = [library("llvm", f"lib{name}.so") for name in ("one", "other")]
    found = info(*copies)
    # A real one would abort the process; see runtimes.toml.
    assert [row_of(found, path)["num_threads"] for path in copies] == [None, None]
    message = f"2 copies of LLVM OpenMP: {copies[0]} (loaded by dlopen), {copies[1]} (loaded by dlopen)"
    (finding,) = (finding for finding in problems(found) if finding["message"] == message)
    assert (finding["severity"], finding["cure"]) == ("warning", f"LD_PRELOAD={copies[0]}")


def test_what_the_dispatcher_of_mkl_opened_is_cured_at_mkl(library: Library, info: Info, build: dict[str, Any]) -> None:
    if build["family"] == "NATIVE":
        pytest.skip("the native pool goes with any runtime")
    (finding,) = problems(info(library("mkl-rt", "libmkl_rt.so.2"), library("llvm", "libiomp5.so")))
    layer = {"OMP": "GNU", "TBB": "TBB"}[build["family"]]
    assert finding["cure"] == f"import threadwheel first, with MKL_THREADING_LAYER={layer}"


def test_a_preloaded_runtime_takes_the_calls_of_its_copies(library: Library, info: Info, build: dict[str, Any]) -> None:
    # One that our own calls do not go to: a fake cannot answer them.
    source = "tbb" if build["family"] == "OMP" else "gnu"
    first, second = library(source, "libfirst.so"), library(source, "libsecond.so")
    found = info(second, LD_PRELOAD=str(first))
    assert (row_of(found, first)["bypassed_by"], row_of(found, second)["bypassed_by"]) == (None, str(first))
    assert not [finding for finding in problems(found) if "copies" in finding["message"]]
    assert f"({second}) gets no calls: {first} was preloaded" in str(found["findings"])


@pytest.mark.parametrize(
    ("source", "cure"), [("openblas", "OPENBLAS_NUM_THREADS=1"), ("blis", "BLIS_NUM_THREADS=1"), ("openblas64", None)]
)
def test_a_pool_of_a_library_is_a_note(library: Library, info: Info, source: str, cure: str | None) -> None:
    path = library(source, "libprivate.so")
    found = info(path)
    assert found["verdict"] == "ok"
    assert [finding["cure"] for finding in found["findings"] if str(path) in finding["message"]] == [cure] * bool(cure)


# --- the import -----------------------------------------------------------------------------------------


@pytest.fixture
def mixed(library: Library) -> str:
    """Code that brings two different OpenMP runtimes into a process."""
    return opened(library("gnu", "libone.so"), library("llvm", "libother.so"))


def test_an_import_warns_of_two_openmp_runtimes(run_python: RunPython, mixed: str, tmp_path: Path) -> None:
    done = run_python(mixed + "import warnings\nwarnings.simplefilter('default')\nimport threadwheel\nprint('on')")
    assert done.stdout == "on\n"
    warning = done.stderr.splitlines()[0]
    assert "RuntimeWarning: threadwheel: two different OpenMP runtimes: " in warning
    assert f"{tmp_path}/libone.so (loaded by dlopen)" in warning
    assert warning.endswith(
        f"; cure: LD_PRELOAD={tmp_path}/libother.so; THREADWHEEL_MIXED_RUNTIMES=ignore silences this"
    )


def test_the_policy_decides(run_python: RunPython, mixed: str) -> None:
    done = run_python(mixed + "import threadwheel", check=False, THREADWHEEL_MIXED_RUNTIMES="error")
    assert done.stderr.splitlines()[-1].startswith("ImportError: threadwheel: two different OpenMP runtimes: ")
    done = run_python(mixed + "import threadwheel", THREADWHEEL_MIXED_RUNTIMES="ignore")
    assert done.stderr == ""


def test_an_import_is_silent_about_less(run_python: RunPython, library: Library, build: dict[str, Any]) -> None:
    source = {"OMP": "tbb", "TBB": "gnu", "NATIVE": "gnu"}[build["family"]]
    done = run_python(opened(library(source, "libprivate.so")) + "import threadwheel")
    assert done.stderr == ""


def test_an_unknown_policy_is_refused(run_python: RunPython) -> None:
    done = run_python("import threadwheel", check=False, THREADWHEEL_MIXED_RUNTIMES="off")
    assert done.stderr.splitlines()[-1] == (
        "ImportError: threadwheel: THREADWHEEL_MIXED_RUNTIMES is 'off'; expected error, warn, ignore"
    )


def test_our_own_libraries_on_two_runtimes_are_an_error(build: dict[str, Any]) -> None:
    """No wheel is built so; the rule is for one that somebody changed."""
    from threadwheel import _process, _verdict

    table = _process.load_table()
    process = _process.Process(table)
    mapped = process.objects[0]
    both = []
    for name in ("gnu-openmp", "tbb"):
        both.append(_process.Runtime(name, process.rows[name], mapped, process))
        both[-1].is_ours = True
    (finding,) = _verdict.problems(both, table, build)
    assert finding.severity == "error"
    assert finding.message.startswith("OpenMP and TBB are both used by threadwheel's own libraries: ")
    label = "" if build["default"] else f"+{build['label']}"
    expected = f"pip install --force-reinstall --no-deps 'threadwheel==={build['version']}{label}'"
    assert finding.cure == expected


# --- the command ----------------------------------------------------------------------------------------


def test_info_imports_modules_in_order(run_python: RunPython, library: Library, tmp_path: Path) -> None:
    path = library("openblas", "libprivate.so")
    (tmp_path / "first.py").write_text(opened(path))
    (tmp_path / "second.py").write_text("import sys\nassert 'first' in sys.modules and 'threadwheel' in sys.modules")
    arguments = ["-m", "threadwheel", "info", "--import", "first", "--import", "second"]
    text = run_python("", *arguments).stdout
    expected = f"\t\tOpenBLAS : {path}\n\t\t\tneeded by : nobody, loaded by dlopen\n\t\t\tthreads : 5, pthreads\n"
    assert expected in text
    tail = text.partition("\tverdict : ")[2]
    message = f"OpenBLAS ({path}) has 5 threads of its own beside threadwheel's"
    assert tail == f"ok\n\t\tnote : {message}\n\t\t\tcure : OPENBLAS_NUM_THREADS=1\n"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (None, "ModuleNotFoundError: No module named 'broken'"),
        ("raise RuntimeError('not today')", "RuntimeError: not today"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(
    run_python: RunPython, tmp_path: Path, code: str | None, reason: str
) -> None:
    if code is not None:
        (tmp_path / "broken.py").write_text(code)
    done = run_python("", "-m", "threadwheel", "info", "--import", "broken", check=False)
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last == (f"threadwheel info: error: --import broken: {reason}; name a module that this Python can import")


def test_os_threads_are_counted(run_python: RunPython) -> None:
    code = """
import sys, threading
event = threading.Event()
for _ in range(3):
    threading.Thread(target=event.wait, daemon=True).start()
"""
    assert json.loads(run_python(code + INFO).stdout)["os_threads"] == 4
