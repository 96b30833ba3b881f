"""PEP 517 and PEP 660 hooks: plan first, then scikit-build-core, then the audit.

The first hook of any front end decides the plan with the standard library alone, so a refused build
downloads nothing. Only public hooks of the engine are called; a wheel that contradicts its plan
never reaches the wheel directory.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .errors import BuildError, printable

if TYPE_CHECKING:
    from .plan import Plan

Settings = dict[str, "str | list[str]"] | None
T = TypeVar("T")

_ENGINE = ["scikit-build-core>=1.1.2,<2", "cmake>=3.26", "ninja>=1.11"]


def _or_exit(work: Callable[[], T]) -> T:
    """Run `work`; a user's mistake becomes its text and an exit code, without a traceback."""
    try:
        return work()
    except BuildError as err:
        sys.stdout.flush()
        print(printable(str(err)), file=sys.stderr, flush=True)
        raise SystemExit(err.exit_code) from None


def _plan(config_settings: Settings) -> Plan:
    from .decision import plan_for_hook
    from .options import load_table

    return _or_exit(lambda: plan_for_hook(load_table(Path.cwd()), config_settings))


def _make_build_dir(engine_settings: dict[str, str | list[str]]) -> None:
    """The engine would answer a folder that it cannot make or fill with a traceback."""
    from .sources import build_dir

    folder = build_dir(engine_settings, os.environ)
    if not folder:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        why = "" if os.access(folder, os.W_OK | os.X_OK) else "it is not writable"
    except OSError as err:
        why = str(err.strerror).lower()
    if why:
        where = Path(folder).absolute()
        raise BuildError(f"{where}: cannot be the build directory: {why}; name another with -C build-dir=DIR")


def _engine_settings(plan: Plan, config_settings: Settings) -> dict[str, str | list[str]]:
    """`config_settings` as the engine takes them: ours removed, every option said once, canonically."""
    settings = {}
    for key, value in (config_settings or {}).items():
        name = key.removeprefix("skbuild.").removeprefix("cmake.define.")
        if not key.startswith("threadwheel.") and name not in plan.table.spellings:
            settings[key] = value
    for name, value in plan.said.items():
        settings[f"cmake.define.{name}"] = value
    # Presets and toolchain files speak to cmake only: configure compares with what was planned here.
    settings["cmake.define.THREADWHEEL_EXPECTED_PLAN"] = plan.key.replace(";", ",")
    if not {"build-dir", "skbuild.build-dir"} & set(settings):
        # One build directory per plan and interpreter: no value of one plan can reach another.
        settings["build-dir"] = f"build/{plan.variant}-{{cache_tag}}"
    return settings


def _show_prefixes() -> None:
    """Tell cmake every prefix this process imports from, before any other.

    pip keeps static and dynamic requirements in two prefixes, and find_library() looks into neither by
    itself. They go first: what was installed for this build must not lose to a sourced oneAPI.
    """
    prefixes = []
    for entry in (Path(p).absolute() for p in sys.path):
        if entry.name in ("site-packages", "dist-packages"):
            prefixes += [str(entry), str(entry.parents[2])]
    others = [p for p in os.environ.get("CMAKE_PREFIX_PATH", "").split(os.pathsep) if p]
    os.environ["CMAKE_PREFIX_PATH"] = os.pathsep.join(dict.fromkeys([*prefixes, *others]))


@contextlib.contextmanager
def _one_build_at_a_time(plan: Plan) -> Iterator[None]:
    """Two builds of one plan share a build directory: the second waits for the first."""
    folder = Path("build")
    try:
        folder.mkdir(exist_ok=True)
        lock = (folder / f"{plan.variant}.lock").open("w")
    except OSError:  # a read-only checkout: then the build directory is elsewhere, and said by the user
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _requires(config_settings: Settings) -> list[str]:
    return [*_ENGINE, *_plan(config_settings).build_requires]


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """The engine and the plan's libraries; SystemExit(2) with every problem when there is no plan."""
    return _requires(config_settings)


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """As for a wheel."""
    return _requires(config_settings)


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    """The engine alone: an sdist compiles nothing. Options are checked all the same."""
    _plan(config_settings)
    return _ENGINE[:1]


def _prepare(hook: str, metadata_directory: str, config_settings: Settings) -> str:
    plan = _plan(config_settings)
    import scikit_build_core.build as engine

    from . import metadata

    metadata.set_plan(plan)
    name: str = getattr(engine, hook)(metadata_directory, _engine_settings(plan, config_settings))
    return name


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:
    """Write the dist-info of the planned wheel without configuring anything."""
    return _prepare("prepare_metadata_for_build_wheel", metadata_directory, config_settings)


def prepare_metadata_for_build_editable(metadata_directory: str, config_settings: Settings = None) -> str:
    """As for a wheel."""
    return _prepare("prepare_metadata_for_build_editable", metadata_directory, config_settings)


def _build(hook: str, wheel_directory: str, config_settings: Settings, metadata_directory: str | None) -> str:
    """Build into a folder of our own, audit, and only then put the wheel where it was asked for."""
    plan = _plan(config_settings)
    settings = _engine_settings(plan, config_settings)
    _or_exit(lambda: _make_build_dir(settings))
    import scikit_build_core.build as engine

    from . import metadata
    from .audit import require_clean
    from .deliver import deliver

    metadata.set_plan(plan)
    _show_prefixes()
    with _one_build_at_a_time(plan), tempfile.TemporaryDirectory(prefix="threadwheel-") as staging:
        name: str = getattr(engine, hook)(staging, settings, metadata_directory)
        built = Path(staging, name)
        _or_exit(lambda: require_clean(built, plan.label))
        _or_exit(lambda: deliver(built, Path(wheel_directory)))
    return name


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Build and audit the planned wheel; it appears in `wheel_directory` whole or not at all."""
    return _build("build_wheel", wheel_directory, config_settings, metadata_directory)


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """As build_wheel, for an editable install."""
    return _build("build_editable", wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Pack the sources, the same for every plan; the version says the plan, as the wheel's will."""
    plan = _plan(config_settings)
    import scikit_build_core.build as engine

    from . import metadata

    metadata.set_plan(plan)
    settings = {k: v for k, v in _engine_settings(plan, config_settings).items() if not k.startswith("cmake.")}
    name: str = engine.build_sdist(sdist_directory, settings)
    return name
