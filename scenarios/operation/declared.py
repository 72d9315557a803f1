"""What a provider, or the DSO in its place, declares of its resources (INFO 1, INFO 9) and plans to offer of them."""

from __future__ import annotations

from ...agents.profiles import BidPlan, OwnUnits, ReservePlan
from ...grid.resources.description import UnitDescription
from ...grid.resources.pool import Pool
from ...grid.resources.resource import Resource
from ...protocols.information.capacity import ConnectedShare, Dynamics, ResourceData
from ...protocols.messages import kept
from ..description.participants import AggregatorDescription, Provider
from ..description.schema import Scenario
from .plants import Resources


def own_units(scenario: Scenario, dso: str, made: Resources) -> OwnUnits | None:
    """What a DSO operates itself in scenario II, as slow as the slowest of it; None if it is nothing."""
    names = [name for name, operator in scenario.operated.items() if operator == dso]
    if not names:
        return None
    own = [(scenario.connected[name], made.by_provider[name]) for name in names]
    slow = [dynamics(provider) for provider, _ in own]
    return OwnUnits(
        tuple(resource_data(provider, each) for provider, resources in own for each in resources),
        Dynamics(
            preparation_s=max(one.preparation_s for one in slow),
            ramping_s=max(one.ramping_s for one in slow),
            deactivation_s=max(one.deactivation_s for one in slow),
        ),
        tuple(bid for provider, resources in own for bid in bid_plans(provider, resources)),
    )


def dynamics(provider: Provider) -> Dynamics:
    """How fast a provider's resources are."""
    response = provider.response
    return Dynamics(
        preparation_s=response.reaction_s + response.preparation_s,
        ramping_s=response.ramping_s,
        deactivation_s=response.deactivation_s,
    )


def bid_plans(provider: Provider, made: tuple[Resource, ...]) -> tuple[BidPlan, ...]:
    """What it plans to offer in every period."""
    return tuple(
        BidPlan(
            product=bid.product,
            direction=bid.direction,
            resource=bid.resource or made[0].id,
            quantity_mw=bid.quantity_mw,
            min_quantity_mw=bid.min_quantity_mw,
            divisible=bid.divisible,
            price_eur_per_mwh=bid.price_eur_per_mwh,
        )
        for bid in provider.offers
    )


def reserve_plan(provider: Provider) -> ReservePlan | None:
    """What a provider offers as containment reserve, if it does."""
    fcr = provider.fcr
    if fcr is None:
        return None
    resource = fcr.resource or provider.resources[0].id
    return ReservePlan(resource, fcr.quantity_mw, fcr.min_quantity_mw, fcr.price_eur_per_mw_h)


def resource_data(provider: Provider, made: Resource) -> ResourceData:
    """INFO 1 of one resource; a pool declares the share of every DFR."""
    if isinstance(made, Pool):
        assert isinstance(provider, AggregatorDescription)
        return ResourceData(
            id=made.id,
            kind="pool",
            grid=provider.grid,
            scheme=_scheme(made),
            max_up_mw=provider.pool.up_mw,
            max_down_mw=provider.pool.down_mw,
        )
    unit = next(unit for unit in provider.resources if unit.id == made.id)
    assert isinstance(unit, UnitDescription)
    site = made.sites()[0]
    share = ConnectedShare(unit=made.id, point=site.name, bus=_text(site.bus), share=1.0)
    declared = ResourceData(
        id=made.id,
        kind=site.kind,
        grid=provider.grid,
        scheme=(kept(share),),
        max_up_mw=unit.up_mw,
        max_down_mw=unit.down_mw,
        q_mvar_per_mw=unit.q_per_p,
    )
    return kept(declared)


def _scheme(pool: Pool) -> tuple[ConnectedShare, ...]:
    sites, shares = pool.sites(), pool.activation_scheme().tolist()
    return tuple(
        ConnectedShare(
            unit=f"{pool.id}.{index + 1}", point=sites[bus].name, bus=_text(sites[bus].bus), share=min(1.0, share)
        )
        for index, (bus, share) in enumerate(zip(pool.fleet.bus.tolist(), shares, strict=True))
    )


def _text(bus: int | str | None) -> str | None:
    return None if bus is None else str(bus)
