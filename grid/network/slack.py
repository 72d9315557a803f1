"""Which generators of a network stand for an overlying grid, as external grids do: those in service marked as slack."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Booleans


def slack_generators(net: Any) -> Booleans:
    """Return which rows of the network's generator table are sources (generators); an unmarked one is none."""
    if not len(net.gen):
        return np.zeros(0, dtype=np.bool_)
    marked = net.gen.slack.map(lambda slack: slack in (True,)).to_numpy(dtype=np.bool_)  # neither None nor NaN
    return np.asarray(marked & net.gen.in_service.to_numpy(dtype=np.bool_))
