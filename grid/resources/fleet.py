"""The single resources (DFRs) of a pool, drawn once from the seed and kept as arrays.

Sizes are lognormal and scaled to the pool's totals, as in a real portfolio: a few large ones and many small ones. The
random numbers hang on (seed, pool id) alone, so that neither order nor other pools change them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Integers
from ..seeding import generator
from .description import Kind, PoolDescription

SIZE_SPREAD = 0.5  # sigma of the lognormal sizes


@dataclass(frozen=True, slots=True)
class Fleet:
    """K resources: sizes and baseline in MW, rates in MW/s, delays in s, energy between floor and roof in MWh."""

    up_mw: Floats
    down_mw: Floats
    baseline_mw: Floats
    rate_mw_per_s: Floats
    delay_s: Floats
    floor_mwh: Floats  # -inf where no energy limit exists
    start_mwh: Floats
    roof_mwh: Floats  # +inf where no energy limit exists
    bus: Integers  # index into the description's buses
    kind: tuple[Kind, ...]


def draw(description: PoolDescription, seed: int) -> Fleet:
    """Draw the pool's resources; the same description and seed always give the same fleet."""
    random = generator(f"gridpact/pool/{seed}/{description.id}")
    count = description.dfrs
    weight = random.lognormal(0.0, SIZE_SPREAD, count)
    weight /= weight.sum()
    ramp_s = random.uniform(*description.ramp_s, count)
    delay_s = random.uniform(*description.delay_s, count)
    kind = tuple(np.array(_kinds(description))[random.permutation(count)].tolist())
    size = np.maximum(description.up_mw, description.down_mw) * weight
    storage = np.array([k == "storage" for k in kind])
    roof = np.where(storage, size * description.storage_hours, np.inf)
    return Fleet(
        up_mw=description.up_mw * weight,
        down_mw=description.down_mw * weight,
        baseline_mw=description.baseline_mw * weight,
        rate_mw_per_s=size / np.maximum(ramp_s, 1e-3),
        delay_s=delay_s,
        floor_mwh=np.where(storage, 0.0, -np.inf),
        start_mwh=np.where(storage, roof / 2, 0.0),
        roof_mwh=roof,
        bus=np.arange(count, dtype=np.int64) % len(description.buses),
        kind=kind,
    )


def _kinds(description: PoolDescription) -> list[Kind]:
    """How many of each kind, by largest remainder; names in alphabetical order."""
    exact = [(kind, fraction * description.dfrs) for kind, fraction in sorted(description.kinds.items())]
    counts = {kind: math.floor(number + 1e-9) for kind, number in exact}
    by_remainder = sorted(exact, key=lambda item: (counts[item[0]] - item[1], item[0]))
    for kind, _ in by_remainder[: description.dfrs - sum(counts.values())]:
        counts[kind] += 1
    return [kind for kind, number in counts.items() for _ in range(number)]
