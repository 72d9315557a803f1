"""From the powers of a state to injections at the solver's buses, ZIP load by ZIP load.

S(|V|) = S_P + S_I·|V| + S_Z·|V|² per internal bus and unit; each load has its own shares, P and Q apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from ..arrays import Booleans, Complexes, Floats, Integers, handy
from .admittance import Admittance
from .operating_point import OperatingPoint

_SIGNS = {"load": -1.0, "sgen": 1.0, "storage": -1.0}


class Injections:
    """Where loads, generators and storages of one network stand, and what they inject there."""

    def __init__(self, net: Any, admittance: Admittance, shares: Floats) -> None:
        """`shares` (loads × 4, 0 … 1) in the order of ZIP_COLUMNS."""
        self._base_mva, self._constant = admittance.base_mva, admittance.constant_mva / admittance.base_mva
        self._n_bus = admittance.ybus.shape[0]
        buses = {
            name: np.array([admittance.at_bus[int(bus)] for bus in net[name].bus], dtype=np.int64) for name in _SIGNS
        }
        self._at = {name: np.maximum(at, 0) for name, at in buses.items()}
        self.live = {name: np.asarray(at >= 0, dtype=np.bool_) for name, at in buses.items()}
        self.all_live = all(live.all() for live in self.live.values())
        self._incidence: Any = None
        self.set_shares(shares)

    def set_shares(self, shares: Floats) -> None:
        """Prepare the map from the powers of a state (loads, sgens, storages; P before Q) to injections at buses."""
        impedance, current = (shares[:, (0, 2)], shares[:, (1, 3)])
        self._kinds = 1 - current - impedance, current, impedance
        polynomial = [self.live["load"] * (each[:, 0] + 1j * each[:, 1]) for each in self._kinds]
        self._factor = [np.asarray(each, dtype=complex) for each in polynomial]
        at = np.concatenate([self._at[table] for table in _SIGNS])
        weights = np.concatenate([sign * self.live[table] for table, sign in _SIGNS.items()])
        others = np.zeros(len(at) - len(shares))
        blocks = []
        for kind in range(3):
            for k in range(2):
                own = np.concatenate([self._kinds[kind][:, k], others + (kind == 0)])
                weight = weights * own / self._base_mva
                blocks.append(sp.csr_matrix((weight, (at, np.arange(len(at)))), (self._n_bus, len(at))))
        pairs = [sp.block_diag(blocks[first : first + 2]) for first in (0, 2, 4)]
        self._to_buses = handy(sp.csr_matrix(sp.vstack(pairs)))

    def of(self, state: OperatingPoint) -> tuple[Complexes, Complexes, Complexes]:
        """Return constant-power, -current and -impedance injection per internal bus, per unit."""
        active = state.load_p_mw, state.sgen_p_mw, state.storage_p_mw
        reactive = state.load_q_mvar, state.sgen_q_mvar, state.storage_q_mvar
        parts = (self._to_buses @ np.concatenate((*active, *reactive))).reshape(3, 2, self._n_bus)
        power, current, impedance = parts[:, 0] + 1j * parts[:, 1]
        return power + self._constant, current, impedance

    def with_changes(
        self, power: Complexes, change_mva: Complexes, at: Integers | None, count: int
    ) -> tuple[Complexes, Booleans]:
        """Return constant-power injections (buses × states) and which states change something without supply.

        `change_mva` (states × columns) at the connection points `at`, of `count`; without it at all of them.
        """
        buses, live = self._incidence_of(change_mva.shape[1] if at is None else count, at)
        stranded = np.zeros(len(change_mva), dtype=np.bool_)
        if not self.all_live:
            stranded = np.asarray((change_mva[:, ~live] != 0).any(axis=1), dtype=np.bool_)
        found: Complexes = buses @ change_mva.T
        found += power[:, None]
        return found, stranded

    def _incidence_of(self, count: int, at: Integers | None) -> tuple[sp.csr_matrix, Booleans]:
        """Return the map from MVA at connection points to injections at buses, and which of them have supply."""
        if self._incidence is None or self._incidence[0] != count or self._incidence[1] is not at:
            buses, live = self.of_points(count)
            buses, live = (buses, live) if at is None else (buses[at], live[at])
            self._incidence = count, at, handy(self._entering(buses, live)), live
        return self._incidence[2], self._incidence[3]

    def _entering(self, buses: Integers, live: Booleans) -> sp.csr_matrix:
        entries = (live / self._base_mva, (buses, np.arange(len(buses))))
        return sp.csr_matrix(entries, (self._n_bus, len(buses)))

    def of_points(self, count: int) -> tuple[Integers, Booleans]:
        """Return the internal buses of the last generators, which are the connection points, and which have supply."""
        first = len(self._at["sgen"]) - count
        return self._at["sgen"][first:], self.live["sgen"][first:]

    def is_stranded(self, state: OperatingPoint) -> bool:
        """Return whether anything with power stands at a bus without supply, where a power flow would drop it."""
        if self.all_live:
            return False
        powers = {table: (getattr(state, f"{table}_p_mw"), getattr(state, f"{table}_q_mvar")) for table in _SIGNS}
        return any(bool(array[~self.live[table]].any()) for table, pair in powers.items() for array in pair)

    def supplied_part(self, state: OperatingPoint) -> OperatingPoint:
        """Return a state without the power of what has no supply."""
        return state.where(self.live)

    def load_factor(self, magnitude: Floats) -> Complexes:
        """Return what each load draws per nominal (states × loads; P real, Q imaginary), from |V| (states × buses)."""
        v = magnitude[:, self._at["load"]]
        constant, linear, square = self._factor
        return np.asarray(constant + v * (linear + v * square))
