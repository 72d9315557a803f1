"""A pool of small resources behind one aggregator, as arrays: one order in, many ramps out.

    set_target ──▶ split over the scheme ──▶ each resource: delay ──▶ ramp ──▶ energy, if it is a storage
                                                                       └──▶ sum per bus

Each step integrates the ramps in closed form between the moments at which an order takes effect; an empty or full
storage stops. So the result does not depend on the step.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal, NamedTuple

import numpy as np

from ..arrays import Floats
from ..clock import US_PER_SECOND
from .description import Bus, Kind, PoolDescription
from .dispatch import SUSTAINED_S, ByScheme, Dispatch, PoolView
from .fleet import draw
from .motion import Motion, follow, stopped
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


class Showing(NamedTuple):
    """What a pool shows, not rounded: MW in total, left in either direction, and the change at each bus."""

    power_mw: float
    up_mw: float
    down_mw: float
    by_bus_mw: list[float]


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
        self._contained_mw: Floats = np.zeros(description.dfrs)  # what local frequency control adds
        self.contained_mw = 0.0  # and in total
        self.motion = Motion(np.zeros(description.dfrs), self.fleet.start_mwh.copy(), at_limit=False)  # as ordered
        self._shown: tuple[tuple[PointPower, ...], ResourceState] | None = None  # as of the time reached
        self._before: tuple[float, Showing, tuple[tuple[PointPower, ...], ResourceState]] | None = None
        always = np.full(description.dfrs, -np.inf)
        self.orders: list[tuple[Floats, Floats]] = [(always, np.zeros(description.dfrs))]  # (in effect from s, MW)
        self._schemes: dict[Direction, Floats] = {
            "up": self._scheme(self.fleet.up_mw),
            "down": self._scheme(self.fleet.down_mw),
        }
        self._buses = tuple(self.fleet.bus.tolist())
        self._split: tuple[float, Floats, Floats] | None = None  # by the scheme: MW, what each can hold, targets
        self._site_names = tuple(map(description.site, description.buses))
        self._sites = self._made_sites()
        self._site_shares = {way: self._shares(scheme) for way, scheme in self._schemes.items()}

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
    def at_rest(self) -> bool:
        """Whether all are on their baselines and nothing else is ordered; what delivers fills or empties storages."""
        return len(self.orders) == 1 and not (
            self.motion.power_mw.any() or self.orders[0][1].any() or self._contained_mw.any()
        )

    def contain(self, p_mw: float) -> None:
        """From the time reached on local frequency control adds `p_mw`, shared out by what each has left of its range.

        Raises ResourceError if that is no number.
        """
        require_finite(self.id, p_mw)
        direction: Direction = "up" if p_mw >= 0 else "down"
        up = np.maximum(self.available("up") - self.motion.power_mw, 0.0)
        down = np.maximum(self.available("down") + self.motion.power_mw, 0.0)
        self._contained_mw, self._shown = split(p_mw, self.activation_scheme(direction), up, down), None
        self.contained_mw = round(float(self._contained_mw.sum()), 6)

    @property
    def ordered_mw(self) -> float:
        """The last order in total, clipped to the pool's range."""
        return self._ordered_mw

    @property
    def energy_mwh(self) -> Floats:
        """Energy content (K): stored energy of storages; minus what was delivered for all others."""
        return self.motion.energy_mwh.copy()

    def sites(self) -> tuple[Site, ...]:
        """One point per bus, named `pool@bus`, with the kind that prevails there."""
        return self._sites

    def _made_sites(self) -> tuple[Site, ...]:
        baseline = np.bincount(self.fleet.bus, self.fleet.baseline_mw, len(self.description.buses))
        kinds = (self._prevailing_kind(index) for index in range(len(self.description.buses)))
        rows = zip(self._site_names, self.description.buses, kinds, baseline.tolist(), strict=True)
        return tuple(Site(name, bus, kind, round(mw, 6)) for name, bus, kind, mw in rows)

    def _prevailing_kind(self, bus_index: int) -> Kind:
        counts = Counter(kind for kind, bus in zip(self.fleet.kind, self.fleet.bus, strict=True) if bus == bus_index)
        return min(counts or {"load": 0}, key=lambda kind: (-counts[kind], kind))

    def activation_scheme(self, direction: Direction = "up") -> Floats:
        """Share of each resource in an activation (K, sum 1): by size in that direction; never to be changed."""
        return self._schemes[direction]

    def _scheme(self, size: Floats) -> Floats:
        if not size.any():
            size = np.maximum(self.fleet.up_mw, self.fleet.down_mw)
        shares: Floats = size / size.sum()
        return shares

    def site_shares(self, direction: Direction = "up") -> tuple[tuple[str, float], ...]:
        """Share of each site in an activation (sum 1), as a grid check wants it."""
        return self._site_shares[direction]

    def _shares(self, scheme: Floats) -> tuple[tuple[str, float], ...]:
        shares = np.bincount(self.fleet.bus, scheme, len(self.description.buses))
        return tuple(zip(self._site_names, shares.tolist(), strict=True))

    def available(self, direction: Direction, for_s: float = 0.0) -> Floats:
        """MW (K) that each can hold for `for_s` seconds from now, counted from its baseline."""
        size, room = self.fleet.up_mw, self.motion.energy_mwh - self.fleet.floor_mwh
        if direction == "down":
            size, room = self.fleet.down_mw, self.fleet.roof_mwh - self.motion.energy_mwh
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
        held_mw, last = self.available(direction, SUSTAINED_S), self._split
        if last is not None and last[0] == p_mw and last[2] is self.orders[-1][1] and (last[1] == held_mw).all():
            return  # the scheme gives the same as long as all can hold what they could, so that the same are empty
        targets = np.asarray(self.dispatch.targets(self._view(p_mw, direction, held_mw)), dtype=float)
        if targets.shape != (self.description.dfrs,):
            text = f"its dispatch {type(self.dispatch).__name__} gives targets of shape {targets.shape}"
            raise ResourceError(f"{self.id}: {text}, but it has {self.description.dfrs} resources")
        self.set_targets(targets, at_us)
        self._split = (p_mw, held_mw, self.orders[-1][1]) if type(self.dispatch) is ByScheme else None

    def _view(self, p_mw: float, direction: Direction, held_mw: Floats) -> PoolView:
        fleet = self.fleet
        return PoolView(
            p_mw,
            self.activation_scheme(direction),
            held_mw,
            self.available(direction),
            self.orders[-1][1],
            self.motion.energy_mwh,
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
        if not np.array_equal(targets, self.orders[-1][1]):
            self.orders.append((self._seconds(at_us) + self.fleet.delay_s, targets))

    def _seconds(self, at_us: int) -> float:
        return (at_us - self._start_us) / US_PER_SECOND

    @property
    def now_s(self) -> float:
        """The time reached, in seconds since the start."""
        return self._seconds(self._now_us)

    def forward_s(self, to_us: int) -> float:
        """A time to come, in seconds since the start; ResourceError if it has passed already."""
        require_forward(self.id, self._now_us, to_us)
        return self._seconds(to_us)

    def advance(self, to_us: int) -> None:
        """Let time pass until `to_us`; ResourceError if that has passed already."""
        now_s, to_s = self.now_s, self.forward_s(to_us)
        if to_s == now_s:
            return
        if self._contained_mw.any():
            self._drain(to_s - now_s)
        motion = self.motion
        for index, (from_s, targets) in enumerate(self.orders):
            until_s = np.minimum(self.orders[index + 1][0], to_s) if index + 1 < len(self.orders) else to_s
            motion = follow(self.fleet, motion, targets, np.maximum(until_s - np.maximum(from_s, now_s), 0.0))
        self.moved(to_us, motion)

    def moved(self, to_us: int, motion: Motion) -> None:
        """It has moved until a time, and done this; orders that are over are forgotten."""
        self._now_us, self.motion, self._shown = to_us, motion, None
        while len(self.orders) > 1 and self.orders[1][0].max() <= self.now_s:
            self.orders.pop(0)

    def _drain(self, for_s: float) -> None:
        """What frequency control has added for `for_s` seconds comes from the storages too."""
        power_mw, energy_mwh, _ = self.motion
        self.motion = stopped(self.fleet, power_mw, energy_mwh - self._contained_mw * for_s / 3600)

    def power_by_bus(self) -> dict[Bus, float]:
        """The change from baseline per bus, in the order of the description."""
        power_mw = self.motion.power_mw + self._contained_mw
        sums = np.bincount(self.fleet.bus, power_mw, len(self.description.buses)).tolist()
        return {bus: round(mw, 6) for bus, mw in zip(self.description.buses, sums, strict=True)}

    def power_mw(self) -> float:
        """The change from baseline in total; the buses, each rounded to 1 W, may differ from it by a few W."""
        return round(float((self.motion.power_mw + self._contained_mw).sum()), 6)

    def points(self) -> tuple[PointPower, ...]:
        """The change from baseline at every site; the same object as long as nothing changes."""
        return self._showing()[0]

    def state(self) -> ResourceState:
        """One sample for telemetry at the time reached; the same object as long as nothing changes."""
        return self._showing()[1]

    def _showing(self) -> tuple[tuple[PointPower, ...], ResourceState]:
        """What is shown at the time reached, computed once an instant."""
        if self._shown is None:
            power_mw = self.motion.power_mw + self._contained_mw
            by_bus_mw = np.bincount(self.fleet.bus, power_mw, len(self.description.buses)).tolist()
            left = self.available("up").sum(), self.available("down").sum()
            self.show(Showing(float(power_mw.sum()), float(left[0]), float(left[1]), by_bus_mw))
        assert self._shown is not None
        return self._shown

    def show(self, found: Showing) -> None:
        """Show this, rounded to 1 W, as long as nothing changes; the same objects if it is what was shown before."""
        if self._before is not None and self._before[:2] == (self._ordered_mw, found):
            self._shown = self._before[2]
            return
        given, (power_mw, up_mw, down_mw) = self.description, (round(mw, 6) for mw in found[:3])
        state = ResourceState(self.id, self._ordered_mw, power_mw, 0.0, given.baseline_mw, up_mw, down_mw)
        points = zip(self._site_names, found.by_bus_mw, strict=False)  # in a park some have fewer buses than others
        self._shown = tuple([PointPower(name, round(mw, 6), 0.0) for name, mw in points]), state
        self._before = self._ordered_mw, found, self._shown
