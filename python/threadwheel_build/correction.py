"""The corrected option line of a refusal: the accepted options nearest to what was said.

One candidate per family, each built from what was said by dropping or changing as little as
possible; the cheapest that resolves without a problem wins.
"""

from __future__ import annotations

from collections.abc import Mapping

from .options import ANY_FAMILY, Option, OptionTable
from .plan import cross_product, label_of, resolve

# What a user loses by a change, in the order of how much they meant it: the family they asked for,
# a permit they denied, a library they asked for, a detail. An addition costs almost nothing. What an
# option line cannot reach (the environment) is touched only when nothing else is left.
_CHANGE_FAMILY, _CHANGE_DENIAL, _DROP_FEATURE, _DROP_DETAIL, _DROP_PERMIT, _ADD = 10.0, 4.0, 3.0, 2.0, 1.0, 0.1
_FIXED = 1000.0


class _Candidate:
    """`said` bent towards one family, with what that cost."""

    def __init__(self, table: OptionTable, family: str, said: Mapping[str, str], fixed: frozenset[str]) -> None:
        self.table, self.family, self.fixed = table, family, fixed
        self.options = dict(said)
        self.cost = 0.0
        self.changed: list[str] = []
        self._primary()
        self._features()
        self._details()
        self._permits()

    def _pay(self, name: str, cost: float) -> None:
        self.cost += cost + (_FIXED if name in self.fixed else 0)
        self.changed.append(name)

    def _drop(self, name: str, cost: float) -> None:
        self._pay(name, cost)
        del self.options[name]

    def _primary(self) -> None:
        option = self.table.primary
        value = next(v for v, f in option.families.items() if f == self.family)
        current = self.options.get(option.name)
        if current is None:
            if value != option.default:
                self.options[option.name] = value
                self.cost += _ADD
        elif option.families[current] != self.family:
            self._pay(option.name, _CHANGE_FAMILY)
            self.options[option.name] = value

    def _has_build(self, option: Option) -> bool:
        value = self.options.get(option.name)
        if value is not None and option.families[value] in (self.family, ANY_FAMILY):
            return True
        return option.default_for(self.family) is not None

    def _features(self) -> None:
        """Drop a feature whose library has no build of this family."""
        for option in self.table.of_kind("threading"):
            if not self._has_build(option):
                for name, value in option.applies.items():
                    if self.options.get(name) == value:
                        self._drop(name, _DROP_FEATURE)

    def _details(self) -> None:
        values = resolve(self.table, self.options).resolved
        for option in self.table.of_kind("threading"):
            name = option.name
            if name == self.table.primary.name or name not in self.options:
                continue
            if values[name] is None or option.families[self.options[name]] not in (self.family, ANY_FAMILY):
                self._drop(name, _DROP_DETAIL)

    def _permits(self) -> None:
        for option in self.table.of_kind("permit"):
            name, value = option.name, self.options.get(option.name)
            if option.family == self.family:
                if value == "OFF":
                    self._drop(name, _CHANGE_DENIAL)
                if option.default == "OFF" and value != "ON":
                    self.options[name] = "ON"
                    self.cost += _ADD
            elif value == "ON":
                self._drop(name, _DROP_PERMIT)


def options_for_label(table: OptionTable, label: str) -> dict[str, str]:
    """The fewest options that make the plan of this label; the defaults when none does."""
    combinations = sorted(cross_product(table), key=len)
    return next((said for said in combinations if _label(table, said) == label), {})


def _label(table: OptionTable, said: dict[str, str]) -> str | None:
    resolution = resolve(table, said)
    return None if resolution.problems else label_of(table, resolution)


def correct(
    table: OptionTable, said: Mapping[str, str], fixed: frozenset[str] = frozenset()
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The nearest accepted options to `said`, and which names of `fixed` had to give way.

    `fixed` names what the option line cannot change: values from the environment.
    """
    candidates = [_Candidate(table, family, said, fixed) for family in table.primary.families.values()]
    accepted = [c for c in candidates if not resolve(table, c.options).problems]
    default = {table.primary.name: str(table.primary.default)}
    if not accepted:
        return default, tuple(name for name in said if name in fixed)
    best = min(accepted, key=lambda c: c.cost)
    options = best.options or default
    ordered = {name: options[name] for name in table.options if name in options}
    return ordered, tuple(name for name in best.changed if name in fixed)
