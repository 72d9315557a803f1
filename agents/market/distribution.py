"""How a demand for aFRR is shared by the offers under control: down the merit order, or pro rata.

    merit_order   cheapest first; the last one in part                 (as PICASSO selects)
    pro_rata      everybody the same share of what he has accepted

Shares are to 1 kW, the resolution of set-points, and add up to the demand to 1 kW. A demand has one sign, so no two
directions are ever wanted at once.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

Distribution = Literal["merit_order", "pro_rata"]
DIGITS = 3


class Portion(NamedTuple):
    """The most that may be wanted of one offer, limits kept."""

    offer_id: str
    participant: str
    most_mw: float


class Walk(NamedTuple):
    """The offers under control of one period in merit order, per direction, prepared for every cycle of it."""

    period: str = ""
    end_us: int = 0
    up: tuple[Portion, ...] = ()
    down: tuple[Portion, ...] = ()

    @property
    def up_mw(self) -> float:
        """The most that can be asked for upwards."""
        return round(sum(portion.most_mw for portion in self.up), DIGITS)

    @property
    def down_mw(self) -> float:
        """The most that can be asked for downwards."""
        return round(sum(portion.most_mw for portion in self.down), DIGITS)


def shares(walk: Walk, demand_mw: float, distribution: Distribution) -> list[tuple[Portion, float]]:
    """Signed MW (+ up) of every offer that is wanted, in merit order; at most what the walk holds."""
    sign, portions = (1.0, walk.up) if demand_mw >= 0 else (-1.0, walk.down)
    share = _merit_order if distribution == "merit_order" else _pro_rata
    return [(portion, sign * power_mw) for portion, power_mw in share(portions, round(abs(demand_mw), DIGITS))]


def _merit_order(portions: Sequence[Portion], demand_mw: float) -> Iterable[tuple[Portion, float]]:
    left_mw = demand_mw
    for portion in portions:
        if left_mw <= 0:
            return
        power_mw = min(portion.most_mw, left_mw)
        yield portion, power_mw
        left_mw = round(left_mw - power_mw, DIGITS)


def _pro_rata(portions: Sequence[Portion], demand_mw: float) -> Iterable[tuple[Portion, float]]:
    """Shares are rounded on their running sum, so that they add up."""
    held_mw = sum(portion.most_mw for portion in portions)
    part = min(1.0, demand_mw / held_mw) if held_mw > 0 else 0.0
    before_mw = reached_mw = 0.0
    for portion in portions:
        reached_mw += part * portion.most_mw
        power_mw = round(reached_mw, DIGITS) - round(before_mw, DIGITS)
        before_mw = reached_mw
        if power_mw > 0:
            yield portion, min(round(power_mw, DIGITS), portion.most_mw)


def by_participant(shared: Iterable[tuple[Portion, float]]) -> dict[str, float]:
    """Signed MW of every participant that something is wanted of."""
    found: dict[str, float] = {}
    for portion, power_mw in shared:
        found[portion.participant] = round(found.get(portion.participant, 0.0) + power_mw, DIGITS)
    return found
