"""`threadwheel_build wheel`: one variant's wheel, built through a real front end when it is stale.

A wheel is stale when any source, the configs, the plan, the interpreter or the compiler changed. A
stamp in build/wheels/ remembers what a wheel was made from and how long it took; the wheel itself
appears in its folder whole or not at all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .decision import plan_for_hook
from .deliver import deliver
from .errors import BuildError
from .matrix import job_of
from .options import OptionTable, closest, load_table, project_settings
from .plan import Plan
from .sources import VARIANT_SETTING, hint

_IGNORED = {"__pycache__", "build", "dist", "site"}
_CXX_SUFFIXES = {".cpp", ".cc", ".cxx"}
# What reaches a compiler or the build engine through the environment; speed and caching do not change a wheel.
_ENVIRONMENT = {"CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS"}
_ENVIRONMENT_PREFIXES = ("CMAKE_", "SKBUILD_")
_HARMLESS = ("CMAKE_C_COMPILER_LAUNCHER", "CMAKE_CXX_COMPILER_LAUNCHER", "CMAKE_BUILD_PARALLEL_LEVEL")


def input_names(project: Path) -> tuple[str, ...]:
    """`[tool.threadwheel] inputs` of the project: what a wheel is made from; everything when there is no such key."""
    visible = sorted(p.name for p in project.iterdir() if not p.name.startswith(".") and p.name not in _IGNORED)
    return tuple(project_settings(project).get("inputs", visible))


def _input_files(project: Path) -> Iterator[Path]:
    for name in input_names(project):
        top = project / name
        if top.is_file():
            yield top
        for folder, folders, files in os.walk(top):
            folders[:] = sorted(f for f in folders if f not in _IGNORED and not f.startswith("."))
            yield from (Path(folder, f) for f in sorted(files))


def _compiler() -> str:
    command = [*(os.environ.get("CXX") or "c++").split(), "--version"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.partition("\n")[0]
    except (OSError, subprocess.CalledProcessError):
        raise BuildError(f"{command[0]}: no C++ compiler; install one (Debian: g++) or name it in CXX") from None


def _reaches_compiler(variable: str) -> bool:
    return variable in _ENVIRONMENT or (variable.startswith(_ENVIRONMENT_PREFIXES) and variable not in _HARMLESS)


def fingerprint(project: Path, plan_key: str) -> str:
    """A digest of everything that goes into a wheel of this plan, here and now."""
    digest = hashlib.sha256()
    parts = [plan_key, sys.version, sysconfig.get_platform(), _compiler()]
    parts += [f"{name}={value}" for name, value in sorted(os.environ.items()) if _reaches_compiler(name)]
    digest.update("\0".join(parts).encode())
    for path in _input_files(project):
        digest.update(f"\0{path.relative_to(project)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def read_stamp(project: Path, variant: str) -> dict[str, Any] | None:
    """What is known of the variant's last wheel; None when there is none, or it is gone or changed."""
    try:
        stamp: dict[str, Any] = json.loads((project / "build" / "wheels" / f"{variant}.json").read_text())
        wheel = Path(stamp["wheel"])
        return stamp if wheel.is_file() and _sha256(wheel) == stamp["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_stamp(project: Path, variant: str, stamp: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{variant}.json")
        path.write_text(json.dumps(stamp, indent=2))
        deliver(path, project / "build" / "wheels")


def _cache_environment(project: Path, log: Path) -> dict[str, str]:
    """Use ccache when it is on PATH and nobody chose another launcher; it notes every compilation in `log`.

    It sees the project's paths relative to the build directory: another checkout's files are the same ones.
    """
    ccache = shutil.which("ccache")
    if ccache is None or "CMAKE_CXX_COMPILER_LAUNCHER" in os.environ:
        return {}
    log.unlink(missing_ok=True)
    folder = os.environ.get("CCACHE_DIR") or str(log.parent.parent / "ccache")
    launchers = {f"CMAKE_{language}_COMPILER_LAUNCHER": ccache for language in ("C", "CXX")}
    relative = {"CCACHE_BASEDIR": os.environ.get("CCACHE_BASEDIR") or str(project), "CCACHE_NOHASHDIR": "1"}
    return launchers | relative | {"CCACHE_DIR": folder, "CCACHE_STATSLOG": str(log)}


def _cache_counts(log: Path, project: Path) -> dict[str, int] | None:
    """Hits and misses of the project's C++ files in one build, from ccache's log; None without a cache.

    CMake's own trial compilations pass through the cache too and are not counted: they are not above the build directory.
    """
    if not log.is_file():
        return None
    counts, source = {"hits": 0, "misses": 0}, ""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("# "):
            source = line[2:]
        elif not source.startswith(("../", str(project))) or Path(source).suffix not in _CXX_SUFFIXES:
            continue
        elif line in ("direct_cache_hit", "preprocessed_cache_hit"):
            counts["hits"] += 1
        elif line == "cache_miss":
            counts["misses"] += 1
    return counts


