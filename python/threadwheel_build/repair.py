"""`threadwheel_build repair`: from a built wheel to one for release.

Gives it a manylinux tag (auditwheel), puts back RPATHs that auditwheel drops, adds the bill of materials,
packs it so that equal contents make equal bytes, and audits it again. Nothing appears in the output folder
unless all of that went well. Callers: release.py, and cibuildwheel through the command.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import sbom, wheel_file
from .audit import Report, audit_wheel, require_clean
from .audit_report import ElfRow
from .deliver import deliver
from .epoch import source_epoch
from .errors import AuditError, BuildError
from .runtimes import BY_NAME, library_name
from .wheel_file import Member

_PORTABLE = ("manylinux", "musllinux")
_REMEDY = f"{sys.executable} -m pip install 'threadwheel-build[release]'"


def repair(wheel: Path, folder: Path, epoch_seconds: int, expect: str | None = None) -> Path:
    """Write the release form of `wheel` into `folder`, which is the caller's own; returns its path.

    Raises AuditError when either form contradicts its claims, BuildError when a tool is missing or fails.
    """
    before, claims = require_clean(wheel, expect)
    build_info = json.loads(wheel_file.read(wheel)[claims.source].data)
    with tempfile.TemporaryDirectory(dir=folder) as staging:
        tagged = _with_platform(wheel, build_info, Path(staging))
        members = wheel_file.read(tagged)
        _restore_rpaths(members, before, audit_wheel(tagged), Path(staging))
    _check_licenses(tagged.name, members)
    _add_bill(members, claims.full_version, build_info, epoch_seconds)
    repaired = folder / tagged.name
    wheel_file.write(repaired, members, epoch_seconds)
    after, _ = require_clean(repaired, expect)
    if changes := list(_changes(before, after)):
        lines = "\n".join(f"  {text}" for text in changes)
        raise AuditError(
            f"{wheel.name}: auditwheel changed how it loads its libraries; nothing was delivered:\n{lines}"
        )
    return repaired


def shared_libraries(build_info: Mapping[str, Any]) -> list[str]:
    """The libraries that must stay what the process shares: a grafted, renamed copy would be a second one."""
    runtimes = [BY_NAME[name].shared_as for name in build_info["runtimes"] if name in BY_NAME]
    required = [row.get("shared_as", ()) for row in build_info["libraries"].values()]
    return [name for names in (*runtimes, *required) for name in names]


def tool_environment() -> dict[str, str]:
    """This environment with the programs of the running Python's packages first on PATH, and plain text asked for."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "NO_COLOR": "1"}


def run_tool(module: str, *arguments: str) -> str:
    """Run a Python tool of the extra `release`; returns what it printed, raises BuildError when it fails."""
    command = [sys.executable, "-P", "-m", module, *arguments]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=tool_environment()
    )
    if f"No module named {module}" in done.stdout:
        raise BuildError(f"{module}: is not installed; {_REMEDY}")
    if done.returncode:
        lines = "\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-8:])
        raise BuildError(f"{module}: failed (exit code {done.returncode}); nothing was delivered:\n{lines}")
    return done.stdout


def _with_platform(wheel: Path, build_info: Mapping[str, Any], staging: Path) -> Path:
    """auditwheel's copy of `wheel`, named for the oldest platform that its symbols allow."""
    excluded = [argument for name in shared_libraries(build_info) for argument in ("--exclude", name)]
    out = staging / "tagged"
    run_tool("auditwheel", "repair", *excluded, "-w", str(out), str(wheel))
    found = list(out.glob("*.whl"))
    if len(found) != 1 or not found[0].name.split("-")[-1].startswith(_PORTABLE):
        names = ", ".join(path.name for path in found) or "nothing"
        raise BuildError(f"{wheel.name}: auditwheel made {names}; a release has one wheel with a manylinux tag")
    return found[0]


def _restore_rpaths(members: dict[str, Member], before: Report, after: Report, staging: Path) -> None:
    """Add the RPATH entries that point outside of the wheel back to files that auditwheel grafted a library into."""
    old = {row.path: row for row in before.elves}
    for row in after.elves:
        missing = [entry for entry in old[row.path].rpath if entry not in row.rpath] if row.path in old else []
        if not missing:
            continue
        patchelf = shutil.which("patchelf", path=tool_environment()["PATH"])
        if patchelf is None:
            raise BuildError(f"patchelf: is not installed; {_REMEDY}")
        file = staging / "edited"
        file.write_bytes(members[row.path].data)
        command = [patchelf, "--set-rpath", ":".join([*row.rpath, *missing]), str(file)]
        if code := subprocess.run(command).returncode:
            raise BuildError(f"patchelf: failed (exit code {code}) on {row.path}; nothing was delivered")
        members[row.path] = dataclasses.replace(members[row.path], data=file.read_bytes())


def _check_licenses(name: str, members: dict[str, Member]) -> None:
    info = wheel_file.dist_info(members)
    named = wheel_file.headers(members[f"{info}/METADATA"].data).get_all("License-File", [])
    if not named:
        raise BuildError(f"{name}: METADATA names no License-File; write license-files into [project]")
    if missing := [file for file in named if f"{info}/licenses/{file}" not in members]:
        raise BuildError(f"{name}: METADATA names the licence {missing[0]}, which is not in the wheel; build again")


def _add_bill(members: dict[str, Member], full_version: str, build_info: dict[str, Any], epoch_seconds: int) -> None:
    info = wheel_file.dist_info(members)
    license_expression = wheel_file.headers(members[f"{info}/METADATA"].data).get("License-Expression", "")
    bill = sbom.document(build_info, full_version, str(license_expression), epoch_seconds)
    members[f"{info}/{sbom.file_name(build_info['name'])}"] = Member(json.dumps(bill, indent=2).encode() + b"\n")


def _changes(before: Report, after: Report) -> Iterator[str]:
    """What a repair must leave as it was: every file, the runtimes it shares, and where it looks for them."""
    now = {row.path: row for row in after.elves}
    for row in before.elves:
        if row.path not in now:
            yield f"{row.path}: is gone"
            continue
        yield from (f"{row.path}: lost the RPATH {entry}" for entry in row.rpath if entry not in now[row.path].rpath)
        if _runtime_names(row) != _runtime_names(now[row.path]):
            wanted, found = (", ".join(sorted(_runtime_names(r))) or "none" for r in (row, now[row.path]))
            yield f"{row.path}: needs the runtime {found} instead of {wanted}"
    old = {row.path for row in before.elves}
    yield from (f"{row.path}: is a copy of {row.runtime_library}" for row in after.elves if row.runtime_library and row.path not in old)  # fmt: skip


def _runtime_names(row: ElfRow) -> set[str]:
    return {name for name in row.needed if library_name(name)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `repair`."""
    parser.add_argument("wheel", type=Path, metavar="WHEEL", help="a wheel that was built by threadwheel_build")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="where the repaired wheel goes")
    parser.add_argument("--expect", metavar="LABEL", help="fail unless the wheel has this label")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """The `repair` subcommand."""
    epoch_seconds = source_epoch(args.project)
    with tempfile.TemporaryDirectory(prefix="threadwheel-") as staging:
        path = deliver(repair(args.wheel, Path(staging), epoch_seconds, args.expect), args.out)
    print(json.dumps({"wheel": str(path)}) if args.json else path)
    return 0
