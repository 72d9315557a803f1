"""The grid as it physically is: true profiles, true taps, and what units and pools really do.

    resources ── set_point_power ─────────┐
    orders ───── set_tap_target, voltage ─┼─▶ advance ─▶ solve ─▶ PlantState, readings, snapshot
    profiles (actual) ────────────────────┘   │    ▲        └─▶ protect ─▶ out of service ─▶ solve
                     loads recover, regulators look, on beats of 5 s

No party of the market; a DSO learns from it only through readings of what is metered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import Complexes, Floats
from ..clock import US_PER_SECOND, clock_text
from ..description.grid import GridDescription, TapChanger
from ..errors import GridError, NetworkError
from ..limits.constraints import Constraints
from ..model import load_model
from ..moments.snapshot import Row, Rows, network_json, with_row
from ..network.points import ConnectionPoint
from ..powerflow.operating_point import OperatingPoint
from ..powerflow.vicinity import Vicinity
from ..readings import Readings
from ..series.blocks import Window
from ..series.profiles import Profiles
from ..voltage.regulation import Regulation
from ..voltage.taps import TapDrive
from .protection import Incident, Relays
from .recovery import BEAT_US, Recovery, next_beat_us
from .state import Gauge, Metering, Moment, PlantState, tabulated
from .untouched import Untouched


class GridPlant:
    """The true state of one grid over time; instants are integer microseconds since the epoch and never go back."""

    def __init__(
        self,
        grid_id: str,
        description: GridDescription,
        points: Sequence[ConnectionPoint],
        midnight_us: int = 0,
        *,
        window: Window | None = None,
    ) -> None:
        """`midnight_us`: when the clock of the first day reads 00:00:00 · `window`: as for GridStudies; errors too."""
        self.grid_id = grid_id
        self.model = load_model(description, points)
        self._rows = Rows(self.model.net)
        self._row: tuple[Moment, Floats] | None = None
        self.columns = self._rows.names
        self._profiles = Profiles(self.model, description, midnight_us, window=window, grid_id=grid_id)
        self._gauge = Gauge(self.model.ratings, Constraints(self.model))
        self._metering = Metering(self._profiles.elements, description.metered)
        self._meters_interface = "interface" in description.metered
        self._midnight_us = self._now_us = midnight_us
        self._power_mva: Complexes = np.zeros(len(self.model.point_names), dtype=complex)
        taps = description.taps or TapChanger()
        drives = zip(self.model.initial_taps, self.model.tap_ranges, strict=True)
        self._drives = [TapDrive(tap, reach, round(taps.seconds_per_step * US_PER_SECOND)) for tap, reach in drives]
        self._recovery = Recovery(description.load_recovery, len(self.model.net.load))
        self._regulator = taps.regulator
        self._regulation = None if self._regulator is None else Regulation(self.model, self._regulator)
        self.recovered_mwh = 0.0
        self._relays = Relays(self.model.ratings.branches, self.model.ratings.loading_percent, description.protection)
        self.lost_points: frozenset[str] = frozenset()
        self._alive = True  # whether there was a power flow when protection looked last
        self.untouched = self._untouched(description)
        self._settle()
        self._solved: Moment | None = None
        self._near: Vicinity | None = None  # of the grid's own powers

    def _untouched(self, description: GridDescription) -> Untouched:
        error = description.forecast_error
        lead_us = 0 if error is None else round(error.schedule_lead_min * 60 * US_PER_SECOND)
        return Untouched(self.model, self._profiles, self._gauge, self._regulator, lead_us)

    def _settle(self) -> None:
        """Regulators have been at work before: the taps begin where those leave them."""
        taps = self.untouched.of(self._profiles.actual(self._now_us)).taps
        for drive, position in zip(self._drives, taps, strict=True):
            drive.position = drive.target = position

    @property
    def taps(self) -> tuple[int, ...]:
        """The present tap positions."""
        return tuple(drive.position for drive in self._drives)

    @property
    def out_of_service(self) -> tuple[str, ...]:
        """The lines and transformers that protection has taken out."""
        return tuple(self.model.ratings.branches[k] for k in self._relays.out)

    def set_point_power(self, point: str, p_mw: float, q_mvar: float = 0.0) -> None:
        """Set what a connection point injects beyond its baseline, MW and Mvar, + up. Raises NetworkError."""
        position = self.model.point(point)
        if self._power_mva[position] != complex(p_mw, q_mvar):
            self._power_mva[position] = complex(p_mw, q_mvar)
            self._solved = None

    def set_tap_target(self, transformer: str, position: int, at_us: int) -> None:
        """Order a tap position, reached one step per `seconds_per_step`. Raises NetworkError (name, range)."""
        self.advance(at_us)
        self._drives[self.model.transformer(transformer)].set_target(position, at_us)

    def set_voltage_target(self, transformer: str, vm_pu: float, at_us: int) -> None:
        """Order a regulator's set-point. Raises NetworkError (name, range, or no regulator)."""
        if self._regulation is None:
            raise NetworkError(f"the transformers of grid {self.grid_id} have no voltage regulators (taps.regulator)")
        self.advance(at_us)
        self._regulation.set_voltage(self.model.transformer(transformer), vm_pu)

    def advance(self, to_us: int) -> None:
        """Move time on: profiles, tap drives, and beats. Raises GridError if time would go back."""
        if to_us < self._now_us:
            texts = (clock_text(max(0, t - self._midnight_us)) for t in (self._now_us, to_us))
            raise GridError("time of grid {} cannot go back from {} to {}".format(self.grid_id, *texts))
        while self._beats() and (beat_us := next_beat_us(self._now_us)) <= to_us:
            self._move(beat_us)
            self._beat()
        self._move(to_us)

    @property
    def load_recovery_mw(self) -> float:
        """What loads draw at present beyond what their voltage says, because of tap steps before."""
        if not self._recovery.active:
            return 0.0
        now = self._solution()
        drawn = now.own.load_p_mw * now.solution.load_factor[0].real if now.shown.converged else np.zeros(0)
        return float((drawn * (1 - 1 / self._recovery.factor.real)).sum()) if len(drawn) else 0.0

    def _beats(self) -> bool:
        """Whether anything happens by itself: regulators look, or tap steps are being recovered from."""
        if self._regulation is not None or not self._recovery.possible:
            return self._regulation is not None
        moved = self.taps != self.model.initial_taps or any(drive.position != drive.target for drive in self._drives)
        return moved or self._recovery.active

    def _beat(self) -> None:
        now = self._solution()
        if self._regulation is not None:
            self._regulation.beat(self._now_us, now.shown.vm_pu, self._drives)
        undisturbed = self._operating_point(recovered=False)
        if self._regulation is None or self._regulation.touched:
            undisturbed = self.untouched.of(undisturbed)
        touched = self._recovery.active or undisturbed.taps != now.own.taps
        if not (self._recovery.possible and touched and now.shown.converged):
            return
        self.recovered_mwh += self.load_recovery_mw * BEAT_US / 3.6e9
        reference = self.model.solve(undisturbed)
        if reference.converged[0]:
            self._recovery.beat(now.solution.load_factor[0], reference.load_factor[0])
            self._change()

    def _change(self) -> None:
        """The grid's own powers, taps or branches are others from now on."""
        self._solved = self._near = None

    def _move(self, to_us: int) -> None:
        before = self._profiles.actual(self._now_us)
        if any(drive.position != drive.target for drive in self._drives):
            taps = self.taps
            for drive in self._drives:
                drive.advance(to_us)
            if taps != self.taps:
                self._change()
        self._now_us = to_us
        if before is not self._profiles.actual(to_us):
            self._change()

    def protect(self) -> tuple[Incident, ...]:
        """Let protection look at the present state; what trips is out of service from now on, `solve` shows it.

        Called once whenever time has moved on. Returns what happened: trips, reclosings, overloads that have ended.
        Where voltage has collapsed, all connection points are lost until there is a power flow again.
        """
        state, before = self.solve(), self._relays.out
        asleep = state.converged and self._relays.sleep(self._now_us, state.solution.loading_percent)
        if asleep and self._alive == state.converged:
            return ()
        loading_percent = state.loading_percent if state.converged else np.zeros_like(state.loading_percent)
        incidents = self._relays.look(self._now_us, loading_percent)
        if self._relays.out != before:
            self._change()
        if self._relays.out != before or self._alive != state.converged:
            everything = frozenset(self.model.point_names)
            self.lost_points = self.model.unsupplied_points(self._relays.out) if state.converged else everything
        self._alive = state.converged
        return incidents

    def close(self) -> tuple[Incident, ...]:
        """Return the overloads that go on now, at the end of a run."""
        return self._relays.close(self._now_us)

    def solve(self) -> PlantState:
        """Return the present state; computed only when something has changed."""
        return self._solution().shown

    def shadow_state(self, added: Mapping[str, float]) -> PlantState:
        """Return the state that would be with power added at connection points (MW, + up). Raises NetworkError."""
        if self._relays.out:
            return PlantState(self._gauge, self.model.solve(self._operating_point().with_changes(added)))
        self._solution()
        assert self._near is not None
        change_mva = self._power_mva.copy()
        for name, p_mw in added.items():
            change_mva[self.model.point(name)] += p_mw
        return PlantState(self._gauge, self._near.solve(change_mva[None]))

    def readings(self, at_us: int) -> Readings:
        """Advance to an instant and return what the scenario says is metered there, rounded to 1 W."""
        self.advance(at_us)
        now = self._solution()
        interface = now.shown.interface if self._meters_interface else ()
        metered = self._metering.read(now.own, now.solution)
        return Readings(at_us, metered, self.taps, interface, self.out_of_service)

    def snapshot(self, at_us: int) -> Row:
        """Advance to an instant and return every injection, tap and switch under the names in `columns`."""
        return dict(zip(self.columns, self.snapshot_values(at_us).tolist(), strict=True))

    def snapshot_values(self, at_us: int) -> Floats:
        """Return the same as numbers, in the order of `columns`; the same array while the state is the same."""
        self.advance(at_us)
        now = self._solution()
        if self._row is None or self._row[0] is not now:
            self._row = now, self._rows.of(now.own, now.added_mva[None], now.solution)[0]
        return self._row[1]

    def moment(self) -> Moment:
        """Return the present moment, to be tabulated later."""
        return self._solution()

    def tabulated(self, moments: Sequence[Moment]) -> tuple[Floats, Floats, Floats]:
        """Return rows (n × `columns`), figures (n × FIGURES), losses (n, MW) of some moments, in order of time."""
        return tabulated(self._rows, self._gauge, moments)

    def network_json(self) -> str:
        """Return the prepared network as JSON, to be stored once beside the rows."""
        return network_json(self.model.net)

    def export(self, row: Mapping[str, float | int]) -> Any:
        """Return the pandapower network of a row, loads as constant power at what they drew. Raises NetworkError."""
        return with_row(self.model.net, row)

    def _operating_point(self, *, recovered: bool = True) -> OperatingPoint:
        return self.model.energised(self._wanted(recovered=recovered))

    def _wanted(self, *, recovered: bool = True) -> OperatingPoint:
        """What everybody would draw and inject if all had supply."""
        return self._own(recovered=recovered).with_change_mva(self._power_mva)

    def _own(self, *, recovered: bool = True) -> OperatingPoint:
        """The same without what participants do beyond their baselines."""
        state = self._profiles.actual(self._now_us).with_taps(self.taps).with_out(self._relays.out)
        return state.with_load_factor(self._recovery.factor) if recovered and self._recovery.active else state

    def _solution(self) -> Moment:
        if self._solved is None:
            self._solved = self._reduced() if self._relays.out else self._whole()
        return self._solved

    def _whole(self) -> Moment:
        """The present moment of a grid that has all its branches: near that of its own powers."""
        if self._near is None:
            own = self._own()
            self._near = Vicinity(self.model.solver(own.taps), own)
        added_mva = self._power_mva.copy()
        solution = self._near.solve(added_mva[None])
        lost_mw = (0.0, 0.0) if solution.converged[0] else _between(self._wanted().without_power(), self._wanted())
        return Moment(self._near.state, added_mva, solution, PlantState(self._gauge, solution, lost_mw))

    def _reduced(self) -> Moment:
        """The present moment of a grid of which protection has taken something out of service."""
        state, wanted = self._operating_point(), self._wanted()
        solution = self.model.solve(state)
        lost_mw = _between(state if solution.converged[0] else state.without_power(), wanted)
        return Moment(state, np.zeros_like(self._power_mva), solution, PlantState(self._gauge, solution, lost_mw))


def _between(state: OperatingPoint, wanted: OperatingPoint) -> tuple[float, float]:
    """MW of loads at 1 pu, and of what injects, that one state has less than what is wanted."""
    load_mw, injected_mw = wanted.load_p_mw - state.load_p_mw, wanted.sgen_p_mw - state.sgen_p_mw
    return round(float(load_mw.sum()), 6) + 0.0, round(float(injected_mw.clip(min=0.0).sum()), 6) + 0.0
