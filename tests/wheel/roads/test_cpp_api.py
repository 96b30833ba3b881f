"""The C++ API of an installed wheel: one extension, built once, runs unchanged with every backend."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, build_against, install_wheel, prefix_of, run

EXTENSION = ROOT / "tests" / "data" / "extension"
BACKENDS = {"omp": "OpenMP", "tbb": "native thread pool and TBB", "native": "native thread pool"}

USE = """
import ctypes, hashlib, json, pathlib, sys, threadwheel
path = pathlib.Path(sys.argv[1])
extension = ctypes.CDLL(str(path))
extension.extension_sum.argtypes, extension.extension_sum.restype = [ctypes.c_long], ctypes.c_double
text = ctypes.create_string_buffer(8192)
found = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "sum": extension.extension_sum(100_000)}
found["set"] = [extension.extension_set(3), threadwheel.get_num_threads()]
found["interop"] = [extension.extension_interop(2), threadwheel.get_num_interop_threads()]
found["futures"] = extension.extension_futures()
found["code"] = extension.extension_error(text, 8192)
found["error"] = text.value.decode()
text = ctypes.create_string_buffer(8192)
extension.extension_info(text, 8192)
found["info"] = text.value.decode()
maps = pathlib.Path("/proc/self/maps").read_text().splitlines()
found["libraries"] = sorted({line.split()[-1] for line in maps if line.endswith("libthreadwheel.so")})
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The file, compiled against the native wheel, and its SHA-256. That wheel's environment is gone afterwards."""
    folder = tmp_path_factory.mktemp("extension")
    environment = install_wheel(folder / "venv", "native")
    path = build_against(prefix_of(environment, folder), EXTENSION, folder / "build") / "extension.so"
    environment.folder.rename(folder / "moved")
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("variant", BACKENDS)
def test_one_extension_runs_with_every_wheel(extension: tuple[Path, str], tmp_path: Path, variant: str) -> None:
    path, sha256 = extension
    environment = install_wheel(tmp_path / "venv", variant)
    found = json.loads(run(environment.python, "-c", USE, path, cwd=tmp_path).stdout)
    assert found["sha256"] == sha256
    assert found["sum"] == 100_000 * 99_999 / 2
    assert (found["set"], found["interop"], found["code"]) == ([3, 3], [2, 2], 1)
    assert found["futures"] == 1142
    assert "the number of threads is 0; expected positive number of threads" in found["error"]
    assert f"ATen parallel backend: {BACKENDS[variant]}" in found["info"].splitlines()
    assert [Path(p).is_relative_to(environment.folder) for p in found["libraries"]] == [True]


def test_the_extension_names_no_backend(extension: tuple[Path, str]) -> None:
    needed = subprocess.run(["readelf", "-d", extension[0]], capture_output=True, text=True, check=True).stdout
    assert "libthreadwheel.so" in needed
    assert not [name for name in ("libgomp", "libtbb", "libdnnl", "RUNPATH", "RPATH") if name in needed]


def test_a_cmake_install_is_a_package_too(checkout: Path, tmp_path: Path) -> None:
    """Configured, installed and moved: nothing in the package remembers where it was made."""
    made = checkout / "build" / "package"
    options = ["-DATEN_THREADING=NATIVE", "-DBLAS=BUILTIN"]
    run("cmake", "-G", "Ninja", "-S", checkout / "native", "-B", made, *options)
    run("cmake", "--build", made)
    run("cmake", "--install", made, "--prefix", tmp_path / "i")
    (tmp_path / "i").rename(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "include" / "threadwheel" / "at.h").exists()
    build_against(tmp_path / "elsewhere", EXTENSION, tmp_path / "extension")
