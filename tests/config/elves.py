"""Builds real ELF files, and wheels around them, for the tests of elf.py and audit.py.

Everything is compiled at test time, so the tests read what a linker of today writes. TBB and LLVM's
OpenMP are stood in for by libraries with their SONAME and a few of their real symbols; GNU OpenMP is
the compiler's own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

WHEEL_NAME = "threadwheel-0.1.0+tbb-cp311-cp311-linux_x86_64.whl"

needs_compiler = pytest.mark.skipif(
    shutil.which("gcc") is None or shutil.which("g++") is None, reason="gcc and g++ are needed to build ELF files"
)

OPENMP_LOOP = """
#include <omp.h>
int sum(int n) {
    int s = omp_get_max_threads();
    #pragma omp parallel for reduction(+ : s)
    for (int i = 0; i < n; ++i) s += i;
    return s;
}
"""
TBB_TYPES = "namespace tbb::detail::d1 { struct task; struct task_group_context; }\n"
TBB_LIBRARY = f"""{TBB_TYPES}
namespace tbb::detail::r1 {{ void spawn(d1::task&, d1::task_group_context&) {{}} }}
extern "C" int TBB_runtime_interface_version() {{ return 12130; }}
"""
TBB_USER = f"""{TBB_TYPES}
namespace tbb::detail::r1 {{ void spawn(d1::task&, d1::task_group_context&); }}
void use(tbb::detail::d1::task& t, tbb::detail::d1::task_group_context& c) {{ tbb::detail::r1::spawn(t, c); }}
"""
LLVM_LIBRARY = "void __kmpc_fork_call(void) {} void GOMP_parallel(void) {} int omp_get_max_threads(void) { return 1; }"
LLVM_USER = "void __kmpc_fork_call(void); void use(void) { __kmpc_fork_call(); }"
PLAIN = "int answer(void) { return 42; }"


class Elves:
    """A folder of built ELF files; every method returns the path of a new one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def shared(
        self,
        name: str,
        source: str = PLAIN,
        *flags: str,
        soname: str = "",
        links: Iterable[Path] = (),
        rpath: str | None = None,
    ) -> Path:
        """A shared library; `links` go to DT_NEEDED by their SONAME."""
        out = self.folder / name
        out.parent.mkdir(parents=True, exist_ok=True)
        is_cpp = "namespace" in source
        arguments = ["-shared", "-fPIC", "-Wl,--no-as-needed", *flags]
        arguments += [f"-Wl,-soname,{soname}"] if soname else []
        arguments += [f"-Wl,-rpath,{rpath}"] if rpath is not None else []
        self._compile(
            ["g++", "-std=c++17", "-nostdlib"] if is_cpp else ["gcc"],
            source,
            "c++" if is_cpp else "c",
            arguments,
            links,
            out,
        )
        return out

    def program(self, name: str, source: str, *flags: str, links: Iterable[Path] = ()) -> Path:
        out = self.folder / name
        self._compile(["gcc"], source, "c", list(flags), links, out)
        return out

    def openmp_user(self, name: str = "uses_gomp.so", *flags: str) -> Path:
        """Really needs libgomp.so.1, by GCC's -fopenmp."""
        return self.shared(name, OPENMP_LOOP, "-fopenmp", *flags)

    def tbb_library(self, name: str = "libtbb.so.12", soname: str = "libtbb.so.12") -> Path:
        return self.shared(name, TBB_LIBRARY, soname=soname)

    def tbb_user(self, name: str = "uses_tbb.so", rpath: str | None = None, source: str = "") -> Path:
        return self.shared(name, TBB_USER + source, links=[self.tbb_library(f"link/{name}/libtbb.so.12")], rpath=rpath)

    def llvm_library(self, name: str = "libomp.so.5", soname: str = "libomp.so.5") -> Path:
        return self.shared(name, LLVM_LIBRARY, soname=soname)

    def llvm_user(self, name: str = "uses_llvm.so") -> Path:
        return self.shared(name, LLVM_USER, links=[self.llvm_library(f"link/{name}/libomp.so.5")])

    def static_openmp_program(self, name: str, *flags: str) -> Path:
        """A program with a static copy of libgomp, hidden unless `flags` export it."""
        archive = Path(
            subprocess.run(
                ["gcc", "-print-file-name=libgomp.a"], check=True, capture_output=True, text=True
            ).stdout.strip()
        )
        if not archive.is_absolute():
            pytest.skip("this compiler has no static libgomp")
        objects = self.folder / f"{name}.o"
        self._compile(["gcc"], OPENMP_LOOP + "int main(void) { return sum(3); }", "c", ["-c", "-fopenmp"], [], objects)
        out = self.folder / name
        subprocess.run(["gcc", str(objects), str(archive), "-lpthread", "-ldl", *flags, "-o", str(out)], check=True)
        objects.unlink()
        return out

    def strip(self, path: Path, *flags: str) -> Path:
        subprocess.run(["strip", *flags, str(path)], check=True)
        return path

    def _compile(
        self, compiler: list[str], source: str, language: str, flags: list[str], links: Iterable[Path], out: Path
    ) -> None:
        inputs = ["-x", language, "-", "-x", "none", *map(str, links)]
        subprocess.run([*compiler, *flags, *inputs, "-o", str(out)], input=source, text=True, check=True)


