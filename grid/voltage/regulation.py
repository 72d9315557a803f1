"""Automatic voltage control of transformers: each holds its lower bus at a set-point by stepping its taps.

    |V − set-point| > dead band / 2 for `delay_s` ─▶ one step ─▶ wait again

A grid with it offers set-points in place of tap positions; where the taps come to rest is found by trying, as the
regulators would.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..arrays import Floats
from ..description.uncertainty import Regulator
from ..errors import NetworkError
from ..model import GridModel
from ..powerflow.operating_point import OperatingPoint
from .taps import TapDrive

SetPoints = tuple[float, ...]


def lower_buses(model: GridModel) -> list[int]:
    """Return the position in the bus table of the bus that each transformer regulates."""
    return [int(model.net.bus.index.get_loc(bus)) for bus in model.net.trafo.lv_bus]


def set_points(model: GridModel, regulator: Regulator) -> SetPoints:
    """Return the set-points that a description gives, one per transformer."""
    return (regulator.vm_set_pu,) * len(model.initial_taps)


def settled(model: GridModel, state: OperatingPoint, regulator: Regulator, wanted: SetPoints) -> OperatingPoint:
    """Return the state with the taps where regulators come to rest; where they run out of range, at its end."""
    buses, band = lower_buses(model), regulator.dead_band_pu / 2
    for _ in range(4 * (1 + max((high - low for low, high in model.tap_ranges), default=0))):
        moves = _moves(model, model.solve(state).vm_pu[0, buses], (wanted, state.taps), band)
        if not any(moves):
            break
        state = state.with_taps([tap + move for tap, move in zip(state.taps, moves, strict=True)])
    return state


def _moves(model: GridModel, vm_pu: Floats, standing: tuple[SetPoints, Sequence[int]], band: float) -> list[int]:
    """Return the step of every transformer: one towards its set-point, none within the band or at the range's end."""
    moves = []
    for position, (wanted, tap) in enumerate(zip(*standing, strict=True)):
        off = float(vm_pu[position]) - wanted
        low, high = model.tap_ranges[position]
        step = 0 if not abs(off) > band else model.tap_senses[position] * (-1 if off > 0 else 1)
        moves.append(step if low <= tap + step <= high else 0)
    return moves


class Regulation:
    """The regulators of one plant, with their set-points and how long each has been off."""

    def __init__(self, model: GridModel, regulator: Regulator) -> None:
        self._model, self._regulator = model, regulator
        self._buses = lower_buses(model)
        self.wanted = list(set_points(model, regulator))
        self._off_since_us: list[int | None] = [None] * len(self.wanted)

    @property
    def touched(self) -> bool:
        """Whether any set-point is not what the description gives."""
        return tuple(self.wanted) != set_points(self._model, self._regulator)

    def set_voltage(self, position: int, vm_pu: float) -> None:
        """Change a set-point. Raises NetworkError outside its range."""
        if not self._regulator.reaches(vm_pu):
            reach = f"{self._regulator.vm_low_pu:g} … {self._regulator.vm_high_pu:g}"
            raise NetworkError(f"voltage set-point {vm_pu:g} pu is outside the range {reach}")
        self.wanted[position] = vm_pu
        self._off_since_us[position] = None

    def beat(self, now_us: int, vm_pu: Floats, drives: Sequence[TapDrive]) -> None:
        """Look at the voltages, and order a step where one has been off for long enough."""
        standing = tuple(self.wanted), [drive.position for drive in drives]
        moves = _moves(self._model, vm_pu[self._buses], standing, self._regulator.dead_band_pu / 2)
        for position, (move, drive) in enumerate(zip(moves, drives, strict=True)):
            if not move or drive.position != drive.target:
                self._off_since_us[position] = None
                continue
            since_us = self._off_since_us[position]
            if since_us is None:
                self._off_since_us[position] = since_us = now_us
            if now_us - since_us >= round(self._regulator.delay_s * 1e6):
                drive.set_target(drive.position + move, now_us)


def voltage_after(model: GridModel, vm_pu: Floats, position: int) -> float:
    """Return the set-point that keeps a transformer where it stands, from the voltages of a state; 1e-4 pu."""
    return round(float(np.asarray(vm_pu)[lower_buses(model)[position]]), 4)
