"""The option table: reads configs/options.toml and configs/variants/ into checked dataclasses.

Owns what an option is (kind, values, defaults, when it applies) and how a value is written
canonically. Does not know who said a value (sources.py) or what follows from it (plan.py).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from .errors import BuildError

# CMake's own spellings of a boolean; an empty value is no value (see `canonical`).
_BOOLEANS = {
    **dict.fromkeys(("1", "ON", "YES", "TRUE", "Y"), "ON"),
    **dict.fromkeys(("0", "OFF", "NO", "FALSE", "N"), "OFF"),
}
ANY_FAMILY = "any"


@dataclass(frozen=True)
class Family:
    """One kind of threading that a whole build has, or has not."""

    name: str
    label: str
    title: str
    runtimes: tuple[str, ...]
    backend: str  # the backend's source file, without its ending


@dataclass(frozen=True)
class Option:
    """One row of the option table; `kind` is threading, permit or feature."""

    name: str
    kind: str
    help: str
    library: str  # threading: whose threading this is, in a word
    values: tuple[str, ...]
    default: str | dict[str, str]
    aliases: tuple[str, ...] = ()
    families: dict[str, str] = field(default_factory=dict)  # threading: value -> family
    family: str = ""  # permit: what it allows
    applies: dict[str, Any] = field(default_factory=dict)

    def default_for(self, family: str) -> str | None:
        """The default in a build of `family`; None where the option has no value for it."""
        return self.default if isinstance(self.default, str) else self.default.get(family)

    @property
    def is_boolean(self) -> bool:
        return set(self.values) == {"ON", "OFF"}

    def canonical(self, value: str) -> str | None:
        """`value` as the table writes it, or None when it is not one of the values."""
        upper = value.strip().upper()
        if self.is_boolean:
            return _BOOLEANS.get(upper)
        return {v.upper(): v for v in self.values}.get(upper)


@dataclass(frozen=True)
class Variant:
    """Named option values: one file of configs/variants/, with only what differs from the defaults."""

    name: str
    description: str
    release: bool
    options: dict[str, str]


@dataclass(frozen=True)
class OptionTable:
    """configs/ of one project, checked."""

    root: Path
    families: dict[str, Family]
    options: dict[str, Option]
    label_parts: tuple[tuple[str, dict[str, Any]], ...]
    passthrough: dict[str, tuple[str, ...]]
    variants: dict[str, Variant]

    @cached_property
    def primary(self) -> Option:
        """The threading option that decides the family: the first one of the table."""
        return next(o for o in self.options.values() if o.kind == "threading")

    @cached_property
    def spellings(self) -> dict[str, str]:
        """Every accepted name, aliases included -> the option's name."""
        return {name: o.name for o in self.options.values() for name in (o.name, *o.aliases)}

    def of_kind(self, kind: str) -> list[Option]:
        return [o for o in self.options.values() if o.kind == kind]

    def passes(self, name: str) -> bool:
        """Whether `name` is no option of ours and still allowed on every road."""
        p = self.passthrough
        return name in p["names"] or name.startswith(p["prefixes"]) or name.endswith(p["suffixes"])

    def nearest(self, name: str) -> str | None:
        """The option name that `name` most likely means."""
        return closest(name, self.spellings)


def closest(word: str, choices: Any, cutoff: float = 0.6) -> str | None:
    """The choice most like `word`, compared without case; None when nothing is near."""
    import difflib  # only a mistake needs it

    by_key = {str(c).upper(): str(c) for c in choices}
    found = difflib.get_close_matches(word.upper(), by_key, n=1, cutoff=cutoff)
    return by_key[found[0]] if found else None


def matches(when: dict[str, Any], resolved: dict[str, str | None]) -> bool:
    """Whether every `option = value` (or list of values) of `when` holds in `resolved`."""
    return all(resolved.get(name) in (want if isinstance(want, list) else [want]) for name, want in when.items())


def project_settings(root: Path) -> dict[str, Any]:
    """`[tool.threadwheel]` of the project's pyproject.toml."""
    settings: dict[str, Any] = read_toml(root / "pyproject.toml").get("tool", {}).get("threadwheel", {})
    return settings


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a file of configs/; a missing or broken one is the user's to mend."""
    try:
        with path.open("rb") as f:
            return tomllib.load(f)
    except FileNotFoundError:
        raise BuildError(
            f"{path}: there is no such file; run in a project that has configs/, or name it with --project"
        ) from None
    except (OSError, ValueError) as err:
        raise BuildError(f"{path}: cannot be read: {err}; it must be a TOML file") from None


