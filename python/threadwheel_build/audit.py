"""Which threading runtimes the ELF files of a wheel, a folder or a library need or define.

Owns the verdict: one runtime per unit, one copy of it, and agreement with the build's own claims, RECORD
and `--expect`. The file format is elf.py's, the names are runtimes.py's. Callers: the build hooks
(`audit_wheel`, before a wheel is delivered) and the command line (`add_arguments`, `run`).

What it cannot see: a static copy whose symbols are hidden and stripped; what is opened at run time with
dlopen or ctypes; what libraries outside the unit need in turn; runtimes that are not in runtimes.py;
contents of archives inside a wheel (.a, .zip, .jar) and of 32-bit or big endian files.
"""

from __future__ import annotations

import argparse
import json
import os
import posixpath
import re
import stat
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from . import elf, runtimes
from .errors import BuildError

SCHEMA = 1
PLAN_SECTION = ".threadwheel_plan"
CLAIMS_SCHEMA = 1

# Limits against archives that unpack to more than a machine has: a member is held in memory as a whole.
MAX_MEMBER_BYTES = 1 << 30
MAX_TOTAL_BYTES = 8 << 30
MAX_DOCUMENT_BYTES = 64 << 20

# Exit codes of `run`.
CLEAN, FINDING, UNREADABLE = 0, 1, 2

_ANOTHER_WHEEL = "build or download the wheel again"
_ZIP_MAGIC = b"PK\x03\x04"
_CHUNK_BYTES = 1 << 20
_MAX_CLAIM_VALUES = 300
_DATA_PREFIX = re.compile(r"[^/]+\.data/(?:purelib|platlib)/")
_BUILD_INFO = re.compile(r"(?:[^/]+/)?build_info\.json")
_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
_RECORD = re.compile(r"[^/]+\.dist-info/RECORD")
_CLAIM_FIELDS: dict[str, type] = {"name": str, "version": str, "label": str, "default": bool}


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding that fails the audit; `kind` is stable.

    mixed-runtimes, two-copies, claims-mismatch, expect-mismatch, record, unsafe-name; and unreadable for
    what could not be examined, so that nothing can be said about the rest.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know that fails nothing; `level` is "note" or "warning", `elf` the file it is about."""

    level: str
    elf: str
    text: str


@dataclass(frozen=True, slots=True)
class ElfRow:
    """What one ELF file needs and defines: names of runtimes.RUNTIMES, and ANY_OPENMP for `needs`.

    `runtime_library` is the runtime whose shared library this file is, by its name or SONAME.
    `not_examined` says why nothing else is known.
    """

    path: str
    soname: str | None = None
    needed: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    runtime_library: str | None = None
    rpath: tuple[str, ...] = ()
    not_examined: str | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """What the build says it made: build_info.json, and the same text embedded in the ELF files."""

    source: str
    name: str
    version: str
    label: str
    default: bool
    runtimes: tuple[str, ...]
    requires: tuple[str, ...]

    @property
    def full_version(self) -> str:
        """What METADATA and the file name must say."""
        return self.version if self.default else f"{self.version}+{self.label}"


@dataclass(frozen=True, slots=True)
class Report:
    """The audit of one unit; `kind` is "wheel", "directory", "library", or "unreadable"."""

    path: str
    kind: str
    elves: tuple[ElfRow, ...]
    runtimes: tuple[str, ...]
    claims: Claims | None
    notes: tuple[Note, ...]
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> int:
        """CLEAN, FINDING, or UNREADABLE where something could not be examined."""
        if any(problem.kind == "unreadable" for problem in self.problems):
            return UNREADABLE
        return FINDING if self.problems else CLEAN

    @property
    def verdict(self) -> str:
        """The outcome in one line."""
        if self.problems:
            return f"{_counted(len(self.problems), 'problem')} ({', '.join(sorted({p.kind for p in self.problems}))})"
        if not self.elves:
            return "clean: no ELF files"
        num_skipped = sum(row.not_examined is not None for row in self.elves)
        rest = f", {_counted(num_skipped, 'ELF file')} not examined" if num_skipped else ""
        return f"clean: {', '.join(self.runtimes) or 'no threading runtime'}{rest}"


# --- one ELF file ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Facts:
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
    def changed_names(self) -> tuple[str, ...]:
        """The names of a runtime's shared library that are not the usual ones."""
        names = dict.fromkeys(name for name in (self.soname, posixpath.basename(self.path)) if name and self.library)
        return tuple(name for name in names if (usual := runtimes.library_name(name)) is None or usual.is_renamed)

    @property
    def provides(self) -> frozenset[str]:
        """The runtimes that a file gets by naming this one in DT_NEEDED."""
        return self.exports or (frozenset({self.library.runtime}) if self.library else frozenset())

    @property
    def copy_name(self) -> str:
        return self.library.copy_name if self.library else f"the copy inside {self.path}"


