"""The loops of the chord: its passes, and what flows in the states that they have found.

s states, n buses below the source, p connection points; complex numbers as pairs where a matrix of the Jacobian acts.
"""

from __future__ import annotations

import math

import numpy as np

from ..arrays import Complexes, Floats, Integers
from ..compiled import compiled
from .fixed_point import TOLERANCE_PU

MOST_PASSES = 14
FAST = 0.3  # as in newton.py: the error that is left after a step is at most rate / (1 − rate) of it
LEAST_PU = 0.7  # where a state's voltages are lower in the mean, it may be another solution than that of a healthy grid

Flows = tuple[Integers, Integers, Complexes, Complexes]
"""A sparse matrix row by row – where each begins, columns, values – and what is added to each row."""
FLOWS = "Tuple((i8[::1], i8[::1], c16[::1], c16[::1]))"


@compiled("void(f8[::1], f8[:,::1], f8[::1])")
def product(given: Floats, matrix: Floats, found: Floats) -> None:
    """A row (m) times a matrix (m × n), into `found` (n)."""
    found[:] = 0.0
    for row in range(len(given)):
        for column in range(len(found)):
            found[column] += given[row] * matrix[row, column]


@compiled("b1(c16[:,::1])")
def healthy(v: Complexes) -> bool:
    """Whether the voltages of each state (s × n) are high in the mean: others must not make up for it."""
    for s in range(len(v)):
        squares = 0.0
        for k in range(v.shape[1]):
            squares += v[s, k].real ** 2 + v[s, k].imag ** 2
        if not squares > LEAST_PU**2 * v.shape[1]:
            return False
    return True


@compiled("Tuple((c16[:,::1], c16[:,::1]))(c16[:,::1], Tuple((i8[::1], f8)), f8[:,::1], c16[::1])")
def linear_answer(
    change_mva: Complexes, points: tuple[Integers, float], linear: Floats, own: Complexes
) -> tuple[Complexes, Complexes]:
    """Return the voltages that a change would make if all were linear, and all conj(S) that is constant power (s × n).

    points: the bus of each (p; negative: a source), and what a MVA is per unit · linear ((2n + 1) × 2n): of
    (conj(dS), 1) · own (n): of the chord's state.
    """
    states, n = len(change_mva), len(own)
    bus, per_mva = points
    power, given, x = np.zeros((states, n), np.complex128), np.ones(2 * n + 1), np.empty((states, 2 * n))
    for s in range(states):
        for p in range(len(bus)):
            if bus[p] >= 0:
                power[s, bus[p]] += np.conj(change_mva[s, p]) * per_mva
        for k in range(n):
            given[2 * k], given[2 * k + 1] = power[s, k].real, power[s, k].imag
            power[s, k] += own[k]
        product(given, linear, x[s])
    return x.view(np.complex128), power


@compiled("b1(c16[:,::1], c16[:,::1], c16[::1], f8[:,::1])")
def passed(v: Complexes, power: Complexes, current: Complexes, table: Floats) -> bool:
    """Move voltages (s × n) on until all have converged; False if they do not, or to where no healthy grid is.

    power (s × n), current (n): conj(S) that is constant power and current · table ((4n + 1) × 2n): of (V, c, 1).
    """
    states, n = v.shape
    given, after, before = np.ones(4 * n + 1), np.empty(2 * n), 0.0
    for count in range(MOST_PASSES):
        squares = 0.0
        for s in range(states):
            for k in range(n):
                size = abs(v[s, k])
                c = (power[s, k] / size + current[k]) / size * v[s, k]
                given[2 * k], given[2 * k + 1] = v[s, k].real, v[s, k].imag
                given[2 * (n + k)], given[2 * (n + k) + 1] = c.real, c.imag
            product(given, table, after)
            for k in range(n):
                squares += (after[2 * k] - given[2 * k]) ** 2 + (after[2 * k + 1] - given[2 * k + 1]) ** 2
                v[s, k] = complex(after[2 * k], after[2 * k + 1])
        if count == 0:
            continue
        length = math.sqrt(squares)
        rate = length / before if before else math.inf
        before = length
        if length == 0.0 or (length * rate / (1 - rate) if rate < FAST else length) <= TOLERANCE_PU:
            return healthy(v)
    return False


@compiled("Tuple((c16[:,::1], b1))(c16[:,::1], Tuple((i8[::1], f8)), f8[:,::1], c16[:,::1], f8[:,::1])")
def found_near(
    change_mva: Complexes, points: tuple[Integers, float], linear: Floats, own: Complexes, table: Floats
) -> tuple[Complexes, bool]:
    """Return the voltages of the states that differ by a change (s × n), and whether all have been found.

    As for both of the above; own (2 × n): conj(S) of the chord's state that is constant power, and constant current.
    """
    v, power = linear_answer(change_mva, points, linear, own[0])
    return v, passed(v, power, own[1], table)


@compiled(f"Tuple((f8[:,::1], c16[:,::1]))(c16[:,::1], c16[:,::1], {FLOWS}, i8[::1], c16[:,::1])")
def flowing(
    v: Complexes, change_mva: Complexes, flows: Flows, branch_of: Integers, sources: Complexes
) -> tuple[Floats, Complexes]:
    """Return the loading of each branch in percent (s × branches), of its more loaded side, and MVA from the sources.

    v (s × n): voltages · change_mva (s × p) · flows: loading of each side and current from each source, of V ·
    branch_of: the branch of each side · sources ((2 + p) × sources): MVA per conj(I), less what the chord's own state
    injects there, less what is injected at connection points there.
    """
    sides = len(branch_of)
    begins, buses, per_voltage, given = flows
    loading = np.zeros((len(v), branch_of[-1] + 1 if sides else 0))
    interface_mva, flow = np.empty((len(v), sources.shape[1]), np.complex128), np.empty(len(given), np.complex128)
    for s in range(len(v)):
        for j in range(len(flow)):
            flow[j] = given[j]
            for entry in range(begins[j], begins[j + 1]):
                flow[j] += v[s, buses[entry]] * per_voltage[entry]
        for side in range(sides):
            loading[s, branch_of[side]] = max(abs(flow[side]), loading[s, branch_of[side]])
        for source in range(sources.shape[1]):
            interface_mva[s, source] = np.conj(flow[sides + source]) * sources[0, source] - sources[1, source]
            for p in range(change_mva.shape[1]):
                interface_mva[s, source] -= change_mva[s, p] * sources[2 + p, source]
    return loading, interface_mva


@compiled("f8[:,::1](c16[:,::1], f8[::1], i8[::1])")
def magnitudes(v: Complexes, sources_pu: Floats, bus: Integers) -> Floats:
    """Return |V| at the network's buses (s × buses), NaN without supply.

    v (s × n): voltages below the sources · bus: which of those, n and on: which source, negative: none.
    """
    n, found = v.shape[1], np.empty((len(v), len(bus)))
    for s in range(len(v)):
        for b in range(len(bus)):
            k = bus[b]
            found[s, b] = math.nan if k < 0 else abs(v[s, k]) if k < n else sources_pu[k - n]
    return found
