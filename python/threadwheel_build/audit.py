"""Which threading runtimes the ELF files of a wheel, a folder or a library need or define.

Owns the verdict: one runtime per unit, one copy of it, and agreement with the build's own claims, RECORD
and `--expect`; and the command. Reading, comparing and showing are the audit_*.py modules'. Callers: the
build hooks, repair and index (`require_clean`, before a wheel is delivered) and the command line (`add_arguments`, `run`).

What it cannot see: a static copy whose symbols are hidden and stripped; what is opened at run time with
dlopen or ctypes; what libraries outside the unit need in turn; runtimes that are not in runtimes.py;
contents of archives inside a wheel (.a, .zip, .jar) and of 32-bit or big endian files.
"""

from __future__ import annotations

import argparse
import json
import stat
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from . import elf, runtimes
from .audit_claims import check_claims
from .audit_copies import elf_rows, notes, runtime_problems, runtimes_of
from .audit_report import CLEAN, FINDING, UNREADABLE, Claims, Problem, Report, listed, report_data, report_text
from .audit_units import Unit, read_directory, read_library, shown
from .audit_wheels import ZIP_MAGIC, read_wheel
from .errors import AuditError, BuildError, printable
from .options import closest

__all__ = [
    "CLEAN",
    "FINDING",
    "UNREADABLE",
    "Claims",
    "Report",
    "add_arguments",
    "audit_path",
    "audit_wheel",
    "expected_runtimes",
    "report_text",
    "require_clean",
    "run",
]

SCHEMA = 1  # of the JSON output

_READABLE_KINDS = "give wheels, folders or shared libraries"


def audit_wheel(path: Path, expect: str | None = None, project_dir: Path | None = None) -> Report:
    """Audit one wheel, its claims and its RECORD included; what is wrong is in `Report.problems`.

    `expect` is the label it must have. Raises BuildError when that is no known label (see
    `expected_runtimes`; `project_dir` is the current directory unless given), and nothing else.
    """
    expected = _expectation(expect, project_dir)
    return _judge(read_wheel(Path(path)), expected)


def require_clean(path: Path, expect: str | None = None, project_dir: Path | None = None) -> tuple[Report, Claims]:
    """Audit a wheel that must be ours and sound; AuditError with everything that is wrong when it is not."""
    report = audit_wheel(path, expect, project_dir)
    texts = [problem.text for problem in report.problems]
    if report.claims is None:
        texts.append(f"{path.name}: has no build_info.json and no compiled-in plan; the build must write both")
    if texts or report.claims is None:
        lines = "\n".join(f"  {text}" for text in texts)
        raise AuditError(f"threadwheel_build: {path.name} contradicts its plan and is not delivered:\n{lines}")
    return report, report.claims


def audit_path(path: Path, expect: str | None = None, project_dir: Path | None = None) -> list[Report]:
    """Audit a wheel, a library or program, or a folder; wheels in a folder get reports of their own."""
    expected = _expectation(expect, project_dir)
    return [_judge(unit, expected) for unit in _units(Path(path))]


def _units(path: Path) -> list[Unit]:
    unit, is_folder, size_bytes, head = Unit(shown(path), "unreadable"), False, 0, b""
    with unit.reading(unit.path, _READABLE_KINDS):
        status = path.stat()
        is_folder, size_bytes = stat.S_ISDIR(status.st_mode), status.st_size
        if not is_folder:
            if not stat.S_ISREG(status.st_mode):
                raise ValueError("it is no regular file")
            with path.open("rb") as file:
                head = file.read(len(elf.MAGIC))
    if unit.problems:
        return [unit]
    if is_folder:
        folder, wheels = read_directory(path)
        return [*([folder] if folder.facts or folder.problems or not wheels else []), *map(read_wheel, wheels)]
    if elf.is_elf(head):
        return [read_library(path, size_bytes)]
    if path.suffix == ".whl" or head == ZIP_MAGIC:
        return [read_wheel(path)]
    unit.unreadable(unit.path, f"starts with {head.hex(' ') or 'nothing'}", _READABLE_KINDS)
    return [unit]


def expected_runtimes(label: str, project_dir: Path) -> tuple[frozenset[str], ...]:
    """The sets of runtimes that a unit called `label` may have; one of them, no more and no less.

    The first dot-part decides: a family's label of the project's configs/options.toml, else the name of
    a class or of a runtime. Raises BuildError with the choices for an unknown label.
    """
    openmp_names = [name for name in runtimes.BY_NAME if runtimes.class_of(name) == runtimes.OPENMP_CLASS]
    openmp = tuple(frozenset({name}) for name in (*openmp_names, runtimes.ANY_OPENMP))
    known: dict[str, tuple[frozenset[str], ...]] = {name: (frozenset({name}),) for name in runtimes.BY_NAME}
    known |= {"omp": openmp, runtimes.OPENMP_CLASS: openmp} | dict.fromkeys(("native", "none", "seq"), (frozenset(),))
    known |= _project_labels(project_dir / "configs" / "options.toml")
    if found := known.get(label.partition(".")[0]):
        return found
    near = closest(label, known)
    hint = f"did you mean {near!r}? " if near else ""
    raise BuildError(f"--expect {label}: is no known label; {hint}its first part is one of {', '.join(sorted(known))}")