def _facts(path: str, data: bytes) -> _Facts:
    """Read one ELF file; raises ElfError when it is damaged."""
    try:
        file = elf.read(data)
    except elf.UnsupportedElfError as err:
        return _Facts(path, not_examined=str(err), is_loaded=not isinstance(err, elf.NotLoadedElfError))
    imports, exports, hidden = set(), set(), set()
    for symbol in file.dynamic_symbols():
        if symbol.defined:
            exports.add(runtimes.defined_runtime(symbol.name))
        elif not symbol.weak:  # a weak import may stay unbound: it is asked for, not needed
            imports.add(runtimes.imported_runtime(symbol.name))
    for symbol in file.static_symbols():
        if symbol.defined:
            hidden.add(runtimes.defined_runtime(symbol.name))
    section = file.section(PLAN_SECTION)
    return _Facts(
        path,
        file.soname,
        file.needed,
        file.rpath,
        runtimes.distinct(name for name in imports if name),
        runtimes.distinct(name for name in exports if name),
        runtimes.distinct(name for name in exports | hidden if name),
        tuple(dict.fromkeys(part for part in (section or b"").split(b"\0") if part.strip())),
    )


# --- the files of a unit --------------------------------------------------------------------------


@dataclass(slots=True)
class _Unit:
    """What is audited as one: a wheel, a directory, or a library, with all that was read of it."""

    path: str
    kind: str
    facts: list[_Facts] = field(default_factory=list)
    documents: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    total_bytes: int = 0

    def where(self, name: str) -> str:
        return self.path if self.kind == "library" else f"{self.path}: {name}"

    def unreadable(self, where: str, why: object, remedy: str) -> None:
        self.problems.append(Problem("unreadable", f"{where}: {why}; {remedy}"))

    def wanted(self, name: str, size_bytes: int, file: BinaryIO) -> bytes | None:
        """The contents of an ELF file, whatever it is called, or of a claim's document; else None."""
        head = file.read(len(elf.MAGIC))
        if not (_is_document(name) or elf.is_elf(head)):
            return None
        self.total_bytes += size_bytes
        limit = MAX_DOCUMENT_BYTES if _is_document(name) else MAX_MEMBER_BYTES
        if size_bytes > limit or self.total_bytes > MAX_TOTAL_BYTES:
            remedy = f"the audit reads {limit} of one file and {MAX_TOTAL_BYTES} of all"
            self.unreadable(self.where(name), f"has {size_bytes} bytes", remedy)
            return None
        return head + b"".join(_chunks(file))

    def examine(self, name: str, data: bytes) -> None:
        """Take in what `wanted` gave for `name`."""
        if _is_document(name):
            self.documents[_installed(name)] = data
            return
        try:
            self.facts.append(_facts(name, data))
        except elf.ElfError as err:
            self.unreadable(self.where(name), f"is a damaged ELF file: {err}", "build or download it again")


def _installed(name: str) -> str:
    """Where a wheel's member ends up in site-packages."""
    return _DATA_PREFIX.sub("", name, count=1) if _DATA_PREFIX.match(name) else name


def _is_document(name: str) -> bool:
    return bool(_BUILD_INFO.fullmatch(_installed(name)) or _METADATA.fullmatch(name))


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    # zipfile's read() to the end inflates all there is before it looks at the declared size.
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


@contextmanager
def _reading(unit: _Unit, where: str, remedy: str) -> Iterator[None]:
    """Turn any failure to read `where` into a problem of `unit`; nothing but reading belongs inside.

    zipfile lets the exceptions of four decompressors and of its own header parsing through, on top of
    OSError: there is no list of them, and to the user all are one thing.
    """
    try:
        yield
    except Exception as err:
        why = str((isinstance(err, OSError) and err.strerror) or err).rstrip(".")
        unit.unreadable(where, f"cannot be read: {why[:1].lower() + why[1:] or type(err).__name__}", remedy)


def _read_wheel(path: Path) -> _Unit:
    unit, archive = _Unit(_shown(path), "wheel"), None
    with _reading(unit, unit.path, "give a whole wheel"):
        archive = zipfile.ZipFile(path)
    if archive is None:
        return unit
    with archive:
        # Not is_dir(), which fails on an empty name.
        members = [info for info in archive.infolist() if not info.filename.endswith("/")]
        for info in members:
            name, data = info.filename, None
            if not name or name.startswith("/") or "\\" in name or ".." in name.split("/"):
                text = f"{unit.path}: member {name!r} names no file inside the wheel; build it again without that name"
                unit.problems.append(Problem("unsafe-name", text))
            with _reading(unit, unit.where(name), _ANOTHER_WHEEL), archive.open(info) as file:
                data = unit.wanted(name, info.file_size, cast(BinaryIO, file))
            if data is not None:
                unit.examine(name, data)
        if any(facts.plans for facts in unit.facts) or _claim_documents(unit):
            _check_record(unit, archive, members)
    return unit


