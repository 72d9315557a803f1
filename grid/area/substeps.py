"""The loop of the area: sub-steps of frequencies, tie lines and containment reserves (FCR).

    MW of a sub-step ─▶ Δf at its end, a first guess ─▶ mean Δf ─▶ what each reserve gives at its end
                                                                    └─▶ Δf at its end, with the mean of that (Heun)

Swing and lag are exact for power, and for frequency, that is constant in a sub-step.
"""

from __future__ import annotations

import math

import numpy as np

from ..arrays import Floats
from ..compiled import compiled
from .disturbance import STEP_US

SLOPE, UP, DOWN, DEAD_BAND, LAG_KEEP, MOST_MW, SYNTHETIC_HZ, AREA, FELT = range(9)  # the columns of `droops`


@compiled("void(f8[:,::1], f8, f8, i8)")
def add_line(outer_mw: Floats, from_mw: float, mw_per_us: float, since_us: int) -> None:
    """Add a straight line to what moves the own area (sub-steps × areas), level before `since_us` = 0.

    since_us: the time between where the line begins and the middle of the first sub-step.
    """
    for step in range(len(outer_mw)):
        outer_mw[step, 0] += from_mw + mw_per_us * max(since_us + step * STEP_US, 0)


@compiled("UniTuple(f8, 2)(f8, f8[::1], f8, f8)")
def answered(offset_hz: float, droop: Floats, lagged_mw: float, mw: float) -> tuple[float, float]:
    """Return what a reserve gives after a sub-step at a frequency deviation: before and after its greatest rate.

    Dead band ─▶ droop ─▶ saturation ─▶ first-order lag ─▶ greatest rate; droop (9): its row of `droops`.
    """
    asked_mw = droop[SLOPE] * max(abs(offset_hz) - droop[DEAD_BAND], 0.0)
    wanted_mw = min(asked_mw, droop[UP]) if offset_hz < 0 else -min(asked_mw, droop[DOWN])
    lagged_mw = wanted_mw + (lagged_mw - wanted_mw) * droop[LAG_KEEP]
    change_mw = lagged_mw - mw
    if abs(change_mw) <= droop[MOST_MW]:
        return lagged_mw, lagged_mw
    return lagged_mw, mw + math.copysign(droop[MOST_MW], change_mw)


@compiled("f8(f8[:,::1], f8[:,::1], i8)")
def felt(reserves: Floats, droops: Floats, area: int) -> float:
    """Return the MW that an area feels of all reserves (as for `follow`)."""
    found_mw = 0.0
    for k in range(len(droops)):
        if droops[k, AREA] == area:
            found_mw += droops[k, FELT] * reserves[1, k]
    return found_mw


@compiled("void(f8[:,::1], f8[::1], f8[::1])")
def product(matrix: Floats, given: Floats, found: Floats) -> None:
    """A matrix (m × n) times a column (n), into `found` (m)."""
    for row in range(len(found)):
        found[row] = 0.0
        for column in range(len(given)):
            found[row] += matrix[row, column] * given[column]


@compiled("UniTuple(f8, 2)(f8[::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1])")
def follow(z: Floats, reserves: Floats, swing: Floats, droops: Floats, outer_mw: Floats) -> tuple[float, float]:
    """Move areas and reserves on, in place; returns the own area's least and greatest deviation at sub-steps' ends.

    z (d): Δf of each area in Hz, MW of each tie · reserves (2 × K): MW of each before and after its greatest rate ·
    swing (d × (d + areas)): z after a sub-step, of z and the areas' MW · droops (K × 9): slope in MW/Hz, MW up and
    down, Hz of dead band, what the lag keeps in a sub-step, most MW in one, Hz it is tested with, its area, and whether
    that feels it, and it that · outer_mw (sub-steps × areas): MW of everything else.
    """
    size, areas = len(z), outer_mw.shape[1]
    given, after, felt_mw, mean_mw = np.empty(size + areas), np.empty(size), np.empty(areas), np.empty(areas)
    lowest_hz, highest_hz = math.inf, -math.inf
    for step in range(len(outer_mw)):
        for area in range(areas):
            felt_mw[area] = felt(reserves, droops, area)
        given[:size], given[size:] = z, outer_mw[step] + felt_mw
        product(swing, given, after)
        mean_mw[:] = felt_mw / 2
        for k in range(len(droops)):
            area, share = int(droops[k, AREA]), droops[k, FELT]
            seen_hz = share * (z[area] + after[area]) / 2 + droops[k, SYNTHETIC_HZ]
            reserves[0, k], reserves[1, k] = answered(seen_hz, droops[k], reserves[0, k], reserves[1, k])
            mean_mw[area] += share * reserves[1, k] / 2
        given[size:] = outer_mw[step] + mean_mw
        product(swing, given, z)
        lowest_hz, highest_hz = min(lowest_hz, z[0]), max(highest_hz, z[0])
    return lowest_hz, highest_hz
