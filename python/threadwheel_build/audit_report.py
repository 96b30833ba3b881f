"""What an audit says of one unit: the report with its verdict, and how it is shown as text and as JSON.

Owns the data that the other audit modules fill and that callers read. Decides nothing: what is a problem
or a note is the business of audit_units.py, audit_wheels.py, audit_copies.py, audit_claims.py and audit.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from . import runtimes

# Exit codes of the command.
CLEAN, FINDING, UNREADABLE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding that fails the audit; `kind` is stable.

    mixed-runtimes, two-copies, claims-mismatch, expect-mismatch, record, unsafe-name, unsafe-member; and
    unreadable for what could not be examined, so that nothing can be said about the rest.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know that fails nothing; `level` is "note" or "warning", `elf` the file it is about."""

    level: str
    elf: str
    text: str


@dataclass(frozen=True, slots=True)
class ElfRow:
    """What one ELF file needs and defines: names of runtimes.RUNTIMES, and ANY_OPENMP for `needs`.

    `runtime_library` is the runtime whose shared library this file is, by its name or SONAME.
    `not_examined` says why nothing else is known.
    """

    path: str
    soname: str | None
    needed: tuple[str, ...]
    needs: tuple[str, ...]
    defines: tuple[str, ...]
    runtime_library: str | None
    rpath: tuple[str, ...]
    not_examined: str | None


@dataclass(frozen=True, slots=True)
class Claims:
    """What the build says it made: build_info.json, and the same text embedded in the ELF files."""

    source: str
    name: str
    version: str
    label: str
    default: bool
    runtimes: tuple[str, ...]
    requires: tuple[str, ...]

    @property
    def full_version(self) -> str:
        """What METADATA and the file name must say, unless a wheel variant's name has the label at its end."""
        return self.version if self.default else f"{self.version}+{self.label}"


@dataclass(frozen=True, slots=True)
class Report:
    """The audit of one unit; `kind` is "wheel", "directory", "library", or "unreadable"."""

    path: str
    kind: str
    elves: tuple[ElfRow, ...]
    runtimes: tuple[str, ...]
    claims: Claims | None
    notes: tuple[Note, ...]
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> int:
        """CLEAN, FINDING, or UNREADABLE where something could not be examined."""
        if any(problem.kind == "unreadable" for problem in self.problems):
            return UNREADABLE
        return FINDING if self.problems else CLEAN

    @property
    def verdict(self) -> str:
        """The outcome in one line."""
        if self.problems:
            kinds = sorted({problem.kind for problem in self.problems})
            return f"{_counted(len(self.problems), 'problem')} ({', '.join(kinds)})"
        if not self.elves:
            return "clean: no ELF files"
        num_skipped = sum(row.not_examined is not None for row in self.elves)
        rest = f", {_counted(num_skipped, 'ELF file')} not examined" if num_skipped else ""
        return f"clean: {', '.join(self.runtimes) or 'no threading runtime'}{rest}"


def report_data(report: Report) -> dict[str, Any]:
    """One report as the JSON output has it; its keys are stable within a schema.

    `elves`, `claims`, `notes` and `problems` have the fields of ElfRow, Claims, Note and Problem; `ok`
    means no problems; `classes` are "openmp" and "tbb"; `claims` is null for anybody else's unit.
    """
    fields = asdict(report)
    return {
        "path": report.path,
        "kind": report.kind,
        "ok": not report.problems,
        "verdict": report.verdict,
        "runtimes": report.runtimes,
        "classes": sorted({runtimes.class_of(name) for name in report.runtimes}),
        **{key: fields[key] for key in ("claims", "elves", "notes", "problems")},
    }


def report_text(report: Report) -> str:
    """One report for people: the files that have something to say, then notes, problems, verdict."""
    noted = {note.elf for note in report.notes}
    shown = [
        row for row in report.elves if row.needs or row.defines or row.runtime_library or row.rpath or row.path in noted
    ]
    lines = [f"{report.path} ({report.kind}, {_counted(len(report.elves), 'ELF file')})"]
    if shown:
        lines += _table([("ELF", "needs", "defines", "rpath", "notes"), *(_cells(row, report) for row in shown)])
    skipped = Counter(row.not_examined for row in report.elves if row.not_examined)
    lines += [f"  {_counted(count, 'ELF file')} not examined: {why}" for why, count in sorted(skipped.items())]
    if rest := sum(row not in shown and not row.not_examined for row in report.elves):
        lines.append(f"  {_counted(rest, 'ELF file')} with no threading runtime and no RPATH")
    lines += [f"  {note.level}: {note.elf}: {note.text}" for note in report.notes]
    lines += [f"  problem: [{problem.kind}] {problem.text}" for problem in report.problems]
    return "\n".join([*lines, f"  verdict: {report.verdict}"])


def listed(names: Iterable[str], limit: int = 5) -> str:
    """`names` in one line, sorted; only the first `limit` of them and how many more there are."""
    found = sorted(names)
    more = f" and {len(found) - limit} more" if len(found) > limit else ""
    return (", ".join(found[:limit]) or "none") + more


def _cells(row: ElfRow, report: Report) -> tuple[str, ...]:
    num_notes = sum(note.elf == row.path for note in report.notes)
    notes = [f"is {row.runtime_library}"] if row.runtime_library else []
    notes += [f"{num_notes} below"] if num_notes else []
    needs, defines = (", ".join(names) or "-" for names in (row.needs, row.defines))
    return (row.path, needs, defines, ":".join(row.rpath) or "-", ", ".join(notes))


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return [f"  {'  '.join(cells)}".rstrip() for cells in padded]


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
