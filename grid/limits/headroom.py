"""How much more, or less, each unit may inject in the state as it is: both ways, in one go.

    AC state ─▶ slopes ─▶ where each unit alone would meet each constraint      no power flow, all units at once
            ─▶ those that would meet one within their reach ─▶ AC batch ─▶ taken back until it passes

What is promised: each unit alone, everything else as it is now. Where a unit can use its whole reach and a twentieth
more, first derivatives say so (to a hundredth; currents as complex numbers, so flows may turn); everywhere else the MW
have passed AC. A constraint that is violated already leaves no headroom to whatever makes it worse. What binds is not
named: a limit says that, and headroom is asked for in every cycle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import scipy.sparse as sp

from ..arrays import Floats, Integers
from ..model import GridModel
from .activation import Activation
from .cases import Hearing
from .judging import Judge
from .legs import Legs, legs_of
from .slopes import Slopes, slopes_at
from .walking import singly

TAKEN_BACK = 5
SAFE = 0.999
SURE = 0.95
ACCURACY = 1e-2
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Headroom:
    """MW that a unit may add (`up_mw`) and take away (`down_mw`), both ≥ 0, at most its reach."""

    id: str
    up_mw: float
    down_mw: float


def headroom(hearing: Hearing, units: Sequence[Activation]) -> tuple[Headroom, ...]:
    """Return the headroom of units at a state; `p_mw` of a unit is its reach both ways, MW.

    Reactive power follows at the lower rate. Without a power flow there is no headroom. Raises NetworkError.
    """
    if not units:
        return ()
    model, count = hearing.model, len(units)
    directions, of_unit = _directions(model, tuple((each.points, each.q_rates[0]) for each in units))
    reactive = directions.shape[1] > len(model.columns.points)
    nothing = np.zeros(len(model.columns.points), dtype=complex)
    slopes = slopes_at(hearing, nothing, reactive=reactive, accuracy=ACCURACY)
    if slopes is None:
        return tuple(Headroom(each.id, 0.0, 0.0) for each in units)
    judge = Judge((hearing,), nothing)
    reach = np.array([abs(each.p_mw) for each in units] * 2)
    first_met = _first_met(slopes, directions, judge.bounds(0))
    estimate = np.concatenate([first_met[0][of_unit], first_met[1][of_unit]])
    chained = np.array([each.spread == "merit" for each in units] * 2)
    doubtful = np.flatnonzero((estimate * SURE < reach) | chained)
    free_mw = np.minimum(estimate, reach)
    if len(doubtful):
        asked = [replace(units[int(k) % count], p_mw=float(reach[k]) * (1 if k < count else -1)) for k in doubtful]
        legs = legs_of(model, asked)
        free_mw[doubtful] = _confirmed(judge, legs, free_mw[doubtful], reach[doubtful])
    free_mw = np.floor(free_mw * 1e6) / 1e6
    return tuple(Headroom(each.id, float(free_mw[k]), float(free_mw[count + k])) for k, each in enumerate(units))


@lru_cache(maxsize=32)
def _directions(
    model: GridModel, units: tuple[tuple[tuple[tuple[str, float], ...], float], ...]
) -> tuple[sp.csr_matrix, Integers]:
    """Return the distinct directions of a MW of a unit (directions × columns), and each unit's."""
    columns = model.columns
    width = len(columns.points)
    reactive = any(q_per_p for _, q_per_p in units)
    found: dict[tuple[float, ...], int] = {}
    of_unit = np.empty(len(units), dtype=np.int64)
    for k, (points, q_per_p) in enumerate(units):
        row = np.zeros(2 * width if reactive else width)
        for name, share in points:
            row[columns.of_point[model.point(name)]] += share
        row[width:] = q_per_p * row[:width] if reactive else 0.0
        of_unit[k] = found.setdefault(tuple(row.tolist()), len(found))
    return sp.csr_matrix(np.array(list(found))), of_unit


def _first_met(slopes: Slopes, directions: sp.csr_matrix, bounds: Floats) -> tuple[Floats, Floats]:
    """Return the MW up and down at which each direction would meet a constraint: |I + x·s| = limit, V + x·g = limit."""
    current, vm = ((directions @ each.T).T for each in (slopes.current, slopes.vm))
    branches, buses = len(slopes.base_current), len(slopes.base_vm)
    base, limit = slopes.base_current[:, None], bounds[:branches, None]
    square = current.real**2 + current.imag**2
    half = base.real * current.real + base.imag * current.imag
    root = np.sqrt(half**2 + square * np.maximum(limit**2 - np.abs(base) ** 2, 0.0))
    above = np.maximum(bounds[branches : branches + buses] - slopes.base_vm, 0.0)[:, None]
    below = np.maximum(bounds[branches + buses :] + slopes.base_vm, 0.0)[:, None]
    found = []
    with np.errstate(all="ignore"):
        for sign in (1.0, -1.0):
            by_current = np.where(square > _TINY, (root - sign * half) / square, np.inf).min(axis=0, initial=np.inf)
            room = np.where(sign * vm > 0, above, below) / np.maximum(np.abs(vm), _TINY)
            found.append(np.minimum(by_current, room.min(axis=0, initial=np.inf)))
    return found[0], found[1]


def _confirmed(judge: Judge, legs: Legs, wanted_mw: Floats, reach: Floats) -> Floats:
    """Return what of the wanted MW passes AC, each unit alone: taken back along a secant, at last to nothing."""
    which, sign = np.arange(len(wanted_mw)), legs.sign[legs.first]
    free_mw = np.where(wanted_mw < reach, wanted_mw * SAFE, wanted_mw)
    at_rest = judge.judge(np.zeros((1, legs.width), dtype=complex)).excess[0]
    for _ in range(TAKEN_BACK):
        if not len(which):
            return free_mw
        p_mw = (sign * free_mw)[which]
        excess = judge.judge(singly(legs, legs.plain, which, p_mw)[0], path=False).excess
        which, excess = which[excess > 0], excess[excess > 0]
        secant = np.where(np.isfinite(excess), at_rest / (at_rest - excess), 0.5)
        free_mw[which] *= np.clip(secant * SAFE, 0.0, SAFE)
    free_mw[which] = 0.0
    return free_mw
