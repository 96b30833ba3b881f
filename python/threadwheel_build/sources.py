"""Who said what: gathers option values from every road a build can be asked for.

Owns the words for a source, and what is wrong with a road itself. The roads: `-C` config settings, the
environment, the command line of cmake or of `plan`, a build directory's CMakeCache.txt, an unpacked
sdist. What the sayings come to is decision.py's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .errors import BuildError
from .options import OptionTable, closest
from .plan import Problem

ConfigSettings = Mapping[str, "str | bool | list[str] | None"]

# The settings of ours that a `-C` may carry.
VARIANT_SETTING = "threadwheel.variant"
# A misspelt name of the environment or of a cache cannot be told from a stranger's unless it is long
# and all but equal: from here on a likeness is refused.
_LIKENESS, _MIN_LENGTH = 0.9, 12


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
    unset: list[str] = field(default_factory=list)  # environment variables that cannot be read at all
    road: str = "config-settings"  # how the corrected line is spelled: config-settings or cmake
    configured: list[Saying] = field(default_factory=list)  # what a build directory was configured with
    expected: dict[str, str] = field(default_factory=dict)  # what the hooks planned, for cmake to compare
    sdist_label: str = ""  # what an unpacked sdist was made for

    def say(self, name: str, value: object, source: str, fixed: bool = False) -> None:
        self.sayings.append(Saying(name, str(value), source, fixed))

    def say_if_alike(self, table: OptionTable, name: str, value: str, source: str, fixed: bool = False) -> None:
        """Take a name of a place that others use too: an option of ours, or all but one."""
        if name in table.spellings or (len(name) >= _MIN_LENGTH and closest(name, table.spellings, _LIKENESS)):
            self.say(name, value, source, fixed)

    def wrong(self, rule: str, names: Iterable[str], text: str) -> None:
        self.problems.append(Problem(rule, tuple(names), text))


def hint(near: str | None) -> str:
    return f" (did you mean {near}?)" if near else ""


def defines(arguments: Iterable[str]) -> list[tuple[str, str]]:
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
    """The parts of a `;` list as the build engine takes them: without the blanks around them."""
    return [part.strip() for part in text.split(";") if part.strip()]


def hear_config_settings(table: OptionTable, heard: Heard, settings: ConfigSettings | None) -> None:
    """`-C key=value` of pip, build and uv; a key given twice arrives as a list."""
    for key, raw in (settings or {}).items():
        plain = key.removeprefix("skbuild.")
        if plain.startswith("cmake.define."):
            for value in _texts(raw):
                heard.say(plain.removeprefix("cmake.define."), value, f"-C {key}")
        elif plain == "cmake.args":
            for name, value in defines(part for text in _texts(raw) for part in _split(text)):
                heard.say(name, value, f"-C {key}")
        elif plain == VARIANT_SETTING:
            _hear_variants(table, heard, _texts(raw))
        else:
            _check_setting(table, heard, key, _texts(raw))


def _hear_variants(table: OptionTable, heard: Heard, names: list[str]) -> None:
    if len(distinct := list(dict.fromkeys(names))) > 1:
        heard.wrong("R6", (), f"-C {VARIANT_SETTING} is {' and '.join(distinct)}; a build has one variant")
    for name in distinct[:1]:
        chosen = name
        if name not in table.variants:
            near = closest(name, table.variants)
            known = ", ".join(table.variants)
            heard.wrong(
                "R1", (), f"-C {VARIANT_SETTING}: unknown variant {name!r}{hint(near)}; the variants are {known}"
            )
            chosen = near or ""
        for option, value in table.variants[chosen].options.items() if chosen else ():
            heard.say(option, value, f"variant {chosen}")


def _check_setting(table: OptionTable, heard: Heard, key: str, values: list[str]) -> None:
    """A `-C` that means one of our options but is spelled so that the build engine drops or refuses it."""
    plain = re.sub("[_-]", ".", key.removeprefix("skbuild.").lower())
    last = key.rpartition(".")[2]
    carried = [name for name, _ in defines(values) if name in table.spellings]
    if plain == "cmake.define":
        heard.wrong("R1", (), f"-C {key}: carries no option name; options are said as -C cmake.define.NAME=VALUE")
    elif plain.startswith("threadwheel.") or plain == VARIANT_SETTING.rpartition(".")[2]:
        heard.wrong("R1", (), f"-C {key}: unknown setting; the only one is {VARIANT_SETTING}")
    elif last in table.spellings or (last.isupper() and closest(last, table.spellings, 0.8)):
        name = closest(last, table.spellings, 0.8)
        heard.wrong("R1", (), f"-C {key}: unknown setting; options are said as -C cmake.define.{name}=VALUE")
    elif carried:
        heard.wrong(
            "R1", (), f"-C {key}: carries {carried[0]} and is no setting for it; say -C cmake.define.{carried[0]}=VALUE"
        )


def hear_environment(table: OptionTable, heard: Heard, env: Mapping[str, str], front_end: bool = True) -> None:
    """Environment variables: our names, and on the way through a build front end also cmake's arguments."""
    if front_end:
        for part in _split(env.get("SKBUILD_CMAKE_DEFINE", "")):
            name, _, value = part.partition("=")
            heard.say(name, value, "$SKBUILD_CMAKE_DEFINE", fixed=True)
        for name, value in defines(_split(env.get("SKBUILD_CMAKE_ARGS", ""))):
            heard.say(name, value, "$SKBUILD_CMAKE_ARGS", fixed=True)
        for name, value in defines(_shell_words(heard, "CMAKE_ARGS", env)):
            heard.say(name, value, "$CMAKE_ARGS", fixed=True)
    for name in sorted(env):
        heard.say_if_alike(table, name, env[name], f"${name}", fixed=True)


