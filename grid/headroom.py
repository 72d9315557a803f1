"""How much more, or less, each unit may inject in the state as it is: both ways, in one go.

    AC state ─▶ slopes ─▶ where each unit alone would meet each constraint      no power flow, all units at once
            ─▶ those that would meet one within their reach ─▶ AC batch ─▶ taken back until it passes

What is promised: each unit alone, everything else as it is now. Where a unit can use its whole reach, first derivatives
say so (currents as complex numbers, so flows may turn); where it cannot, the MW have passed AC and the constraint is
named. A constraint that is violated already leaves no headroom to whatever makes it worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .activation import Activation
from .arrays import Floats, Integers
from .cases import Hearing
from .constraints import Binding, no_solution
from .judging import Judge
from .legs import Legs, legs_of
from .patterns import Groups, groups_of
from .slopes import Slopes, columns_of, slopes_at
from .walking import singly

TAKEN_BACK = 5
SAFE = 0.999
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Headroom:
    """MW that a unit may add (`up_mw`) and take away (`down_mw`), both ≥ 0, at most its reach; what binds if less."""

    id: str
    up_mw: float
    down_mw: float
    up_binding: Binding | None
    down_binding: Binding | None


def headroom(hearing: Hearing, units: Sequence[Activation]) -> tuple[Headroom, ...]:
    """Return the headroom of units at a state; `p_mw` of a unit is its reach both ways, MW.

    Reactive power follows at the lower rate. Without a power flow there is no headroom. Raises NetworkError.
    """
    if not units:
        return ()
    both = [replace(each, p_mw=sign * abs(each.p_mw)) for sign in (1.0, -1.0) for each in units]
    legs, columns = legs_of(hearing.model, both), columns_of(hearing.model.point_buses)
    nothing = np.zeros(len(hearing.model.point_names), dtype=complex)
    slopes = slopes_at(hearing, nothing, columns, reactive=bool(legs.q_low.any()))
    if slopes is None:
        lost = no_solution(hearing.name)
        return tuple(Headroom(each.id, 0.0, 0.0, lost, lost) for each in units)
    judge = Judge((hearing,), nothing)
    groups = groups_of(legs, columns)
    reach = np.array([abs(each.p_mw) for each in both])
    free_mw = np.minimum(_first_met(slopes, groups, judge.bounds(0))[groups.of_leg[legs.first]], reach)
    doubtful = np.flatnonzero((free_mw < reach) | (legs.last - legs.first > 1))
    free_mw[doubtful] = _confirmed(judge, legs, doubtful, free_mw[doubtful])
    bindings = _bindings(judge, legs, np.flatnonzero(free_mw < reach), free_mw, reach)
    free_mw = np.floor(free_mw * 1e6) / 1e6
    count = len(units)
    return tuple(
        Headroom(each.id, float(free_mw[k]), float(free_mw[count + k]), bindings.get(k), bindings.get(count + k))
        for k, each in enumerate(units)
    )


def _first_met(slopes: Slopes, groups: Groups, bounds: Floats) -> Floats:
    """Return, per group, the MW at which the first constraint would be met: |I + x·s| = limit, V + x·g = limit."""
    active = groups.shares.toarray() * groups.sign[:, None]
    along = np.hstack([active, active * groups.q_low[:, None]]) if slopes.reactive else active
    current, vm = slopes.current @ along.T, slopes.vm @ along.T
    branches, buses = len(slopes.base_current), len(slopes.base_vm)
    base, limit = slopes.base_current[:, None], bounds[:branches, None]
    square = current.real**2 + current.imag**2
    half = (base.conj() * current).real
    room = np.maximum(limit**2 - np.abs(base) ** 2, 0.0)
    with np.errstate(all="ignore"):
        by_current = np.where(square > _TINY, (np.sqrt(half**2 + square * room) - half) / square, np.inf)
        high = np.where(vm > _TINY, (bounds[branches : branches + buses] - slopes.base_vm)[:, None] / vm, np.inf)
        low = np.where(vm < -_TINY, (bounds[branches + buses :] + slopes.base_vm)[:, None] / -vm, np.inf)
    found = [part.min(axis=0, initial=np.inf) for part in (by_current, high, low)]
    return np.asarray(np.maximum(np.min(found, axis=0), 0.0))


def _confirmed(judge: Judge, legs: Legs, which: Integers, wanted_mw: Floats) -> Floats:
    """Return what of the wanted MW passes AC, each unit alone: taken back along a secant, at last to nothing."""
    free_mw, sign = wanted_mw * SAFE, legs.sign[legs.first[which]]
    open_ = np.arange(len(which))
    at_rest = judge.judge(np.zeros((1, legs.points), dtype=complex)).excess[0]
    for _ in range(TAKEN_BACK):
        if not len(open_):
            return free_mw
        p_mw = (sign * free_mw)[open_]
        excess = judge.judge(singly(legs, legs.plain, which[open_], p_mw)[0], path=False).excess
        open_, excess = open_[excess > 0], excess[excess > 0]
        secant = np.where(np.isfinite(excess), at_rest / (at_rest - excess), 0.5)
        free_mw[open_] *= np.clip(secant * SAFE, 0.0, SAFE)
    free_mw[open_] = 0.0
    return free_mw


def _bindings(judge: Judge, legs: Legs, which: Integers, free_mw: Floats, reach: Floats) -> dict[int, Binding]:
    if not len(which):
        return {}
    sign = legs.sign[legs.first[which]]
    past_mw = np.minimum(reach[which], free_mw[which] * 1.02 + 1e-3)
    beyond, asked = (singly(legs, legs.plain, which, sign * each)[0] for each in (past_mw, reach[which]))
    return dict(zip(which.tolist(), judge.bindings(beyond, asked), strict=True))
