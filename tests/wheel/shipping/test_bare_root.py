"""A root folder with Python and nothing else: no compiler, no libgomp, no package. The wheels install and run there.

Made of the running Python's own files and the libraries that they need. Beside glibc's there are libstdc++ and
libgcc_s, which every manylinux system has.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import pytest
from conftest import LABELS, ROOT

ZOO = ROOT / "tests" / "data" / "torchscript" / "zoo"
PREFIX = Path(sys.base_prefix)
PYTHON = PREFIX / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
SITE_PACKAGES = Path(sysconfig.get_path("platlib", vars={"base": str(PREFIX), "platbase": str(PREFIX)}))
SYSTEM = ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1"]
SYSTEM += ["libstdc++.so.6", "libgcc_s.so.1"]

MODEL = """
import json, numpy, threadwheel as tw
case = numpy.load("/model.npz")
got = numpy.asarray(tw.jit.freeze(tw.jit.load("/model.pt"))(tw.from_numpy(case["a0"])))
print(json.dumps([tw.__config__.build_info()["label"], float(abs(got - case["a1"]).max())]))
"""


def needed(path: Path) -> set[Path]:
    """The libraries that a file of this machine loads."""
    shown = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
    return {Path(found) for found in re.findall(r"(/\S+) \(0x", shown)}


def enter(root: Path, *command: object) -> subprocess.CompletedProcess[str]:
    """Run a command with `root` as its root folder, and nothing of this process's environment."""
    change = ["chroot"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "chroot"]
    env = {"PATH": f"{PREFIX}/bin", "HOME": "/", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    command = (*change, root, "/usr/bin/env", "-i", *(f"{k}={v}" for k, v in env.items()), *command)
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def enter_well(root: Path, *command: object) -> str:
    done = enter(root, *command)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def copy(root: Path, paths: Iterable[Path]) -> None:
    for path in paths:
        target = root / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root, without any package but pip."""
    root = tmp_path_factory.mktemp("root")
    probe = subprocess.run(["unshare", "--map-root-user", "true"], capture_output=True, text=True)
    if os.geteuid() != 0 and probe.returncode:
        pytest.skip(f"neither root nor user namespaces are to be had: {probe.stderr.strip()}")
    library = PREFIX / "lib" / PYTHON.name
    ignored = shutil.ignore_patterns(
        "site-packages", "__pycache__", "test", "idlelib", "tkinter", "config-*", "lib2to3"
    )
    shutil.copytree(library, root / library.relative_to("/"), ignore=ignored)
    modules = [path for path in (library / "lib-dynload").iterdir() if path.suffix == ".so"]
    programs = [PYTHON, Path("/usr/bin/env")]
    libraries = {found for path in (*modules, *programs) for found in needed(path)}
    folder = next(path.parent for path in libraries if path.name == "libc.so.6")
    libraries |= {folder / name for name in SYSTEM}
    libraries |= {found for path in tuple(libraries) for found in needed(path)}
    copy(root, [*programs, *libraries])
    for folder in ("tmp", "dev"):
        (root / folder).mkdir()
    (root / "dev" / "null").touch()
    enter_well(root, PYTHON, "-m", "ensurepip", "--default-pip")
    return root


def files(root: Path) -> set[str]:
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.suffix != ".pyc" and p.name != "__pycache__"}


def test_the_root_has_neither_a_compiler_nor_a_threading_runtime(bare: Path) -> None:
    names = {Path(name).name for name in files(bare)}
    assert not [name for name in names if re.match(r"lib(gomp|omp|iomp5|tbb)\b|(gcc|g\+\+|cc|c\+\+|ld)$", name)]


@pytest.mark.parametrize("label", LABELS)
def test_the_wheel_installs_runs_a_model_and_is_removed(
    bare: Path, released: dict[str, Path], requirements: Path, label: str
) -> None:
    wheels = bare / "wheels"
    shutil.copytree(requirements, wheels)
    shutil.copy(released[label], wheels)
    for name in ("model.pt", "model.npz"):
        shutil.copy(ZOO / f"convnext_trace{Path(name).suffix}", bare / name)
    try:
        pip = (PYTHON, "-m", "pip", "--quiet")
        version = "0.1.0" if label == "omp" else f"0.1.0+{label}"
        enter_well(
            bare, *pip, "install", "--no-index", "--find-links", "/wheels", "numpy", *(["tbb"] * (label == "tbb"))
        )
        before = files(bare)
        enter_well(bare, *pip, "install", "--no-index", "--find-links", "/wheels", f"threadwheel=={version}")
        found, error = json.loads(enter_well(bare, PYTHON, "-c", MODEL))
        assert (found, error < 1e-4) == (label, True)
        check_libraries(bare, label)
        enter_well(bare, *pip, "uninstall", "--yes", "threadwheel")
        assert files(bare) == before
        assert not [name for name in files(bare) if "threadwheel" in name and not name.startswith("wheels/")]
    finally:
        enter(bare, PYTHON, "-m", "pip", "uninstall", "--quiet", "--yes", "threadwheel", "numpy", "tbb", "tcmlib")
        shutil.rmtree(wheels)


def check_libraries(root: Path, label: str) -> None:
    """What the loader finds for each of our files is ours, the required TBB, or the system's."""
    package = SITE_PACKAGES / "threadwheel"
    inside = root / package.relative_to("/")
    ours = [path for path in inside.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]
    assert len(ours) >= 3
    for path in ours:
        own_path = Path("/") / path.relative_to(root)
        shown = enter_well(root, "/lib64/ld-linux-x86-64.so.2", "--list", own_path)
        assert "not found" not in shown
        for line in filter(str.strip, shown.splitlines()):
            name, _, where = line.strip().partition(" => ")
            place = os.path.normpath(where.partition(" (")[0])
            if name in SYSTEM or name.startswith(("linux-vdso", "/lib64/ld-linux")):
                continue
            if label == "tbb" and name in ("libtbb.so.12", "libtcm.so.1"):
                assert place.startswith(f"{PREFIX}/lib/")
            else:
                assert place.startswith(f"{package}/"), f"{own_path}: {line}"
