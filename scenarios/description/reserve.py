"""What must fit together where containment reserve (FCR) is called for and offered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import right_names

if TYPE_CHECKING:
    from .participants import FcrOffer, Provider
    from .schema import Scenario

Finding = tuple[tuple[str | int, ...], str]


def findings(scenario: Scenario) -> Iterator[Finding]:
    """Every broken rule, with its path and what would be right."""
    fcr, time = scenario.market.fcr, scenario.time
    if fcr is not None:
        lead_min, energy_min = fcr.gate_closure_min + fcr.cfp_lead_min, time.gate_closure_min + time.cfp_lead_min
        if lead_min > energy_min:
            text = f"the call for reserve, {lead_min:g} min before it begins, comes before the first call for offers"
            yield ("market", "fcr"), f"{text}: gate_closure_min + cfp_lead_min must not exceed {energy_min:g} min"
    for name, provider in scenario.connected.items():
        path = ("participants", name)
        if provider.fcr is None and provider.qualify == "FCR":
            yield (*path, "qualify"), f"{name} qualifies for FCR, so it must say what it offers of it under fcr"
        if provider.fcr is not None:
            yield from _offer(scenario, (*path, "fcr"), name, provider.fcr)


def _offer(scenario: Scenario, path: tuple[str | int, ...], name: str, offer: FcrOffer) -> Iterator[Finding]:
    provider, market = scenario.connected[name], scenario.market
    if provider.qualify != "FCR":
        yield path, f"{name} offers FCR, so qualify must be FCR, not {provider.qualify}"
    if market.fcr is None:
        yield path, f"{name} offers FCR, but nobody calls for it: market.fcr is missing"
    elif offer.dead_band_mhz >= market.fcr.full_deviation_mhz:
        yield (
            (*path, "dead_band_mhz"),
            f"dead_band_mhz must be below full_deviation_mhz {market.fcr.full_deviation_mhz:g}",
        )
    if offer.quantity_mw < market.min_bid_mw:
        yield (
            (*path, "quantity_mw"),
            f"quantity_mw {offer.quantity_mw:g} is below market.min_bid_mw {market.min_bid_mw:g}",
        )
    if offer.min_quantity_mw > offer.quantity_mw:
        text = f"min_quantity_mw {offer.min_quantity_mw:g} is above quantity_mw {offer.quantity_mw:g}"
        yield (*path, "min_quantity_mw"), text
    yield from _resource(provider, path, name, offer)


def _resource(provider: Provider, path: tuple[str | int, ...], name: str, offer: FcrOffer) -> Iterator[Finding]:
    known = {resource.id: resource for resource in provider.resources}
    wanted = offer.resource or (next(iter(known)) if len(known) == 1 else None)
    if wanted not in known:
        hint = right_names(offer.resource, known) if offer.resource else f"name one of: {', '.join(known)}"
        yield (*path, "resource"), f"{name}: the resource of fcr is {offer.resource or 'not given'}; {hint}"
        return
    most_mw = min(known[wanted].up_mw, known[wanted].down_mw)
    if offer.quantity_mw > most_mw + 1e-9:
        text = f"{name} offers {offer.quantity_mw:g} MW of FCR, but {wanted} can do {most_mw:g} MW in both directions"
        yield (*path, "quantity_mw"), text
