"""What a provider declares of its resources when it applies (INFO 1), and of the reserve that it offers."""

from __future__ import annotations

from ..agents.profiles import ReservePlan
from ..grid.resources.pool import Pool
from ..grid.resources.resource import Resource
from ..protocols.information.capacity import ConnectedShare, ResourceData
from .participants import AggregatorDescription, Provider


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
    site = made.sites()[0]
    share = ConnectedShare(unit=made.id, point=site.name, bus=_text(site.bus), share=1.0)
    return ResourceData(
        id=made.id,
        kind=site.kind,
        grid=provider.grid,
        scheme=(share,),
        max_up_mw=unit.up_mw,
        max_down_mw=unit.down_mw,
    )


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
