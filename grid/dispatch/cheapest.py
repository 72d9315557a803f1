"""The cheapest dispatch that true states of grids can bear: linear programs on AC sensitivities, confirmed by AC.

    here ─▶ AC batch: values and slopes ─▶ LP within reach ─▶ there, by AC ─▶ beyond a limit: cut, LP again
     ▲                                                         ├─▶ cheaper: here, twice the reach
     └─────────────────────────────────────────────────────────┴─▶ not cheaper: a quarter of the reach

    minimise   Σ price·amount + price of losses·Σ losses + price of shortage·|need − what arrives at the interfaces|
    subject to every constraint of every grid, 0 ≤ amount ≤ most

Successive linear programming (Griffith and Stewart 1961) with a reach of steps that grows and shrinks (Zhang, Kim and
Lasdon 1985). Where the program expected less current than AC finds – a branch whose flow turns round – the tangent
there joins the program as a cut (Kelley 1960). Every answer has passed AC; it is `settled` when the last program
within reach saw nothing cheaper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import linprog

from ..arrays import Complexes, Floats
from .feeder import Feeder

ROUNDS, CUTS = 100, 8
STEP_MW = 1e-3
SAME_EUR_PER_H, TOLERANCE = 1e-3, 1e-7
WIDER, NARROWER = 2.0, 0.25


@dataclass(frozen=True, slots=True)
class Supply:
    """Something that may be dispatched: up to `most_mw` in one direction (`sign`, + up), at EUR/MWh that may be < 0.

    `feeder`: in which grid (None: none limits it), with its connection points and their shares, MVA for each MW.
    """

    sign: float
    most_mw: float
    eur_per_mwh: float
    feeder: int | None = None
    points: tuple[tuple[str, complex], ...] = ()


@dataclass(frozen=True, slots=True)
class Prices:
    """What is stated and not bid, in EUR/MWh: of need that nobody covers, and of losses."""

    shortage: float
    losses: float


@dataclass(frozen=True, slots=True)
class Dispatch:
    """MW of each supply (≥ 0), MW of the need left open (signed), losses of all grids, and the cost of an hour.

    `settled`: no linear program within reach saw anything cheaper; without it the answer is only one that AC allows.
    """

    amounts_mw: tuple[float, ...]
    short_mw: float
    losses_mw: float
    eur_per_h: float
    settled: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Amounts as AC sees them; `excess` ≤ 0: within all limits."""

    amounts: Floats
    arrives_mw: float
    losses_mw: float
    excess: float


@dataclass(frozen=True, slots=True, eq=False)
class _Tangents:
    """What AC says near some amounts, for each MW more of each supply: limits (`rows` @ amounts ≤ `room`) and sums."""

    arrives: Floats
    losses: Floats
    rows: Floats
    room: Floats
    beyond: Floats  # of each row, at these amounts: how far


@dataclass(frozen=True, slots=True, eq=False)
class _Around:
    """Where a linear program looks: amounts that AC allows, their tangents, the need, the reach (of `most`)."""

    here: _Seen
    tangents: _Tangents
    need_mw: float
    reach: float


