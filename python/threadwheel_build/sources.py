"""Who said what: gathers option values from every road a build can be asked for.

Owns rule R1 (unknown names and values), rule R6 (sources that disagree) and the wording of a source.
The roads: `-C` config settings, the environment, the command line of cmake or of `plan`, and a build
directory's CMakeCache.txt. The result is canonical values for plan.py, or a refusal.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .correction import correct, options_for_label
from .errors import RefusedError
from .options import Option, OptionTable, closest
from .plan import Plan, Problem, Refusal, make_plan, resolve

ConfigSettings = Mapping[str, "str | bool | list[str] | None"]

# The settings of ours that a `-C` may carry.
VARIANT_SETTING = "threadwheel.variant"
# A misspelt name of the environment cannot be told from a stranger's variable unless it is long and
# all but equal: from here on a likeness is refused.
_ENV_LIKENESS, _ENV_MIN_LENGTH = 0.9, 12


@dataclass(frozen=True)
class Saying:
    """One value as it was said; `fixed` when an option line cannot take it back."""

    name: str
    value: str
    source: str
    fixed: bool = False


@dataclass
class Heard:
    """All sayings of one build in order of trust, with what was already wrong while listening."""

    sayings: list[Saying] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    road: str = "config-settings"  # how the corrected line is spelled: config-settings or cmake
    stale_cache: bool = False  # a build directory disagrees: the line must start afresh
    checks: list[Saying] = field(default_factory=list)  # a cache only checks: it never supplies a value
    expected: list[Saying] = field(default_factory=list)  # what the hooks planned, for cmake to compare
    sdist_label: str = ""  # what an unpacked sdist was made for

    def say(self, name: str, value: object, source: str, fixed: bool = False) -> None:
        self.sayings.append(Saying(name, str(value), source, fixed))

    def check(self, name: str, value: str, source: str) -> None:
        self.checks.append(Saying(name, value, source))

    def expect(self, name: str, value: str) -> None:
        self.expected.append(Saying(name, value, "the build hooks"))

    def wrong(self, rule: str, names: Iterable[str], text: str) -> None:
        self.problems.append(Problem(rule, tuple(names), text))


def _defines(arguments: Iterable[str]) -> list[tuple[str, str]]:
    """The `-DNAME[:TYPE]=VALUE` of a cmake argument list, also as `-D NAME=VALUE`."""
    found, pending = [], False
    for argument in arguments:
        text = argument if pending else argument[2:] if argument.startswith("-D") else None
        pending = argument == "-D"
        if text and not pending:
            name, _, value = text.partition("=")
            found.append((name.partition(":")[0], value))
    return found


def _texts(value: str | bool | list[str] | None) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else [] if value is None else [str(value)]


def _split(text: str) -> list[str]:
    return [part for part in text.split(";") if part]


def hear_config_settings(table: OptionTable, heard: Heard, settings: ConfigSettings | None) -> None:
    """`-C key=value` of pip, build and uv; a key given twice arrives as a list."""
    for key, raw in (settings or {}).items():
        plain = key.removeprefix("skbuild.")
        if plain.startswith("cmake.define."):
            for value in _texts(raw):
                heard.say(plain.removeprefix("cmake.define."), value, f"-C {key}")
        elif plain == "cmake.args":
            for name, value in _defines(part for text in _texts(raw) for part in _split(text)):
                heard.say(name, value, f"-C {key}")
        elif plain == VARIANT_SETTING:
            _hear_variants(table, heard, _texts(raw))
        else:
            _check_setting_name(table, heard, key)


def _hear_variants(table: OptionTable, heard: Heard, names: list[str]) -> None:
    if len(distinct := list(dict.fromkeys(names))) > 1:
        heard.wrong("R6", (), f"-C {VARIANT_SETTING} is {' and '.join(distinct)}; a build has one variant")
    for name in distinct[:1]:
        chosen = name
        if name not in table.variants:
            near = closest(name, table.variants)
            heard.wrong(
                "R1",
                (),
                f"-C {VARIANT_SETTING}: unknown variant {name!r}{_hint(near)}; the variants are {', '.join(table.variants)}",
            )
            chosen = near or ""
        for option, value in table.variants[chosen].options.items() if chosen else ():
            heard.say(option, value, f"variant {chosen}")


def _check_setting_name(table: OptionTable, heard: Heard, key: str) -> None:
    """A `-C` key that means one of our options but is spelled so that the build engine would drop it."""
    last = key.rpartition(".")[2]
    if key.removeprefix("skbuild.") == "cmake.define":
        heard.wrong("R1", (), f"-C {key}: carries no option name; options are said as -C cmake.define.NAME=VALUE")
    elif key.startswith("threadwheel."):
        heard.wrong("R1", (), f"-C {key}: unknown setting; the only one is {VARIANT_SETTING}")
    elif last in table.spellings or (last.isupper() and closest(last, table.spellings, 0.8)):
        name = closest(last, table.spellings, 0.8)
        heard.wrong("R1", (), f"-C {key}: unknown setting; options are said as -C cmake.define.{name}=VALUE")


def hear_environment(table: OptionTable, heard: Heard, env: Mapping[str, str], front_end: bool = True) -> None:
    """Environment variables: our names, and on the way through a build front end also cmake's arguments."""
    if front_end:
        for part in _split(env.get("SKBUILD_CMAKE_DEFINE", "")):
            name, _, value = part.partition("=")
            heard.say(name, value, "$SKBUILD_CMAKE_DEFINE", fixed=True)
        for name, value in _defines(_split(env.get("SKBUILD_CMAKE_ARGS", ""))):
            heard.say(name, value, "$SKBUILD_CMAKE_ARGS", fixed=True)
        if "CMAKE_ARGS" in env:
            import shlex

            for name, value in _defines(shlex.split(env["CMAKE_ARGS"])):
                heard.say(name, value, "$CMAKE_ARGS", fixed=True)
    for name in sorted(env):
        if name in table.spellings:
            heard.say(name, env[name], f"${name}", fixed=True)
        elif len(name) >= _ENV_MIN_LENGTH and (near := closest(name, table.spellings, _ENV_LIKENESS)):
            heard.wrong("R1", (), f"${name}: no option{_hint(near)}; unset it or say the option it means")


