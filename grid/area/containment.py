"""Frequency containment reserve (FCR) of all areas, as arrays: the areas' own, and what providers have been awarded.

    Δf ─▶ dead band ─▶ droop ─▶ saturation ─▶ first-order lag ─▶ greatest rate ─▶ MW         in this order

Local and proportional ((EU) 2017/1485, Art. 154 and Annex V): it follows the frequency in every sub-step, whoever else
controls or measures at which tick. A reserve under test follows a synthetic frequency and is not felt by the area.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import Booleans, Floats
from .swing import STEP_S


class Droop(NamedTuple):
    """One reserve: its slope, what it gives in either direction, and how fast; `synthetic_hz`: it is being tested."""

    mw_per_hz: float
    up_mw: float
    down_mw: float
    dead_band_hz: float = 0.0
    lag_s: float = 2.0
    rate_mw_per_s: float = float("inf")
    synthetic_hz: float | None = None


class Containment:
    """The state of K reserves: `lagged_mw` before the rate limit, `mw` after it (K each)."""

    def __init__(self, areas: int) -> None:
        """No reserve yet, for so many areas."""
        self._areas = areas
        self._owned: list[tuple[int, Droop]] = []
        self.lagged_mw: Floats = np.zeros(0)
        self.mw: Floats = np.zeros(0)
        self._prepare()

    def add(self, area: int, droop: Droop) -> int:
        """Add a reserve of an area, at rest; returns its index."""
        self._owned.append((area, droop))
        self.lagged_mw, self.mw = np.append(self.lagged_mw, 0.0), np.append(self.mw, 0.0)
        self._prepare()
        return len(self._owned) - 1

    def change(self, index: int, droop: Droop) -> bool:
        """Change a reserve, whose power goes on from where it is; returns whether anything is different."""
        area, before = self._owned[index]
        if before == droop:
            return False
        self._owned[index] = (area, droop)
        self._prepare()
        return True

    def _prepare(self) -> None:
        """The reserves as arrays (K), and as matrices from and to areas."""
        droops = [droop for _, droop in self._owned]
        column = _columns(droops)
        self.slope, self.up, self.down, self.dead_band = column[0], column[1], column[2], column[3]
        self.lag_keep: Floats = np.exp(-STEP_S / np.maximum(column[4], 1e-9))
        self.most_mw: Floats = column[5] * STEP_S
        felt = [droop.synthetic_hz is None for droop in droops]
        self.synthetic_hz: Floats = np.array([droop.synthetic_hz or 0.0 for droop in droops])
        self.seen: Floats = np.zeros((len(droops), self._areas))  # which area's frequency each sees
        for k, (area, _) in enumerate(self._owned):
            self.seen[k, area] = float(felt[k])
        self.felt: Floats = self.seen.T.copy()  # and which area feels it

    def wanted(self, offset_hz: Floats) -> Floats:
        """MW that the droops ask for at frequency deviations of the areas (…, areas) → (…, K)."""
        seen_hz = offset_hz @ self.seen.T + self.synthetic_hz
        beyond_hz = np.maximum(np.abs(seen_hz) - self.dead_band, 0.0)
        capped: Floats = np.where(
            seen_hz < 0,
            np.minimum(self.slope * beyond_hz, self.up),
            -np.minimum(self.slope * beyond_hz, self.down),
        )
        return capped

    def regime(self, offset_hz: Floats) -> tuple[Booleans, Floats, Floats, Floats]:
        """Where each reserve is linear at these frequency deviations (areas), and what holds between which.

        Returns linear (K), the constant c of wanted = c - slope · Δf (K), and the least and greatest Δf of each area
        (areas each) between which that holds.
        """
        seen_hz, band = offset_hz @ self.seen.T + self.synthetic_hz, self.dead_band
        below = seen_hz < 0
        edge = band + np.where(below, self.up, self.down) / np.maximum(self.slope, 1e-12)  # saturated beyond
        size_hz = np.abs(seen_hz)
        silent, full = (size_hz <= band) & (band > 0), size_hz >= edge
        near = np.where(silent, -band, np.where(full, edge, band))
        far = np.where(silent, band, np.where(full, np.inf, edge))
        low, high = np.where(below & ~silent, -far, near), np.where(below & ~silent, -near, far)
        through = ~silent & ~full & (band <= 0)  # without a dead band one straight line leads through zero
        low = np.where(through, -self.up / np.maximum(self.slope, 1e-12), low)
        high = np.where(through, self.down / np.maximum(self.slope, 1e-12), high)
        linear = ~silent & ~full & (self.seen.sum(axis=1) > 0)
        constant = np.where(linear, np.where(below, -1.0, 1.0) * self.slope * band, self.wanted(offset_hz))
        mine = self.seen.T > 0
        lowest = np.where(mine, low, -np.inf).max(axis=1, initial=-np.inf)
        return linear, constant, lowest, np.where(mine, high, np.inf).min(axis=1, initial=np.inf)

    def respond(self, offset_hz: Floats) -> tuple[Floats, Floats]:
        """One sub-step at a mean frequency: the lagged power, and the power after the rate limit."""
        wanted = self.wanted(offset_hz)
        lagged = wanted + (self.lagged_mw - wanted) * self.lag_keep
        change = lagged - self.mw
        held = np.clip(change, -self.most_mw, self.most_mw)
        return lagged, np.where(held == change, lagged, self.mw + held)

    @property
    def unhindered(self) -> bool:
        """Whether no rate limit is at work."""
        return self.mw is self.lagged_mw or bool((self.mw == self.lagged_mw).all())


def _columns(droops: Sequence[Droop]) -> Floats:
    rows = [droop[:6] for droop in droops]
    return np.array(rows, dtype=float).reshape(len(rows), 6).T
