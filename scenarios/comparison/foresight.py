"""`ideal`: what the same offers would cost if everything were known and one party dispatched them all, tick by tick.

    true states of the grids, true disturbance ─▶ need at the interfaces ─▶ cheapest AC dispatch ─▶ EUR, MWh

It is a bound and no scheme: offers answer at once, in any part, for as long as wanted, and the DSOs' voltage reduction
is free of limits and blocks. Whoever really runs has less to choose from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ...grid.dispatch.cheapest import Dispatch, Dispatcher, Prices, Supply
from ...grid.dispatch.feeder import Feeder
from ...grid.engine import single_threaded
from ..description.schema import Scenario
from ..operation import plants

if TYPE_CHECKING:
    from ...agents.runtime.plants.physics import Physics

UP_DOWN = {"up": 1.0, "down": -1.0}


@dataclass
class _Sums:
    """What is added up over the ticks."""

    eur: float = 0.0
    losses_mwh: float = 0.0
    short_mwh: float = 0.0
    unsettled_s: float = 0.0
    mwh: dict[str, float] = field(default_factory=lambda: {"up": 0.0, "down": 0.0})
    by_participant: dict[str, float] = field(default_factory=dict)


class Foreseen(NamedTuple):
    """An instant: whose each supply is, who dispatches them, MW that are needed (+ up), and the cheapest dispatch."""

    owners: tuple[str, ...]
    dispatcher: Dispatcher
    need_mw: float
    dispatch: Dispatch


def ideal(scenario: Scenario, prices: Prices) -> dict[str, Any]:
    """The account of perfect foresight over the periods of delivery, at the control tick; units are in the names.

    Raises the errors of building grids.
    """
    with single_threaded():
        return _told(Foresight(scenario, prices).added_up())


def _told(sums: _Sums) -> dict[str, Any]:
    return {
        "bids_eur": round(sums.eur, 6),
        "losses_mwh": round(sums.losses_mwh, 9),
        "imbalance_left_mwh": round(sums.short_mwh, 9),
        "unsettled_s": round(sums.unsettled_s, 6),
        "activated_mwh": {way: round(mwh, 9) for way, mwh in sums.mwh.items()},
        "by_participant_mwh": {name: round(mwh, 9) for name, mwh in sorted(sums.by_participant.items())},
    }


class Foresight:
    """Knows the truth of every tick; the same state and need are dispatched once."""

    def __init__(self, scenario: Scenario, prices: Prices) -> None:
        self._scenario, self._prices = scenario, prices
        self._made = plants.resources(scenario)
        self._physics: Physics = plants.physics(scenario, self._made)
        self._grids = sorted(self._physics.grids)
        self._dispatchers: dict[tuple[int, ...], tuple[Any, Dispatcher, float, tuple[str, ...]]] = {}
        self._known: dict[tuple[int, float], Dispatch] = {}

    def added_up(self) -> _Sums:
        """The sums over all control ticks of the periods of delivery."""
        sums, hours = _Sums(), round(self._scenario.ticks.control_s * 1e6) / 3.6e9
        for at_us in self.ticks():
            self._add(sums, self.at(at_us), hours)
        return sums

    def ticks(self) -> range:
        """The control ticks of the periods of delivery, in microseconds."""
        times, step_us = self._scenario.time, round(self._scenario.ticks.control_s * 1e6)
        return range(-(-times.first_delivery_us // step_us) * step_us, times.periods[-1][1], step_us)

    def _add(self, sums: _Sums, seen: Foreseen, hours: float) -> None:
        dispatch = seen.dispatch
        for name, supply, mw in zip(seen.owners, seen.dispatcher.supplies, dispatch.amounts_mw, strict=True):
            sums.eur += supply.eur_per_mwh * mw * hours
            sums.mwh["up" if supply.sign > 0 else "down"] += mw * hours
            sums.by_participant[name] = sums.by_participant.get(name, 0.0) + supply.sign * mw * hours
        sums.losses_mwh += dispatch.losses_mw * hours
        sums.short_mwh += abs(dispatch.short_mw) * hours
        sums.unsettled_s += 0.0 if dispatch.settled else 3600 * hours

    def at(self, at_us: int) -> Foreseen:
        """What is needed at an instant (none before one that was asked for already), and the cheapest dispatch."""
        states = tuple(self._physics.grids[grid].untouched.actual(at_us) for grid in self._grids)
        key = tuple(map(id, states))
        if key not in self._dispatchers:
            self._dispatchers[key] = states, *self._dispatcher(states)
        _, dispatcher, drawn_mw, owners = self._dispatchers[key]
        scheduled_mw = sum(self._physics.grids[grid].untouched.scheduled_interface_p_mw(at_us) for grid in self._grids)
        disturbance_mw = self._physics.area.advance(at_us, 0.0).disturbance_mw
        need = self._rounded(drawn_mw - scheduled_mw - disturbance_mw)
        if (id(dispatcher), need) not in self._known:
            self._known[id(dispatcher), need] = dispatcher.dispatch(need)
        return Foreseen(owners, dispatcher, need, self._known[id(dispatcher), need])

    def _rounded(self, need_mw: float) -> float:
        """To the bid step, towards nothing: what is left out makes the bound lower, never higher."""
        step = self._scenario.market.bid_step_mw
        return math.trunc(round(need_mw / step, 6)) * step

    def _dispatcher(self, states: tuple[Any, ...]) -> tuple[Dispatcher, float, tuple[str, ...]]:
        feeders = [
            Feeder(self._physics.grids[grid].model, state) for grid, state in zip(self._grids, states, strict=True)
        ]
        pairs = [*self._offers(), *self._voltage_reduction(dict(zip(self._grids, feeders, strict=True)))]
        dispatcher = Dispatcher(feeders, [supply for _, supply in pairs], self._prices)
        return dispatcher, sum(float(feeder.base.import_mw[0]) for feeder in feeders), tuple(name for name, _ in pairs)

    def _offers(self) -> Iterator[tuple[str, Supply]]:
        """What providers offer by the scenario, with where it goes into the grids."""
        for name, provider in self._scenario.connected.items():
            made = {resource.id: resource for resource in self._made.by_provider[name]}
            feeder = None if provider.on_transmission else self._grids.index(provider.grid)
            rates = {unit.id: unit.q_per_p for unit in provider.units} if provider.kind == "bsp" else {}
            for offer in provider.offers:
                resource = made[offer.resource or next(iter(made))]
                sign, way = UP_DOWN[offer.direction], complex(1.0, rates.get(resource.id, 0.0))
                points = (
                    tuple((point, share * way) for point, share in plants.shares(resource))
                    if feeder is not None
                    else ()
                )
                yield name, Supply(sign, offer.quantity_mw, sign * offer.price_eur_per_mwh, feeder, points)

    def _voltage_reduction(self, feeders: Mapping[str, Feeder]) -> Iterator[tuple[str, Supply]]:
        """The most that DSOs could free by their taps, as if nothing limited it."""
        for name, dso in self._scenario.dsos.items():
            freed_mw = feeders[dso.grid].freed_mw(dso.demand_response.max_steps)
            if freed_mw > 0:
                yield name, Supply(1.0, freed_mw, dso.demand_response.price_eur_per_mwh)