def read_cmake_cache(table: OptionTable, build_dir: Path) -> dict[str, str]:
    """Our options (and aliases) in `build_dir`/CMakeCache.txt; empty when there is none."""
    try:
        text = (build_dir / "CMakeCache.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    entries = re.findall(r"^([A-Za-z_]\w*):[A-Z]+=(.*)$", text, re.MULTILINE)
    return {name: value for name, value in entries if name in table.spellings}


def hear_build_dir(table: OptionTable, heard: Heard, settings: ConfigSettings | None) -> None:
    """A build directory that is used again must have been configured for the same options."""
    settings = settings or {}
    folder = _texts(settings.get("build-dir", settings.get("skbuild.build-dir")))
    fresh = _texts(settings.get("cmake.fresh", settings.get("skbuild.cmake.fresh")))
    if not folder or "{" in folder[-1] or (fresh and fresh[-1].lower() in ("1", "true", "on", "yes")):
        return
    path = Path(folder[-1])
    for name, value in read_cmake_cache(table, path).items():
        heard.check(name, value, str(path / "CMakeCache.txt"))


def hear_sdist(table: OptionTable, heard: Heard) -> None:
    """The label in the version of an unpacked sdist; one without a label serves every plan."""
    try:
        text = (table.root / "PKG-INFO").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    version = re.search(r"^Version: (.*)$", text, re.MULTILINE)
    heard.sdist_label = version[1].partition("+")[2].strip() if version else ""


def _hint(near: str | None) -> str:
    return f" (did you mean {near}?)" if near else ""


def _known_option(table: OptionTable, heard: Heard, saying: Saying) -> tuple[Option | None, bool]:
    """The option that a saying means, and whether it was spelled right."""
    if saying.name in table.spellings:
        return table.options[table.spellings[saying.name]], True
    near = table.nearest(saying.name)
    names = ", ".join(table.options)
    heard.wrong(
        "R1", (saying.name,), f"{saying.source}: unknown option {saying.name!r}{_hint(near)}; the options are {names}"
    )
    return (table.options[table.spellings[near]] if near else None), False


def _value(table: OptionTable, heard: Heard, option: Option, saying: Saying) -> tuple[str | None, bool]:
    """The canonical value of a saying, or what it most likely means, and whether it was right."""
    if not saying.value.strip():
        heard.wrong(
            "R1",
            (option.name,),
            f"{saying.source}: {saying.name} has an empty value; leave the option out for its default, or say one of {', '.join(option.values)}",
        )
        return None, False
    value = option.canonical(saying.value)
    if value is not None:
        return value, True
    near = closest(saying.value, option.values, 0.5)
    heard.wrong(
        "R1",
        (option.name,),
        f"{saying.source}: {saying.name}={saying.value} is no value of it{_hint(near)}; it is one of {', '.join(option.values)}",
    )
    return near, False


@dataclass
class _Agreed:
    """What the sayings come to: for each option one value, who said it, and what was only guessed."""

    values: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    guesses: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, list[str]] = field(default_factory=dict)  # option -> the environment variables that say it
    broken: list[str] = field(default_factory=list)  # environment variables whose text is no value


