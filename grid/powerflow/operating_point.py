"""One state of a grid: what loads, generators and storages do and where the taps stand.

Loads are nominal, i.e. what they would draw at 1 pu; the solver applies their voltage dependence. Values are frozen:
a changed state is a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arrays import Booleans, Complexes, Floats, Integers
from ..errors import NetworkError, near_names
from ..network.building import TABLES

POWERS = tuple(f"{table}_{column}" for table in TABLES for column in ("p_mw", "q_mvar"))


@dataclass(frozen=True, slots=True, eq=False)
class OperatingPoint:
    """Powers in the order of the network's tables, MW and Mvar; generators end with the connection points.

    load_* and storage_*: + is consumption; sgen_*: + is injection. `out`: branches out of service, by their position in
    the model's ratings, ascending.
    """

    load_p_mw: Floats
    load_q_mvar: Floats
    sgen_p_mw: Floats
    sgen_q_mvar: Floats
    storage_p_mw: Floats
    storage_q_mvar: Floats
    taps: tuple[int, ...]
    point_names: tuple[str, ...] = ()
    out: tuple[int, ...] = ()

    def with_changes(self, p_mw: Mapping[str, float], q_mvar: Mapping[str, float] | None = None) -> OperatingPoint:
        """Return this state with powers added at connection points, MW and Mvar, + is more injection.

        Raises NetworkError for a connection point that is not in this grid.
        """
        active, reactive = self.sgen_p_mw.copy(), self.sgen_q_mvar.copy()
        first = len(active) - len(self.point_names)
        for powers, target in ((p_mw, active), (q_mvar or {}, reactive)):
            for name, value in powers.items():
                target[first + self._position(name)] += value
        return replace(self, sgen_p_mw=active, sgen_q_mvar=reactive)

    def with_change_mva(self, change_mva: Complexes, at: Integers | None = None) -> OperatingPoint:
        """Return this state with injections (complex, MVA) added at connection points.

        `at`: the point of each, none twice; without it they belong to the last generators, as many as are given.
        """
        active, reactive = self.sgen_p_mw.copy(), self.sgen_q_mvar.copy()
        last = np.arange(len(active) - len(change_mva), len(active))
        places = last if at is None else len(active) - len(self.point_names) + at
        active[places] += change_mva.real
        reactive[places] += change_mva.imag
        return replace(self, sgen_p_mw=active, sgen_q_mvar=reactive)

    def with_load_factor(self, factor: Complexes) -> OperatingPoint:
        """Return this state with every load's P times the real and Q times the imaginary part of its factor."""
        active, reactive = self.load_p_mw * factor.real, self.load_q_mvar * factor.imag
        return replace(self, load_p_mw=active, load_q_mvar=reactive)

    def with_taps(self, taps: Sequence[int]) -> OperatingPoint:
        """Return this state with other tap positions, one per transformer."""
        return replace(self, taps=tuple(int(tap) for tap in taps))

    def with_out(self, out: Sequence[int]) -> OperatingPoint:
        """Return this state with these branches out of service, besides those that the network has out already."""
        return self if tuple(out) == self.out else replace(self, out=tuple(sorted(out)))

    def where(self, live: Mapping[str, Booleans]) -> OperatingPoint:
        """Return this state without the power of what is not live (per table)."""
        names = [(table, f"{table}_{column}") for table in TABLES for column in ("p_mw", "q_mvar")]
        return replace(self, **{name: getattr(self, name) * live[table] for table, name in names})

    def without_power(self) -> OperatingPoint:
        """Return this state with nobody drawing or injecting anything."""
        return replace(self, **{name: np.zeros_like(getattr(self, name)) for name in POWERS})

    def _position(self, name: str) -> int:
        if name not in self.point_names:
            raise NetworkError(f'connection point "{name}" is not in this grid{near_names(name, self.point_names)}')
        return self.point_names.index(name)

    def same_as(self, other: OperatingPoint) -> bool:
        """Return whether two states are equal to the last bit."""
        arrays = all(np.array_equal(getattr(self, name), getattr(other, name)) for name in POWERS)
        return arrays and (self.taps, self.out) == (other.taps, other.out)


def state_of(net: Any) -> OperatingPoint:
    """Return the state of a network as it stands, scaling included."""
    powers = {
        f"{table}_{column}": (net[table][column] * net[table].scaling).to_numpy(dtype=float)
        for table in TABLES
        for column in ("p_mw", "q_mvar")
    }
    return OperatingPoint(**powers, taps=())
