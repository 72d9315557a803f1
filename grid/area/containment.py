"""Frequency containment reserve (FCR) of all areas, as arrays: the areas' own, and what providers have been awarded.

    Δf ─▶ dead band ─▶ droop ─▶ saturation ─▶ first-order lag ─▶ greatest rate ─▶ MW         in this order

Local and proportional ((EU) 2017/1485, Art. 154 and Annex V): it follows the frequency in every sub-step (substeps.py),
whoever else controls or measures at which tick. A reserve under test follows a synthetic frequency and is not felt by
the area.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..arrays import Floats
from .substeps import felt
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
    """K reserves, `droops` (K × 9) as substeps.py takes them, and what they give, `state` (2 × K): `mw` and before."""

    def __init__(self) -> None:
        """No reserve yet."""
        self._owned: list[tuple[int, Droop]] = []
        self.droops: Floats = np.zeros((0, 9))
        self.state: Floats = np.zeros((2, 0))

    @property
    def mw(self) -> Floats:
        """What each gives (K)."""
        given: Floats = self.state[1]
        return given

    def add(self, area: int, droop: Droop) -> int:
        """Add a reserve of an area, at rest; returns its index."""
        self._owned.append((area, droop))
        self.state = np.hstack((self.state, np.zeros((2, 1))))
        self._prepare()
        return len(self._owned) - 1

    def change(self, index: int, droop: Droop) -> None:
        """Change a reserve, whose power goes on from where it is."""
        area, before = self._owned[index]
        if before != droop:
            self._owned[index] = (area, droop)
            self._prepare()

    def _prepare(self) -> None:
        self.droops = np.array([_row(area, droop) for area, droop in self._owned])

    def felt_mw(self, area: int) -> float:
        """What an area feels of its reserves."""
        return felt(self.state, self.droops, area)


def _row(area: int, droop: Droop) -> tuple[float, ...]:
    """In the order of substeps.py."""
    lag_keep, most_mw = math.exp(-STEP_S / max(droop.lag_s, 1e-9)), droop.rate_mw_per_s * STEP_S
    felt = float(droop.synthetic_hz is None)
    return *droop[:4], lag_keep, most_mw, droop.synthetic_hz or 0.0, float(area), felt
