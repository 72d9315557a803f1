"""Few states of a small grid, near one whose Jacobian is known, by loops that are compiled (passes.py).

The fixed point x = G(x) = w + Z·c(x), with c = conj(S(|V|)/V), is found along the chord of one state (x₀, S₀):

    x ← x − M·(x − G(x)) = [ I − M + M·Z·conj(S_Z) | M·Z | M·w ] · (x, c_P(x) + c_I(x), 1)         M = (I − G'(x₀))⁻¹

so a pass is one product with one matrix; the constant impedances are in it. It begins with the linear answer to what
is changed, M·Z·conj(dS/V₀), and near x₀ three to five passes do what takes the fixed point ten. The states themselves
are exact: only the Jacobian is that of the neighbour, and the error that is left is bounded by the steps' rate.
For a grid of 15 buses numpy would take six times as long to be called as these products take.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.sparse as sp

from ..arrays import Booleans, Complexes, Floats, Integers, in_a_row
from .admittance import Admittance
from .fixed_point import FixedPoint
from .newton import Powers
from .passes import Flows, flowing, found_near, magnitudes
from .sensitivity import factors_of

UP_TO_BUSES = 100
MOST_STATES = 4
Factor = Callable[[Floats], Complexes]


@dataclass(frozen=True, slots=True, eq=False)
class Wiring:
    """What all states of one solver have in common, in its internal numbering (b buses, n of them below the source).

    impedance (n × n), no_load (n): of the fixed point · others, reference, v_reference · points: the bus of each
    connection point among those below (p; negative: at a source), and what a MVA is per unit · at_sources (p ×
    references): per unit of a MVA at a source · flows: from voltages to the loading of each side in percent and to the
    current at each source, branch_of: the branch of each side · bus: internal number of each network bus, negative
    without supply · factor: what loads draw per nominal, from |V| (states × b).
    """

    impedance: Complexes
    no_load: Complexes
    others: Integers
    reference: Integers
    v_reference: Complexes
    points: tuple[Integers, float]
    at_sources: Floats
    flows: Flows
    branch_of: Integers
    base_mva: float
    bus: Integers
    factor: Factor


class Neighbours:
    """The states that were found along a chord, a solution whose parts are computed when they are asked for.

    below (states × n): their voltages · change_mva (states × p): what they differ by.
    """

    def __init__(self, chord: Chord, below: Complexes, change_mva: Complexes) -> None:
        self.chord, self.below, self.change_mva = chord, below, change_mva
        self.converged = _all_of(len(below))
        self._voltage: Complexes | None = None
        self._vm_pu: Floats | None = None
        self._flows: tuple[Floats, Complexes] | None = None

    @property
    def voltage(self) -> Complexes:
        """Voltages of all buses (states × b)."""
        if self._voltage is None:
            chord = self.chord
            buses = self.below.shape[1] + len(chord.wiring.v_reference)
            self._voltage = np.empty((len(self.below), buses), dtype=complex)
            self._voltage[:, chord.others] = self.below
            self._voltage[:, chord.reference] = chord.wiring.v_reference
        return self._voltage

    @property
    def vm_pu(self) -> Floats:
        """Voltages at the network's buses, NaN without supply."""
        if self._vm_pu is None:
            self._vm_pu = magnitudes(self.below, self.chord.sources_pu, self.chord.bus)
        return self._vm_pu

    @property
    def load_factor(self) -> Complexes:
        """What each load draws per nominal, real part for P, imaginary part for Q."""
        return np.asarray(self.chord.wiring.factor(np.abs(self.voltage)))

    @property
    def loading_percent(self) -> Floats:
        """Loadings of the branches: of their more loaded sides."""
        return self._flowing()[0]

    @property
    def interface_mva(self) -> Complexes:
        """Powers from the sources, less what is drawn and injected there."""
        return self._flowing()[1]

    def _flowing(self) -> tuple[Floats, Complexes]:
        if self._flows is None:
            wiring = self.chord.wiring
            self._flows = flowing(self.below, self.change_mva, wiring.flows, wiring.branch_of, self.chord.sources)
        return self._flows


