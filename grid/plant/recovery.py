"""Load recovery: what a lower voltage takes from loads, thermostats and motors take back over minutes.

The multiplicative exponential recovery of dynamic load models (Karlsson and Hill, 1994; Xu and Mansour, 1994), applied
to tap steps: a load draws z·P₀·f(V), with f its voltage dependence (ZIP), and

    T·dz/dt = z∞ − z,    z∞ = 1 + r·(f(V₀)/f(V) − 1)

V₀ is the voltage that it would have with the taps where they started, and r the share of its loss that comes back. Taps
back, z decays to 1 from above: the load pays back. Steps are exact for constant targets, on beats of absolute time, so
that no tick size matters.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Complexes
from ..clock import US_PER_SECOND
from ..description.grid import BEAT_S
from ..description.uncertainty import LoadRecovery

BEAT_US = round(BEAT_S * US_PER_SECOND)
_NEGLIGIBLE = 1e-5


def next_beat_us(now_us: int) -> int:
    """Return the first beat after an instant."""
    return (now_us // BEAT_US + 1) * BEAT_US


class Recovery:
    """The recovery of every load of one grid; real parts are for P, imaginary parts for Q."""

    def __init__(self, description: LoadRecovery, loads: int) -> None:
        self._share = description.share
        self._decay = 1.0 - float(np.exp(-BEAT_US / 1e6 / description.time_s))
        self.factor: Complexes = np.full(loads, 1 + 1j)
        self.active = False  # whether loads draw anything but what their voltage says

    @property
    def possible(self) -> bool:
        """Whether any load recovers in this grid."""
        return self._share > 0 and len(self.factor) > 0

    def beat(self, now: Complexes, undisturbed: Complexes) -> None:
        """Move on by one beat: `now` and `undisturbed` are what loads draw per nominal, with the taps as they are and
        as they started; loads that draw nothing stay as they are.
        """
        for part in ("real", "imag"):
            here, there = getattr(now, part), getattr(undisturbed, part)
            ratio = np.divide(there, here, out=np.ones_like(here), where=here != 0)
            target = 1.0 + self._share * (ratio - 1.0)
            own = getattr(self.factor, part)
            own += self._decay * (target - own)
        if np.abs(self.factor - (1 + 1j)).max() < _NEGLIGIBLE and np.abs(now - undisturbed).max() < 1e-9:
            self.factor[:] = 1 + 1j
        self.active = bool((self.factor != 1 + 1j).any())
