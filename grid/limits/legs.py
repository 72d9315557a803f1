"""Activations as straight legs of injection, so that a thousand of them are a few matrix products.

A pool whose points follow one another is one leg per point, everything else is one leg. An amount of an activation
fills its legs in order:

    leg        amount_mw = clip(|p_mw| − start_mw, 0, size_mw)·sign
    injection  amount_mw · shares over buses · weight,      weight = 1 + j·(Mvar per MW), or 0 where it is not on
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ..arrays import Complexes, Floats, Integers
from ..model import GridModel
from .activation import Activation


@dataclass(frozen=True, slots=True, eq=False)
class Legs:
    """Columns of equal length, one entry a leg; `shares` is legs × columns (`Columns`), `owner` ascends.

    `first` and `last`: the range of legs of each activation.
    """

    owner: Integers
    start_mw: Floats
    size_mw: Floats
    sign: Floats
    q_low: Floats
    q_high: Floats
    shares: sp.csr_matrix
    first: Integers
    last: Integers

    def amounts(self, p_mw: Floats) -> Floats:
        """Return the MW of every leg for an amount (signed MW) of every activation."""
        filled = np.clip(np.abs(p_mw)[self.owner] - self.start_mw, 0.0, self.size_mw)
        return np.asarray(filled * self.sign)

    def change(self, amounts: Floats, weights: Complexes) -> Complexes:
        """Return the injection at every bus (patterns × columns, MVA); `weights`: patterns × legs."""
        return np.asarray((weights * amounts) @ self.shares)

    @property
    def width(self) -> int:
        """The number of columns."""
        return int(self.shares.shape[1])

    def spread(self, own: Integers, mva: Complexes, rows: Integers, count: int) -> Complexes:
        """Return injections (count × columns): leg `own[k]` injects `mva[k]` in row `rows[k]`; they add up.

        Plain numpy, because building sparse matrices costs more than a power flow where lists are short.
        """
        begin = self.shares.indptr[own]
        number = self.shares.indptr[own + 1] - begin
        at = np.repeat(begin - np.cumsum(number) + number, number) + np.arange(number.sum())
        found = np.zeros((count, self.width), dtype=np.complex128)
        values = self.shares.data[at] * np.repeat(mva, number)
        np.add.at(found, (np.repeat(rows, number), self.shares.indices[at]), values)
        return found

    @property
    def plain(self) -> Complexes:
        """The weights of everything on, at the lower reactive power (1 × legs)."""
        return np.asarray((1 + 1j * self.q_low)[None, :], dtype=complex)

    @property
    def flexible(self) -> bool:
        """Whether anything has a range of reactive power."""
        return bool((self.q_low < self.q_high).any())

    def of(self, activation: int) -> slice:
        """Return the legs of an activation."""
        return slice(int(self.first[activation]), int(self.last[activation]))


def legs_of(model: GridModel, activations: Sequence[Activation]) -> Legs:
    """Return the legs of activations, in their order. Raises NetworkError for an unknown connection point."""
    rows: list[tuple[int, float, float, float, float, float]] = []
    places: list[int] = []
    entries, ends = list[float](), [0]
    for owner, activation in enumerate(activations):
        size, sign = abs(activation.p_mw), -1.0 if activation.p_mw < 0 else 1.0
        start = 0.0
        for part in _parts(activation):
            share = sum(each for _, each in part) if activation.spread == "merit" else 1.0
            own = _by_column(model, part, share)
            places += own
            entries += own.values()
            ends.append(len(places))
            rows.append((owner, start, share * size, sign, *activation.q_rates))
            start += share * size
    columns = np.array(rows, dtype=float).reshape(-1, 6)
    shape = (len(rows), len(model.columns.points))
    shares = sp.csr_matrix((np.array(entries), np.array(places, dtype=np.int32), np.array(ends, dtype=np.int32)), shape)
    owners = columns[:, 0].astype(np.int64)
    numbers = np.arange(len(activations))
    first, last = (np.searchsorted(owners, numbers, side) for side in ("left", "right"))
    start, size, sign, low, high = columns[:, 1:].T
    return Legs(owners, start, size, sign, low, high, shares=shares, first=first, last=last)


def _by_column(model: GridModel, part: Sequence[tuple[str, float]], whole: float) -> dict[int, float]:
    """What a leg injects per MW in each column, in their order; points at one bus add up."""
    found: dict[int, float] = {}
    for name, share in part:
        column = int(model.columns.of_point[model.point(name)])
        found[column] = found.get(column, 0.0) + (share / whole if whole else 0.0)
    return dict(sorted(found.items())) if len(found) > 1 else found


def _parts(activation: Activation) -> list[tuple[tuple[str, float], ...]]:
    if activation.spread == "merit":
        return [(point,) for point in activation.points]
    return [activation.points]
