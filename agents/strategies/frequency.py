"""How much aFRR the TSO asks for in a control cycle: the load-frequency controller.

    ACE, what is under control ─▶ FrequencyController.step(before, sample) ─▶ Controller: demand and memory ─▶ shares

The TSO keeps the demand within what is under control, whatever a controller says. A missing measurement never reaches
it: the TSO holds the last demand, and the next sample comes with `before.at_us` None, because time has gone unseen.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..errors import StrategyError
from ..market.regulation import Controller, Tuning, held, step


class Sample(NamedTuple):
    """The area control error (MW, negative: short) at a time, and what can be asked for upwards and downwards."""

    ace_mw: float
    at_us: int
    up_mw: float
    down_mw: float
    control_us: int


class FrequencyController(Protocol):
    """Decides the demand for aFRR."""

    def step(self, before: Controller, sample: Sample) -> Controller:
        """The controller after a sample: demand (+ up) and what it must remember (`memory`, numbers); pure."""


@dataclass(frozen=True)
class ProportionalIntegral:
    """PI controller with conditional integration against windup; without values of its own those of market.afrr."""

    beta: float = 0.2
    integration_s: float = 150.0

    def __post_init__(self) -> None:
        """Raises ValueError for a tuning that does not control."""
        if not (self.beta >= 0 and self.integration_s > 0):
            raise ValueError(f"beta {self.beta:g} must be at least 0, integration_s {self.integration_s:g} above 0")

    def step(self, before: Controller, sample: Sample) -> Controller:
        """The demand as `market/regulation.py` has it."""
        tuning = Tuning(self.beta, round(self.integration_s * 1_000_000), sample.control_us)
        return step(before, sample.ace_mw, sample.at_us, room_mw=(sample.up_mw, sample.down_mw), tuning=tuning)


def controlled(controller: FrequencyController, before: Controller, sample: Sample) -> Controller:
    """The state after a cycle; a lost measurement holds the demand, and no demand goes beyond what can be asked for.

    Raises StrategyError for a demand that is no number.
    """
    if not math.isfinite(sample.ace_mw):
        return held(before, (sample.up_mw, sample.down_mw))
    after = controller.step(before, sample)
    if not math.isfinite(after.demand_mw):
        raise StrategyError(f"controller {type(controller).__name__}: the demand is {after.demand_mw}, no number")
    within_mw = min(max(after.demand_mw, -sample.down_mw), sample.up_mw)
    if within_mw == after.demand_mw and after.at_us == sample.at_us:
        return after
    return after._replace(demand_mw=within_mw, at_us=sample.at_us, ace_mw=sample.ace_mw, frozen=False)
