"""What each limit of a DSO changes: the most that a resource might still do before, and whether it lifts that.

A limit without a binding constraint that allows at least what was allowed before is a lift: nothing limits any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from ...protocols.information.quantities import instant

Row = Mapping[str, Any]
Limited = tuple[str, str]
SAME_MW = 1e-6


@dataclass(frozen=True, slots=True)
class LimitStep:
    """One limit of a request, from when it holds, and the MW that the one before it allowed (infinite: none)."""

    request: Row
    limit: Row
    at_us: int
    before_mw: float

    @property
    def limited(self) -> Limited:
        """Resource and direction."""
        return self.limit["resource"], self.limit["direction"]

    @property
    def max_mw(self) -> float:
        """MW that it allows."""
        return float(self.limit["max_mw"])

    @property
    def renews(self) -> bool:
        """Whether it repeats the limit before it, for as long again."""
        return not self.lifts and abs(self.max_mw - self.before_mw) < SAME_MW

    @property
    def lifts(self) -> bool:
        """Whether it ends the limit before it instead of limiting."""
        if self.limit["kind"] != "cap" or self.limit["binding"] is not None:
            return False
        return self.before_mw == inf or self.max_mw >= self.before_mw


def limit_steps(requests: Iterable[Row]) -> list[LimitStep]:
    """The limits of limit requests in the order in which they hold: from receipt, or from sending if they were lost."""
    timed = sorted((instant(row["received_at"] or row["sent_at"]), int(row["sequence"]), row) for row in requests)
    in_force: dict[Limited, tuple[float, int]] = {}
    steps = []
    for at_us, _, request in timed:
        for limit in request["content"]["limits"]:
            allowed_mw, until_us = in_force.get((limit["resource"], limit["direction"]), (inf, at_us))
            step = LimitStep(request, limit, at_us, allowed_mw if until_us > at_us else inf)
            in_force[step.limited] = (inf if step.lifts else step.max_mw, instant(limit["valid_until"]))
            steps.append(step)
    return steps


def lifted_and_renewed(requests: Iterable[Row]) -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
    """(message, offer) of what ends a limit, and of what only repeats one."""
    steps = [(step, (step.request["id"], step.limit["offer_id"])) for step in limit_steps(requests)]
    lifts = frozenset(key for step, key in steps if step.lifts)
    return lifts, frozenset(key for step, key in steps if step.renews)
