"""Frequencies and tie lines of one or more areas as one linear system, exact for power constant in a sub-step.

    area a:  d(Δf_a)/dt = f0 / (T_a · P_L) · (u_a - k_L · Δf_a - Σ P_tie leaving a)
    tie l :  d(P_tie)/dt = 2π · T_l · (Δf_from - Δf_to)

The synchronising torque T_l (MW/rad) makes the exchange follow the difference of the frequencies (O. Elgerd and
C. Fosha, Optimum Megawatt-Frequency Control of Multiarea Electric Energy Systems, 1970; P. Kundur, Power System
Stability and Control, 11.1), so that areas swing against each other and no exchange is lost or made.
"""

from __future__ import annotations

import math

import numpy as np

from ..arrays import Floats, Integers
from .description import OWN, AreaDescription, BalanceDescription
from .disturbance import STEP_US

STEP_S = STEP_US / 1e6


class Swing:
    """The transition of a sub-step z → Φ · z + Γ · u, `step` = (Φ Γ).

    z = (Δf of each area in Hz, MW of each tie), u in MW by area.
    """

    def __init__(self, description: AreaDescription) -> None:
        """The own area comes first, then its neighbours in the order of the file."""
        from scipy.linalg import expm

        balances: dict[str, BalanceDescription] = {OWN: description, **description.neighbours}
        self.names = tuple(balances)
        self.ties = tuple(
            (self.names.index(name), self.names.index(other), pull)
            for name, neighbour in description.neighbours.items()
            for other, pull in neighbour.ties.items()
        )
        areas, size = len(self.names), len(self.names) + len(self.ties)
        motion = np.zeros((size + areas, size + areas))
        for a, area in enumerate(balances.values()):
            per_s = description.nominal_hz / (area.inertia_s * area.load_mw)  # Hz/s per MW
            motion[a, a] = -per_s * area.self_regulation_mw_per_hz
            motion[a, size + a] = per_s
            motion[a, areas:size] = -per_s * self.leaving[a]
        for number, (from_, to, pull) in enumerate(self.ties, start=areas):
            motion[number, from_], motion[number, to] = 2 * math.pi * pull, -2 * math.pi * pull
        moved = expm(motion * STEP_S)
        self.step: Floats = np.ascontiguousarray(moved[:size])

    @property
    def leaving(self) -> Integers:
        """+1 where a tie leaves an area, -1 where it arrives (areas × ties)."""
        signs = np.zeros((len(self.names), len(self.ties)), dtype=np.int64)
        for number, (from_, to, _) in enumerate(self.ties):
            signs[from_, number] += 1
            signs[to, number] -= 1
        return signs
