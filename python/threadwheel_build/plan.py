"""From what was said to a plan, or to every reason why there is none (rules R2 to R5).

Owns the rules over option values. Where a value came from, and names or values that are no options
(R1, R6), are sources.py's; the corrected option line is correction.py's. Nothing here looks for a
library or reads the environment.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .errors import BuildError
from .libraries import Library, load_libraries, used_libraries
from .options import ANY_FAMILY, Option, OptionTable, matches, project_settings


@dataclass(frozen=True)
class Problem:
    """One broken rule: `rule` is R1 to R6, `options` the names involved, `text` a whole sentence."""

    rule: str
    options: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Resolution:
    """What option values come to: `resolved` is None for an option that has no effect."""

    family: str
    resolved: dict[str, str | None]
    why: dict[str, str]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Plan:
    """A consistent build: the resolved options and all that follows from them."""

    table: OptionTable
    said: dict[str, str]
    sources: dict[str, str]
    resolution: Resolution
    label: str
    version: str
    is_default: bool
    libraries: tuple[Library, ...]

    @property
    def family(self) -> str:
        return self.resolution.family

    @property
    def resolved(self) -> dict[str, str | None]:
        return self.resolution.resolved

    @property
    def full_version(self) -> str:
        """What METADATA and the file name say: the version, and the label unless it is the default plan."""
        return self.version if self.is_default else f"{self.version}+{self.label}"

    @property
    def variant(self) -> str:
        """The label as file and folder names spell it."""
        return self.label.replace(".", "-")

    @property
    def build_requires(self) -> list[str]:
        return [r for lib in self.libraries for r in lib.build_requires]

    @property
    def requires(self) -> list[str]:
        return [r for lib in self.libraries for r in lib.requires]

    @property
    def key(self) -> str:
        """The resolved options on one line: equal for equal plans, whatever was said."""
        return ";".join(f"{name}={value}" for name, value in self.resolved.items() if value is not None)


@dataclass(frozen=True)
class Refusal:
    """Every problem of one set of options, with one option line that would be accepted."""

    problems: tuple[Problem, ...]
    corrected: dict[str, str]
    line: str
    unset: tuple[str, ...]

    def text(self) -> str:
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        lines = [f"threadwheel_build: these options make no build: {count}"]
        lines += [f"  {p.rule}: {p.text}" for p in self.problems]
        if self.unset:
            lines.append(f"  unset first: {' '.join(self.unset)}")
        return "\n".join([*lines, *([f"  use: {self.line}"] if self.line else [])])


class RefusedError(BuildError):
    """The options that were said make no plan; carries every problem and the corrected line."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text())
        self.refusal = refusal


def resolve(table: OptionTable, said: Mapping[str, str], sources: Mapping[str, str] | None = None) -> Resolution:
    """Apply defaults and rules R2 to R5 to canonical option values.

    `sources` only words the problems; a name missing from it is called a default.
    """
    state = _Resolver(table, dict(said), sources or {})
    state.features()
    state.threading()
    state.permits()
    state.one_family()
    return Resolution(state.family, state.resolved, state.why, tuple(state.problems))


