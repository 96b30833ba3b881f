"""The variants as CI jobs, and the verdict of every combination of options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .correction import correct
from .decision import decide
from .options import OptionTable, Variant
from .plan import label_of, resolve
from .sources import Heard


@dataclass(frozen=True)
class Job:
    """One variant as a CI job runs it."""

    variant: str
    label: str
    family: str
    release: bool
    description: str
    wheel_session: str
    test_session: str


def job_of(table: OptionTable, variant: Variant) -> Job:
    """The job of one variant; raises RefusedError when its file makes no plan."""
    heard = Heard()
    for name, value in variant.options.items():
        heard.say(name, value, f"variant {variant.name}")
    plan = decide(table, heard)
    return Job(variant.name, plan.label, plan.family, variant.release, variant.description, f"wheel-{variant.name}", f"test-{variant.name}")  # fmt: skip


def jobs(table: OptionTable) -> list[Job]:
    """Every variant of configs/variants/, releases first."""
    found = [job_of(table, v) for v in table.variants.values()]
    order = list(table.families)
    return sorted(found, key=lambda j: (not j.release, order.index(j.family), j.variant))


def verdict(table: OptionTable, said: dict[str, str]) -> dict[str, Any]:
    """What one combination comes to: a label, or the rules it breaks and the accepted options nearest to it."""
    resolution = resolve(table, said)
    if not resolution.problems:
        return {
            "said": said,
            "ok": True,
            "label": label_of(table, resolution),
            "resolved": resolution.resolved,
            "rules": [],
        }
    rules = sorted({p.rule for p in resolution.problems})
    return {"said": said, "ok": False, "rules": rules, "corrected": correct(table, said)[0]}
