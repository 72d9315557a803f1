"""A pool of small resources behind one aggregator, as arrays: one order in, many ramps out.

    set_target ──▶ split over the scheme ──▶ each resource: delay ──▶ ramp ──▶ energy, if it is a storage
                                                                       └──▶ sum per bus

Each step integrates the ramps in closed form between the moments at which an order takes effect; an empty or full
storage stops. So the result does not depend on the step.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np

from ..arrays import Floats
from ..clock import US_PER_SECOND
from .description import Bus, Kind, PoolDescription
from .dispatch import SUSTAINED_S, ByScheme, Dispatch, PoolView
from .fleet import draw
from .resource import (
    Agility,
    PointPower,
    ResourceError,
    ResourceState,
    Site,
    require_finite,
    require_forward,
)
from .split import split

Direction = Literal["up", "down"]


class Pool:
    """The machines of a pool of K resources and their state."""

    def __init__(
        self, description: PoolDescription, seed: int, start_us: int, dispatch: Dispatch | None = None
    ) -> None:
        """At rest on its baseline from `start_us` on, storages half full; `dispatch` shares orders out."""
        self.description = description
        self.dispatch = dispatch or ByScheme()
        self.fleet = draw(description, seed)
        self._now_us = self._start_us = start_us
        self._ordered_mw = 0.0
        self._power_mw: Floats = np.zeros(description.dfrs)  # as ordered
        self._contained_mw: Floats = np.zeros(description.dfrs)  # what local frequency control adds
        self._energy_mwh = self.fleet.start_mwh.copy()
        self._some_at_limit = False  # is any storage empty or full
        self._shown: tuple[tuple[PointPower, ...], ResourceState] | None = None  # as of the time reached
        always = np.full(description.dfrs, -np.inf)
        self._orders: list[tuple[Floats, Floats]] = [(always, np.zeros(description.dfrs))]  # (in effect from s, MW)
        self._buses = tuple(self.fleet.bus.tolist())
        self._site_names = tuple(f"{description.id}@{bus}" for bus in description.buses)
        self._site_kinds = tuple(self._prevailing_kind(index) for index in range(len(description.buses)))

    @property
    def id(self) -> str:
        """The name under which the scenario knows it."""
        return self.description.id

    @property
    def full_activation_s(self) -> float:
        """Seconds from an order until the slowest resource has ramped over its whole range."""
        fleet = self.fleet
        return float(np.max(fleet.delay_s + np.maximum(fleet.up_mw, fleet.down_mw) / fleet.rate_mw_per_s))

    @property
    def agility(self) -> Agility:
        """The mean delay as a lag, and the rate at which the pool as a whole ramps with its slowest resource."""
        fleet = self.fleet
        size = np.maximum(fleet.up_mw, fleet.down_mw)
        slowest_s = float(np.max(size / fleet.rate_mw_per_s))
        return Agility(float(fleet.delay_s @ size / size.sum()), float(size.sum()) / slowest_s)

    @property
    def contained_mw(self) -> float:
        """What local frequency control adds in total."""
        return round(float(self._contained_mw.sum()), 6)

    @property
    def at_rest(self) -> bool:
        """Whether all are on their baselines and nothing else is ordered; what delivers fills or empties storages."""
        return len(self._orders) == 1 and not (
            self._power_mw.any() or self._orders[0][1].any() or self._contained_mw.any()
        )

    def contain(self, p_mw: float) -> None:
        """From the time reached on local frequency control adds `p_mw`, shared out by what each has left of its range.

        Raises ResourceError if that is no number.
        """
        require_finite(self.id, p_mw)
        direction: Direction = "up" if p_mw >= 0 else "down"
        up = np.maximum(self.available("up") - self._power_mw, 0.0)
        down = np.maximum(self.available("down") + self._power_mw, 0.0)
        self._contained_mw, self._shown = split(p_mw, self.activation_scheme(direction), up, down), None

    @property
    def ordered_mw(self) -> float:
        """The last order in total, clipped to the pool's range."""
        return self._ordered_mw

    @property
    def energy_mwh(self) -> Floats:
        """Energy content (K): stored energy of storages; minus what was delivered for all others."""
        return self._energy_mwh.copy()

    def sites(self) -> tuple[Site, ...]:
        """One point per bus, named `pool@bus`, with the kind that prevails there."""
        baseline = np.bincount(self.fleet.bus, self.fleet.baseline_mw, len(self.description.buses))
        rows = zip(self.description.buses, self._site_kinds, baseline.tolist(), strict=True)
        return tuple(Site(f"{self.id}@{bus}", bus, kind, round(mw, 6)) for bus, kind, mw in rows)

    def _prevailing_kind(self, bus_index: int) -> Kind:
        counts = Counter(kind for kind, bus in zip(self.fleet.kind, self.fleet.bus, strict=True) if bus == bus_index)
        return min(counts or {"load": 0}, key=lambda kind: (-counts[kind], kind))

    def activation_scheme(self, direction: Direction = "up") -> Floats:
        """Share of each resource in an activation (K, sum 1): by size in that direction."""
        size = self.fleet.up_mw if direction == "up" else self.fleet.down_mw
        if not size.any():
            size = np.maximum(self.fleet.up_mw, self.fleet.down_mw)
        shares: Floats = size / size.sum()
        return shares

    def site_shares(self, direction: Direction = "up") -> tuple[tuple[str, float], ...]:
        """Share of each site in an activation (sum 1), as a grid check wants it."""
        shares = np.bincount(self.fleet.bus, self.activation_scheme(direction), len(self.description.buses))
        return tuple((site.name, share) for site, share in zip(self.sites(), shares.tolist(), strict=True))

    def available(self, direction: Direction, for_s: float = 0.0) -> Floats:
        """MW (K) that each can hold for `for_s` seconds from now, counted from its baseline."""
        size, room = self.fleet.up_mw, self._energy_mwh - self.fleet.floor_mwh
        if direction == "down":
            size, room = self.fleet.down_mw, self.fleet.roof_mwh - self._energy_mwh
        return np.minimum(size, room / (for_s / 3600)) if for_s > 0 else np.where(room > 0, size, 0.0)

    def available_mw(self, direction: Direction, for_s: float = 0.0) -> float:
        """MW in total that the pool can hold for `for_s` seconds from now, counted from its baseline."""
        return round(float(self.available(direction, for_s).sum()), 6)

    def set_target(self, p_mw: float, at_us: int) -> None:
        """Order a total change of `p_mw` at `at_us`, shared out by the scheme; clipped to what is available.

        Raises ResourceError when `p_mw` is no finite number or `at_us` lies before the time reached.
        """
        require_finite(self.id, p_mw)
        self.advance(at_us)
        direction: Direction = "up" if p_mw >= 0 else "down"
        targets = np.asarray(self.dispatch.targets(self._view(p_mw, direction)), dtype=float)
        if targets.shape != (self.description.dfrs,):
            text = f"its dispatch {type(self.dispatch).__name__} gives targets of shape {targets.shape}"
            raise ResourceError(f"{self.id}: {text}, but it has {self.description.dfrs} resources")
        self.set_targets(targets, at_us)

    def _view(self, p_mw: float, direction: Direction) -> PoolView:
        fleet = self.fleet
        return PoolView(
            p_mw,
            self.activation_scheme(direction),
            self.available(direction, SUSTAINED_S),
            self.available(direction),
            self._orders[-1][1],
            self._energy_mwh,
            fleet.floor_mwh,
            fleet.roof_mwh,
            fleet.rate_mw_per_s,
            self._buses,
            fleet.kind,
        )

    def set_targets(self, targets_mw: Floats, at_us: int) -> None:
        """Order a change of each resource (K) at `at_us`; each takes effect after that resource's delay."""
        self.advance(at_us)
        targets = np.clip(targets_mw, -self.fleet.down_mw, self.fleet.up_mw)
        require_finite(self.id, float(targets.sum()))
        self._ordered_mw, self._shown = round(float(targets.sum()), 6), None
        if not np.array_equal(targets, self._orders[-1][1]):
            self._orders.append((self._seconds(at_us) + self.fleet.delay_s, targets))

    def _seconds(self, at_us: int) -> float:
        return (at_us - self._start_us) / US_PER_SECOND

    def advance(self, to_us: int) -> None:
        """Let time pass until `to_us`; ResourceError if that has passed already."""
        require_forward(self.id, self._now_us, to_us)
        now_s, to_s = self._seconds(self._now_us), self._seconds(to_us)
        self._now_us = to_us
        if to_s == now_s:
            return
        self._shown = None
        if self._contained_mw.any():
            self._drain(to_s - now_s)
        for index, (from_s, targets) in enumerate(self._orders):
            until_s = np.minimum(self._orders[index + 1][0], to_s) if index + 1 < len(self._orders) else to_s
            self._follow(targets, np.maximum(until_s - np.maximum(from_s, now_s), 0.0))
        while len(self._orders) > 1 and self._orders[1][0].max() <= to_s:
            self._orders.pop(0)

    def _drain(self, for_s: float) -> None:
        """What frequency control has added for `for_s` seconds comes from the storages too."""
        self._energy_mwh = self._energy_mwh - self._contained_mw * for_s / 3600
        fleet, energy = self.fleet, self._energy_mwh
        self._some_at_limit = bool(((energy <= fleet.floor_mwh) | (energy >= fleet.roof_mwh)).any())
        if self._some_at_limit:
            self._stop()

    def _follow(self, targets: Floats, for_s: Floats) -> None:
        """Ramp towards `targets` for `for_s` seconds (K each); through zero in two legs, as energy turns there."""
        turning = self._power_mw * targets < 0
        if turning.any():
            to_zero_s = np.minimum(for_s, np.abs(self._power_mw) / self.fleet.rate_mw_per_s)
            back_s = np.where(turning, to_zero_s, 0.0)
            self._leg(np.where(turning, 0.0, targets), back_s)
            for_s = for_s - back_s
        self._leg(targets, for_s)

    def _leg(self, targets: Floats, for_s: Floats) -> None:
        """One leg without a change of sign: ramp, then hold; a storage that ran empty or full stops."""
        fleet = self.fleet
        reach = fleet.rate_mw_per_s * for_s
        goal = self._within_energy(targets) if self._some_at_limit else targets
        step = np.minimum(np.maximum(goal - self._power_mw, -reach), reach)
        end = self._power_mw + step
        used_mws = end * for_s - step * np.abs(step) / fleet.rate_mw_per_s / 2
        energy = self._energy_mwh - used_mws / 3600
        self._power_mw, self._energy_mwh = end, energy
        self._some_at_limit = bool(((energy <= fleet.floor_mwh) | (energy >= fleet.roof_mwh)).any())
        if self._some_at_limit:
            self._stop()

    def _stop(self) -> None:
        """Storages at their floor no longer inject, those at their roof no longer draw."""
        fleet, energy, power = self.fleet, self._energy_mwh, self._power_mw
        stopped = ((energy <= fleet.floor_mwh) & (power > 0)) | ((energy >= fleet.roof_mwh) & (power < 0))
        self._power_mw = np.where(stopped, 0.0, power)
        self._energy_mwh = np.minimum(np.maximum(energy, fleet.floor_mwh), fleet.roof_mwh)

    def _within_energy(self, targets: Floats) -> Floats:
        low = np.where(self._energy_mwh >= self.fleet.roof_mwh, 0.0, -np.inf)
        high = np.where(self._energy_mwh <= self.fleet.floor_mwh, 0.0, np.inf)
        return np.minimum(np.maximum(targets, low), high)

    def power_by_bus(self) -> dict[Bus, float]:
        """The change from baseline per bus, in the order of the description."""
        power_mw = self._power_mw + self._contained_mw
        sums = np.bincount(self.fleet.bus, power_mw, len(self.description.buses)).tolist()
        return {bus: round(mw, 6) for bus, mw in zip(self.description.buses, sums, strict=True)}

    def power_mw(self) -> float:
        """The change from baseline in total; the buses, each rounded to 1 W, may differ from it by a few W."""
        return round(float((self._power_mw + self._contained_mw).sum()), 6)

    def points(self) -> tuple[PointPower, ...]:
        """The change from baseline at every site; the same object as long as nothing changes."""
        return self._showing()[0]

    def state(self) -> ResourceState:
        """One sample for telemetry at the time reached; the same object as long as nothing changes."""
        return self._showing()[1]

    def _showing(self) -> tuple[tuple[PointPower, ...], ResourceState]:
        """What is shown at the time reached, computed once an instant."""
        if self._shown is None:
            baseline_mw, up, down = self.description.baseline_mw, self.available_mw("up"), self.available_mw("down")
            state = ResourceState(self.id, self._ordered_mw, self.power_mw(), 0.0, baseline_mw, up, down)
            points = zip(self._site_names, self.power_by_bus().values(), strict=True)
            self._shown = tuple(PointPower(name, mw, 0.0) for name, mw in points), state
        return self._shown
