"""Which of many activations are worst for a constraint: all that push towards it, and none of the others.

    slopes of a constraint × activations ─▶ on where it pushes, with the reactive power that pushes most

What a TSO may pick out of a list is a box: any part of any of them. Along each edge of it a constraint is nearly
straight, so the worst of a box is at a corner; there are as many corners worth looking at as constraints, and most of
these agree. A pool whose points follow one another may stop at any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ..arrays import Complexes, Floats, Integers
from .legs import Legs
from .slopes import Slopes

NEAR = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Legs that act alike: same buses, reactive power and direction. `shares`: groups × columns; `of_leg`: its group.

    `chains`: the legs of each pool whose points follow one another; each of these is a group of its own.
    """

    shares: sp.csr_matrix
    sign: Floats
    q_low: Floats
    q_high: Floats
    of_leg: Integers
    chains: tuple[Integers, ...]


def groups_of(legs: Legs) -> Groups:
    """Return the groups of legs."""
    at = legs.shares
    chained = (legs.last - legs.first)[legs.owner] > 1
    keys: dict[tuple[float, ...], int] = {}
    of_leg = np.empty(len(legs.owner), dtype=np.int64)
    for leg in range(len(of_leg)):
        entries = slice(at.indptr[leg], at.indptr[leg + 1])
        alike = (*at.indices[entries].tolist(), *at.data[entries].tolist())
        own = float(leg) if chained[leg] else -1.0
        key = (own, float(legs.sign[leg]), float(legs.q_low[leg]), float(legs.q_high[leg]), *alike)
        of_leg[leg] = keys.setdefault(key, len(keys))
    _, first = np.unique(of_leg, return_index=True)
    several = np.flatnonzero(legs.last - legs.first > 1)
    chains = tuple(np.arange(legs.first[k], legs.last[k]) for k in several)
    return Groups(at[first], legs.sign[first], legs.q_low[first], legs.q_high[first], of_leg, chains)


def pushes(groups: Groups, derivatives: Floats, *, reactive: bool) -> tuple[Floats, Floats]:
    """Return, tangents × groups, how much a MW of each group pushes, and the Mvar per MW at which it pushes most."""
    count = groups.shares.shape[1]
    active = (groups.shares @ derivatives[:, :count].T).T * groups.sign
    if not reactive:
        return np.asarray(active), np.broadcast_to(groups.q_low, active.shape)
    by_q = (groups.shares @ derivatives[:, count:].T).T * groups.sign
    rate = np.where(by_q > 0, groups.q_high, groups.q_low)
    return np.asarray(active + rate * by_q), np.asarray(rate)


def worst_patterns(slopes: Slopes, groups: Groups, amounts: Floats, bounds: Floats, *, pick: bool) -> Complexes:
    """Return the distinct worst patterns (patterns × legs) of all constraints that may come near their bounds.

    `amounts`: MW of every leg · `bounds`: as in `Constraints` · `pick`: any of them may be off.
    """
    base, derivatives, constraint = slopes.rows()
    limit = bounds[constraint]
    start = np.minimum(slopes.starts(), limit)
    push, rate = pushes(groups, derivatives, reactive=slopes.reactive)
    totals = np.bincount(groups.of_leg, weights=np.abs(amounts), minlength=len(groups.sign))
    reach = base + (np.maximum(push, 0) if pick else push) @ totals
    near = reach >= start + NEAR * (limit - start)
    return patterns(groups, (push[near], rate[near]), amounts, pick=pick)


def patterns(groups: Groups, push_and_rate: tuple[Floats, Floats], amounts: Floats, *, pick: bool) -> Complexes:
    """Return the distinct patterns (patterns × legs) for tangents given by their pushes and rates (see `pushes`)."""
    push, rate = push_and_rate
    on = push > 0 if pick else np.ones(push.shape, dtype=np.bool_)
    codes = np.concatenate([on, on & (rate > groups.q_low)], axis=1)
    _, first = np.unique(np.packbits(codes, axis=1), axis=0, return_index=True)
    chosen = np.sort(first)
    weights = (on[chosen] * (1 + 1j * rate[chosen]))[:, groups.of_leg]
    if pick:
        for chain in groups.chains:
            gains = np.cumsum(push[chosen][:, groups.of_leg[chain]] * np.abs(amounts[chain]), axis=1)
            stop = np.where(gains.max(axis=1) > 0, gains.argmax(axis=1), -1)
            on_chain = np.arange(len(chain))[None, :] <= stop[:, None]
            weights[:, chain] = on_chain * (1 + 1j * rate[chosen][:, groups.of_leg[chain]])
    return np.asarray(weights)
