"""What is allowed in a scenario and yet is hardly meant: told by `gridpact check`, each in one sentence.

    hints              from the description alone: ticks longer than ramps, needs that nobody can cover
    hints_of_grids     once the grids are built (linting_grids.py)

What cannot be run at all is an error, and not told here: a bus without supply, an offer above what its unit can do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .schema import Scenario

Path = tuple[str | int, ...]


class Hint(NamedTuple):
    """What is odd, and the path in the scenario where it stands."""

    path: Path
    text: str

    def told(self, places: Mapping[Path, str]) -> str:
        """With file and line, where they are known."""
        ways = (self.path[:length] for length in range(len(self.path), 0, -1))
        place = next((f"{places[way]}: " for way in ways if way in places), "")
        return f"warning: {place}{'.'.join(map(str, self.path))}: {self.text}"


def hints(scenario: Scenario) -> Iterator[Hint]:
    """What the description alone shows."""
    yield from _ramps(scenario)
    yield from _needs(scenario)


def _ramps(scenario: Scenario) -> Iterator[Hint]:
    ticks = scenario.ticks
    longest_s = max(ticks.control_s, ticks.measurement_s, ticks.monitoring_s)
    for name, provider in scenario.connected.items():
        ramp_s = provider.response.ramping_s
        if provider.fcr is None and ramp_s < longest_s:
            text = f"{name} ramps in {ramp_s:g} s, less than a tick of {longest_s:g} s: its ramp is never seen"
            yield Hint(("participants", name, "response", "ramping_s"), f"{text}; shorten the ticks")


def _needs(scenario: Scenario) -> Iterator[Hint]:
    for index, need in enumerate(scenario.market.needs):
        offered = sum(
            offer.quantity_mw
            for provider in scenario.connected.values()
            for offer in provider.offers
            if (offer.product, offer.direction) == (need.product, need.direction)
        )
        if offered < need.quantity_mw and scenario.swarm is None:
            text = f"the TSO needs {need.quantity_mw:g} MW of {need.product} {need.direction}, but {offered:g} MW"
            yield Hint(("market", "needs", index, "quantity_mw"), f"{text} are offered in all")
