"""Results of contenders, goals, and both as tables."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """Who is measured, and in which setting."""

    name: str
    setting: str

    def __str__(self) -> str:
        return f"{self.name}, {self.setting}"


Result = dict[str, float]
Series = dict[Contender, list[Result]]  # a result a round


def middle(series: Series, contender: Contender, field: str) -> float:
    return statistics.median(result[field] for result in series[contender])


def best(series: Series, name: str, field: str, largest: bool = False) -> Contender:
    """The setting at which a peer does best."""
    settings = [contender for contender in series if contender.name == name]
    return (max if largest else min)(settings, key=lambda contender: middle(series, contender, field))


@dataclass(frozen=True)
class Goal:
    """A bound on a field of one contender, or on its ratio to a peer's in the same round."""

    contender: Contender
    field: str
    bound: float
    peer: Contender | None = None
    at_least: bool = False

    def text(self) -> str:
        bound = f"{self.field} {'>=' if self.at_least else '<='} {self.bound:g}"
        return f"{bound} x {self.peer}" if self.peer else bound

    def measured(self, series: Series) -> list[float]:
        own = [result[self.field] for result in series[self.contender]]
        if self.peer is None:
            return own
        return [a / b[self.field] for a, b in zip(own, series[self.peer], strict=True)]

    def row(self, series: Series) -> list[str]:
        values = self.measured(series)
        value = statistics.median(values)
        holds = value >= self.bound if self.at_least else value <= self.bound
        return [self.text(), f"{value:.3g} ({min(values):.3g} to {max(values):.3g})", "yes" if holds else "**no**"]


@dataclass(frozen=True)
class Figure:
    title: str
    series: Series
    goals: list[Goal]

    def fields(self) -> list[str]:
        return list(dict.fromkeys(field for results in self.series.values() for field in results[0]))

    def markdown(self) -> str:
        fields = self.fields()
        header = ["contender", "setting", *fields, "goal", "measured", "holds"]
        lines = [f"## {self.title}", "", f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
        for contender, results in self.series.items():
            cells = [f"{middle(self.series, contender, f):.4g}" if f in results[0] else "" for f in fields]
            row = [contender.name, contender.setting, *cells]
            goals = [goal.row(self.series) for goal in self.goals if goal.contender == contender]
            for goal in goals or [["", "", ""]]:
                lines.append(f"| {' | '.join([*row, *goal])} |")
                row = [""] * len(row)
        return "\n".join(lines)

    def to_json(self) -> dict[str, object]:
        series = {str(contender): results for contender, results in self.series.items()}
        return {"title": self.title, "series": series, "goals": [[str(g.contender), *g.row(self.series)] for g in self.goals]}  # fmt: skip
