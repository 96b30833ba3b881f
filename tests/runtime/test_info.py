"""parallel_info, line for line, and the commands that print it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import RunPython

import threadwheel as tw

TITLES = {"OMP": "OpenMP", "TBB": "native thread pool and TBB", "NATIVE": "native thread pool"}


def skeleton(build: dict[str, Any], omp: str = "[not set]", mkl: str = "[not set]") -> list[str]:
    """The documented text as one regular expression per line; N stands for a number."""
    found = build["libraries"]
    lines = ["ATen/Parallel:", "\tat::get_num_threads() : N", "\tat::get_num_interop_threads() : N"]
    if build["family"] == "OMP":
        lines += ["OpenMP N (a.k.a. OpenMP N.N)", "\tomp_get_max_threads() : N"]
    else:
        lines += ["OpenMP not found"]
    lines += ["MKL VERSION", "\tmkl_get_max_threads() : N"] if "mkl" in found else ["MKL not found"]
    lines += ["Intel(R) MKL-DNN vN.N.N (Git Hash HASH)"] if "onednn" in found else ["MKLDNN not found"]
    lines += ["std::thread::hardware_concurrency() : N", "Environment variables:"]
    lines += [f"\tOMP_NUM_THREADS : {omp}", f"\tMKL_NUM_THREADS : {mkl}"]
    lines += [f"ATen parallel backend: {TITLES[build['family']]}"]
    words = {"N": r"[0-9]+", "MKL VERSION": r"Intel\(R\) oneAPI Math Kernel Library Version .*", "HASH": "[0-9a-f]{40}"}

    def pattern(line: str) -> str:
        parts = re.split(r"(\bN\b|\bMKL VERSION\b|\bHASH\b)", line.replace("vN.", "v N."))
        text = "".join(words.get(part, re.escape(part)) for part in parts)
        return text.replace(r"v\ ", "v")

    return [pattern(line) for line in lines]


def check_text(text: str, expected: list[str]) -> None:
    lines = text.split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(expected), text
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), (line, pattern)


def test_text_line_for_line(run_python: RunPython, build: dict[str, Any]) -> None:
    code = "import threadwheel as tw; print(tw.__config__.parallel_info(), end='')"
    check_text(run_python(code).stdout, skeleton(build))
    expected = skeleton(build, omp="3", mkl="4")
    check_text(run_python(code, OMP_NUM_THREADS="3", MKL_NUM_THREADS="4").stdout, expected)


@pytest.mark.parametrize("num_threads", (1, 2, 3, 5))
def test_counts_agree_across_libraries(num_threads: int, build: dict[str, Any]) -> None:
    tw.set_num_threads(num_threads)
    text = tw.__config__.parallel_info()
    counts = dict(
        re.findall(r"^\t(at::get_num_threads|omp_get_max_threads|mkl_get_max_threads)\(\) : (\d+)$", text, re.M)
    )
    assert counts["at::get_num_threads"] == str(num_threads)
    if build["family"] == "OMP":
        assert counts["omp_get_max_threads"] == str(num_threads)
        if "mkl" in build["libraries"] and build["options"]["resolved"].get("MKL_THREADING", "OMP") == "OMP":
            assert counts["mkl_get_max_threads"] == str(num_threads)


def test_counts_agree_when_the_environment_sets_them(run_python: RunPython, build: dict[str, Any]) -> None:
    code = "import threadwheel as tw; print(tw.__config__.parallel_info())"
    text = run_python(code, OMP_NUM_THREADS="2", MKL_NUM_THREADS="3").stdout
    assert "\tat::get_num_threads() : 3\n" in text
    if build["family"] == "OMP":
        assert "\tomp_get_max_threads() : 3\n" in text


# --- commands ------------------------------------------------------------------------------------------


def command(name: str) -> str:
    """An entry point of the environment that the tests run in."""
    path = shutil.which(name, path=str(Path(sys.executable).parent))
    if path is None:
        pytest.skip(f"{name}: this environment uses the package without installing it")
    return path


def run_main(run_python: RunPython, *arguments: str, check: bool = True) -> Any:
    return run_python("", "-m", "threadwheel", *arguments, check=check)


@pytest.mark.parametrize("arguments", [(), ("info",)])
def test_info_is_the_text_then_the_extended_block(
    run_python: RunPython, build: dict[str, Any], arguments: tuple[str, ...]
) -> None:
    text, extended = run_main(run_python, *arguments).stdout.split("\n\n")
    check_text(text + "\n", skeleton(build))
    lines = extended.splitlines()
    assert lines[0] == "Extended:"
    assert re.fullmatch(r"\tnumber of threads : \d+ \(detected\)", lines[1])
    assert re.fullmatch(
        r"\tdetected : \d+ = min\(affinity \d+, physical cores (\d+|unknown), cgroup quota (\d+|none)\)", lines[2]
    )
    assert lines[3].startswith(f"\tbackend : {build['family']}, ")
    assert re.fullmatch(r"\tkernels : (x86-64-v4|x86-64-v3|baseline)", lines[4])
    assert lines[5].startswith(f"\tbuild : {build['version']} {build['label']}, ") and "BLAS=" in lines[5]
    assert re.fullmatch(
        r"\tOS threads : \d+ in the process; threadwheel's pools hold up to \d+ beside a caller, "
        r"and \d+ for inter-op tasks",
        lines[6],
    )
    assert lines[7] == "\tthreading runtimes :" + ("" if build["libraries"].keys() & {"openmp", "tbb"} else " none")
    assert lines[-1] == "\tverdict : ok"


def test_info_as_json(run_python: RunPython, build: dict[str, Any]) -> None:
    info = json.loads(run_main(run_python, "info", "--json").stdout)
    check_text(info["parallel_info"], skeleton(build))
    assert info["build"] == build
    assert info["backend"]["family"] == build["family"]
    assert info["backend"]["capacity"] == info["counts"]["num_threads"]
    assert info["counts"]["source"] == "detected"
    assert all(Path(runtime["file"]).is_absolute() for runtime in info["runtimes"])
    assert (info["verdict"], info["findings"]) == ("ok", [])


def test_one_threading_runtime_is_loaded_and_it_is_ours(run_python: RunPython, build: dict[str, Any]) -> None:
    info = json.loads(run_main(run_python, "info", "--json").stdout)
    names = [runtime["name"] for runtime in info["runtimes"] if runtime["kind"] != "library"]
    assert names == build["runtimes"]
    counts = [runtime["num_threads"] for runtime in info["runtimes"] if runtime["kind"] != "library"]
    assert counts == [info["backend"]["capacity"]] * len(names)
    bundled = [runtime["title"] for runtime in info["runtimes"] if runtime["kind"] == "library"]
    assert bundled == ["oneDNN of threadwheel"] * ("onednn" in build["libraries"])


def test_version_and_help(run_python: RunPython, build: dict[str, Any]) -> None:
    assert tw.__version__ == build["version"] and "+" not in tw.__version__
    assert run_main(run_python, "--version").stdout == f"threadwheel {tw.__version__}\n"
    text = run_main(run_python, "--help").stdout
    assert "info" in text and "--version" in text
    assert "--json" in run_main(run_python, "info", "--help").stdout


def test_an_unknown_command_is_refused(run_python: RunPython) -> None:
    done = run_main(run_python, "inof", check=False)
    assert done.returncode == 2
    assert "inof" in done.stderr and "Traceback" not in done.stderr


def test_entry_points(run_python: RunPython, build: dict[str, Any]) -> None:
    threadwheel = command("threadwheel")
    assert run_python("", threadwheel, "--version").stdout == f"threadwheel {tw.__version__}\n"
    text, loaded = run_python("", command("parallel_info")).stdout.split("\n\n")
    check_text(text + "\n", skeleton(build))
    assert loaded.startswith("Loaded .so:\n")


def test_parallel_info_program(run_python: RunPython, build: dict[str, Any]) -> None:
    done = run_python("from threadwheel.__main__ import parallel_info; parallel_info()", OMP_NUM_THREADS="3")
    text, loaded = done.stdout.split("\n\n")
    check_text(text + "\n", skeleton(build, omp="3"))
    lines = loaded.splitlines()
    assert lines[0] == "Loaded .so:"
    assert any(line.endswith("/libthreadwheel.so") for line in lines)
    runtimes = {"OMP": "libgomp.so", "TBB": "libtbb.so"}
    for family, name in runtimes.items():
        assert any(name in line for line in lines) == (family == build["family"])


def test_parallel_info_program_tells_of_a_full_disk() -> None:
    program = Path(tw.__config__.package_dir()) / "bin" / "parallel_info"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([program], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "parallel_info: standard output: No space left on device; make room or write elsewhere\n"


def test_show_is_a_table_of_the_build(build: dict[str, Any]) -> None:
    text = tw.__config__.show()
    assert text.splitlines()[0] == f"threadwheel {build['version']} built with:"
    rows = {name: value or "-" for name, value in build["options"]["resolved"].items()}
    libraries = {name: row for name, row in build["libraries"].items() if "version" in row}
    rows |= {name: f"{row['title']} {row['version']}" for name, row in libraries.items()}
    for name, value in rows.items():
        assert re.search(rf"^  {name} +{re.escape(value)}$", text, re.M)
    assert build["compiler"]["version"] in text


def test_build_info_beside_the_package_is_the_compiled_one(build: dict[str, Any]) -> None:
    path = Path(tw._core.__file__).parent / "build_info.json"
    assert json.loads(path.read_text()) == build
    assert tw._core.describe_backend()["family"] == build["family"]
