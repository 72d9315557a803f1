"""A neighbour's own load-frequency control: proportional-integral, once a cycle, with what it has and at its rate.

    P = -(β · ACE + 1/T_r · ∫ ACE dt), within ± limit; the integral stops while the limit is reached

It acts on whole multiples of its cycle since the epoch, so no tick of anybody else changes it. Each area brings its own
ACE = ΔP_tie + K · Δf to zero, and by that leaves the others' disturbances to them (non-interaction; N. Cohn, 1957).
"""

from __future__ import annotations

import numpy as np

from ..arrays import Floats
from .description import SecondaryDescription
from .disturbance import STEP_US
from .swing import STEP_S


class Secondary:
    """The control of one neighbouring area."""

    def __init__(self, description: SecondaryDescription) -> None:
        """At rest."""
        self.description = description
        self.mw = 0.0
        self._target_mw = self._integral_mws = 0.0
        self.cycle_steps = max(1, round(description.cycle_s * 1e6 / STEP_US))

    def until_cycle(self, step: int) -> int:
        """Sub-steps from `step` to the next cycle; 0: it is due now."""
        return -step % self.cycle_steps

    def cycle(self, ace_mw: float) -> None:
        """Take the area control error of this cycle."""
        given = self.description
        integral = self._integral_mws + ace_mw * self.cycle_steps * STEP_S
        wanted = -(given.beta * ace_mw + integral / given.integration_s)
        if abs(wanted) < given.limit_mw or wanted * ace_mw > 0:  # at its limit it only goes back
            self._integral_mws = integral
        self._target_mw = min(max(wanted, -given.limit_mw), given.limit_mw)

    def follow(self, count: int) -> Floats:
        """MW in the middle of each of the next sub-steps, on its way to the target."""
        rate = self.description.limit_mw / self.description.full_activation_s
        reach = rate * STEP_S * (np.arange(count) + 0.5)
        gap = self._target_mw - self.mw
        way: Floats = self.mw + np.sign(gap) * np.minimum(reach, abs(gap))
        return way

    def pass_by(self, count: int) -> None:
        """Let so many sub-steps pass."""
        reach = self.description.limit_mw / self.description.full_activation_s * STEP_S * count
        self.mw += min(max(self._target_mw - self.mw, -reach), reach)
