"""What must fit together across the parts of a scenario; each rule says where it is broken and what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from ...agents.calendar import KEPT_US
from ...protocols.information.quantities import TRANSMISSION, US_PER_S
from ..errors import right_names
from . import reserve

if TYPE_CHECKING:
    from ...grid.resources.description import PoolDescription, UnitDescription
    from .market import Market
    from .participants import OfferDescription, Provider
    from .schema import Scenario

WINDOW_S = 60.0
TEST_MARGIN_S = 20.0
STEPS_OF_PATIENCE = 3  # warned, lowered, terminated
Path = tuple[str | int, ...]
LONGEST_START_DAYS = 7
Finding = tuple[Path, str]


def check_together(scenario: Scenario) -> None:
    """Raise a pydantic error with the first broken rule; its context says where (`path`) it is broken."""
    for path, text in _findings(scenario):
        raise PydanticCustomError("consistency", "{text}", {"text": text, "path": path})


def _findings(scenario: Scenario) -> Iterator[Finding]:
    yield from _names(scenario)
    yield from _faults(scenario)
    yield from _operators(scenario)
    yield from _hosting(scenario)
    yield from _times(scenario)
    yield from _silences(scenario)
    yield from _lost_communication(scenario)
    yield from _qualification_time(scenario)
    yield from _needs(scenario)
    yield from reserve.findings(scenario)
    yield from _operated(scenario)
    for name, provider in scenario.connected.items():
        yield from _connections(scenario, name, provider)
        yield from _offers(scenario, name, provider)


def _names(scenario: Scenario) -> Iterator[Finding]:
    if not scenario.grids:
        yield ("grids",), "grids is empty, but a scenario has at least 1 grid"
    for grid in scenario.grids:
        if grid == TRANSMISSION or not re.fullmatch(r"[A-Za-z0-9_-]+", grid):
            yield ("grids", grid), f'"{grid}" cannot name a grid: use letters, digits, - and _, not "{TRANSMISSION}"'
    if scenario.coordination.limits.short_time:
        yield from _short_time(scenario)
    for name in scenario.participants:
        if not re.fullmatch(r"[^\s/#][^/#]{0,79}", name):
            yield ("participants", name), f'"{name}" cannot name a participant: it must not contain / or #'
    yield from _neighbours(scenario)
    yield from _resource_names(scenario)


def _short_time(scenario: Scenario) -> Iterator[Finding]:
    """The short-time rating can be used only where there is one."""
    if not any(grid.limits.short_time_percent for grid in scenario.grids.values()):
        text = "short_time needs a grid with limits.short_time_percent, for instance 120; none has it"
        yield ("coordination", "limits", "short_time"), text


def _lost_communication(scenario: Scenario) -> Iterator[Finding]:
    """Who falls silent is given up before the TSO forgets what it owes for the period."""
    lost, ticks = scenario.coordination.lost_communication, scenario.ticks
    longest_s = max(ticks.control_s, ticks.measurement_s, ticks.monitoring_s)
    stale_s = lost.stale_after_ticks * longest_s
    held_s, most_s = stale_s + STEPS_OF_PATIENCE * lost.patience_s, KEPT_US / US_PER_S
    if held_s > most_s:
        text = f"somebody silent is given up after {held_s:g} s only ({stale_s:g} s, then three times patience_s), but"
        path: Path = ("coordination", "lost_communication", "patience_s")
        yield path, f"{text} what is owed for a period is forgotten {most_s:g} s after it"


def _neighbours(scenario: Scenario) -> Iterator[Finding]:
    """Columns of telemetry are named by participant, grid and neighbouring area."""
    for name in scenario.area.neighbours:
        path: Path = ("area", "neighbours", name)
        if name in (*scenario.participants, *scenario.grids):
            yield path, f'"{name}" cannot name a neighbour: a participant or grid has that name'
        elif not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            yield path, f'"{name}" cannot name a neighbour: use letters, digits, - and _'


def _silences(scenario: Scenario) -> Iterator[Finding]:
    for index, silence in enumerate(scenario.links.silences):
        for key, name in (("who", silence.who), ("to", silence.to)):
            if name is not None and name not in scenario.participants:
                hint = right_names(name, tuple(scenario.participants))
                yield ("links", "silences", index, key), f'there is no participant "{name}"; {hint}'


def _faults(scenario: Scenario) -> Iterator[Finding]:
    if scenario.faults is None:
        return
    named: list[tuple[Path, tuple[str, ...]]]
    named = [(("partitions", at, "who"), one.who) for at, one in enumerate(scenario.faults.partitions)]
    named += [(("partitions", at, "to"), one.to or ()) for at, one in enumerate(scenario.faults.partitions)]
    named.append((("crashes", "who"), scenario.faults.crashes.who))
    for path, names in named:
        for index, name in enumerate(names):
            if name not in scenario.participants:
                hint = right_names(name, tuple(scenario.participants))
                yield ("faults", *path, index), f'there is no participant "{name}"; {hint}'


def _resource_names(scenario: Scenario) -> Iterator[Finding]:
    owners: dict[str, str] = {}
    for name, provider in scenario.connected.items():
        for resource in provider.resources:
            if re.search(r"[/#]", resource.id):
                yield ("participants", name), f'"{resource.id}" cannot name a resource: it must not contain / or #'
            if resource.id in owners:
                owner = owners[resource.id]
                yield ("participants", name), f'resource id "{resource.id}" is used twice, by {owner} and by {name}'
            owners[resource.id] = name


def _operators(scenario: Scenario) -> Iterator[Finding]:
    tsos = [name for name, who in scenario.participants.items() if who.kind == "tso"]
    if len(tsos) != 1:
        text = f"there are {len(tsos)} participants of kind tso, but there must be exactly 1"
        yield ("participants", *tsos[1:2]), text
    operated: dict[str, str] = {}
    for name, who in scenario.participants.items():
        if who.kind != "dso":
            continue
        if who.grid not in scenario.grids:
            hint = right_names(who.grid, scenario.grids)
            yield ("participants", name, "grid"), f'{name}: there is no grid "{who.grid}"; {hint}'
        if who.grid in operated:
            yield ("participants", name, "grid"), f"grid {who.grid} has two DSOs, {operated[who.grid]} and {name}"
        operated[who.grid] = name
    for grid in scenario.grids if scenario.has_dso else ():
        if grid not in operated:
            text = f"grid {grid} has no DSO, but scheme {scenario.scheme} needs one for every grid"
            yield ("coordination", "scheme"), text


def _operated(scenario: Scenario) -> Iterator[Finding]:
    """Voltage reduction is the DSO's alone, and what it operates besides is offered as mFRR, as that is."""
    chosen = scenario.coordination
    if scenario.scheme != "scenario-2" or chosen.operator == "bsps":
        return
    if chosen.resources == "cvr":
        text = "with resources cvr there are no units or pools to operate; leave operator out, or choose der or both"
        yield ("coordination", "operator"), text
    for name, who in scenario.connected.items():
        if not who.on_transmission and who.qualify != "mFRR":
            text = f"{name} qualifies for {who.qualify}, but a DSO that is the operator offers mFRR only"
            yield ("participants", name, "qualify"), text


