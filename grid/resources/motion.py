"""How machines ramp and what that takes from their storages: closed forms between two orders, for arrays of any shape.

    targets, for so long ─▶ through zero in two legs ─▶ each leg: ramp, then hold ─▶ empty and full storages stop

The last axis are the machines of a pool; with one before it the pools of a park, each the same to the last bit as by
itself, because everything is element by element.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Floats
from .fleet import Fleet


class Motion(NamedTuple):
    """Change from the baseline (MW), energy content (MWh), and whether any storage may be empty or full."""

    power_mw: Floats
    energy_mwh: Floats
    at_limit: bool


def follow(fleet: Fleet, motion: Motion, targets: Floats, for_s: Floats) -> Motion:
    """Ramp towards `targets` for `for_s` seconds, each machine its own; energy turns where power crosses zero."""
    turning = motion.power_mw * targets < 0
    if turning.any():
        to_zero_s = np.minimum(for_s, np.abs(motion.power_mw) / fleet.rate_mw_per_s)
        back_s = np.where(turning, to_zero_s, 0.0)
        motion = _leg(fleet, motion, np.where(turning, 0.0, targets), back_s)
        for_s = for_s - back_s
    return _leg(fleet, motion, targets, for_s)


def _leg(fleet: Fleet, motion: Motion, targets: Floats, for_s: Floats) -> Motion:
    """One leg without a change of sign: ramp, then hold; a storage that ran empty or full stops."""
    power, energy, at_limit = motion
    reach = fleet.rate_mw_per_s * for_s
    goal = _within_energy(fleet, energy, targets) if at_limit else targets
    step = np.minimum(np.maximum(goal - power, -reach), reach)
    end = power + step
    used_mws = end * for_s - step * np.abs(step) / fleet.rate_mw_per_s / 2
    return stopped(fleet, end, energy - used_mws / 3600)


def stopped(fleet: Fleet, power: Floats, energy: Floats) -> Motion:
    """Storages at their floor no longer inject, those at their roof no longer draw."""
    low, high = energy <= fleet.floor_mwh, energy >= fleet.roof_mwh
    if not (low | high).any():
        return Motion(power, energy, at_limit=False)
    power = np.where((low & (power > 0)) | (high & (power < 0)), 0.0, power)
    return Motion(power, np.minimum(np.maximum(energy, fleet.floor_mwh), fleet.roof_mwh), at_limit=True)


def _within_energy(fleet: Fleet, energy: Floats, targets: Floats) -> Floats:
    low = np.where(energy >= fleet.roof_mwh, 0.0, -np.inf)
    high = np.where(energy <= fleet.floor_mwh, 0.0, np.inf)
    return np.minimum(np.maximum(targets, low), high)
