"""The cheapest dispatch that true states of grids can bear: linear programs on AC sensitivities, confirmed by AC.

    amounts ─▶ AC batch: values and slopes ─▶ LP ─▶ amounts ─▶ … until AC agrees with what the LP expected

    minimise   Σ price·amount + price of losses·Σ losses + price of shortage·|need − what arrives at the interfaces|
    subject to every constraint of every grid, 0 ≤ amount ≤ most

Successive linear programming (Griffith and Stewart 1961). An answer is one that has passed AC; where the last program
has not, it is drawn back towards nothing until it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import linprog

from ..arrays import Complexes, Floats
from .feeder import Feeder

ROUNDS, HALVINGS = 20, 30
STEP_MW = 1e-3
SAME_EUR_PER_H, TOLERANCE = 1e-3, 1e-7


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
    """MW of each supply (≥ 0), MW of the need left open (signed), losses of all grids, and the cost of an hour."""

    amounts_mw: tuple[float, ...]
    short_mw: float
    losses_mw: float
    eur_per_h: float


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Amounts as AC sees them; `excess` ≤ 0: within all limits."""

    amounts: Floats
    arrives_mw: float
    losses_mw: float
    excess: float


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
        best, here = self._nothing, self._nothing
        for _ in range(ROUNDS):
            there = self._see(self._program(here, need_mw))
            allowed = there if there.excess <= TOLERANCE else self._drawn_back(there)
            gained = self._cost(best, need_mw) - self._cost(allowed, need_mw)
            best = allowed if gained > 0 else best
            if gained < SAME_EUR_PER_H and there.excess <= TOLERANCE:
                break
            here = there
        short = need_mw - best.arrives_mw
        amounts = tuple(best.amounts.tolist())
        return Dispatch(amounts, short, best.losses_mw, self._cost(best, need_mw))

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

    def _drawn_back(self, seen: _Seen) -> _Seen:
        """The same proportions, as much of them as AC allows."""
        low, high, found = 0.0, 1.0, self._nothing
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            tried = self._see(middle * seen.amounts)
            if tried.excess <= TOLERANCE:
                low, found = middle, tried
            else:
                high = middle
        return found

    def _program(self, here: _Seen, need_mw: float) -> Floats:
        """Amounts of the linear program at some amounts; the last two variables are what is short, and too much."""
        arrives, losses = np.where(self._free, self._sign, 0.0), np.zeros(len(self._supplies))
        rows, bounds = [], []
        for feeder, injection in zip(self._feeders, self._injections, strict=True):
            own = np.flatnonzero(injection.any(axis=1))
            change = here.amounts @ injection + np.vstack([np.zeros((1, injection.shape[1])), STEP_MW * injection[own]])
            outcome = feeder.outcome(change)
            slopes = np.zeros((len(feeder.bounds), len(self._supplies)))
            slopes[:, own] = ((outcome.values[1:] - outcome.values[0]) / STEP_MW).T
            arrives[own] -= (outcome.import_mw[1:] - outcome.import_mw[0]) / STEP_MW
            losses[own] += (outcome.losses_mw[1:] - outcome.losses_mw[0]) / STEP_MW
            rows.append(slopes)
            bounds.append(feeder.bounds - outcome.values[0] + slopes @ here.amounts)
        cost = np.concatenate([self._price + self._prices.losses * losses, [self._prices.shortage] * 2])
        balance = np.concatenate([arrives, [1.0, -1.0]])[None, :]
        target = need_mw - here.arrives_mw + arrives @ here.amounts
        table = np.hstack([np.vstack(rows), np.zeros((sum(map(len, bounds)), 2))]) if rows else None
        most = [(0.0, mw) for mw in self._most] + [(0.0, None)] * 2
        found = linprog(
            cost, table, np.concatenate(bounds) if bounds else None, balance, [target], bounds=most, method="highs"
        )
        return np.asarray(found.x[:-2]) if found.success else here.amounts / 2