def _hosting(scenario: Scenario) -> Iterator[Finding]:
    where = scenario.hosting.plants
    if where is not None and where not in scenario.participants:
        hint = right_names(where, scenario.participants)
        yield ("hosting", "plants"), f'the plants run on the host of "{where}", who is no participant; {hint}'


def _times(scenario: Scenario) -> Iterator[Finding]:
    time = scenario.time
    called_us = time.cfp_us(time.first_delivery_us)
    if (time.first_delivery_us - time.midnight_us) % time.period_us:
        text = f"first_delivery is not the start of a market time unit of {time.market_time_unit_min} min"
        yield ("time", "first_delivery"), text
    if called_us <= time.start_us:
        before = time.gate_closure_min + time.cfp_lead_min
        text = f"first_delivery must be more than {before:g} min (gate_closure_min + cfp_lead_min) after start"
        yield ("time", "first_delivery"), text
    days = (time.first_delivery_us - time.start_us) / 86_400e6
    if days > LONGEST_START_DAYS:
        text = (
            f"first_delivery is {days:.0f} days after start, and nothing happens between; at most {LONGEST_START_DAYS}"
        )
        yield ("time", "first_delivery"), text
    for name in scenario.connected:
        if not time.start_us <= scenario.applies_at_us(name) < called_us:
            text = f"{name} applies outside the time between start and the first call for offers"
            yield ("participants", name, "applies_at"), text