def _front_end(project: Path, variant: str, staging: Path, environment: dict[str, str]) -> Path:
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--outdir",
        str(staging),
        "-C",
        f"threadwheel.variant={variant}",
    ]
    if shutil.which("uv"):
        command += ["--installer", "uv"]
    # Its lines are progress: standard output is for what was asked, which may be JSON.
    code = subprocess.run([*command, str(project)], env={**os.environ, **environment}, stdout=sys.stderr).returncode
    wheels = list(staging.glob("*.whl"))
    if code or len(wheels) != 1:
        raise BuildError(
            f"{variant}: the build failed (exit code {code}); its output above says why, nothing was delivered"
        )
    return wheels[0]


def _plan(table: OptionTable, variant: str) -> Plan:
    """The plan that a build of this variant gets here and now; the environment must not change it."""
    if variant not in table.variants:
        near = closest(variant, table.variants)
        raise BuildError(f"{variant}: no such variant{hint(near)}; the variants are {', '.join(table.variants)}")
    plan = plan_for_hook(table, {VARIANT_SETTING: variant})
    meant = job_of(table, table.variants[variant])
    if plan.label != meant.label:
        others = sorted({source for source in plan.sources.values() if source.startswith("$")})
        raise BuildError(f"{variant}: the environment makes it {plan.label}; unset {' '.join(others)}")
    return plan


def build_variant(table: OptionTable, variant: str, out: Path) -> dict[str, Any]:
    """Build, audit and deliver the wheel of one variant unless it is up to date; returns its stamp."""
    project = table.root.resolve()
    plan = _plan(table, variant)
    made_from = fingerprint(project, plan.key)
    old = read_stamp(project, variant)
    if old and old["made_from"] == made_from and Path(old["wheel"]).parent == out.resolve():
        return {**old, "built": False}
    try:
        import build  # noqa: F401
    except ModuleNotFoundError:
        raise BuildError(f"{sys.executable}: the front end is missing; {sys.executable} -m pip install build") from None
    log = project / "build" / "logs" / f"{variant}.ccache"
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"building {variant}", file=sys.stderr, flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="staging-", dir=project / "build") as staging:
        built = _front_end(project, variant, Path(staging), _cache_environment(project, log))
        _refuse_strangers(out, built, old)
        wheel = deliver(built, out)
    if old and Path(old["wheel"]) != wheel.resolve() and Path(old["wheel"]).parent == out.resolve():
        Path(old["wheel"]).unlink(missing_ok=True)  # an older version of this variant: never two in one folder
    stamp = {
        "variant": variant, "label": plan.label, "made_from": made_from, "wheel": str(wheel.resolve()),
        "sha256": _sha256(wheel), "size_bytes": wheel.stat().st_size,
        "backends": {o.library: plan.resolved[o.name] for o in table.of_kind("threading")},
        "seconds": round(time.monotonic() - started, 1), "cache": _cache_counts(log, project),
    }  # fmt: skip
    _write_stamp(project, variant, stamp)
    return {**stamp, "built": True}


def _refuse_strangers(out: Path, built: Path, old: dict[str, Any] | None) -> None:
    """No folder mixes labels: pip would silently prefer one of them."""
    name = built.name.partition("-")[0]
    known = {built.name, Path(old["wheel"]).name if old else built.name}
    if strangers := [p.name for p in out.glob(f"{name}-*.whl") if p.name not in known]:
        raise BuildError(f"{out}: holds {strangers[0]} already; move it away or choose another folder")


def _row(stamp: dict[str, Any]) -> list[str]:
    backends = ", ".join(f"{library} {value or 'off'}" for library, value in stamp["backends"].items())
    cache = stamp["cache"]
    cached = f"{cache['hits']} hits, {cache['misses']} misses" if cache else "none"
    size = f"{stamp['size_bytes'] / 1e6:.1f} MB"
    return [stamp["variant"], Path(stamp["wheel"]).name, size, backends, f"{stamp['seconds']:.0f} s", cached]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `wheel`."""
    parser.add_argument("variant", nargs="+", help="a file of configs/variants/, without .toml")
    parser.add_argument("--show", action="store_true", help="build nothing, show what was built")
    parser.add_argument("--out", type=Path, help="where the wheel goes (default: dist/VARIANT)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """The `wheel` subcommand."""
    from .report import table as text_table

    table = load_table(args.project)
    if args.out and len(args.variant) > 1:
        raise BuildError("--out: takes the wheel of one variant; name one, or leave --out away for dist/VARIANT")
    stamps = []
    for variant in args.variant:
        if args.show:
            stamp = read_stamp(table.root.resolve(), variant)
            if stamp is None:
                raise BuildError(f"{variant}: has no wheel yet; threadwheel_build wheel {variant}")
        else:
            stamp = build_variant(table, variant, args.out or table.root / "dist" / variant)
        stamps.append(stamp)
    if args.json:
        print(json.dumps(stamps, indent=2))
    else:
        header = ("variant", "wheel", "size", "backend per library", "build time", "compiler cache")
        print(text_table(header, [_row(s) for s in stamps]))
    return 0
