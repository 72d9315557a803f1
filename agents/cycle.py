"""Measurements of many participants at one instant, as TSO and DSO hear them: most say the same as the cycle before.

cycle before, cycle now ─▶ who says something else            everybody in it was heard at its time
"""

from collections.abc import Iterable
from typing import NamedTuple

from ..protocols.information.activation import Measurement
from .identity import ByIdentity


class Cycle(NamedTuple):
    """Who, what each said when it last changed, and when it is now; the same `names` are the same object."""

    names: tuple[str, ...]
    said: tuple[Measurement, ...]
    at_us: int

    def news(self, before: "Cycle | None") -> list[tuple[str, Measurement]]:
        """Who says something else than in the cycle before, if the same were heard in it; else everybody."""
        pairs = zip(self.names, self.said, strict=True)
        if before is None or before.names is not self.names:
            return list(pairs)
        return [pair for pair, last in zip(pairs, before.said, strict=True) if pair[1] is not last]


_members = ByIdentity[tuple[str, ...], frozenset[str]](frozenset)


def members(cycle: Cycle) -> frozenset[str]:
    """Who is heard in a cycle, to look somebody up among thousands."""
    return _members.of(cycle.names)


def taken_us(measured_us: int, now_us: int, most_us: int) -> int | None:
    """When something that is heard now counts as measured: now, if it is dated later, as no two clocks are the same.

    None if it is dated later by more than `most_us`, so that nobody knows when it was.
    """
    return None if measured_us > now_us + most_us else min(measured_us, now_us)


def heard_us(cycle: Cycle | None, name: str, by_itself_us: int) -> int:
    """When somebody was last heard, in a cycle or by itself."""
    if cycle is None or cycle.at_us <= by_itself_us or name not in members(cycle):
        return by_itself_us
    return cycle.at_us


def covers(cycle: Cycle | None, names: Iterable[str], since_us: int) -> bool:
    """Whether all of these have been heard in a cycle, and not before an instant."""
    return cycle is not None and cycle.at_us >= since_us and members(cycle).issuperset(names)
