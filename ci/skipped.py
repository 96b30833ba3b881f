"""Fail when a test was skipped wherever it was run: `python3 ci/skipped.py REPORT...`.

A report is what pytest's --junit-xml writes; the session `skipped` has one of each release variant. A skip says
"not with this wheel": one that every wheel says hides a test that nobody runs.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def skips_of(report: Path) -> dict[str, str]:
    """Every test of a report, with the reason where it was skipped and an empty text where it ran."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        skip = case.find("skipped")
        found[f"{case.get('classname')}::{case.get('name')}"] = "" if skip is None else skip.get("message") or "skipped"
    return found


def skipped_everywhere(reports: list[dict[str, str]]) -> dict[str, str]:
    """The tests that ran in no report, with a reason."""
    reasons = {name: reason for report in reports for name, reason in report.items()}
    ran = {name for report in reports for name, reason in report.items() if not reason}
    return {name: reason for name, reason in reasons.items() if name not in ran}


def main(arguments: list[str]) -> int:
    found = skipped_everywhere([skips_of(Path(argument)) for argument in arguments])
    for name, reason in sorted(found.items()):
        print(f"{name}: is skipped with every wheel ({reason}); make it run with one, or remove it", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
