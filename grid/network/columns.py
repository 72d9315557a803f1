"""The buses at which anything is connected: what changes at one bus is one column, however many points stand there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Integers


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A representative connection point of each bus (ascending by bus), and the column of each connection point."""

    points: Integers
    of_point: Integers


def columns_of(buses: Integers) -> Columns:
    """Return the columns for connection points at these buses."""
    _, representatives, of_point = np.unique(buses, return_index=True, return_inverse=True)
    return Columns(representatives.astype(np.int64), of_point.astype(np.int64).ravel())