def _qualification_time(scenario: Scenario) -> Iterator[Finding]:
    """The tests of each grid come one by one, and the last must be over before the first call for offers."""
    market = scenario.market
    if scenario.operated:  # a DSO is one applicant, with whatever it operates
        market = market.model_copy(update={"test": market.test.model_copy(update={"at_once": 1})})
    lanes = lanes_s(scenario.connected.values(), market)
    if not lanes:
        return
    grid, needed_s = max(lanes.items(), key=lambda lane: lane[1])
    last_us = max(scenario.applies_at_us(name) for name in scenario.connected)
    left_s = (scenario.time.cfp_us(scenario.time.first_delivery_us) - last_us) / 1e6 - WINDOW_S
    if left_s < needed_s:
        missing_min = -(-(needed_s - left_s) // 60)
        text = f"the tests in {grid} take about {needed_s / 60:.0f} min, one after the other, and would not be over"
        text += f" before the first call for offers: first_delivery must be at least {missing_min:g} min later"
        yield ("time", "first_delivery"), text


def lanes_s(providers: Iterable[Provider], market: Market) -> dict[str, float]:
    """Seconds that the tests of each grid's applicants take, so many at once as the market allows."""
    alone: dict[str, list[float]] = {}
    for provider in providers:
        directions = [mw for one in provider.resources for mw in (one.up_mw, one.down_mw)]
        tests = sum(mw >= market.min_bid_mw for mw in directions)
        alone.setdefault(provider.grid, []).append(tests * _test_s(provider, market))
    at_once = market.test.at_once
    return {grid: max(sum(own[n::at_once]) for n in range(at_once)) for grid, own in alone.items()}


def _test_s(provider: Provider, market: Market) -> float:
    """Up, hold, down; twice with a pause for aFRR."""
    full_s = min(provider.response.full_activation_s, market.full_activation_s(provider.qualify))
    once_s = full_s + provider.response.deactivation_s + TEST_MARGIN_S
    once_s += 60 * market.test.hold_min
    return 2 * once_s + 60 * market.test.pause_min if provider.qualify == "aFRR" else once_s


def _needs(scenario: Scenario) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for index, need in enumerate(scenario.market.needs):
        path: Path = ("market", "needs", index)
        if need.product == "FCR":
            yield (*path, "product"), "FCR is symmetric capacity and has no direction: say it as market.fcr.need_mw"
        if (need.product, need.direction) in seen:
            yield path, f"the need for {need.product} {need.direction} is given twice"
        seen.add((need.product, need.direction))


def _connections(scenario: Scenario, name: str, provider: Provider) -> Iterator[Finding]:
    path: Path = ("participants", name)
    if provider.grid not in (*scenario.grids, TRANSMISSION):
        hint = right_names(provider.grid, (*scenario.grids, TRANSMISSION))
        yield (*path, "grid"), f'{name}: there is no grid "{provider.grid}"; {hint}'
    if provider.kind == "aggregator":
        if provider.on_transmission:
            yield (*path, "grid"), f"{name}: a pool is connected to distribution buses, so its grid is not transmission"
        return
    for index, unit in enumerate(provider.units):
        if (unit.bus is None) != provider.on_transmission:
            must = "stands on transmission and has no bus"
            text = must if provider.on_transmission else f"needs a bus in {provider.grid}"
            yield (*path, "units", index), f"{name}: unit {unit.id} {text}"


def _offers(scenario: Scenario, name: str, provider: Provider) -> Iterator[Finding]:
    for index, offer in enumerate(provider.offers):
        path: Path = ("participants", name, "offers", index)
        if offer.product != provider.qualify:
            yield (*path, "product"), f"{name} offers {offer.product}, but qualifies for {provider.qualify}"
        yield from _bid(scenario, path, offer)
        resource = _resource(provider, offer)
        if resource is None:
            ids = [resource.id for resource in provider.resources]
            hint = right_names(offer.resource, ids) if offer.resource else f"name one of: {', '.join(ids)}"
            yield (*path, "resource"), f"{name}: the offer's resource is {offer.resource or 'not given'}; {hint}"
            continue
        most = resource.up_mw if offer.direction == "up" else resource.down_mw
        if offer.quantity_mw > most + 1e-9:
            text = f"{name} offers {offer.quantity_mw:g} MW {offer.direction}, but {resource.id} can do {most:g} MW"
            yield (*path, "quantity_mw"), text


def _bid(scenario: Scenario, path: Path, offer: OfferDescription) -> Iterator[Finding]:
    market = scenario.market
    if offer.quantity_mw < market.min_bid_mw:
        text = f"quantity_mw {offer.quantity_mw:g} is below market.min_bid_mw {market.min_bid_mw:g}"
        yield (*path, "quantity_mw"), text
    if abs(offer.price_eur_per_mwh) > market.price_limit_eur_per_mwh:
        text = f"price_eur_per_mwh {offer.price_eur_per_mwh:g} is beyond ±{market.price_limit_eur_per_mwh:g}"
        yield (*path, "price_eur_per_mwh"), text
    if offer.min_quantity_mw > offer.quantity_mw:
        text = f"min_quantity_mw {offer.min_quantity_mw:g} is above quantity_mw {offer.quantity_mw:g}"
        yield (*path, "min_quantity_mw"), text


def _resource(provider: Provider, offer: OfferDescription) -> UnitDescription | PoolDescription | None:
    if offer.resource is None:
        return provider.resources[0] if len(provider.resources) == 1 else None
    return next((resource for resource in provider.resources if resource.id == offer.resource), None)
