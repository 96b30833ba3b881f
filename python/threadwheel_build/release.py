"""`threadwheel_build release`: the wheels of variants as they are published.

Builds what is stale (wheelhouse.py), repairs it (repair.py), has twine check it, and puts it into
OUT/VARIANT/, where a wheel appears whole or not at all. Made twice from one commit a wheel has the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from .deliver import deliver
from .epoch import source_epoch
from .errors import AuditError, BuildError
from .matrix import jobs
from .options import OptionTable, load_table, project_settings
from .repair import repair, run_tool
from .wheelhouse import build_variant, input_names


def release_variant(table: OptionTable, variant: str, out: Path, epoch_seconds: int) -> dict[str, Any]:
    """Build, repair, check and deliver one variant; returns what a report says of it."""
    project = table.root.resolve()
    _say(variant, "building")
    stamp = build_variant(table, variant, project / "dist" / variant)
    with tempfile.TemporaryDirectory(prefix="release-", dir=project / "build") as staging:
        _say(variant, "repairing and auditing")
        repaired = repair(Path(stamp["wheel"]), Path(staging), epoch_seconds, stamp["label"])
        _say(variant, "checking")
        _check_size(repaired, project_settings(project).get("max-release-bytes"))
        run_tool("twine", "check", "--strict", str(repaired))
        sha256 = hashlib.sha256(repaired.read_bytes()).hexdigest()
        wheel = deliver(repaired, out / variant)
    _say(variant, f"delivered {wheel}")
    return {
        "variant": variant,
        "label": stamp["label"],
        "wheel": str(wheel.resolve()),
        "sha256": sha256,
        "size_bytes": wheel.stat().st_size,
        "platform": wheel.stem.split("-")[-1],
        "source_date_epoch": epoch_seconds,
    }


def _say(variant: str, what: str) -> None:
    print(f"release: {variant}: {what}", file=sys.stderr, flush=True)


def _check_size(wheel: Path, limit_bytes: object) -> None:
    if limit_bytes is None:
        return
    if not isinstance(limit_bytes, int):
        raise BuildError(f"pyproject.toml: max-release-bytes is {limit_bytes!r}; it is a whole number of bytes")
    if (size_bytes := wheel.stat().st_size) > limit_bytes:
        text = (
            f"has {size_bytes} bytes; [tool.threadwheel] max-release-bytes allows {limit_bytes}, nothing was delivered"
        )
        raise AuditError(f"{wheel.name}: {text}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `release`."""
    what = "a file of configs/variants/, without .toml (default: every variant that says release)"
    parser.add_argument("variant", nargs="*", help=what)
    parser.add_argument(
        "-o", "--out", type=Path, metavar="DIR", help="wheels go to DIR/VARIANT (default: dist/release)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.epilog = (
        "The time in the wheels is that of the commit, or $SOURCE_DATE_EPOCH. Tools: threadwheel-build[release]. "
        "exit code: 0 delivered; 1 a wheel contradicts its plan or is too large; 2 a mistake in what was asked"
    )


def run(args: argparse.Namespace) -> int:
    """The `release` subcommand."""
    from .report import table as text_table

    table = load_table(args.project)
    variants = args.variant or [job.variant for job in jobs(table) if job.release]
    epoch_seconds = source_epoch(table.root, input_names(table.root))
    out = args.out or table.root / "dist" / "release"
    rows = [release_variant(table, variant, out, epoch_seconds) for variant in variants]
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        cells = [(r["variant"], Path(r["wheel"]).name, f"{r['size_bytes'] / 1e6:.1f} MB", r["sha256"]) for r in rows]
        print(text_table(("variant", "wheel", "size", "sha256"), cells))
    return 0
