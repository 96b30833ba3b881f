"""Importing: what is not imported along, and what is refused."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import RunPython

import threadwheel as tw
from threadwheel import _preload


def test_numpy_is_not_imported_along(run_python: RunPython) -> None:
    code = """
import array, sys, threadwheel as tw
tw.add(array.array("f", [1]), 1)
tw.__config__.parallel_info(), tw.__config__.show()
print("numpy" in sys.modules)
"""
    assert run_python(code).stdout == "False\n"


def test_import_starts_no_thread(run_python: RunPython) -> None:
    code = "import os, threadwheel; print(len(os.listdir('/proc/self/task')))"
    assert run_python(code, OMP_NUM_THREADS="4").stdout == "1\n"


def copy_package(tmp_path: Path) -> Path:
    """The package's files under another folder; its libraries stay where they are found."""
    target = tmp_path / "copy" / "threadwheel"
    for source in {Path(tw.__file__).parent, Path(tw._core.__file__).parent}:
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return target


@pytest.mark.parametrize("what", ("changed", "missing", "broken"))
def test_files_of_two_wheels_are_refused(
    tmp_path: Path, run_python: RunPython, build: dict[str, Any], what: str
) -> None:
    package = copy_package(tmp_path)
    path = package / "build_info.json"
    path.unlink()
    if what == "changed":
        path.write_text(json.dumps(build | {"version": "0.0.1", "label": "other"}))
    elif what == "broken":
        path.write_text("{")
    libraries = os.pathsep.join(
        [str(Path(tw._core.__file__).parent / "lib"), str(Path(_preload.find_tbb() or "/").parent)]
    )
    done = run_python("import threadwheel", check=False, PYTHONPATH=str(package.parent), LD_LIBRARY_PATH=libraries)
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: threadwheel: {path} ")
    assert last.endswith("reinstall threadwheel")
    if what == "changed":
        assert f"is of build 0.0.1 other and the library is of build {build['version']} {build['label']};" in last


class Core:
    """The extension module, with another package's oneDNN in the place of ours."""

    def __init__(self, runtime: str) -> None:
        self.runtime = runtime

    def dnn_runtime(self) -> str:
        return self.runtime

    def __getattr__(self, name: str) -> Any:
        return getattr(tw._core, name)


def test_a_foreign_onednn_is_refused(monkeypatch: pytest.MonkeyPatch, build: dict[str, Any]) -> None:
    monkeypatch.setattr(tw.__config__, "_core", Core("SEQ"))
    with pytest.raises(ImportError) as error:
        tw.__config__.check_build()
    assert str(error.value) == (
        f"threadwheel: the oneDNN in this process runs on SEQ and this build on {build['family']}; another package has "
        "loaded its oneDNN for the whole process, import threadwheel first"
    )


def test_a_missing_tbb_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ImportError("libtbb.so.12: cannot open shared object file: No such file or directory")

    def no_package(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", fail)
    monkeypatch.setattr(importlib.metadata, "files", no_package)
    with pytest.raises(ImportError) as error:
        _preload.load()
    assert str(error.value) == (
        "threadwheel: this wheel runs on TBB and libtbb.so.12 was not found; pip install 'tbb>=2021.13'"
    )


def test_tbb_of_another_prefix_is_loaded_first(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    calls: list[str] = []

    def import_module(name: str) -> str:
        calls.append(name)
        if len(calls) == 1:
            raise ImportError("libtbb.so.12: cannot open shared object file: No such file or directory")
        return "the module"

    monkeypatch.setattr(importlib, "import_module", import_module)
    monkeypatch.setattr(_preload, "find_tbb", lambda: "/somewhere/libtbb.so.12")
    monkeypatch.setattr(ctypes, "CDLL", lambda path, mode: calls.append(path))
    assert _preload.load() == "the module"
    assert calls == ["threadwheel._core", "/somewhere/libtbb.so.12", "threadwheel._core"]


def test_other_import_errors_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ImportError("libother.so: cannot open shared object file")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(ImportError, match=r"^libother\.so: cannot open"):
        _preload.load()