def plan_source(plan: object) -> str:
    """C source of a section that embeds `plan` as JSON, as a build does."""
    text = plan if isinstance(plan, str) else json.dumps(plan)
    return f'\nextern "C" {{ __attribute__((section(".threadwheel_plan"), used)) const char threadwheel_plan[] = {json.dumps(text)}; }}\n'


def tbb_claims() -> dict[str, Any]:
    """The claims of a TBB wheel."""
    return {
        "schema": 1,
        "name": "threadwheel",
        "version": "0.1.0",
        "label": "tbb",
        "default": False,
        "family": "TBB",
        "runtimes": ["tbb"],
        "options": {"requested": {"ATEN_THREADING": "TBB"}, "resolved": {"ATEN_THREADING": "TBB", "USE_TBB": "ON"}},
        "requires": ["numpy>=1.24", "tbb>=2021.13"],
        "libraries": {"tbb": "2021.13.1"},
        "compiler": {"id": "GNU", "version": "12.2.0"},
    }


def write_wheel(
    path: Path,
    files: Mapping[str, bytes],
    *,
    name: str = "threadwheel",
    version: str = "0.1.0+tbb",
    requires: Sequence[str] = ("numpy>=1.24", "tbb>=2021.13"),
    license_files: Sequence[str] = ("LICENSE",),
    record: bool = True,
) -> Path:
    """Zip `files` with a dist-info folder whose RECORD is right."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.11\n"
    metadata += "".join(f"Requires-Dist: {row}\n" for row in requires)
    metadata += "".join(f"License-File: {row}\n" for row in license_files)
    tag = "-".join(path.name.removesuffix(".whl").split("-")[-3:])
    members = {
        **files,
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
    }
    if record:
        rows = [f"{member},{record_hash(data)},{len(data)}" for member, data in members.items()]
        members[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return path


def rewrite_wheel(path: Path, changes: Mapping[str, bytes | None]) -> Path:
    """Replace, add, or with None remove members; RECORD stays as it was unless it is among them."""
    with zipfile.ZipFile(path) as archive:
        members: dict[str, bytes | None] = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in (members | dict(changes)).items():
            if data is not None:
                archive.writestr(member, data)
    return path


def record_hash(data: bytes) -> str:
    return f"sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()}"


def claims_of(label: str) -> dict[str, Any]:
    """The claims of a wheel of the family `label`: omp (the default), tbb or native."""
    runtimes = {"omp": ["gnu-openmp"], "tbb": ["tbb"], "native": []}[label]
    requires = ["numpy>=1.24", "tbb>=2021.13"] if label == "tbb" else ["numpy>=1.24"]
    libraries = {
        "mkl": {"title": "oneMKL", "license": "LicenseRef-Intel-Simplified-Software-License", "version": "2024.2"},
        "numpy": {"title": "NumPy", "license": "BSD-3-Clause", "requires": ["numpy>=1.24"]},
    }
    purls = {"mkl": "pkg:pypi/mkl-static@2024.2.2", "numpy": "pkg:pypi/numpy"}
    return tbb_claims() | {
        "label": label,
        "default": label == "omp",
        "family": label.upper(),
        "runtimes": runtimes,
        "requires": requires,
        "libraries": {name: {**row, "purl": purls[name]} for name, row in libraries.items()},
    }


class Families:
    """Sound wheels of the three families, their ELF files built once."""

    def __init__(self, folder: Path) -> None:
        self._elves = Elves(folder)
        self._libraries: dict[str, bytes] = {}

    def library(self, label: str) -> bytes:
        """The library of a family, with its claims embedded."""
        if label not in self._libraries:
            self._libraries[label] = self._build(label).read_bytes()
        return self._libraries[label]

    def _build(self, label: str) -> Path:
        plan = plan_source(claims_of(label))
        if label == "tbb":
            return self._elves.tbb_user(f"{label}.so", rpath="$ORIGIN:$ORIGIN/../../../..", source=plan)
        if label == "omp":
            loop = OPENMP_LOOP.replace("int sum", 'extern "C" int sum')
            return self._elves.shared(f"{label}.so", loop + plan + "namespace {}", "-fopenmp")
        return self._elves.shared(f"{label}.so", plan + "namespace {}")

    def embedding(self, name: str, claims: object) -> bytes:
        """A library without a threading runtime that embeds `claims`."""
        return self._elves.shared(f"{name}.so", plan_source(claims) + "namespace {}").read_bytes()

    def wheel(self, folder: Path, label: str, files: Mapping[str, bytes] | None = None, **metadata: Any) -> Path:
        """Write the wheel of a family into `folder`; `files` go over those of a sound one."""
        claims = claims_of(label)
        version = claims["version"] if claims["default"] else f"{claims['version']}+{label}"
        info = f"threadwheel-{version}.dist-info"
        members = {
            "threadwheel/__init__.py": b"",
            "threadwheel/lib/libthreadwheel.so": self.library(label),
            "threadwheel/build_info.json": json.dumps(claims).encode(),
            f"{info}/licenses/LICENSE": b"the licence\n",
            **(files or {}),
        }
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"threadwheel-{version}-cp311-cp311-linux_x86_64.whl"
        return write_wheel(path, members, **{"version": version, "requires": claims["requires"], **metadata})