class _Resolver:
    """The state of one resolution; one method per kind of option, in the order they depend on each other."""

    def __init__(self, table: OptionTable, said: dict[str, str], sources: Mapping[str, str]) -> None:
        self.table, self.said, self.sources = table, said, sources
        self.primary = table.primary
        primary_value = said.get(self.primary.name, str(self.primary.default))
        self.family = self.primary.families[primary_value]
        self.values: dict[str, str | None] = {}
        self.why: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.users: dict[str, list[str]] = {}  # family -> enabled threading options that ask for it

    @property
    def resolved(self) -> dict[str, str | None]:
        return {name: self.values[name] for name in self.table.options}

    def shown(self, name: str) -> str:
        """`NAME=value (source)`, as every problem words a value."""
        value = self.said.get(name) or self.values.get(name)
        return f"{name}={value} ({self.sources.get(name, 'said') if name in self.said else 'default'})"

    def problem(self, rule: str, names: list[str], text: str) -> None:
        self.problems.append(Problem(rule, tuple(names), text))

    def take(self, option: Option) -> str | None:
        """The said value, or the default of this family; records which and why."""
        name = option.name
        if name in self.said:
            self.values[name], self.why[name] = self.said[name], "said"
        else:
            self.values[name] = option.default_for(self.family)
            follows = isinstance(option.default, dict)
            self.why[name] = f"follows {self.primary.name}" if follows else "default"
        return self.values[name]

    def features(self) -> None:
        for option in self.table.of_kind("feature"):
            self.take(option)

    def threading(self) -> None:
        for option in self.table.of_kind("threading"):
            name = option.name
            if not matches(option.applies, self.values):
                blockers = [n for n, want in option.applies.items() if not matches({n: want}, self.values)]
                self.why[name] = "no effect: " + ", ".join(f"{n}={self.values[n]}" for n in blockers)
                if name in self.said:
                    self.problem(
                        "R5",
                        [name, *blockers],
                        f"{self.shown(name)} has no effect with {', '.join(self.shown(n) for n in blockers)}; leave it out",
                    )
                self.values[name] = None
                continue
            value = self.take(option)
            if value is None:
                enablers = [*option.applies, self.primary.name]
                self.problem(
                    "R4",
                    enablers,
                    f"{' with '.join(self.shown(n) for n in enablers)}: {name} has no value for the {self.table.families[self.family].title} family; it is one of {', '.join(option.values)}",
                )
                self.why[name] = f"no value for {self.family}"
                continue
            family = option.families[value]
            if family != ANY_FAMILY:
                self.users.setdefault(family, []).append(name)

    def permits(self) -> None:
        """R2 and R3 (a family that is asked for must be permitted), R5 (a permit that nothing uses)."""
        for option in self.table.of_kind("permit"):
            name = option.name
            permitted = self.said.get(name, option.default) == "ON"
            # A value that was said asks for its family even where R5 already says it has no effect.
            asking = [
                o.name
                for o in self.table.of_kind("threading")
                if o.name in self.users.get(option.family, ())
                or o.families.get(self.said.get(o.name, "")) == option.family
            ]
            used = bool(self.users.get(option.family))
            if asking and not permitted:
                spoken = [n for n in asking if n in self.said] or asking
                rule = "R2" if option.default == "OFF" else "R3"
                state = f"{self.shown(name)} forbids it" if name in self.said else f"{name} is OFF by default"
                self.problem(
                    rule, [*asking, name], f"{', '.join(self.shown(n) for n in spoken)} needs {name}=ON; {state}"
                )
            elif name in self.said and permitted and not used:
                self.problem(
                    "R5",
                    [name],
                    f"{self.shown(name)} has no effect: nothing enabled uses {self.table.families[option.family].title}; leave it out, or ask for it with {self.primary.name}={option.family}",
                )
            self.values[name] = "ON" if used else "OFF"
            self.why[name] = (
                f"used by {', '.join(self.users[option.family])}"
                if used
                else f"nothing uses {self.table.families[option.family].title}"
            )

    def one_family(self) -> None:
        if len(self.users) < 2:
            return
        parts = [
            f"{self.table.families[f].title}: {', '.join(self.shown(n) for n in names)}"
            for f, names in self.users.items()
        ]
        titles = "/".join(self.table.families[f].title for f in self.users)
        names = [n for group in self.users.values() for n in group]
        self.problem(
            "R4", names, f"mixed {titles} build: {'; '.join(parts)}; all enabled libraries must share one family"
        )


def label_of(table: OptionTable, resolution: Resolution) -> str:
    """The label of a resolved plan: its family, then every label part that holds."""
    parts = [text for text, when in table.label_parts if matches(when, resolution.resolved)]
    return ".".join([table.families[resolution.family].label, *parts])


def cross_product(table: OptionTable) -> Iterator[dict[str, str]]:
    """Every way to say the options, leaving out included."""
    choices = [[(o.name, value) for value in (None, *o.values)] for o in table.options.values()]
    for combination in itertools.product(*choices):
        yield {name: value for name, value in combination if value is not None}


def project_version(table: OptionTable) -> str:
    """`[tool.threadwheel] version` of the project's pyproject.toml."""
    version = project_settings(table.root).get("version")
    if not isinstance(version, str):
        path = table.root / "pyproject.toml"
        raise BuildError(f"{path}: has no version in [tool.threadwheel]; write version = 'X.Y.Z' there")
    return version


def make_plan(table: OptionTable, said: Mapping[str, str], sources: Mapping[str, str], resolution: Resolution) -> Plan:
    """Everything that follows from a resolution without problems."""
    label = label_of(table, resolution)
    default = label_of(table, resolve(table, {}))
    libraries = used_libraries(load_libraries(table.root), resolution.resolved)
    return Plan(
        table=table, said=dict(said), sources=dict(sources), resolution=resolution, label=label,
        version=project_version(table), is_default=label == default, libraries=tuple(libraries),
    )  # fmt: skip
