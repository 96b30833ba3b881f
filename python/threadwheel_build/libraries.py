"""configs/libraries.toml: which packages provide what, for a plan.

Owns the requirements of a build and of a wheel. Never looks whether a library is there: that is
CMake's, at configure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BuildError
from .options import matches, read_toml


@dataclass(frozen=True)
class Library:
    """One library of a plan, with what it needs to be built with and to run with."""

    name: str
    title: str
    option: str
    build_requires: tuple[str, ...]
    requires: tuple[str, ...]
    provided_by: str
    license: str
    purl: str
    shared_as: tuple[str, ...] = ()  # files of a requirement that the wheel's own load, and that stay there


def load_libraries(root: Path) -> dict[str, dict[str, Any]]:
    """The rows of configs/libraries.toml by name, keys checked."""
    path = root / "configs" / "libraries.toml"
    rows = read_toml(path)
    known = {
        "title",
        "when",
        "option",
        "by",
        "build-requires",
        "requires",
        "provided-by",
        "license",
        "purl",
        "shared-as",
    }
    for name, row in rows.items():
        if extra := set(row) - known:
            raise BuildError(
                f"{path}: {name}: unknown key {sorted(extra)[0]!r}; the keys are {', '.join(sorted(known))}"
            )
    return rows


def used_libraries(rows: Mapping[str, dict[str, Any]], resolved: dict[str, str | None]) -> list[Library]:
    """The libraries whose `when` holds, each with the row of its option's value merged in."""
    return [_library(name, row, resolved) for name, row in rows.items() if matches(row.get("when", {}), resolved)]


def _library(name: str, row: dict[str, Any], resolved: dict[str, str | None]) -> Library:
    option = row.get("option", "")
    more = row.get("by", {}).get(resolved.get(option), {})
    build_requires = (*row.get("build-requires", ()), *more.get("build-requires", ()))
    return Library(
        name=name,
        title=row.get("title", name),
        option=option,
        build_requires=build_requires,
        requires=(*row.get("requires", ()), *more.get("requires", ())),
        provided_by=more.get("provided-by") or row.get("provided-by") or ", ".join(build_requires),
        license=row.get("license", ""),
        purl=more.get("purl") or row.get("purl", ""),
        shared_as=tuple(row.get("shared-as", ())),
    )
