"""The threading runtimes that an audit knows: library names and marker symbols.

The facts are in runtimes.toml. The functions below only look things up in the table; what a finding means
for a wheel is audit_copies.py's.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

OPENMP_CLASS = "openmp"
TBB_CLASS = "tbb"

# What a library needs that calls only `omp_*` functions and names no OpenMP library: any one will do.
ANY_OPENMP = "openmp"


@dataclass(frozen=True, slots=True)
class Runtime:
    """One threading runtime; runtimes.toml says what the fields mean."""

    name: str
    runtime_class: str
    libraries: tuple[str, ...]
    uses: tuple[str, ...]
    defines: tuple[str, ...]
    answers: tuple[str, ...] = ()
    shared_as: tuple[str, ...] = ()


def _load() -> tuple[Runtime, ...]:
    table = tomllib.loads((Path(__file__).parent / "runtimes.toml").read_text(encoding="utf-8"))
    return tuple(
        Runtime(
            name=name,
            runtime_class=row["class"],
            libraries=tuple(row["libraries"]),
            uses=tuple(row["uses"]),
            defines=tuple(row["defines"]),
            answers=tuple(row.get("answers", ())),
            shared_as=tuple(row["shared-as"]),
        )
        for name, row in table["runtimes"].items()
    )


RUNTIMES = _load()
BY_NAME = {runtime.name: runtime for runtime in RUNTIMES}

# The user's API, the same in every OpenMP: calls of it do not say which one. Spelled out because plain
# "omp_" also starts names that have nothing to do with OpenMP.
_OPENMP_API = (
    *("omp_get_", "omp_set_", "omp_in_", "omp_init_", "omp_destroy_", "omp_unset_", "omp_test_", "omp_is_"),
    *("omp_target_", "omp_pause_resource", "omp_display_", "omp_capture_", "omp_fulfill_event", "omp_control_tool"),
)
# Allocators of the TBB family: no scheduler and no threads of their own.
_ALLOCATORS = ("libtbbmalloc", "libtbbmalloc_proxy", "libtbbmalloc_debug", "libtbbmalloc_proxy_debug")

# libgomp-e985bcbb.so.1.0.0 is the stem libgomp, the tag of a renamed copy, and a version. A tag holds no
# "-", so that libgomp-plugin-nvptx.so.1 is no copy of libgomp.
_LIBRARY_NAME = re.compile(r"(?P<stem>lib[A-Za-z0-9_]+)(?:-(?P<tag>[A-Za-z0-9_.+]+?))?\.so(?P<version>(?:\.[0-9]+)*)")


@dataclass(frozen=True, slots=True)
class LibraryName:
    """A file name or SONAME of a runtime's shared library.

    `copy_name` is equal for names of the same library: minor versions are left out, a tag is not.
    """

    runtime: str
    copy_name: str
    is_renamed: bool


_STEMS = {stem: runtime.name for runtime in RUNTIMES for stem in runtime.libraries}
_USES = {prefix: runtime.name for runtime in RUNTIMES for prefix in runtime.uses}
_USES |= dict.fromkeys(_OPENMP_API, ANY_OPENMP)
_DEFINES = {prefix: runtime.name for runtime in RUNTIMES for prefix in runtime.defines}
_ALL_USES, _ALL_DEFINES = tuple(_USES), tuple(_DEFINES)


def class_of(runtime: str) -> str:
    """The class, "openmp" or "tbb", of a runtime's name."""
    return OPENMP_CLASS if runtime == ANY_OPENMP else BY_NAME[runtime].runtime_class


def library_name(file_name: str) -> LibraryName | None:
    """What `file_name` (no folder) says by itself; None when it is no runtime's."""
    match = _LIBRARY_NAME.fullmatch(file_name)
    if match is None or match["stem"] not in _STEMS:
        return None
    tag = f"-{match['tag']}" if match["tag"] else ""
    major = ".".join(match["version"].split(".")[:2])
    return LibraryName(_STEMS[match["stem"]], f"{match['stem']}{tag}.so{major}", bool(tag))


def is_allocator(file_name: str) -> bool:
    """Whether `file_name` is TBB's allocator, which schedules nothing and so is no second runtime."""
    match = _LIBRARY_NAME.fullmatch(file_name)
    return match is not None and match["stem"] in _ALLOCATORS


def imported_runtime(symbol: str) -> str | None:
    """The runtime whose users import `symbol`; ANY_OPENMP for a call that every OpenMP answers."""
    return _lookup(symbol, _USES, _ALL_USES)


def defined_runtime(symbol: str) -> str | None:
    """The runtime that a file with a definition of `symbol` holds a copy of."""
    return _lookup(symbol, _DEFINES, _ALL_DEFINES)


def _lookup(symbol: str, prefixes: dict[str, str], all_prefixes: tuple[str, ...]) -> str | None:
    # One call decides for all but a few of the symbols of a file, which may be a million.
    if not symbol.startswith(all_prefixes):
        return None
    return next(name for prefix, name in prefixes.items() if symbol.startswith(prefix))


def distinct(runtimes: Iterable[str]) -> frozenset[str]:
    """`runtimes` without what another of them answers: LLVM's copy has GOMP_ names and is one runtime."""
    found = frozenset(runtimes)
    return found - {other for name in found if name in BY_NAME for other in BY_NAME[name].answers}
