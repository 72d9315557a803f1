"""The control area as a plant: one frequency an area, its inertia, self-regulation and containment reserve (FCR).

    disturbances + measured deviations of interfaces and units ──▶ ΔP ──▶ swing (one area or several) ──▶ Δf, ties
              ▲                                                                                  │
              └── FCR: droop, cap, first-order lag, greatest rate ◀──────────────────────────────┘

This is the one-machine swing equation of load-frequency control (P. Kundur, Power System Stability and Control, 11.1;
T_a = 2H on the load's base). MW are surpluses: + raises the frequency. The areas are integrated in fixed sub-steps that
start at whole multiples of 50 ms since the epoch, so ticks of 1, 2 or 4 s give the same result; between two calls the
deviation is taken to run in a straight line, while disturbances are steps at their own time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ..arrays import Floats
from ..errors import GridError
from .containment import Containment, Droop
from .description import AreaDescription, BalanceDescription, FcrDescription
from .disturbance import STEP_US, Total, courses, recording
from .secondary import Secondary
from .substeps import add_line, follow
from .swing import Swing

MOST_STEPS = 80  # between two looks at what comes from outside


class AreaError(GridError):
    """The area was asked for something without meaning: a time in its past, or a deviation that is no number."""


class AreaReading(NamedTuple):
    """What is measured of the area; ACE < 0 means short: activate up. `tie_mw` is export beyond the schedule."""

    at_us: int
    frequency_hz: float
    ace_mw: float
    fcr_mw: float
    disturbance_mw: float
    tie_mw: float = 0.0


class Area:
    """The physics of the control area and its neighbours, at rest at nominal frequency when it starts."""

    def __init__(
        self,
        description: AreaDescription,
        start_us: int,
        midnight_us: int,
        *,
        seed: int = 0,
        contracted_mw_per_hz: float = 0.0,
    ) -> None:
        """`midnight_us`: when the clock of the scenario's first day reads 00:00:00.

        `seed` is what drawn disturbances hang on; `contracted_mw_per_hz` is the droop that the area counts on from
        providers, part of K unless the scenario says K. Raises RecordingError for a file that cannot be read.
        """
        self.description = description
        self._deviation_us, self._deviation_mw = start_us, 0.0
        self._step = start_us // STEP_US
        self._swing = Swing(description)
        self._z: Floats = np.zeros(len(self._swing.step))
        self._reserves: dict[str, int] = {}
        self._containment = Containment()
        balances: list[BalanceDescription] = [description, *description.neighbours.values()]
        for number, balance in enumerate(balances):
            self._containment.add(number, _droop(balance.fcr))
        self._secondaries = [Secondary(neighbour.secondary) for neighbour in description.neighbours.values()]
        self._bias = [balance.bias_mw_per_hz for balance in balances]
        if description.frequency_bias_mw_per_hz is None:
            self._bias[0] += contracted_mw_per_hz
        parts = [
            courses(balance, name=name, seed=seed, start_us=start_us, midnight_us=midnight_us)
            for name, balance in zip(self._swing.names, balances, strict=True)
        ]
        if description.recorded is not None:
            parts[0].append(recording(description.recorded, midnight_us))
        self._disturbances = [Total(own) for own in parts]
        self._last = self._reading(0)
        self._lowest_hz = self._highest_hz = 0.0

    def disturbance_mw(self, at_us: int) -> float:
        """The sum of the own area's disturbances at an instant, not long before the time reached."""
        return self._disturbances[0].at(at_us)

    def set_reserve(self, name: str, droop: Droop) -> None:
        """Let a provider's reserve of the own area follow the frequency from the time reached on, in this way."""
        if name not in self._reserves:
            self._reserves[name] = self._containment.add(0, droop)
        else:
            self._containment.change(self._reserves[name], droop)

    def reserves_mw(self) -> dict[str, float]:
        """What each provider's reserve gives at the time reached, + up, those under test included."""
        power = self._containment.mw.tolist()
        return {name: round(power[index], 6) + 0.0 for name, index in self._reserves.items()}

    def advance(self, to_us: int, deviation_mw: float) -> AreaReading:
        """Let time pass until `to_us`, when interfaces and units together deviate by `deviation_mw` (+ = surplus).

        Since the last call (0 MW at the start) it has run in a straight line to its new value; it does not contain
        the reserves given by `set_reserve`. Raises AreaError when `to_us` lies before the time reached or the
        deviation is no finite number.
        """
        if to_us < self._deviation_us:
            raise AreaError(f"area: asked for {to_us} µs, but {self._deviation_us} µs has been reached already")
        if not math.isfinite(deviation_mw):
            raise AreaError(f"area: the deviation is {deviation_mw} MW, but it must be a finite number")
        before_us, before_mw = self._deviation_us, self._deviation_mw
        per_us = (deviation_mw - before_mw) / max(to_us - before_us, 1)
        while (left := to_us // STEP_US - self._step) > 0:
            count = self._before_next_cycle(min(left, MOST_STEPS))
            outer_mw = self._outer_mw(count)
            add_line(outer_mw, before_mw, per_us, self._step * STEP_US + STEP_US // 2 - before_us)
            self._integrate(outer_mw)
        self._deviation_us, self._deviation_mw = to_us, deviation_mw
        self._last = self._reading(0)
        return self._last

    def _before_next_cycle(self, count: int) -> int:
        """How many of `count` sub-steps come before a neighbour's control acts again; those that are due act now."""
        for number, secondary in enumerate(self._secondaries, start=1):
            if secondary.until_cycle(self._step) == 0:
                secondary.cycle(self._ace_mw(number))
            count = min(count, secondary.until_cycle(self._step) or secondary.cycle_steps)
        return count

    def _outer_mw(self, count: int) -> Floats:
        """Disturbances and neighbours' control in each of the next sub-steps (count × areas)."""
        outer = np.empty((count, len(self._disturbances)))
        for number, disturbances in enumerate(self._disturbances):
            outer[:, number] = disturbances.sample(self._step, count)
        for number, secondary in enumerate(self._secondaries, start=1):
            outer[:, number] += secondary.follow(count)
        return outer

    def _integrate(self, outer_mw: Floats) -> None:
        """Pass by as many sub-steps as `outer_mw` (sub-steps × areas) has."""
        reserves = self._containment
        lowest_hz, highest_hz = follow(self._z, reserves.state, self._swing.step, reserves.droops, outer_mw)
        self._lowest_hz, self._highest_hz = min(self._lowest_hz, lowest_hz), max(self._highest_hz, highest_hz)
        self._step += len(outer_mw)
        for secondary in self._secondaries:
            secondary.pass_by(len(outer_mw))

    def extremes_hz(self) -> tuple[float, float]:
        """The lowest and the highest frequency since this was last asked, whatever the tick: to 1 µHz."""
        nominal_hz, now_hz = self.description.nominal_hz, float(self._z[0])
        found = round(nominal_hz + self._lowest_hz, 6), round(nominal_hz + self._highest_hz, 6)
        self._lowest_hz = self._highest_hz = now_hz
        return found

    def _tie_mw(self, number: int) -> float:
        """What an area exports beyond its schedule."""
        return float(self._swing.leaving[number] @ self._z[len(self._disturbances) :]) if self._swing.ties else 0.0

    def _ace_mw(self, number: int) -> float:
        """ACE = ΔP_tie + K · Δf."""
        return self._tie_mw(number) + self._bias[number] * float(self._z[number])

    def reading(self) -> AreaReading:
        """What is measured of the own area at the time reached: to 1 µHz and 1 W."""
        return self._last

    def neighbours(self) -> Mapping[str, AreaReading]:
        """The same of every neighbour."""
        return {name: self._reading(number) for number, name in enumerate(self._swing.names[1:], start=1)}

    def _reading(self, number: int) -> AreaReading:
        at_us = self._deviation_us
        disturbance_mw = self._disturbances[number].at(at_us)
        fcr_mw = self._containment.felt_mw(number)
        tie_mw = self._tie_mw(number)
        ace_mw = tie_mw + self._bias[number] * float(self._z[number])
        values = (ace_mw, fcr_mw, disturbance_mw, tie_mw)
        ace_mw, fcr_mw, disturbance_mw, tie_mw = [round(value, 6) + 0.0 for value in values]
        frequency_hz = round(self.description.nominal_hz + float(self._z[number]), 6)
        return AreaReading(at_us, frequency_hz, ace_mw, fcr_mw, disturbance_mw, tie_mw)


def _droop(fcr: FcrDescription) -> Droop:
    slope, most, band_hz = fcr.droop_mw_per_hz, fcr.limit_mw, fcr.dead_band_mhz / 1000
    return Droop(slope, most, most, band_hz, fcr.lag_s, fcr.rate_mw_per_s)
