"""How one activation is shared out over the resources of a pool: in proportion to a scheme, never beyond a limit.

What a resource cannot take goes to those that still can, again in proportion (water-filling).
"""

from __future__ import annotations

import numpy as np

from ..arrays import Floats

NEGLIGIBLE_MW = 1e-12


def split(target_mw: float, shares: Floats, available_up_mw: Floats, available_down_mw: Floats) -> Floats:
    """Share `target_mw` (+ up, - down) out over the resources.

    `shares` (K, sum 1) is the activation scheme, `available_*_mw` (K, each ≥ 0) what each can give. Returns the signed
    MW of each (K). Its sum is the target as far as the limits allow, and no resource exceeds its own.
    """
    limits = available_up_mw if target_mw >= 0 else available_down_mw
    filled = _fill(abs(target_mw), shares, limits)
    rest = limits - filled  # resources without a share come in last, by what they have
    filled = filled + _fill(abs(target_mw) - float(filled.sum()), rest, rest)
    return np.minimum(filled, limits) * (1.0 if target_mw >= 0 else -1.0)


def _fill(wanted_mw: float, weights: Floats, limits: Floats) -> Floats:
    filled: Floats = np.zeros_like(limits)
    for _ in range(len(limits) + 1):  # each pass but the last saturates one resource at least
        short = wanted_mw - float(filled.sum())
        still_open = np.where(filled < limits, weights, 0.0)
        total = float(still_open.sum())
        if short <= NEGLIGIBLE_MW or total <= 0.0:
            break
        filled = np.minimum(filled + still_open / total * short, limits)
    return filled
