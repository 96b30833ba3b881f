"""Reads what is audited as one, a unit, into facts: every ELF file and every document that makes claims.

Owns the limits on sizes, how folders and single libraries are read, and that a failure to read is a problem
of the unit, never an exception. The zip side of wheels is audit_wheels.py's, the ELF format elf.py's;
what the facts mean together is audit_copies.py's and audit_claims.py's.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from . import elf, runtimes
from .audit_report import Problem
from .errors import ElfError, NotLoadedElfError, UnsupportedElfError
from .wheel_variants import VARIANT_FILE

PLAN_SECTION = ".threadwheel_plan"
BUILD_INFO = re.compile(r"(?:[^/]+/)?build_info\.json")
METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
WHEEL = re.compile(r"[^/]+\.dist-info/WHEEL")

# Limits against archives that unpack to more than a machine has: a member is held in memory as a whole.
MAX_MEMBER_BYTES = 1 << 30
MAX_TOTAL_BYTES = 8 << 30
MAX_DOCUMENT_BYTES = 64 << 20

_CHUNK_BYTES = 1 << 20
_DATA_PREFIX = re.compile(r"[^/]+\.data/(?:purelib|platlib)/")
_MAKE_READABLE = "make it readable"


@dataclass(frozen=True, slots=True)
class Facts:
    """What an ELF file says by itself: `exports` are the definitions others can bind to."""

    path: str
    soname: str | None = None
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    imports: frozenset[str] = frozenset()
    exports: frozenset[str] = frozenset()
    defines: frozenset[str] = frozenset()
    plans: tuple[bytes, ...] = ()
    not_examined: str | None = None
    is_loaded: bool = True

    @property
    def library(self) -> runtimes.LibraryName | None:
        """Which runtime's shared library this file is by name; the loader goes by SONAME first."""
        if not self.is_loaded:
            return None
        return runtimes.library_name(self.soname or "") or runtimes.library_name(posixpath.basename(self.path))

    @property
    def provides(self) -> frozenset[str]:
        """The runtimes that a file gets by naming this one in DT_NEEDED."""
        return self.exports or (frozenset({self.library.runtime}) if self.library else frozenset())

    @property
    def copy_name(self) -> str:
        """What the copy of a runtime in this file is called; equal for names of the same shared library."""
        return self.library.copy_name if self.library else f"the copy inside {self.path}"


@dataclass(slots=True)
class Unit:
    """A wheel, a directory, or a library, with all that was read of it; `documents` by where they install."""

    path: str
    kind: str
    facts: list[Facts] = field(default_factory=list)
    documents: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    total_bytes: int = 0

    def where(self, name: str) -> str:
        """How a problem calls the file `name` of this unit."""
        return self.path if self.kind == "library" else f"{self.path}: {name}"

    def unreadable(self, where: str, why: object, remedy: str) -> None:
        """Note that `where` could not be examined."""
        self.problems.append(Problem("unreadable", f"{where}: {why}; {remedy}"))

    @contextmanager
    def reading(self, where: str, remedy: str) -> Iterator[None]:
        """Turn any failure to read `where` into a problem; nothing but reading belongs inside.

        zipfile lets the exceptions of four decompressors and of its own header parsing through, on top of
        OSError: there is no list of them, and to the user all are one thing.
        """
        try:
            yield
        except Exception as err:
            why = str((isinstance(err, OSError) and err.strerror) or err).rstrip(".")
            self.unreadable(where, f"cannot be read: {why[:1].lower() + why[1:] or type(err).__name__}", remedy)

    def take(self, name: str, size_bytes: int, opener: Callable[[], IO[bytes]], remedy: str) -> None:
        """Take in the file `name` if it is an ELF file, whatever it is called, or makes claims."""
        data = None
        with self.reading(self.where(name), remedy), opener() as file:
            data = self._wanted(name, size_bytes, file)
        if data is None:
            return
        if _is_document(name):
            self.documents[installed(name)] = data
            return
        try:
            self.facts.append(_facts(name, data))
        except ElfError as err:
            self.unreadable(self.where(name), f"is a damaged ELF file: {err}", "build or download it again")

    def take_file(self, name: str, size_bytes: int, path: Path) -> None:
        """`take` for a file outside of archives."""
        self.take(name, size_bytes, lambda: path.open("rb"), _MAKE_READABLE)

    def _wanted(self, name: str, size_bytes: int, file: IO[bytes]) -> bytes | None:
        head = file.read(len(elf.MAGIC))
        if not (_is_document(name) or elf.is_elf(head)):
            return None
        self.total_bytes += size_bytes
        limit = MAX_DOCUMENT_BYTES if _is_document(name) else MAX_MEMBER_BYTES
        if size_bytes > limit or self.total_bytes > MAX_TOTAL_BYTES:
            remedy = f"the audit reads {limit} of one file and {MAX_TOTAL_BYTES} of all"
            self.unreadable(self.where(name), f"has {size_bytes} bytes", remedy)
            return None
        return head + b"".join(chunks(file))


