"""How plans are shown: the table for people, JSON for programs, and set() lines for CMake."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from .plan import Plan, Refusal


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows in aligned columns, two spaces apart."""
    texts = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _provided_by(plan: Plan, option: str) -> str:
    """The packages behind a row; a threading option without a library of its own runs on its family's."""
    options = {option}
    if option == plan.table.primary.name:
        options |= {o.name for o in plan.table.of_kind("permit") if o.family == plan.family}
    return "; ".join(lib.provided_by for lib in plan.libraries if lib.option in options)


def _why(plan: Plan, option: str) -> str:
    why = plan.resolution.why[option]
    return f"said by {plan.sources[option]}" if why == "said" else why


def plan_text(plan: Plan) -> str:
    """The table requested / resolved / why / provided by, and the plan's identity."""
    rows = [
        (name, plan.said.get(name, "-"), value or "-", _why(plan, name), _provided_by(plan, name) or "-")
        for name, value in plan.resolved.items()
    ]
    body = table(("option", "requested", "resolved", "why", "provided by"), rows)
    requires = ", ".join(plan.requires) or "nothing"
    return f"{body}\n\nvariant {plan.variant}, version {plan.full_version}, family {plan.family}; the wheel requires {requires}"


def plan_data(plan: Plan) -> dict[str, Any]:
    """The same as plain data; `build_info` is the part that a wheel carries."""
    return {
        "ok": True,
        "variant": plan.variant,
        "label": plan.label,
        "version": plan.full_version,
        "family": plan.family,
        "options": {
            name: {
                "requested": plan.said.get(name),
                "source": plan.sources.get(name),
                "resolved": value,
                "why": _why(plan, name),
                "provided_by": _provided_by(plan, name) or None,
            }
            for name, value in plan.resolved.items()
        },
        "build_requires": plan.build_requires,
        "requires": plan.requires,
    }


def refusal_data(refusal: Refusal) -> dict[str, Any]:
    return {
        "ok": False,
        "problems": [{"rule": p.rule, "options": list(p.options), "text": p.text} for p in refusal.problems],
        "corrected": {"options": refusal.corrected, "line": refusal.line, "unset": list(refusal.unset)},
    }


def build_info(plan: Plan, name: str) -> dict[str, Any]:
    """What a wheel says of itself; CMake adds what it found (library versions, the compiler)."""
    return {
        "schema": 1,
        "name": name,
        "version": plan.version,
        "label": plan.label,
        "default": plan.is_default,
        "family": plan.family,
        "runtimes": list(plan.table.families[plan.family].runtimes),
        "options": {"requested": plan.said, "resolved": plan.resolved},
        "requires": plan.requires,
        "libraries": {
            lib.name: {
                "title": lib.title,
                "threading": plan.resolved.get(lib.option),
                "license": lib.license,
                "purl": lib.purl,
                "requires": list(lib.requires),  # of whoever installs the wheel: then it is not inside
                "shared_as": list(lib.shared_as),
            }
            for lib in plan.libraries
        },
    }


def plan_cmake(plan: Plan, name: str, said_names: Iterable[str]) -> str:
    """`set()` lines, one PLAN_<OPTION> per option; strings are bracket-quoted, so nothing is expanded.

    `said_names` are the options as CMake's cache spells them.
    """
    values = {
        "PLAN_OPTIONS": ";".join(plan.resolved),
        "PLAN_FAMILY": plan.family,
        "PLAN_BACKEND": plan.table.families[plan.family].backend,
        "PLAN_LABEL": plan.label,
        "PLAN_VARIANT": plan.variant,
        "PLAN_VERSION": plan.version,
        "PLAN_KEY": plan.key.replace(";", ","),
        "PLAN_TABLE": plan_text(plan),
        "PLAN_BUILD_INFO": json.dumps(build_info(plan, name)),
    }
    values |= {f"PLAN_{option}": value or "" for option, value in plan.resolved.items()}
    values |= {"PLAN_SAID": ";".join(f"{option}={value}" for option, value in plan.said.items())}
    values |= {"PLAN_SPELLINGS": ";".join(plan.table.spellings)}
    values |= {"PLAN_FORGET": ";".join(said_names), "PLAN_PIP": ";".join(plan.build_requires)}
    return cmake_sets(values | {"PLAN_VARIABLES": ";".join(values)})


def cmake_sets(values: dict[str, str]) -> str:
    return "".join(f"set({key} [==[{value}]==])\n" for key, value in values.items())
