"""From sayings to a plan or a refusal: rules R1 and R6, and the corrected line of every refusal.

Owns what counts when several sources speak, and the comparison with what a build directory, the build
hooks or an sdist stand for. The rules over values alone (R2 to R5) are plan.py's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from .correction import correct, options_for_label
from .options import Option, OptionTable, closest
from .plan import Plan, Refusal, RefusedError, Resolution, label_of, make_plan, resolve
from .sources import (
    ConfigSettings,
    Heard,
    Saying,
    check_place,
    hear_build_dir,
    hear_config_settings,
    hear_environment,
    hear_sdist,
    hint,
)


@dataclass
class _Agreed:
    """What the sayings come to: for each option one value, who said it, and what was only guessed."""

    values: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    guesses: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, list[str]] = field(default_factory=dict)  # option -> the environment variables that say it
    broken: list[str] = field(default_factory=list)  # environment variables whose text is no value

    def source(self, name: str) -> str:
        return self.sources.get(name, "default")


def _known_option(table: OptionTable, heard: Heard, saying: Saying) -> tuple[Option | None, bool]:
    """The option that a saying means, and whether it was spelled right."""
    if saying.name in table.spellings:
        return table.options[table.spellings[saying.name]], True
    near = table.nearest(saying.name)
    text = f"{saying.source}: unknown option {saying.name!r}{hint(near)}; the options are {', '.join(table.options)}"
    heard.wrong("R1", (saying.name,), text)
    return (table.options[table.spellings[near]] if near else None), False


def _value(heard: Heard, option: Option, saying: Saying) -> tuple[str | None, bool]:
    """The canonical value of a saying, or what it most likely means, and whether it was right."""
    choices = ", ".join(option.values)
    if not saying.value.strip():
        text = f"{saying.source}: {saying.name} has an empty value; leave the option out for its default, or say one of {choices}"
        heard.wrong("R1", (option.name,), text)
        return None, False
    value = option.canonical(saying.value)
    if value is not None:
        return value, True
    near = closest(saying.value, option.values, 0.5)
    text = f"{saying.source}: {saying.name}={saying.value} is no value of it{hint(near)}; it is one of {choices}"
    heard.wrong("R1", (option.name,), text)
    return near, False


def _agree(table: OptionTable, heard: Heard) -> _Agreed:
    """One value per option; sayings that differ after normalisation are refused (R6)."""
    agreed = _Agreed(broken=list(heard.unset))
    said_by: dict[str, dict[str, list[Saying]]] = {}
    for saying in heard.sayings:
        if table.passes(saying.name):
            continue
        option, spelled = _known_option(table, heard, saying)
        value, right = _value(heard, option, saying) if option else (None, False)
        if option and value and spelled and right:
            said_by.setdefault(option.name, {}).setdefault(value, []).append(saying)
            continue
        if option and value:
            agreed.guesses.setdefault(option.name, value)
        agreed.broken += _variables([saying])
    for name, values in said_by.items():
        if len(values) > 1:
            who = "; ".join(f"{value} by {_who(name, sayings)}" for value, sayings in values.items())
            heard.wrong("R6", (name,), f"{name} is said differently: {who}; say it once, or the same everywhere")
        _choose(agreed, name, values)
    return agreed


def _who(name: str, sayings: list[Saying]) -> str:
    """The sources, with the alias where it was used."""
    words = (s.source if s.name == name or s.name in s.source else f"{s.source} as {s.name}" for s in sayings)
    return ", ".join(dict.fromkeys(words))


def _choose(agreed: _Agreed, name: str, values: dict[str, list[Saying]]) -> None:
    """Of several values the first one counts, but one that no option line can take back goes before."""
    fixed = [value for value, sayings in values.items() if any(s.fixed for s in sayings)]
    chosen = fixed[0] if fixed else next(iter(values))
    agreed.values[name] = chosen
    agreed.sources[name] = _who(name, values[chosen])
    if fixed:
        agreed.fixed[name] = _variables(values[chosen])
        agreed.broken += [variable for value in fixed[1:] for variable in _variables(values[value])]


def _variables(sayings: list[Saying]) -> list[str]:
    return [s.source.removeprefix("$") for s in sayings if s.fixed]


def _compare(table: OptionTable, heard: Heard, agreed: _Agreed, resolution: Resolution) -> bool:
    """Compare with what was configured, planned or packed before (R6); True when a build directory is stale."""
    stale = False
    for saying in heard.configured:
        option = table.options[table.spellings[saying.name]]
        cached, now = option.canonical(saying.value), resolution.resolved[option.name]
        if cached not in (None, now) and not heard.expected:
            stale = True
            text = f"{option.name} is {now or 'without effect'} ({agreed.source(option.name)}) but {cached} in {saying.source}; use another build directory, or configure afresh"
            heard.wrong("R6", (option.name,), text)
    for name, planned in heard.expected.items():
        now = resolution.resolved[name]
        if now == planned:
            continue
        seen = f"{name} is {now or 'without effect'} at configure ({agreed.source(name)}) but the build hooks planned {planned}"
        if heard.configured:
            stale = True
            heard.wrong(
                "R6",
                (name,),
                f"{seen}; the build directory was configured for something else, use another one or configure afresh",
            )
        else:
            heard.wrong(
                "R6", (name,), f"{seen}; presets and toolchain files speak to cmake only, say the option itself"
            )
    return stale


def _compare_sdist(table: OptionTable, heard: Heard, resolution: Resolution) -> None:
    label = label_of(table, resolution)
    if heard.sdist_label not in ("", label):
        text = f"the options make the label {label}, but this sdist was made for +{heard.sdist_label} (PKG-INFO); build what it says, or use an sdist without a label"
        heard.wrong("R6", (), text)


def spell(options: Mapping[str, str], road: str, fresh: bool = False) -> str:
    """An option line for a road, with what makes a stale build directory start afresh."""
    if road == "cmake":
        parts = [f"-D{name}={value}" for name, value in options.items()]
        return " ".join(["--fresh"] * fresh + parts)
    parts = [f"-C cmake.define.{name}={value}" for name, value in options.items()]
    return " ".join(["-C cmake.fresh=true"] * fresh + parts)


def _refusal(table: OptionTable, heard: Heard, agreed: _Agreed, resolution: Resolution, stale: bool) -> Refusal:
    """All problems, and the nearest options that this build would accept."""
    if heard.sdist_label:
        options = options_for_label(table, heard.sdist_label)
        wanted = resolve(table, options).resolved
        given_up = tuple(name for name in agreed.fixed if agreed.values[name] != wanted[name])
    else:
        said = heard.expected if stale and heard.expected else {**agreed.guesses, **agreed.values}
        options, given_up = correct(table, said, frozenset(agreed.fixed))
    unset = dict.fromkeys([*agreed.broken, *(variable for name in given_up for variable in agreed.fixed[name])])
    line = spell(options, heard.road, stale) if options else ""
    return Refusal((*heard.problems, *resolution.problems), options, line, tuple(unset))


def decide(table: OptionTable, heard: Heard) -> Plan:
    """The plan of everything that was heard; raises RefusedError with all problems at once."""
    agreed = _agree(table, heard)
    resolution = resolve(table, agreed.values, agreed.sources)
    stale = _compare(table, heard, agreed, resolution)
    _compare_sdist(table, heard, resolution)
    if heard.problems or resolution.problems:
        raise RefusedError(_refusal(table, heard, agreed, resolution, stale))
    return make_plan(table, agreed.values, agreed.sources, resolution)


def plan_for_hook(table: OptionTable, settings: ConfigSettings | None, env: Mapping[str, str] = os.environ) -> Plan:
    """The plan of a build front end's hook: config settings, the environment, a build directory, an sdist."""
    check_place(table.root.resolve())
    heard = Heard()
    hear_config_settings(table, heard, settings)
    hear_environment(table, heard, env)
    hear_build_dir(table, heard, settings, env)
    hear_sdist(table, heard)
    return decide(table, heard)
