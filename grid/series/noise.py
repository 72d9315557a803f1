"""Random courses that depend on nothing but their key: not on the order of calls, and not on how long they are."""

from __future__ import annotations

import numpy as np

from ..arrays import Floats
from ..seeding import generator


def persistent(key: tuple[object, ...], steps: int, persistence: float) -> Floats:
    """Return a first-order autoregressive course of unit variance; a longer one begins with the same values.

    `persistence`: the correlation from one step to the next, in [0, 1).
    """
    from scipy.signal import lfilter  # half a second, and only where forecasts err

    drawn = generator("\x1f".join(str(part) for part in key)).standard_normal(steps)
    fresh = np.sqrt(1 - persistence**2)
    drawn[1:] *= fresh
    course: Floats = lfilter([1.0], [1.0, -persistence], drawn)
    return course