def _shell_words(heard: Heard, name: str, env: Mapping[str, str]) -> list[str]:
    if name not in env:
        return []
    import shlex

    try:
        return shlex.split(env[name])
    except ValueError as err:
        heard.wrong("R1", (), f"${name}: cannot be read: {str(err).lower()}; quote it as a shell would need it")
        heard.unset.append(name)
        return []


def read_cmake_cache(table: OptionTable, build_dir: Path) -> dict[str, str]:
    """Our options (and aliases) in `build_dir`/CMakeCache.txt; empty when there is none."""
    try:
        text = (build_dir / "CMakeCache.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    entries = re.findall(r"^([A-Za-z_]\w*):[A-Z]+=(.*)$", text, re.MULTILINE)
    return {name: value for name, value in entries if name in table.spellings}


def check_place(project: Path) -> None:
    """Raise BuildError for a path that the lists which cmake, Python and the loader take cannot hold."""
    if found := [character for character in ":;" if character in str(project)]:
        text = f"has {found[0]!r} in its path, which would end a path in the lists that cmake and Python take"
        raise BuildError(f"{project}: {text}; move the project to a folder without it")


def build_dir(settings: ConfigSettings, env: Mapping[str, str]) -> str:
    """Where the build engine will build, as far as can be told here; empty where that is not said."""
    asked = _texts(settings.get("build-dir", settings.get("skbuild.build-dir")))
    folder = env.get("SKBUILD_BUILD_DIR") or (asked[-1] if asked else "")
    folder = folder.replace("{cache_tag}", str(sys.implementation.cache_tag))
    return "" if "{" in folder else folder


def hear_build_dir(table: OptionTable, heard: Heard, settings: ConfigSettings | None, env: Mapping[str, str]) -> None:
    """A build directory that is used again must have been configured for the same options."""
    settings = settings or {}
    folder = build_dir(settings, env)
    fresh = _texts(settings.get("cmake.fresh", settings.get("skbuild.cmake.fresh")))
    if not folder or (fresh and fresh[-1].lower() in ("1", "true", "on", "yes")):
        return
    path = table.root / folder
    for name, value in read_cmake_cache(table, path).items():
        heard.configured.append(Saying(name, value, str(path / "CMakeCache.txt")))


def hear_sdist(table: OptionTable, heard: Heard) -> None:
    """The label in the version of an unpacked sdist; one without a label serves every plan."""
    try:
        text = (table.root / "PKG-INFO").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    version = re.search(r"^Version: (.*)$", text, re.MULTILINE)
    heard.sdist_label = version[1].partition("+")[2].strip() if version else ""


def hear_cmake(table: OptionTable, heard: Heard, path: Path) -> None:
    """What CMake knows, a line each: `kind TAB name TAB value`; CMake leaves out values with line breaks.

    `said` came from a command line or a preset, so every name must be known; `cached` may be anybody's.
    `configured` is what the build directory was configured with, `expected` what the build hooks planned.
    """
    heard.road = "cmake"
    for line in path.read_text(encoding="utf-8", errors="surrogateescape").split("\n"):
        kind, _, rest = line.partition("\t")
        name, _, value = rest.partition("\t")
        if kind == "said":
            heard.say(name, value, "cmake -D")
        elif kind == "cached":
            heard.say_if_alike(table, name, value, "cmake -D")
        elif kind == "configured" and name in table.spellings:
            heard.configured.append(Saying(name, value, "CMakeCache.txt"))
        elif kind == "expected" and name in table.options:
            heard.road = "config-settings"
            heard.expected[name] = value