def _option(path: Path, name: str, row: dict[str, Any], families: dict[str, Family]) -> Option:
    known = {"kind", "help", "library", "values", "default", "aliases", "families", "family", "applies"}
    where = f"{path}: options.{name}"
    if extra := set(row) - known:
        raise BuildError(f"{where}: unknown key {sorted(extra)[0]!r}; the keys are {', '.join(sorted(known))}")
    kind = row.get("kind")
    if kind not in ("threading", "permit", "feature"):
        raise BuildError(f"{where}: kind is {kind!r}; it is one of threading, permit, feature")
    if "default" not in row:
        raise BuildError(f"{where}: has no default; every option has one")
    value_families = row.get("families", {})
    used = {*value_families.values(), *([row["family"]] if kind == "permit" else [])} - {ANY_FAMILY}
    if unknown := used - set(families):
        raise BuildError(f"{where}: names the family {sorted(unknown)[0]!r}; the families are {', '.join(families)}")
    values = {"threading": tuple(value_families), "permit": ("ON", "OFF")}.get(kind) or tuple(row["values"])
    defaults = row["default"].values() if isinstance(row["default"], dict) else [row["default"]]
    if bad := [d for d in defaults if d not in values]:
        raise BuildError(f"{where}: the default {bad[0]!r} is not one of {', '.join(values)}")
    return Option(
        name=name, kind=kind, help=row.get("help", ""), library=row.get("library", name), values=values, default=row["default"],
        aliases=tuple(row.get("aliases", ())), families=dict(value_families),
        family=row.get("family", ""), applies=dict(row.get("applies", {})),
    )  # fmt: skip


def _variants(folder: Path, options: dict[str, Option]) -> dict[str, Variant]:
    found = {}
    for path in sorted(folder.glob("*.toml")):
        raw = read_toml(path)
        if extra := set(raw) - {"description", "release", "options"}:
            raise BuildError(f"{path}: unknown key {sorted(extra)[0]!r}; the keys are description, release, options")
        values = {}
        for name, value in raw.get("options", {}).items():
            canonical = options[name].canonical(str(value)) if name in options else None
            if canonical is None:
                raise BuildError(f"{path}: {name}={value} is not in the option table; see options.toml beside it")
            values[name] = canonical
        found[path.stem] = Variant(path.stem, raw.get("description", ""), bool(raw.get("release")), values)
    return found


def load_table(root: Path) -> OptionTable:
    """Read configs/options.toml and configs/variants/*.toml of the project at `root`.

    Raises BuildError that names the file and the row when the table contradicts itself.
    """
    try:
        table = _load_table(root)
    except (KeyError, TypeError, AttributeError) as err:
        raise BuildError(
            f"{root / 'configs'}: a table is incomplete or of the wrong kind: {err}; compare with the keys of an option"
        ) from None
    _check_names(table)
    return table


def _check_names(table: OptionTable) -> None:
    """Names must lead to one thing: aliases to their option, labels to their family, conditions to options."""
    path = table.root / "configs" / "options.toml"
    names = [name for o in table.options.values() for name in (o.name, *o.aliases)]
    labels = [family.label for family in table.families.values()]
    for what, found in (("option or alias", names), ("label", labels)):
        if twice := [name for name in found if found.count(name) > 1]:
            raise BuildError(f"{path}: the {what} {twice[0]!r} is there twice; each name means one thing")
    conditions = [*(o.applies for o in table.options.values()), *(when for _, when in table.label_parts)]
    for name in (name for condition in conditions for name in condition):
        if name not in table.options:
            raise BuildError(f"{path}: a condition names {name!r}; the options are {', '.join(table.options)}")


def _load_table(root: Path) -> OptionTable:
    path = root / "configs" / "options.toml"
    raw = read_toml(path)
    families = {
        name: Family(
            name, row["label"], row.get("title", name), tuple(row.get("runtimes", ())), row.get("backend", name.lower())
        )
        for name, row in raw.get("families", {}).items()
    }
    options = {name: _option(path, name, row, families) for name, row in raw.get("options", {}).items()}
    if not any(o.kind == "threading" for o in options.values()):
        raise BuildError(f"{path}: has no threading option; the first one decides the family of a plan")
    listed = raw.get("passthrough", {})
    return OptionTable(
        root=root,
        families=families,
        options=options,
        label_parts=tuple((part["text"], part["when"]) for part in raw.get("label", [])),
        passthrough={key: tuple(listed.get(key, ())) for key in ("prefixes", "suffixes", "names")},
        variants=_variants(path.parent / "variants", options),
    )