def _agree(table: OptionTable, heard: Heard) -> _Agreed:
    """One value per option; sayings that differ after normalisation are refused (R6)."""
    agreed = _Agreed()
    said_by: dict[str, dict[str, list[Saying]]] = {}
    for saying in heard.sayings:
        if table.passes(saying.name):
            continue
        option, spelled = _known_option(table, heard, saying)
        if option is None:
            continue
        value, right = _value(table, heard, option, saying)
        if value is None or not (spelled and right):
            if value is not None:
                agreed.guesses.setdefault(option.name, value)
            if saying.fixed:
                agreed.broken.append(saying.source.removeprefix("$"))
            continue
        said_by.setdefault(option.name, {}).setdefault(value, []).append(saying)
    for name, values in said_by.items():
        if len(values) > 1:
            who = "; ".join(f"{value} by {_who(name, sayings)}" for value, sayings in values.items())
            heard.wrong("R6", (name,), f"{name} is said differently: {who}; say it once, or the same everywhere")
        _choose(agreed, name, values)
    return agreed


def _who(name: str, sayings: list[Saying]) -> str:
    """The sources, with the alias where it was used."""
    return ", ".join(
        dict.fromkeys(s.source if s.name == name or s.name in s.source else f"{s.source} as {s.name}" for s in sayings)
    )


def _choose(agreed: _Agreed, name: str, values: dict[str, list[Saying]]) -> None:
    """Of several values the first one counts, but one that no option line can take back goes before."""
    fixed = [value for value, sayings in values.items() if any(s.fixed for s in sayings)]
    chosen = fixed[0] if fixed else next(iter(values))
    agreed.values[name] = chosen
    agreed.sources[name] = _who(name, values[chosen])
    if fixed:
        agreed.fixed[name] = _variables(values[chosen])
        agreed.broken.extend(variable for value in fixed[1:] for variable in _variables(values[value]))


def _variables(sayings: list[Saying]) -> list[str]:
    return [s.source.removeprefix("$") for s in sayings if s.fixed]


def _check_cache(table: OptionTable, heard: Heard, agreed: _Agreed, resolved: Mapping[str, str | None]) -> None:
    """What a build directory was configured with must be what this build resolves to (R6)."""
    for check in heard.checks:
        option = table.options[table.spellings[check.name]]
        cached, now = option.canonical(check.value), resolved[option.name]
        if cached is not None and cached != now:
            source = agreed.sources.get(option.name, "default")
            heard.stale_cache = True
            heard.wrong(
                "R6",
                (option.name,),
                f"{option.name} is {now or 'without effect'} ({source}) but {cached} in {check.source}; use another build directory, or configure afresh",
            )
    for plan in heard.expected:
        now = resolved.get(plan.name)
        if now != plan.value:
            heard.wrong(
                "R6",
                (plan.name,),
                f"{plan.name} is {now or 'without effect'} at configure ({agreed.sources.get(plan.name, 'default')}) but the build hooks planned {plan.value}; presets and toolchain files speak to cmake only, say the option itself",
            )


def spell(options: Mapping[str, str], heard: Heard) -> str:
    """An option line for the road in use."""
    if heard.road == "cmake":
        parts = [f"-D{name}={value}" for name, value in options.items()]
        return " ".join([*(["--fresh"] if heard.stale_cache else []), *parts])
    parts = [f"-C cmake.define.{name}={value}" for name, value in options.items()]
    return " ".join([*(["-C cmake.fresh=true"] if heard.stale_cache else []), *parts])


def decide(table: OptionTable, heard: Heard) -> Plan:
    """The plan of everything that was heard; raises RefusedError with all problems at once."""
    agreed = _agree(table, heard)
    resolution = resolve(table, agreed.values, agreed.sources)
    _check_cache(table, heard, agreed, resolution.resolved)
    problems = (*heard.problems, *resolution.problems)
    if not problems:
        plan = make_plan(table, agreed.values, agreed.sources, resolution)
        _check_sdist(table, heard, plan)
        return plan
    wanted = {**agreed.guesses, **agreed.values}
    options, given_up = correct(table, wanted, frozenset(agreed.fixed))
    unset = dict.fromkeys([*agreed.broken, *(variable for name in given_up for variable in agreed.fixed[name])])
    raise RefusedError(Refusal(problems, options, spell(options, heard), tuple(unset)))


def _check_sdist(table: OptionTable, heard: Heard, plan: Plan) -> None:
    if heard.sdist_label in ("", plan.label):
        return
    text = f"the options make {plan.full_version}, but this sdist was made for +{heard.sdist_label} (PKG-INFO); build what it says, or use an sdist without a label"
    options = options_for_label(table, heard.sdist_label)
    raise RefusedError(Refusal((Problem("R6", (), text),), options, spell(options, heard), ()))


def plan_for_hook(table: OptionTable, settings: ConfigSettings | None, env: Mapping[str, str] = os.environ) -> Plan:
    """The plan of a build front end's hook: config settings, the environment, a build directory."""
    heard = Heard()
    hear_config_settings(table, heard, settings)
    hear_environment(table, heard, env)
    hear_build_dir(table, heard, settings)
    hear_sdist(table, heard)
    return decide(table, heard)
