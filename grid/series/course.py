"""What every load, generator and storage does over time: piecewise constant powers, as one array per table."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..arrays import Floats, Integers
from ..network.building import TABLES
from ..powerflow.operating_point import OperatingPoint


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Powers over time: `starts_us` (T) since midnight, ascending; before the first, the first row holds.

    p_mw, q_mvar: table → T × elements, in the sign of the element's table.
    """

    starts_us: Integers
    p_mw: dict[str, Floats]
    q_mvar: dict[str, Floats]
    _starts: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Prepare to be asked many times for one instant."""
        object.__setattr__(self, "_starts", self.starts_us.tolist())

    def row_at(self, since_us: int) -> int:
        """Return the row that holds at an instant; the instant of a change already has the new values."""
        return max(0, bisect_right(self._starts, since_us) - 1)

    def powers(self, row: int) -> dict[str, Floats]:
        """Return one row, keyed as the fields of OperatingPoint."""
        found = {f"{table}_p_mw": self.p_mw[table][row] for table in TABLES}
        return found | {f"{table}_q_mvar": self.q_mvar[table][row] for table in TABLES}

    def operating_point(self, row: int, taps: tuple[int, ...], names: tuple[str, ...]) -> OperatingPoint:
        """Return one row as a state with tap positions and connection points."""
        return OperatingPoint(**self.powers(row), taps=taps, point_names=names, out=())

    def thinned(self) -> Course:
        """Return the same course without rows that change nothing, so that it shows no one else's instants."""
        changed = np.zeros(len(self.starts_us), dtype=np.bool_)
        changed[0] = True
        for part in (*self.p_mw.values(), *self.q_mvar.values()):
            changed[1:] |= (part[1:] != part[:-1]).any(axis=1)
        kept = {table: part[changed] for table, part in self.p_mw.items()}
        return Course(self.starts_us[changed], kept, {table: part[changed] for table, part in self.q_mvar.items()})


def instants(parts: Iterable[Iterable[int]]) -> Integers:
    """Return all instants of several courses, ascending, each once, with midnight."""
    return np.array(sorted({0, *(int(at) for part in parts for at in part)}), dtype=np.int64)