def _project_labels(table: Path) -> dict[str, tuple[frozenset[str], ...]]:
    if not table.is_file():
        return {}
    try:
        families = tomllib.loads(table.read_text(encoding="utf-8"))["families"].values()
        rows = [(family["label"], family["runtimes"]) for family in families]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        rule = "each has a label and a list of runtimes"
        raise BuildError(f"{table}: the families cannot be read: {err}; {rule}") from None
    for label, names in rows:
        if unknown := [name for name in names if name not in runtimes.BY_NAME]:
            choices = ", ".join(runtimes.BY_NAME)
            raise BuildError(f"{table}: family {label} has the runtime {unknown[0]!r}; the audit knows {choices}")
    return {label: (frozenset(names),) for label, names in rows}


@dataclass(frozen=True, slots=True)
class _Expectation:
    label: str
    allowed: tuple[frozenset[str], ...]


def _expectation(label: str | None, project_dir: Path | None) -> _Expectation | None:
    return None if label is None else _Expectation(label, expected_runtimes(label, project_dir or Path()))


def _judge(unit: Unit, expected: _Expectation | None) -> Report:
    """From everything read of a unit to its report; the only place that decides."""
    rows = elf_rows(unit)
    found = runtimes_of(rows)
    problems = [*unit.problems, *runtime_problems(unit, rows)]
    unknown = {facts.not_examined for facts in unit.facts if facts.is_loaded}
    if unknown and None not in unknown:
        why = f"none of its ELF files is examined: {listed(map(str, unknown))}"
        problems.append(Problem("unreadable", f"{unit.path}: {why}; give another build of it"))
    if not rows and any(problem.kind == "unreadable" for problem in problems):
        # Without a single file there is nothing to compare claims or expectations with.
        return Report(unit.path, "unreadable", (), (), None, (), tuple(problems))
    claims, contradictions = check_claims(unit, rows)
    problems += contradictions
    if expected is not None:
        problems += _expect_problems(unit, expected, claims, found)
    # A member that cannot be read fails twice: when it is examined and when it is compared with RECORD.
    return Report(unit.path, unit.kind, rows, found, claims, tuple(notes(unit)), tuple(dict.fromkeys(problems)))


def _expect_problems(
    unit: Unit, expected: _Expectation, claims: Claims | None, found: tuple[str, ...]
) -> list[Problem]:
    texts = []
    if claims is not None and claims.label != expected.label:
        said_label = f"{claims.source} says the label {claims.label}"
        texts.append(f"{unit.path}: {said_label} but {expected.label} is expected; give the wheel of that label")
    # What claims and files say of each other is check_claims's: here only the claimed set is compared,
    # because one library of a build need not use all of it.
    said = set(found) if claims is None else set(claims.runtimes)
    if said not in expected.allowed:
        choices = " or ".join(dict.fromkeys(listed(names) for names in expected.allowed))
        verb = "needs or defines" if claims is None else "claims"
        texts.append(f"{unit.path}: {verb} {listed(said)} but {expected.label} is expected; that is {choices}")
    return [Problem("expect-mismatch", text) for text in texts]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `audit`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = (
        "For every ELF file: the threading runtimes (GNU OpenMP, LLVM or Intel OpenMP, TBB) that it needs or\n"
        "defines, from DT_NEEDED and from its symbols, and RPATHs that point outside. Each PATH is judged by itself."
    )
    parser.epilog = (
        "exit code: 0 clean; 1 two runtimes, two copies of one, or a mismatch with the build's own claims or with\n"
        "--expect; 2 a mistake in what was asked, or something that cannot be read\n\n"
        "not seen: a static copy whose symbols are hidden and stripped; what dlopen or ctypes opens at run time;\n"
        "what libraries outside PATH need in turn; other runtimes; 32-bit and big endian files (named in the report)"
    )
    paths_help = "a wheel, a folder, a shared library or a program"
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=paths_help)
    expect_help = "fail unless it is this: a label of the project, omp, tbb, native, or a runtime's name"
    parser.add_argument("--expect", metavar="LABEL", help=expect_help)
    parser.add_argument("--json", action="store_true", help='print JSON: {"schema": 1, "reports": [...]}')


def run(args: argparse.Namespace) -> int:
    """Run `audit` on `args` of `add_arguments`; prints the reports and returns the exit code."""
    project_dir = getattr(args, "project", None)
    try:
        reports = [report for path in args.paths for report in audit_path(path, args.expect, project_dir)]
    except BuildError as err:
        print(err, file=sys.stderr)
        return err.exit_code
    readable = [report_text(report) for report in reports if report.kind != "unreadable"]
    if args.json:
        print(json.dumps({"schema": SCHEMA, "reports": [report_data(report) for report in reports]}, indent=2))
    elif readable:
        _print("\n\n".join(readable), sys.stdout)
    for report in reports:
        if report.kind == "unreadable":
            for problem in report.problems:
                _print(problem.text, sys.stderr)
    return max(report.exit_code for report in reports)


def _print(text: str, stream: TextIO) -> None:
    encoding = stream.encoding or "utf-8"
    print(printable(text).encode(encoding, "backslashreplace").decode(encoding), file=stream)