class Chord:
    """The matrices at one state, and the passes of those near it."""

    def __init__(self, wiring: Wiring, given: Powers, voltage: Complexes) -> None:
        """`given` (b, one state), `voltage` (n): of the state itself. LinAlgError where J is singular."""
        below, at = wiring.others, wiring.reference
        power, current, impedance = given.power[below, 0], given.current[below], given.impedance[below]
        self.wiring = wiring
        self.others, self.reference = map(in_a_row, (below, at))
        self._own = np.ascontiguousarray(np.conj((power, current)))
        reach = _paired(wiring.impedance)
        slopes = _paired_slopes(*factors_of(power, current, impedance, voltage))
        moves = np.linalg.inv(np.eye(len(reach)) - reach @ slopes)
        through = moves @ reach
        passive = _paired(np.diag(np.conj(impedance)))
        start = moves @ wiring.no_load.view(float)
        table = [np.eye(len(reach)) - moves + through @ passive, through, start[:, None]]
        self._table = np.ascontiguousarray(np.hstack(table).T)
        answer = through @ _paired(np.diag(1 / np.conj(voltage)))
        self._linear = np.ascontiguousarray(np.vstack((answer.T, voltage.view(float))))
        own = given.power[at, 0] + _at_source(given, wiring)
        sources = np.vstack([wiring.v_reference, own, *wiring.at_sources])
        self.sources = (sources * wiring.base_mva).astype(complex)
        self.sources_pu = np.abs(wiring.v_reference)
        place = np.argsort(np.concatenate((below, at)))  # of each bus: among those below, then among the sources
        self.bus = np.where(wiring.bus < 0, -1, place[wiring.bus])

    def solve(self, change_mva: Complexes) -> Neighbours | None:
        """Return the states with `change_mva` (states × connection points) injected; None unless all converge."""
        below, converged = found_near(change_mva, self.wiring.points, self._linear, self._own, self._table)
        return Neighbours(self, below, change_mva) if converged else None


@cache
def _all_of(states: int) -> Booleans:
    found: Booleans = np.ones(states, dtype=np.bool_)
    found.setflags(write=False)
    return found


def together(parts: Sequence[Neighbours]) -> Neighbours:
    """States along one chord, found one after the other, as one solution."""
    below = np.concatenate([one.below for one in parts])
    return Neighbours(parts[0].chord, below, np.concatenate([one.change_mva for one in parts]))


def wiring_of(admittance: Admittance, fixed: FixedPoint, points: Integers, bus: Integers, factor: Factor) -> Wiring:
    """What all states have in common; `points`: the internal buses of the connection points."""
    assert fixed.matrix is not None
    below, at, buses = admittance.others, admittance.reference, admittance.ybus.shape[0]
    place = np.full(buses, -1, dtype=np.int64)
    place[below] = np.arange(len(below))
    flows, starts = sp.csr_matrix(sp.vstack((admittance.rows, admittance.ybus[at]))), admittance.row_starts
    return Wiring(
        impedance=fixed.matrix,
        no_load=fixed.no_load,
        others=below,
        reference=at,
        v_reference=admittance.v_reference,
        points=(place[points], 1 / admittance.base_mva),
        at_sources=(points[:, None] == at) / admittance.base_mva,
        flows=_flows(flows[:, below], admittance.v_reference @ np.ascontiguousarray(flows[:, at].toarray().T)),
        branch_of=np.repeat(np.arange(len(starts)), np.diff([*starts, admittance.rows.shape[0]])),
        base_mva=admittance.base_mva,
        bus=bus,
        factor=factor,
    )


def _flows(matrix: sp.csr_matrix, given: Complexes) -> Flows:
    matrix.sort_indices()
    begins, buses = (np.asarray(places, dtype=np.int64) for places in (matrix.indptr, matrix.indices))
    return begins, buses, np.asarray(matrix.data, dtype=complex), given


def chord_at(wiring: Wiring, given: Powers, voltage: Complexes) -> Chord | None:
    """The chord of a state; None where its Jacobian has no inverse."""
    try:
        return Chord(wiring, given, voltage)
    except np.linalg.LinAlgError:
        return None


def _at_source(given: Powers, wiring: Wiring) -> Complexes:
    """What constant currents and impedances at the source inject, where the voltage never changes."""
    vm_pu, at = np.abs(wiring.v_reference), wiring.reference
    return np.asarray(vm_pu * (given.current[at] + vm_pu * given.impedance[at]))


def _paired(matrix: Complexes) -> Floats:
    """A complex matrix as a real one of twice the size, for vectors of pairs (real, imaginary)."""
    found = np.empty((2 * matrix.shape[0], 2 * matrix.shape[1]))
    found[::2, ::2] = found[1::2, 1::2] = matrix.real
    found[1::2, ::2] = matrix.imag
    found[::2, 1::2] = -matrix.imag
    return found


def _paired_slopes(a: Complexes, b: Complexes) -> Floats:
    """dc = a·dV + b·conj(dV) at every bus, as a real matrix for pairs."""
    found, even = np.zeros((2 * len(a), 2 * len(a))), np.arange(0, 2 * len(a), 2)
    found[even, even], found[even, even + 1] = a.real + b.real, b.imag - a.imag
    found[even + 1, even], found[even + 1, even + 1] = a.imag + b.imag, a.real - b.real
    return found
