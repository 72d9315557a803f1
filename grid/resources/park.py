"""Many pools of the same size moved together: a step of all is a step of one, with an axis more.

    pools that move ─▶ their arrays stacked (P × K) ─▶ motion.py ─▶ rows back to the pools ─▶ what each shows

Row by row the result is that of each pool by itself, to the last bit, because sums run along the last axis only; so
it does not matter who is moved with whom. A pool whose local frequency control is at work is moved by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from ..arrays import Floats
from .fleet import Fleet
from .motion import Motion, follow
from .pool import Pool, Showing

LEAST_POOLS = 3


class Park:
    """Pools with equally many resources each, at the same time."""

    def __init__(self, pools: Sequence[Pool]) -> None:
        """Stacks what never changes."""
        self.pools = tuple(pools)
        arrays = [field.name for field in fields(Fleet) if field.name != "kind"]
        stacked: dict[str, Any] = {name: np.stack([getattr(pool.fleet, name) for pool in pools]) for name in arrays}
        self._fleet = Fleet(**stacked, kind=())
        self._places = max(len(pool.description.buses) for pool in pools)
        self._at = (self._fleet.bus + np.arange(len(pools))[:, None] * self._places).ravel()
        self._motion = Motion(np.zeros((0, 0)), np.zeros((0, 0)), at_limit=False)

    def advance(self, to_us: int) -> None:
        """Let time pass until `to_us` for all of them; ResourceError if that has passed already for one."""
        now_s = np.array([pool.now_s for pool in self.pools])[:, None]
        to_s = np.array([pool.forward_s(to_us) for pool in self.pools])[:, None]
        motion, slots = self._gathered(), max(len(pool.orders) for pool in self.pools)
        froms = [self._slot(k, 0, np.inf) for k in range(slots)]
        for k, from_s in enumerate(froms):
            until_s = np.minimum(froms[k + 1], to_s) if k + 1 < slots else to_s
            motion = follow(
                self._fleet, motion, self._slot(k, 1, 0.0), np.maximum(until_s - np.maximum(from_s, now_s), 0.0)
            )
        self._motion = motion
        for row, pool in enumerate(self.pools):
            pool.moved(to_us, Motion(motion.power_mw[row], motion.energy_mwh[row], motion.at_limit))
        self._show()

    def _gathered(self) -> Motion:
        """Their motions as one; the arrays of the last step, if nobody has been moved since."""
        motions = [pool.motion for pool in self.pools]
        if len(self._motion.power_mw) and all(one.power_mw.base is self._motion.power_mw for one in motions):
            return self._motion
        power_mw, energy_mwh = (
            np.stack([one.power_mw for one in motions]),
            np.stack([one.energy_mwh for one in motions]),
        )
        return Motion(power_mw, energy_mwh, any(one.at_limit for one in motions))

    def _slot(self, number: int, part: int, otherwise: float) -> Floats:
        """An order of each, the instants from which it counts (0) or what it asks for (1)."""
        shape = self._fleet.up_mw.shape
        if all(len(pool.orders) <= number for pool in self.pools):
            return np.full(shape, otherwise)
        nothing = np.full(shape[1], otherwise)
        return np.stack([pool.orders[number][part] if number < len(pool.orders) else nothing for pool in self.pools])

    def _show(self) -> None:
        """Compute what all of them show, as each would by itself."""
        fleet, (power_mw, energy_mwh, _) = self._fleet, self._motion
        power_mw = power_mw + 0.0
        sums = np.bincount(self._at, power_mw.ravel(), len(self.pools) * self._places).reshape(-1, self._places)
        up = np.where(energy_mwh - fleet.floor_mwh > 0, fleet.up_mw, 0.0).sum(axis=1)
        down = np.where(fleet.roof_mwh - energy_mwh > 0, fleet.down_mw, 0.0).sum(axis=1)
        columns: tuple[list[Any], ...] = power_mw.sum(axis=1).tolist(), up.tolist(), down.tolist(), sums.tolist()
        for pool, total_mw, up_mw, down_mw, places in zip(self.pools, *columns, strict=True):
            pool.show(Showing(total_mw, up_mw, down_mw, places))


class Parks:
    """The parks of a run, made of whoever moves."""

    def __init__(self) -> None:
        """None yet."""
        self._parks: dict[int, Park] = {}

    def advance(self, pools: Iterable[Pool], to_us: int) -> None:
        """Let time pass until `to_us` for pools; those that would gain nothing are left where they are."""
        by_size: dict[int, list[Pool]] = {}
        for pool in pools:
            if not pool.contained_mw:
                by_size.setdefault(pool.description.dfrs, []).append(pool)
        for size, own in by_size.items():
            if len(own) >= LEAST_POOLS:
                known = self._parks.get(size)
                if known is None or known.pools != tuple(own):
                    known = self._parks[size] = Park(own)
                known.advance(to_us)
