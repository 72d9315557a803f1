"""The frequency restoration controller: P = −(β·ACE + 1/T_r ∫ACE dt), never beyond what is under control.

    ACE ─┬─▶ −β ───────────────┐
         └─▶ −1/T_r ∫ (trapezoids) ─┴─▶ between −down and +up ─▶ demand
                 ▲ stopped where the demand would go beyond its bound

The integral is exact for an ACE that runs in straight lines between its samples, so it hardly depends on the control
cycle (P. Kundur, Power System Stability and Control, 11.1.6; conditional integration against windup: K. Åström,
T. Hägglund, PID Controllers, 3.5). It does not know offers, so a new merit order list makes no bump. A measurement
that is missing or is no number freezes it: the demand stays, and the time without measurement is not integrated.
"""

import math
from typing import NamedTuple

MISSED_CYCLES = 3


class Tuning(NamedTuple):
    """β without unit, the integration time, and the control cycle."""

    beta: float
    integration_us: int
    control_us: int


class Controller(NamedTuple):
    """The controller after a cycle: its integral and demand (+ up), and the last sample of the ACE, if there is one.

    `memory` holds what a controller of a user's own must remember.
    """

    integral_mw: float = 0.0
    demand_mw: float = 0.0
    ace_mw: float = 0.0
    at_us: int | None = None
    frozen: bool = False
    memory: tuple[float, ...] = ()


def step(before: Controller, ace_mw: float, at_us: int, *, room_mw: tuple[float, float], tuning: Tuning) -> Controller:
    """The controller after a sample of the ACE; `room_mw` is what can be asked for upwards and downwards."""
    up_mw, down_mw = room_mw
    if not math.isfinite(ace_mw):
        return held(before, room_mw)
    known = before.at_us is not None and at_us - before.at_us <= MISSED_CYCLES * tuning.control_us
    added_mw = _added(before, ace_mw, at_us, tuning) if known else 0.0
    proportional_mw = -tuning.beta * ace_mw
    most_mw = max(before.integral_mw, up_mw - proportional_mw)
    least_mw = min(before.integral_mw, -down_mw - proportional_mw)
    integral_mw = _within(min(max(before.integral_mw + added_mw, least_mw), most_mw), up_mw, down_mw)
    return Controller(integral_mw, _within(integral_mw + proportional_mw, up_mw, down_mw), ace_mw, at_us)


def held(before: Controller, room_mw: tuple[float, float]) -> Controller:
    """Without a measurement the demand stays, as far as it can be asked for; that time is not integrated."""
    return before._replace(demand_mw=_within(before.demand_mw, *room_mw), at_us=None, frozen=True)


def _added(before: Controller, ace_mw: float, at_us: int, tuning: Tuning) -> float:
    assert before.at_us is not None
    return -(before.ace_mw + ace_mw) / 2 * (at_us - before.at_us) / tuning.integration_us


def _within(power_mw: float, up_mw: float, down_mw: float) -> float:
    return min(max(power_mw, -down_mw), up_mw)