class Dispatcher:
    """Asks for the cheapest dispatch of the same supplies in the same states, for one need after the other."""

    def __init__(self, feeders: Sequence[Feeder], supplies: Sequence[Supply], prices: Prices) -> None:
        self.supplies = tuple(supplies)
        self._feeders, self._supplies, self._prices = tuple(feeders), self.supplies, prices
        self._most = np.array([supply.most_mw for supply in supplies], dtype=float)
        self._sign = np.array([supply.sign for supply in supplies], dtype=float)
        self._price = np.array([supply.eur_per_mwh for supply in supplies], dtype=float)
        self._free = np.array([supply.feeder is None for supply in supplies], dtype=bool)
        self._injections = [self._injection(number) for number in range(len(self._feeders))]

    def _injection(self, number: int) -> Complexes:
        """What one MW of each supply injects at each connection point of a grid (supplies × points, MVA)."""
        model = self._feeders[number].model
        found = np.zeros((len(self._supplies), len(model.point_names)), dtype=complex)
        for row, supply in enumerate(self._supplies):
            for name, mva in supply.points if supply.feeder == number else ():
                found[row, model.point(name)] += supply.sign * mva
        return found

    def dispatch(self, need_mw: float) -> Dispatch:
        """The cheapest dispatch for a need in MW (+ up), at interfaces and transmission-connected units together."""
        here, reach, settled = self._nothing, 1.0, False
        tangents = self._tangents(here)
        for _ in range(ROUNDS):
            there, promised = self._towards(_Around(here, tangents, need_mw, reach))
            if settled := promised < SAME_EUR_PER_H:
                break
            if there.excess <= TOLERANCE and self._cost(there, need_mw) < self._cost(here, need_mw):
                here, tangents, reach = there, self._tangents(there), min(1.0, WIDER * reach)
            else:
                reach *= NARROWER
        short, cost = need_mw - here.arrives_mw, self._cost(here, need_mw)
        return Dispatch(tuple(here.amounts.tolist()), short, here.losses_mw, cost, settled)

    def _towards(self, around: _Around) -> tuple[_Seen, float]:
        """Amounts that the linear program prefers, cut until AC allows them, and EUR/h that it promised at last."""
        rows, room = around.tangents.rows, around.tangents.room
        for _ in range(CUTS):
            amounts, promised = self._program(around, rows, room)
            there = self._see(amounts)
            if there.excess <= TOLERANCE or not np.isfinite(there.excess) or promised < SAME_EUR_PER_H:
                break
            cut = self._tangents(there)
            broken = cut.beyond > 0
            rows, room = np.vstack([rows, cut.rows[broken]]), np.concatenate([room, cut.room[broken]])
        return there, promised

    def weighed(self, amounts_mw: Sequence[float], need_mw: float) -> tuple[Dispatch, bool]:
        """What somebody else's dispatch of the same supplies comes to (MW of each, ≥ 0), and whether AC allows it."""
        seen = self._see(np.asarray(amounts_mw, dtype=float))
        short_mw, cost = need_mw - seen.arrives_mw, self._cost(seen, need_mw)
        return Dispatch(tuple(seen.amounts.tolist()), short_mw, seen.losses_mw, cost), seen.excess <= TOLERANCE

    @cached_property
    def _nothing(self) -> _Seen:
        return self._see(np.zeros(len(self._supplies)))

    def _cost(self, seen: _Seen, need_mw: float) -> float:
        """EUR per hour."""
        stated = self._prices.losses * seen.losses_mw + self._prices.shortage * abs(need_mw - seen.arrives_mw)
        return float(self._price @ seen.amounts) + stated

    def _see(self, amounts: Floats) -> _Seen:
        arrives = float((self._sign * amounts)[self._free].sum())
        losses, excess = 0.0, -np.inf
        for feeder, injection in zip(self._feeders, self._injections, strict=True):
            outcome = feeder.outcome((amounts @ injection)[None, :])
            arrives += float(feeder.base.import_mw[0] - outcome.import_mw[0])
            losses += float(outcome.losses_mw[0])
            excess = max(excess, float(feeder.excess(outcome)[0]))
        return _Seen(amounts, arrives, losses, excess)

    def _tangents(self, here: _Seen) -> _Tangents:
        """AC once for these amounts and once for each supply a little above them, in one batch for each grid."""
        arrives, losses = np.where(self._free, self._sign, 0.0), np.zeros(len(self._supplies))
        rows, room, beyond = [np.zeros((0, len(self._supplies)))], [np.zeros(0)], [np.zeros(0)]
        for feeder, injection in zip(self._feeders, self._injections, strict=True):
            own = np.flatnonzero(injection.any(axis=1))
            change = here.amounts @ injection + np.vstack([np.zeros((1, injection.shape[1])), STEP_MW * injection[own]])
            outcome = feeder.outcome(change)
            slopes = np.zeros((len(feeder.bounds), len(self._supplies)))
            slopes[:, own] = ((outcome.values[1:] - outcome.values[0]) / STEP_MW).T
            arrives[own] -= (outcome.import_mw[1:] - outcome.import_mw[0]) / STEP_MW
            losses[own] += (outcome.losses_mw[1:] - outcome.losses_mw[0]) / STEP_MW
            rows.append(slopes)
            beyond.append(outcome.values[0] - feeder.bounds)
            room.append(slopes @ here.amounts - beyond[-1])
        return _Tangents(arrives, losses, np.vstack(rows), np.concatenate(room), np.concatenate(beyond))

    def _program(self, around: _Around, rows: Floats, room: Floats) -> tuple[Floats, float]:
        """Amounts of the linear program, and EUR/h that it saves; its last variables: what is short, and too much."""
        here, tangents, short = around.here.amounts, around.tangents, around.need_mw - around.here.arrives_mw
        cost = np.concatenate([self._price + self._prices.losses * tangents.losses, [self._prices.shortage] * 2])
        balance = np.concatenate([tangents.arrives, [1.0, -1.0]])[None, :]
        lowest = np.maximum(0.0, here - around.reach * self._most)
        highest = np.minimum(self._most, here + around.reach * self._most)
        found = linprog(
            cost,
            np.hstack([rows, np.zeros((len(rows), 2))]),
            np.maximum(room, rows @ here),  # here is within all, whatever a tangent says
            balance,
            [short + tangents.arrives @ here],
            bounds=[*zip(lowest, highest, strict=True), (0.0, None), (0.0, None)],
            method="highs",
        )
        if not found.success:
            return here, np.inf
        return np.asarray(found.x[:-2]), float(cost[:-2] @ here + self._prices.shortage * abs(short) - found.fun)
