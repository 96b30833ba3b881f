"""dynamic-metadata provider: the version with its label, and Requires-Dist, of the plan in force.

The build hooks set the plan in the same process just before the build engine asks. An sdist carries
the version of the plan it was made with, because front ends compare it with the wheel's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .plan import Plan

_current: Plan | None = None


def set_plan(plan: Plan) -> None:
    """Make `plan` the one that the next metadata describes."""
    global _current
    _current = plan


def dynamic_metadata(settings: Mapping[str, Any], project: Mapping[str, Any]) -> dict[str, Any]:
    """The dynamic fields of `[project]`: version and dependencies."""
    if _current is None:
        raise RuntimeError("threadwheel_build.metadata: no plan; build through the backend threadwheel_build")
    return {"version": _current.full_version, "dependencies": _current.requires}


def dynamic_wheel(settings: Mapping[str, Any]) -> dict[str, bool]:
    """What may differ between the sdist and a wheel built from it."""
    return {"dependencies": True}
