"""What the audit's tests share: ways to run it, and to read what it found."""

from __future__ import annotations

import argparse
from pathlib import Path

from threadwheel_build import audit


def command(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    audit.add_arguments(parser)
    return audit.run(parser.parse_args(list(map(str, arguments))))


def kinds(report: audit.Report) -> list[str]:
    return sorted(problem.kind for problem in report.problems)


def text_of(report: audit.Report, kind: str) -> str:
    (text,) = (problem.text for problem in report.problems if problem.kind == kind)
    return text


def library(path: Path, expect: str | None = None) -> audit.Report:
    (report,) = audit.audit_path(path, expect)
    return report
