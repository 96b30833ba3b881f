"""What the ELF files of a unit need and define together: which runtimes, and how many copies of each.

Owns how DT_NEEDED is followed inside a unit, the problems mixed-runtimes and two-copies, and the notes on
single files (renamed and static copies, RPATHs). The facts are audit_units.py's, names of libraries and
symbols runtimes.py's; what the build claims about them is audit_claims.py's.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from . import runtimes
from .audit_report import ElfRow, Note, Problem, listed
from .audit_units import Facts, Unit, installed


def elf_rows(unit: Unit) -> tuple[ElfRow, ...]:
    """The unit's ELF files by path, each with the runtimes it needs and defines."""
    bindings = _bindings(unit)
    rows = [
        ElfRow(
            path=facts.path,
            soname=facts.soname,
            needed=facts.needed,
            needs=_union(bindings[facts.path]),
            defines=tuple(sorted(facts.defines)),
            runtime_library=min(facts.provides) if facts.library else None,
            rpath=facts.rpath,
            not_examined=facts.not_examined,
        )
        for facts in unit.facts
    ]
    return tuple(sorted(rows, key=lambda row: row.path))


def runtimes_of(rows: Iterable[ElfRow]) -> tuple[str, ...]:
    """All runtimes that `rows` need, define or are, by name."""
    return _union(name for row in rows for name in (*row.needs, *row.defines, *filter(None, [row.runtime_library])))


def runtime_problems(unit: Unit, rows: Sequence[ElfRow]) -> list[Problem]:
    """More than one runtime among `rows`, or more than one copy of a runtime in the unit."""
    problems = []
    files = {name: [row.path for row in rows if name in runtimes_of([row])] for name in runtimes_of(rows)}
    if len(files) > 1:
        by_runtime = ", ".join(f"{name} ({listed(paths)})" for name, paths in files.items())
        text = f"{unit.path}: mixes the threading runtimes {by_runtime}; one {unit.kind} may need or define only one"
        problems.append(Problem("mixed-runtimes", text))
    for runtime, copies in sorted(_copies(unit).items()):
        if len(copies) > 1:
            by_copy = ", ".join(f"{name} ({listed(paths)})" for name, paths in sorted(copies.items()))
            text = f"{unit.path}: {len(copies)} copies of {runtime}: {by_copy}; link every file to one shared library"
            problems.append(Problem("two-copies", text))
    return problems


def notes(unit: Unit) -> Iterator[Note]:
    """Yield what is worth knowing about single files of the unit."""
    inside = {posixpath.basename(facts.path) for facts in unit.facts} | {facts.soname for facts in unit.facts}
    for facts in unit.facts:
        if facts.not_examined and facts.is_loaded:
            yield Note("warning", facts.path, f"not examined: {facts.not_examined}")
        yield from _copy_notes(facts)
        for name in map(posixpath.basename, facts.needed):
            library = runtimes.library_name(name)
            if library and library.is_renamed and name not in inside:
                text = f"needs {name}, a renamed copy of {library.runtime} that is not in the {unit.kind}"
                yield Note("warning", facts.path, text)
        yield from _allocator_notes(facts)
        yield from _rpath_notes(facts, unit.kind)


def _copy_notes(facts: Facts) -> Iterator[Note]:
    if facts.library:
        names = dict.fromkeys(name for name in (facts.soname, posixpath.basename(facts.path)) if name)
        changed = [name for name in names if (usual := runtimes.library_name(name)) is None or usual.is_renamed]
        if changed:
            copy = f"a copy of {listed(facts.provides)} under the changed name {' and '.join(changed)}"
            yield Note("note", facts.path, f"{copy}: a second one where the usual is loaded too")
    elif facts.defines:
        copy = f"holds a copy of {listed(facts.defines)}"
        yield Note("note", facts.path, f"{copy}: a second one where the shared library is loaded too")


def _allocator_notes(facts: Facts) -> Iterator[Note]:
    if runtimes.is_allocator(posixpath.basename(facts.path)):
        yield Note("note", facts.path, "TBB's allocator: no threading runtime")
    elif allocators := [name for name in map(posixpath.basename, facts.needed) if runtimes.is_allocator(name)]:
        yield Note("note", facts.path, f"needs {listed(allocators)}, TBB's allocator: no threading runtime")


def _rpath_notes(facts: Facts, unit_kind: str) -> Iterator[Note]:
    folder = posixpath.dirname(installed(facts.path))
    for entry in dict.fromkeys(facts.rpath):  # CMake pads the RPATHs of a build tree with empty entries
        path = entry.replace("${ORIGIN}", "$ORIGIN")
        if path == "$ORIGIN" or path.startswith("$ORIGIN/"):
            target = posixpath.normpath(posixpath.join(folder, path.removeprefix("$ORIGIN").lstrip("/")))
            if target == ".." or target.startswith("../"):
                yield Note("note", facts.path, f"RPATH {entry} points outside the {unit_kind}")
        elif path.startswith("/"):
            yield Note("warning", facts.path, f"RPATH {entry} is absolute: a folder of the machine it was built on")
        else:
            text = f"RPATH {entry or '(an empty entry)'} is relative to the folder a process runs in"
            yield Note("warning", facts.path, text)


def _bindings(unit: Unit) -> dict[str, dict[str, set[str]]]:
    """File -> the runtimes it needs -> the copies it names; no copy where only symbols ask for one."""
    providers: dict[str, Facts] = {}  # by every name that DT_NEEDED may call them
    for facts in unit.facts:
        if facts.provides:
            providers.setdefault(posixpath.basename(facts.path), facts)
            if facts.soname:
                providers[facts.soname] = facts
    return {facts.path: _file_bindings(facts, providers) for facts in unit.facts}


def _file_bindings(facts: Facts, providers: Mapping[str, Facts]) -> dict[str, set[str]]:
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


def _copies(unit: Unit) -> dict[str, dict[str, set[str]]]:
    """Every copy of every runtime that the unit would load: runtime -> copy -> the files that say so."""
    copies: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    bindings = _bindings(unit)
    shared: set[str] = set()
    for facts in unit.facts:
        held = facts.defines | (facts.provides if facts.library else frozenset())
        shared |= held & facts.provides
        for runtime in held:
            copies[runtime][facts.copy_name].add(facts.path)
    for path, needs in bindings.items():
        for runtime, names in needs.items():
            for name in names:
                copies[runtime][name].add(path)
                shared.add(runtime)
    for path, needs in bindings.items():
        for runtime, names in needs.items():
            # A hidden copy answers nobody else, so these symbols come from one more library.
            if not names and runtime not in shared and runtime != runtimes.ANY_OPENMP:
                copies[runtime]["a library that no DT_NEEDED names"].add(path)
    return copies


def _union(names: Iterable[str]) -> tuple[str, ...]:
    """`names` once each; an OpenMP that is known answers for ANY_OPENMP."""
    found = set(names)
    if any(runtimes.class_of(name) == runtimes.OPENMP_CLASS for name in found - {runtimes.ANY_OPENMP}):
        found.discard(runtimes.ANY_OPENMP)
    return tuple(sorted(found))