def _read_directory(path: Path) -> tuple[_Unit, list[Path]]:
    """Read a folder's ELF files; the second value are the wheels in it, each a unit of its own."""
    unit, wheels, seen = _Unit(_shown(path), "directory"), [], set()

    def on_error(err: OSError) -> None:
        unit.unreadable(_shown(err.filename or path), f"cannot be read: {err.strerror}", "make it readable")

    found = [Path(folder, name) for folder, _, names in os.walk(path, onerror=on_error) for name in names]
    # Plain files before symbolic links to them: a library is shown once, under its own name.
    for file_path in sorted(found, key=lambda p: (p.is_symlink(), p)):
        name, data = _shown(file_path.relative_to(path).as_posix()), None
        with _reading(unit, unit.where(name), "make it readable"):
            if not file_path.exists():  # a link to nowhere holds nothing
                continue
            status = file_path.stat()
            if not stat.S_ISREG(status.st_mode) or (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            if file_path.suffix == ".whl":
                wheels.append(file_path)
                continue
            with file_path.open("rb") as file:
                data = unit.wanted(name, status.st_size, file)
        if data is not None:
            unit.examine(name, data)
    return unit, wheels


def _read_library(path: Path) -> _Unit:
    unit, data = _Unit(_shown(path), "library"), None
    with _reading(unit, unit.path, "make it readable"), path.open("rb") as file:
        data = unit.wanted(path.name, path.stat().st_size, file)
    if data is not None:
        unit.examine(path.name, data)
    return unit


# --- runtimes and their copies --------------------------------------------------------------------


def _providers(unit: _Unit) -> dict[str, _Facts]:
    """The unit's own files that provide a runtime, by every name that DT_NEEDED may call them."""
    found: dict[str, _Facts] = {}
    for facts in unit.facts:
        if facts.provides:
            found.setdefault(posixpath.basename(facts.path), facts)
            if facts.soname:
                found[facts.soname] = facts
    return found


def _bindings(facts: _Facts, providers: Mapping[str, _Facts]) -> dict[str, set[str]]:
    """The runtimes `facts` needs, each with the copies it names; no copy where only symbols ask for it."""
    needs: dict[str, set[str]] = {}
    for name in map(posixpath.basename, facts.needed):  # linked by path where a library has no SONAME
        provider, library = providers.get(name), runtimes.library_name(name)
        if provider is not None:
            for runtime in provider.provides:
                needs.setdefault(runtime, set()).add(provider.copy_name)
        elif library is not None:
            needs.setdefault(library.runtime, set()).add(library.copy_name)
    answered = {answer for name in needs for answer in (name, *runtimes.BY_NAME[name].answers)}
    return needs | {runtime: set() for runtime in facts.imports - answered}


def _copies(unit: _Unit, bindings: Mapping[str, Mapping[str, set[str]]]) -> dict[str, dict[str, set[str]]]:
    """Every copy of every runtime that the unit would load: runtime -> copy -> the files that say so."""
    copies: dict[str, dict[str, set[str]]] = {}
    shared: set[str] = set()
    for facts in unit.facts:
        for runtime in facts.defines | (facts.provides if facts.library else frozenset()):
            copies.setdefault(runtime, {}).setdefault(facts.copy_name, set()).add(facts.path)
            if runtime in facts.provides:
                shared.add(runtime)
        for runtime, names in bindings[facts.path].items():
            for name in names:
                copies.setdefault(runtime, {}).setdefault(name, set()).add(facts.path)
                shared.add(runtime)
    for path, needs in bindings.items():
        for runtime, names in needs.items():
            # A hidden copy answers nobody else, so these symbols come from one more library.
            if not names and runtime not in shared and runtime != runtimes.ANY_OPENMP:
                copies.setdefault(runtime, {}).setdefault("a library that no DT_NEEDED names", set()).add(path)
    return copies


def _union(names: Iterable[str]) -> tuple[str, ...]:
    """All runtimes of a unit; one that is known answers for ANY_OPENMP."""
    found = set(names)
    if any(name != runtimes.ANY_OPENMP and runtimes.class_of(name) == runtimes.OPENMP_CLASS for name in found):
        found.discard(runtimes.ANY_OPENMP)
    return tuple(sorted(found))


def _rows(unit: _Unit, bindings: Mapping[str, Mapping[str, set[str]]]) -> tuple[ElfRow, ...]:
    rows = []
    for facts in unit.facts:
        library = next(iter(sorted(facts.provides)), None) if facts.library else None
        defines, needs = tuple(sorted(facts.defines)), _union(bindings[facts.path])
        rows.append(ElfRow(facts.path, facts.soname, facts.needed, needs, defines, library, facts.rpath, facts.not_examined))
    return tuple(sorted(rows, key=lambda row: row.path))


def _row_runtimes(rows: Iterable[ElfRow]) -> tuple[str, ...]:
    return _union(name for row in rows for name in (*row.needs, *row.defines, *filter(None, [row.runtime_library])))


def _runtime_problems(unit: _Unit, rows: Sequence[ElfRow], copies: Mapping[str, Mapping[str, set[str]]]) -> list[Problem]:
    problems = []
    found = _row_runtimes(rows)
    if len(found) > 1:
        listed = ", ".join(f"{name} ({_listed(row.path for row in rows if name in _row_runtimes([row]))})" for name in found)
        text = f"{unit.path}: mixes the threading runtimes {listed}; one {unit.kind} may need or define only one"
        problems.append(Problem("mixed-runtimes", text))
    for runtime, by_name in sorted(copies.items()):
        if len(by_name) > 1:
            listed = ", ".join(f"{name} ({_listed(paths)})" for name, paths in sorted(by_name.items()))
            text = f"{unit.path}: {len(by_name)} copies of {runtime}: {listed}; link every file to one shared library"
            problems.append(Problem("two-copies", text))
    return problems


# --- notes ----------------------------------------------------------------------------------------


def _notes(facts: _Facts, unit: _Unit) -> Iterator[Note]:
    if facts.not_examined and facts.is_loaded:
        yield Note("warning", facts.path, f"not examined: {facts.not_examined}")
    if changed := facts.changed_names:
        copy = f"a copy of {_listed(facts.provides)} under the changed name {' and '.join(changed)}"
        yield Note("note", facts.path, f"{copy}: a second one where the usual is loaded too")
    if facts.defines and not facts.library:
        copy = f"holds a copy of {_listed(facts.defines)}"
        yield Note("note", facts.path, f"{copy}: a second one where the shared library is loaded too")
    inside = {posixpath.basename(other.path) for other in unit.facts} | {other.soname for other in unit.facts}
    needed = [posixpath.basename(name) for name in facts.needed]
    for name in needed:
        library = runtimes.library_name(name)
        if library and library.is_renamed and name not in inside:
            yield Note("warning", facts.path, f"needs {name}, a renamed copy of {library.runtime} that is not in the {unit.kind}")
    if runtimes.is_allocator(posixpath.basename(facts.path)):
        yield Note("note", facts.path, "TBB's allocator: no threading runtime")
    elif allocators := [name for name in needed if runtimes.is_allocator(name)]:
        yield Note("note", facts.path, f"needs {_listed(allocators)}, TBB's allocator: no threading runtime")
    yield from _rpath_notes(facts, unit.kind)


def _rpath_notes(facts: _Facts, unit_kind: str) -> Iterator[Note]:
    folder = posixpath.dirname(_installed(facts.path))
    for entry in dict.fromkeys(facts.rpath):  # CMake pads the RPATHs of a build tree with empty entries
        path = entry.replace("${ORIGIN}", "$ORIGIN")
        if path == "$ORIGIN" or path.startswith("$ORIGIN/"):
            target = posixpath.normpath(posixpath.join(folder, path.removeprefix("$ORIGIN").lstrip("/")))
            if target == ".." or target.startswith("../"):
                yield Note("note", facts.path, f"RPATH {entry} points outside the {unit_kind}")
        elif path.startswith("/"):
            yield Note("warning", facts.path, f"RPATH {entry} is absolute: a folder of the machine it was built on")
        else:
            yield Note("warning", facts.path, f"RPATH {entry or '(an empty entry)'} is relative to the folder a process runs in")


# --- the build's own claims -----------------------------------------------------------------------


def _parse_json(data: bytes) -> Any:
    """The value of a JSON text, or the exception that says why it is none."""
    # A claim has a few dozen: deep nesting from elsewhere would end in a RecursionError.
    if (num_values := data.count(b"{") + data.count(b"[")) > _MAX_CLAIM_VALUES:
        return ValueError(f"{num_values} objects and lists; at most {_MAX_CLAIM_VALUES} are read")
    try:
        return json.loads(data)
    except ValueError as err:
        return err


def _claim_documents(unit: _Unit) -> dict[str, Any]:
    """The build_info.json that are threadwheel_build's; other projects use that file name too."""
    parsed = {name: _parse_json(data) for name, data in unit.documents.items() if _BUILD_INFO.fullmatch(name)}
    embedded = any(facts.plans for facts in unit.facts)
    keys = {"schema", "label", "runtimes"}
    return {name: value for name, value in parsed.items() if embedded or (isinstance(value, dict) and keys <= set(value))}


def _claims(unit: _Unit) -> tuple[Claims | None, list[Problem]]:
    """The unit's claims, with every way in which the places that make them disagree."""
    documents = _claim_documents(unit)
    plans = {f"{facts.path}, section {PLAN_SECTION}": _parse_json(plan) for facts in unit.facts for plan in facts.plans}
    if not documents and not plans:
        return None, []
    texts = []
    if not plans:
        texts.append(f"{next(iter(documents))}: no ELF file of the {unit.kind} embeds it in a section {PLAN_SECTION}; build again")
    if not documents and unit.kind != "library":
        texts.append(f"{next(iter(plans))}: a plan is embedded but the {unit.kind} has no <package>/build_info.json; build again")
    sources = documents | plans
    for where, value in sources.items():
        if not isinstance(value, dict):
            why = f"is no JSON text ({value})" if isinstance(value, Exception) else f"is {_brief(value)}"
            texts.append(f"{where}: {why}; it must be a JSON object, build again")
    usable = {where: value for where, value in sources.items() if isinstance(value, dict)}
    claims = None
    if usable:
        first, value = next(iter(usable.items()))
        texts += [text for where, other in usable.items() for text in _differences(first, value, where, other)]
        shape = _shape_errors(first, value)
        texts += shape
        if not shape:
            claims = Claims(
                source=first,
                runtimes=tuple(value["runtimes"]),
                requires=tuple(value["requires"]),
                **{key: value[key] for key in _CLAIM_FIELDS},
            )
    return claims, [Problem("claims-mismatch", f"{unit.path}: {text}") for text in texts]


def _shape_errors(where: str, value: Mapping[str, Any]) -> list[str]:
    if value.get("schema") != CLAIMS_SCHEMA:
        return [f"{where}: schema is {_brief(value.get('schema'))}; this audit reads schema {CLAIMS_SCHEMA}"]
    wrong = [key for key, kind in _CLAIM_FIELDS.items() if not isinstance(value.get(key), kind)]
    for key in ("runtimes", "requires"):
        rows = value.get(key)
        if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
            wrong.append(key)
    rule = "name, version and label are texts, default is true or false, runtimes and requires are lists of texts"
    return [f"{where}: {key} is {_brief(value.get(key))}; {rule}" for key in wrong]


def _differences(first: str, value: Mapping[str, Any], where: str, other: Mapping[str, Any]) -> list[str]:
    keys = [key for key in sorted({*value, *other}) if value.get(key) != other.get(key)]
    return [f"{where}: {key} is {_brief(other.get(key))} but {_brief(value.get(key))} in {first}; build again" for key in keys]


def _claim_problems(unit: _Unit, claims: Claims, rows: Sequence[ElfRow]) -> list[Problem]:
    """Where the rest of the unit contradicts `claims`; both values are in each text."""
    texts = _identity_errors(unit, claims) + _metadata_errors(unit, claims)
    # In a folder of many packages the claims are about the one they are in.
    package = posixpath.dirname(claims.source) if unit.kind == "directory" and claims.source in unit.documents else ""
    found = _row_runtimes(row for row in rows if not package or row.path.startswith(f"{package}/"))
    claimed = set(claims.runtimes)
    if unit.kind == "library" and set(found) <= claimed:
        return [Problem("claims-mismatch", text) for text in texts]  # one library need not use all of it
    if set(found) != claimed:
        files = f"the ELF files need or define {_listed(found)}"
        texts.append(f"{unit.path}: {claims.source} claims the runtimes {_listed(claimed)} but {files}; build again")
    return [Problem("claims-mismatch", text) for text in texts]


def _identity_errors(unit: _Unit, claims: Claims) -> list[str]:
    if unit.kind != "wheel":
        return []
    parts = Path(unit.path).name.removesuffix(".whl").split("-")
    if len(parts) not in (5, 6):
        return [f"{unit.path}: the file name has {len(parts)} parts; a wheel's is NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl"]
    texts = []
    if _normal_name(parts[0]) != _normal_name(claims.name):
        texts.append(_contradiction(f"{unit.path}: the file name says {parts[0]}", claims, claims.name))
    if parts[1] != claims.full_version:
        texts.append(_contradiction(f"{unit.path}: the file name says version {parts[1]}", claims, claims.full_version))
    return texts


def _metadata_errors(unit: _Unit, claims: Claims) -> list[str]:
    from email.parser import BytesHeaderParser

    parsed = {name: BytesHeaderParser().parsebytes(data) for name, data in unit.documents.items() if _METADATA.fullmatch(name)}
    own = {name: fields for name, fields in parsed.items() if _normal_name(str(fields["Name"])) == _normal_name(claims.name)}
    if unit.kind == "wheel" and (len(own), len(parsed)) != (1, 1):
        names = _listed(str(fields["Name"]) for fields in parsed.values())
        return [_contradiction(f"{unit.path}: METADATA is of {names}", claims, claims.name)]
    texts = []
    for name, fields in own.items():
        if str(fields["Version"]) != claims.full_version:
            texts.append(_contradiction(f"{unit.path}: {name} says version {fields['Version']}", claims, claims.full_version))
        rows = {_normal_requirement(str(row)) for row in fields.get_all("Requires-Dist", [])}
        said = {row for row in rows if not re.search(r";.*\bextra\b", row)}
        claimed = {_normal_requirement(row) for row in claims.requires}
        if said != claimed:
            texts.append(_contradiction(f"{unit.path}: {name} requires {_listed(said)}", claims, _listed(claimed)))
    return texts


def _contradiction(found: str, claims: Claims, claimed: str) -> str:
    return f"{found} but {claims.source} says {claimed}; build again"


def _normal_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _normal_requirement(text: str) -> str:
    return re.sub(r"[\s()]", "", text).replace("'", '"')


# --- RECORD ---------------------------------------------------------------------------------------


def _check_record(unit: _Unit, archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> None:
    """Compare every member with RECORD: a half-written wheel must not pass as ours."""
    import csv

    names = Counter(info.filename for info in members)
    records = [name for name in names if _RECORD.fullmatch(name)]
    if len(records) != 1:
        unit.problems.append(Problem("record", f"{unit.path}: has {len(records)} RECORD files; a wheel has one, build again"))
        return
    rows: dict[str, list[str]] = {}
    digests: dict[str, list[str]] = {}
    with _reading(unit, unit.where(records[0]), _ANOTHER_WHEEL):
        text = b"".join(_limited(archive, archive.getinfo(records[0]), MAX_DOCUMENT_BYTES)).decode("utf-8", "backslashreplace")
        rows = {row[0]: row[1:3] for row in csv.reader(text.splitlines()) if row}
    for info in members:
        with _reading(unit, unit.where(info.filename), _ANOTHER_WHEEL):
            digests[info.filename] = _digest(_limited(archive, info, MAX_MEMBER_BYTES))
    unhashed = {records[0], f"{records[0]}.jws", f"{records[0]}.p7s"}  # RECORD cannot hold its own hash
    wrong = {
        "twice in the wheel": {name for name, count in names.items() if count > 1},
        "not in RECORD": set(names) - set(rows) - unhashed,
        "in RECORD but not in the wheel": set(rows) - set(names) - unhashed,
        "of another hash or size than RECORD says": {n for n in set(rows) & set(digests) - unhashed if rows[n] != digests[n]},
    }
    texts = [f"{unit.path}: {_listed(found)} {what}; build again" for what, found in wrong.items() if found]
    unit.problems += [Problem("record", text) for text in texts]


def _limited(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit_bytes: int) -> Iterator[bytes]:
    if info.file_size > limit_bytes:
        raise ValueError(f"it has {info.file_size} bytes and the audit reads {limit_bytes}")
    with archive.open(info) as file:
        yield from _chunks(cast(BinaryIO, file))


def _digest(chunks: Iterable[bytes]) -> list[str]:
    """Hash and size as a row of RECORD spells them."""
    import base64
    import hashlib

    digest, size_bytes = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size_bytes += len(chunk)
    return [f"sha256={base64.urlsafe_b64encode(digest.digest()).rstrip(b'=').decode()}", str(size_bytes)]


# --- expectations ---------------------------------------------------------------------------------


def expected_runtimes(label: str, project_dir: Path) -> tuple[frozenset[str], ...]:
    """The sets of runtimes that a unit called `label` may have; one of them, no more and no less.

    The first dot-part decides: a family's label of the project's configs/options.toml, else the name of
    a class or of a runtime. Raises BuildError with the choices for an unknown label.
    """
    names = [name for name in (*runtimes.BY_NAME, runtimes.ANY_OPENMP) if runtimes.class_of(name) == runtimes.OPENMP_CLASS]
    openmp = tuple(frozenset({name}) for name in names)
    known: dict[str, tuple[frozenset[str], ...]] = {name: (frozenset({name}),) for name in runtimes.BY_NAME}
    known |= {"omp": openmp, runtimes.OPENMP_CLASS: openmp} | dict.fromkeys(("native", "none", "seq"), (frozenset(),))
    known |= _project_labels(project_dir / "configs" / "options.toml")
    if found := known.get(label.partition(".")[0]):
        return found
    import difflib

    near = difflib.get_close_matches(label, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise BuildError(f"--expect {label}: is no known label; {hint}its first part is one of {', '.join(sorted(known))}")


def _project_labels(table: Path) -> dict[str, tuple[frozenset[str], ...]]:
    if not table.is_file():
        return {}
    import tomllib

    try:
        families = tomllib.loads(table.read_text(encoding="utf-8"))["families"].values()
        rows = [(family["label"], family["runtimes"]) for family in families]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise BuildError(f"{table}: the families cannot be read: {err}; each has a label and a list of runtimes") from None
    for label, names in rows:
        if unknown := [name for name in names if name not in runtimes.BY_NAME]:
            choices = ", ".join(runtimes.BY_NAME)
            raise BuildError(f"{table}: family {label} has the runtime {unknown[0]!r}; the audit knows {choices}")
    return {label: (frozenset(names),) for label, names in rows}


@dataclass(frozen=True, slots=True)
class _Expectation:
    label: str
    allowed: tuple[frozenset[str], ...]


def _expect_problems(unit: _Unit, expected: _Expectation, claims: Claims | None, found: Sequence[str]) -> list[Problem]:
    texts = []
    if claims is not None and claims.label != expected.label:
        said_label = f"{claims.source} says the label {claims.label}"
        texts.append(f"{unit.path}: {said_label} but {expected.label} is expected; give the wheel of that label")
    # What claims and files say of each other is _claim_problems': here only the claimed set is compared,
    # because one library of a build need not use all of it.
    said = set(found) if claims is None else set(claims.runtimes)
    if said not in expected.allowed:
        choices = " or ".join(dict.fromkeys(_listed(names) for names in expected.allowed))
        verb = "needs or defines" if claims is None else "claims"
        texts.append(f"{unit.path}: {verb} {_listed(said)} but {expected.label} is expected; that is {choices}")
    return [Problem("expect-mismatch", text) for text in texts]


# --- the verdict ----------------------------------------------------------------------------------


def _judge(unit: _Unit, expected: _Expectation | None) -> Report:
    """From everything read of a unit to its report; the only place that decides."""
    providers = _providers(unit)
    bindings = {facts.path: _bindings(facts, providers) for facts in unit.facts}
    rows = _rows(unit, bindings)
    found = _row_runtimes(rows)
    problems = unit.problems + _runtime_problems(unit, rows, _copies(unit, bindings))
    unknown = {facts.not_examined for facts in unit.facts if facts.is_loaded}
    if unknown and None not in unknown:
        why = _listed(map(str, unknown))
        problems.append(Problem("unreadable", f"{unit.path}: none of its ELF files is examined: {why}; give another build of it"))
    if not rows and any(problem.kind == "unreadable" for problem in problems):
        # Without a single file there is nothing to compare claims or expectations with.
        return Report(unit.path, "unreadable", (), (), None, (), tuple(problems))
    claims, disagreements = _claims(unit)
    problems += disagreements
    if claims is not None:
        problems += _claim_problems(unit, claims, rows)
    if expected is not None:
        problems += _expect_problems(unit, expected, claims, found)
    notes = tuple(note for facts in unit.facts for note in _notes(facts, unit))
    # A member that cannot be read fails twice: when it is examined and when it is compared with RECORD.
    return Report(unit.path, unit.kind, rows, found, claims, notes, tuple(dict.fromkeys(problems)))


def audit_wheel(path: Path, expect: str | None = None, project_dir: Path | None = None) -> Report:
    """Audit one wheel, its claims and its RECORD included; what is wrong is in `Report.problems`.

    `expect` is the label it must have. Raises BuildError when that is no known label (see
    `expected_runtimes`; `project_dir` is the current directory unless given), and nothing else.
    """
    return _judge(_read_wheel(Path(path)), _expectation(expect, project_dir))


def audit_path(path: Path, expect: str | None = None, project_dir: Path | None = None) -> list[Report]:
    """Audit a wheel, a library or program, or a folder; wheels in a folder get reports of their own."""
    expected = _expectation(expect, project_dir)
    return [_judge(unit, expected) for unit in _units(Path(path))]


def _units(path: Path) -> list[_Unit]:
    unit, head, is_folder = _Unit(_shown(path), "unreadable"), b"", False
    with _reading(unit, unit.path, "give wheels, folders or shared libraries"):
        is_folder = stat.S_ISDIR(path.stat().st_mode)
        if not is_folder and not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("it is no regular file")
        if not is_folder:
            with path.open("rb") as file:
                head = file.read(len(elf.MAGIC))
    if unit.problems:
        return [unit]
    if is_folder:
        folder, wheels = _read_directory(path)
        return [*([folder] if folder.facts or folder.problems or not wheels else []), *map(_read_wheel, wheels)]
    if elf.is_elf(head):
        return [_read_library(path)]
    if path.suffix == ".whl" or head == _ZIP_MAGIC:
        return [_read_wheel(path)]
    unit.unreadable(unit.path, f"starts with {head.hex(' ') or 'nothing'}", "give wheels, folders or shared libraries")
    return [unit]


def _expectation(label: str | None, project_dir: Path | None) -> _Expectation | None:
    return None if label is None else _Expectation(label, expected_runtimes(label, project_dir or Path()))


# --- command line ---------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `audit`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "For every ELF file: the threading runtimes (GNU OpenMP, LLVM or Intel OpenMP, TBB) that it needs or\n"
        "defines, from DT_NEEDED and from its symbols, and RPATHs that point outside. Each PATH is judged by itself."
    )
    parser.epilog = (
        "exit code: 0 clean; 1 two runtimes, two copies of one, or a mismatch with the build's own claims or with\n"
        "--expect; 2 a mistake in what was asked, or something that cannot be read\n\n"
        "not seen: a static copy whose symbols are hidden and stripped; what dlopen or ctypes opens at run time;\n"
        "what libraries outside PATH need in turn; other runtimes; 32-bit and big endian files (named in the report)"
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a wheel, a folder, a shared library or a program")
    expect_help = "fail unless it is this: a label of the project, omp, tbb, native, or a runtime's name"
    parser.add_argument("--expect", metavar="LABEL", help=expect_help)
    parser.add_argument("--json", action="store_true", help='print JSON: {"schema": 1, "reports": [...]}')


def run(args: argparse.Namespace) -> int:
    """Run `audit` on `args` of `add_arguments`; prints the reports and returns the exit code."""
    project_dir = getattr(args, "project", None)
    try:
        reports = [report for path in args.paths for report in audit_path(path, args.expect, project_dir)]
    except BuildError as err:
        print(err, file=sys.stderr)
        return err.exit_code
    if args.json:
        print(json.dumps({"schema": SCHEMA, "reports": [report_data(report) for report in reports]}, indent=2))
    else:
        text = "\n\n".join(report_text(report) for report in reports if report.kind != "unreadable")
        if text:
            print(_printable(text, sys.stdout.encoding))
    for report in reports:
        if report.kind == "unreadable":
            for problem in report.problems:
                print(_printable(problem.text, sys.stderr.encoding), file=sys.stderr)
    return max(report.exit_code for report in reports)


def report_data(report: Report) -> dict[str, Any]:
    """One report as the JSON output has it; its keys are stable within a schema.

    `elves`, `claims`, `notes` and `problems` have the fields of ElfRow, Claims, Note and Problem; `ok`
    means no problems; `classes` are "openmp" and "tbb"; `claims` is null for anybody else's unit.
    """
    claims = report.claims
    return {
        "path": report.path,
        "kind": report.kind,
        "ok": not report.problems,
        "verdict": report.verdict,
        "runtimes": list(report.runtimes),
        "classes": sorted({runtimes.class_of(name) for name in report.runtimes}),
        "claims": None if claims is None else {key: getattr(claims, key) for key in claims.__slots__},
        "elves": [{key: getattr(row, key) for key in row.__slots__} for row in report.elves],
        "notes": [{"level": note.level, "elf": note.elf, "text": note.text} for note in report.notes],
        "problems": [{"kind": problem.kind, "text": problem.text} for problem in report.problems],
    }


def report_text(report: Report) -> str:
    """One report for people: the files that have something to say, then notes, problems, verdict."""
    noted = {note.elf for note in report.notes}
    shown = [row for row in report.elves if row.needs or row.defines or row.runtime_library or row.rpath or row.path in noted]
    lines = [f"{report.path} ({report.kind}, {_counted(len(report.elves), 'ELF file')})"]
    if shown:
        lines += _table([("ELF", "needs", "defines", "rpath", "notes"), *(_cells(row, report) for row in shown)])
    skipped = Counter(row.not_examined for row in report.elves if row.not_examined)
    lines += [f"  {_counted(count, 'ELF file')} not examined: {why}" for why, count in sorted(skipped.items())]
    if rest := sum(row not in shown and not row.not_examined for row in report.elves):
        lines.append(f"  {_counted(rest, 'ELF file')} with no threading runtime and no RPATH")
    lines += [f"  {note.level}: {note.elf}: {note.text}" for note in report.notes]
    lines += [f"  problem: [{problem.kind}] {problem.text}" for problem in report.problems]
    return "\n".join([*lines, f"  verdict: {report.verdict}"])


def _cells(row: ElfRow, report: Report) -> tuple[str, ...]:
    num_notes = sum(note.elf == row.path for note in report.notes)
    notes = [f"is {row.runtime_library}"] if row.runtime_library else []
    notes += [f"{num_notes} below"] if num_notes else []
    needs, defines = (", ".join(names) or "-" for names in (row.needs, row.defines))
    return (row.path, needs, defines, ":".join(row.rpath) or "-", ", ".join(notes))


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _shown(path: object) -> str:
    """`path` as text; bytes that are not UTF-8 are escaped."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _printable(text: str, encoding: str | None) -> str:
    """`text` without what a terminal would act on or cannot show: names in files come from anywhere."""
    safe = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
    return safe.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")


def _listed(names: Iterable[str], limit: int = 5) -> str:
    found = sorted(names)
    more = f" and {len(found) - limit} more" if len(found) > limit else ""
    return (", ".join(found[:limit]) or "none") + more


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _brief(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 200 else f"{text[:200]}..."