def read_directory(path: Path) -> tuple[Unit, list[Path]]:
    """Read a folder's ELF files; the second value are the wheels in it, each a unit of its own."""
    unit, wheels = Unit(shown(path), "directory"), []
    for file_path, size_bytes in _regular_files(path, unit):
        if file_path.suffix == ".whl":
            wheels.append(file_path)
        else:
            unit.take_file(_name_in(path, file_path), size_bytes, file_path)
    return unit, wheels


def read_library(path: Path, size_bytes: int) -> Unit:
    """Read one shared library or program."""
    unit = Unit(shown(path), "library")
    unit.take_file(path.name, size_bytes, path)
    return unit


def installed(name: str) -> str:
    """Where a wheel's member ends up in site-packages."""
    return _DATA_PREFIX.sub("", name, count=1) if _DATA_PREFIX.match(name) else name


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield all of `file`; zipfile's read() to the end inflates it before it looks at the declared size."""
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def shown(path: object) -> str:
    """`path` as text; bytes that are not UTF-8 are escaped."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _regular_files(path: Path, unit: Unit) -> Iterator[tuple[Path, int]]:
    """Yield every regular file below `path` once, with its size in bytes."""

    def on_error(err: OSError) -> None:
        unit.unreadable(shown(err.filename or path), f"cannot be read: {err.strerror}", _MAKE_READABLE)

    found = [Path(folder, name) for folder, _, names in os.walk(path, onerror=on_error) for name in names]
    seen = set()
    # Plain files before symbolic links to them: a library is shown once, under its own name.
    for file_path in sorted(found, key=lambda p: (p.is_symlink(), p)):
        status = None
        with unit.reading(unit.where(_name_in(path, file_path)), _MAKE_READABLE):
            status = file_path.stat() if file_path.exists() else None  # a link to nowhere holds nothing
        if status and stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            yield file_path, status.st_size


def _name_in(folder: Path, file_path: Path) -> str:
    return shown(file_path.relative_to(folder).as_posix())


def _is_document(name: str) -> bool:
    own = (METADATA, WHEEL, VARIANT_FILE)
    return bool(BUILD_INFO.fullmatch(installed(name)) or any(pattern.fullmatch(name) for pattern in own))


def _facts(path: str, data: bytes) -> Facts:
    """Read one ELF file; raises ElfError when it is damaged."""
    try:
        file = elf.read(data)
    except UnsupportedElfError as err:
        return Facts(path, not_examined=str(err), is_loaded=not isinstance(err, NotLoadedElfError))
    imports, exports, hidden = set(), set(), set()
    for symbol in file.dynamic_symbols():
        if symbol.defined:
            exports.add(runtimes.defined_runtime(symbol.name))
        elif not symbol.weak:  # a weak import may stay unbound: it is asked for, not needed
            imports.add(runtimes.imported_runtime(symbol.name))
    for symbol in file.static_symbols():
        if symbol.defined:
            hidden.add(runtimes.defined_runtime(symbol.name))
    section = file.section(PLAN_SECTION) or b""
    return Facts(
        path,
        soname=file.soname,
        needed=file.needed,
        rpath=file.rpath,
        imports=runtimes.distinct(name for name in imports if name),
        exports=runtimes.distinct(name for name in exports if name),
        defines=runtimes.distinct(name for name in exports | hidden if name),
        plans=tuple(dict.fromkeys(part for part in section.split(b"\0") if part.strip())),
    )
