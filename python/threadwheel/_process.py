"""Which threading runtimes this process has mapped, from which file, brought in by whom.

What is a runtime is said by runtimes.json, which the build makes from the builder's own table. A runtime is known by
the functions that it exports, so also under another name; by its name where it exports none of them. What follows from
several of them is _verdict.py's. Our own MKL is linked in and exports nothing: build_info tells of it.
"""

from __future__ import annotations

import os
from typing import Any

from threadwheel import _core

LIBRARY = "library"  # the kind of what is no scheduler; the others are the table's classes

MappedObject = dict[str, Any]  # an item of _core.mapped_objects


def load_table() -> dict[str, Any]:
    """Return runtimes.json: "runtimes", "libraries" and "families"."""
    import json

    path = os.path.join(os.path.dirname(os.path.abspath(_core.__file__)), "runtimes.json")
    with open(path, encoding="utf-8") as file:
        table: dict[str, Any] = json.load(file)
    return table


class Runtime:
    """One mapped copy of a threading runtime, or of a library with threads of its own."""

    def __init__(self, name: str, row: dict[str, Any], mapped: MappedObject, process: Process) -> None:
        users = process.users(mapped)
        self.name = name
        self.row = row
        self.kind: str = row.get("class", LIBRARY)
        self.file = _tidy(mapped["file"])
        self.soname: str = mapped["soname"]
        self.needed_by = [_tidy(file) for file in users]
        is_preloaded = mapped in process.preloaded
        self.loaded_by = "LD_PRELOAD" if is_preloaded else "dependency" if users else "dlopen"
        self.is_called: bool = mapped["is_called"]  # threadwheel's own calls are bound to it
        self.is_ours = self.is_called or any(map(process.is_bundled, users))
        self.bypassed_by = process.bypass(mapped, row)
        self.defined: dict[str, int] = mapped["defined"]
        self.title: str = row["title"]
        if "edition" in row and row["edition"]["symbol"] in self.defined:
            self.title = row["edition"]["title"]
        elif process.is_bundled(mapped["file"]) and self.kind == LIBRARY:
            self.title += " of threadwheel"


class Process:
    """The objects that are mapped now, and what they are to each other."""

    def __init__(self, table: dict[str, Any]) -> None:
        self.rows: dict[str, dict[str, Any]] = {**table["runtimes"], **table["libraries"]}
        symbols = {name for row in self.rows.values() for key in SYMBOLS for name in row.get(key, ())}
        symbols |= {row["edition"]["symbol"] for row in self.rows.values() if "edition" in row}
        self.objects = _core.mapped_objects(sorted(symbols))
        self.known = [(name, mapped) for mapped in self.objects for name in self._names(mapped)]
        self.preloaded = self.objects[1 : self._count_preloaded() + 1]
        self.package: str = next(os.path.dirname(mapped["file"]) for mapped in self.objects if mapped["is_ours"])

    def num_schedulers(self) -> int:
        return sum("class" in self.rows[name] for name, _ in self.known)

    def runtimes(self) -> list[Runtime]:
        """Return what is mapped, in the table's order and, of one kind, in the order of loading."""
        order = list(self.rows)
        known = sorted(self.known, key=lambda item: order.index(item[0]))
        return [Runtime(name, self.rows[name], mapped, self) for name, mapped in known]

    def is_bundled(self, file: str) -> bool:
        """Whether `file` is one of the libraries of this package."""
        return os.path.dirname(file) == self.package

    def users(self, mapped: MappedObject) -> list[str]:
        """The mapped files with a DT_NEEDED that leads to `mapped`. The loader takes the first that has the name."""
        names = {name for name in _names_of(mapped) if name}
        for earlier in self.objects[: self.objects.index(mapped)]:
            names -= set(_names_of(earlier))
        return [other["file"] for other in self.objects if not names.isdisjoint(other["needed"])]

    def bypass(self, mapped: MappedObject, row: dict[str, Any]) -> str | None:
        """The preloaded file that gets all calls meant for `mapped`: it comes first in every search for a symbol."""
        if "class" in row:
            for other in self.preloaded:
                if any(name in other["defined"] for name in row["exports"]):
                    return None if other is mapped else _tidy(other["file"])
        return None

    def _names(self, mapped: MappedObject) -> set[str]:
        """The rows that a mapped file is a copy of."""
        defined = mapped["defined"]
        names = {name for name, row in self.rows.items() if not defined.keys().isdisjoint(row["exports"])}
        if not names:
            parts = os.path.basename(mapped["file"]).partition(".so")[0].split("-")
            # libgomp-e985bcbb.so is a renamed copy; libgomp-plugin-nvptx.so is not.
            stem = parts[0] if len(parts) <= 2 else ""
            names = {name for name, row in self.rows.items() if stem in row.get("libraries", ())}
        return names - {other for name in names for other in self.rows[name].get("answers", ())}

    def _count_preloaded(self) -> int:
        """How many objects stand between the program and the first library that it needs: those were preloaded."""
        needed = self.objects[0]["needed"]
        for index, mapped in enumerate(self.objects[1:]):
            if any(name in needed for name in _names_of(mapped)):
                return index
        return 0


SYMBOLS = ("exports", "num-threads", "mode")  # the keys of a row that list symbols


def _names_of(mapped: MappedObject) -> tuple[str, str, str]:
    """What a DT_NEEDED may call it."""
    return mapped["soname"], os.path.basename(mapped["file"]), mapped["file"]


def _tidy(file: str) -> str:
    """`file` without the detours of a search path; its own name stays, for it may say how it was asked for."""
    return os.path.join(os.path.realpath(os.path.dirname(file)), os.path.basename(file))


def ask(runtime: Runtime, num_copies: int) -> tuple[int | None, str | None]:
    """Ask this very copy for its current number of threads and its mode; None where it has no such function."""
    import ctypes

    row = runtime.row

    def call(key: str, *arguments: int) -> int | None:
        address = next((runtime.defined[name] for name in row.get(key, ()) if name in runtime.defined), None)
        if address is None:
            return None
        return int(ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_int] * len(arguments))(address)(*arguments))

    if row.get("ask-one-copy-only") and num_copies > 1:
        return None, None
    arguments = [row["num-threads-argument"]] if "num-threads-argument" in row else []
    mode, modes = call("mode"), row.get("modes", ())
    return call("num-threads", *arguments), modes[mode] if mode is not None and 0 <= mode < len(modes) else None


def describe(found: list[Runtime]) -> list[dict[str, Any]]:
    """Return `found` as `threadwheel info --json` prints it, with the counts that the libraries tell."""
    names = [runtime.name for runtime in found]
    described = []
    for runtime in found:
        fields = {key: getattr(runtime, key) for key in FIELDS}
        fields["num_threads"], fields["mode"] = ask(runtime, names.count(runtime.name))
        described.append(fields)
    return described


FIELDS = ("name", "title", "kind", "file", "soname", "needed_by", "loaded_by", "is_called", "bypassed_by")
