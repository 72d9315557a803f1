"""Who takes part: a tiny market with one TSO, one DSO, a BSP and an aggregator in its grid; one period, one need.

In `scenario-2-dso` the DSO operates a unit of its grid itself, beside its taps, and the BSP stands on transmission.

     0        120 s           2000 s    2600 s                3630 s              4230 s
apply │ window │ tests, verdicts │ call   │ gate, MOL, verdicts  │ delivery, 3 cycles │ settlement
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ...protocols.information.capacity import ConnectedShare, Dynamics, ResourceData
from ...protocols.information.quantities import US_PER_S, Product
from ..agent import Agent
from ..bsp import Aggregator, Bsp
from ..calendar import Calendar, MarketTimeUnit, period_id
from ..dso import Dso
from ..market.channel import ChannelRules
from ..market.merit_order import Rules
from ..profiles import (
    ActivationRules,
    BidPlan,
    BspProfile,
    Coordination,
    DemandResponse,
    DsoProfile,
    Need,
    OwnUnits,
    Patience,
    RegulationRules,
    ReservePlan,
    ReserveRules,
    TestRules,
    TsoProfile,
)
from ..strategies import ProportionalIntegral
from ..tso import Tso

Scheme = Literal["blind", "scenario-1", "scenario-1-dso", "scenario-2", "scenario-2-dso", "via-dso"]
SCHEMES: tuple[Scheme, ...] = ("blind", "scenario-1", "scenario-1-dso", "scenario-2")
TSO, DSO, GRID = "tso", "dso", "north"
CLOSE_S, CALL_S, GATE_S, START_S, END_S = 120, 2000, 2600, 3630, 4230
CONTROL_S, MEASUREMENT_S, MONITORING_S = 300, 390, 360


def us(seconds: float) -> int:
    """Seconds as integer microseconds."""
    return round(seconds * US_PER_S)


PERIOD = MarketTimeUnit(period_id(us(START_S)), us(CALL_S), us(GATE_S), us(START_S), us(END_S))
CALENDAR = Calendar(0, us(CLOSE_S), (PERIOD,), us(END_S))
SET_POINT_S = 150
REGULATION = RegulationRules(
    ProportionalIntegral(beta=1.0, integration_s=8 * SET_POINT_S),
    "merit_order",
    ChannelRules(us(30), us(300), 0.05, 100.0),
)
PATIENCE = Patience(us(120), us(300), us(60))
COORDINATION: Mapping[Scheme, Coordination] = {
    "blind": Coordination(dso_validates=False, dso_in_offering=False, dso_limits=False, dso_is_participant=False),
    "scenario-1": Coordination(dso_validates=True, dso_in_offering=False, dso_limits=True, dso_is_participant=False),
    "scenario-1-dso": Coordination(dso_validates=True, dso_in_offering=True, dso_limits=True, dso_is_participant=False),
    "via-dso": Coordination(
        dso_validates=True,
        dso_in_offering=True,
        dso_limits=True,
        dso_is_participant=False,
        signal_route="via_dso",
    ),
    "scenario-2": Coordination(dso_validates=True, dso_in_offering=False, dso_limits=True, dso_is_participant=True),
    "scenario-2-dso": Coordination(dso_validates=True, dso_in_offering=False, dso_limits=True, dso_is_participant=True),
}
DYNAMICS = Dynamics(preparation_s=10.0, ramping_s=50.0, deactivation_s=10.0)


@dataclass(frozen=True, slots=True)
class Part:
    """One provider: what it is, where, and what it bids for 1 MW up."""

    name: str
    kind: Literal["BSP", "AGGREGATOR"]
    grid: str
    price_eur_per_mwh: float
    applies_s: float


PARTS = (Part("bsp", "BSP", GRID, 50.0, 10), Part("aggregator", "AGGREGATOR", GRID, 60.0, 20))
THREE = (*PARTS, Part("third", "BSP", "transmission", 70.0, 30))
BESIDE_DSO = (Part("bsp", "BSP", "transmission", 50.0, 10),)


def cast(
    scheme: Scheme, parts: tuple[Part, ...] = PARTS, need_mw: float = 2.0, product: Product = "mFRR"
) -> tuple[Agent[Any], ...]:
    """The agents of a scheme, in the order TSO, DSO, providers; all providers trade one product."""
    coordination = COORDINATION[scheme]
    providers = (_provider(coordination, part, product) for part in parts)
    units = _own_units() if scheme == "scenario-2-dso" else None
    return (_tso(coordination, Need(product, "up", need_mw)), _dso(coordination, units), *providers)


def _reserve(need: Need) -> ReserveRules | None:
    """One period of containment reserve, at the times of the market time unit; it is called for instead of energy."""
    if need.product != "FCR":
        return None
    return ReserveRules(need.quantity_mw, (PERIOD,), 50.0, 0.2, us(30), 0.1)


def _tso(coordination: Coordination, need: Need) -> Tso:
    return Tso(
        TsoProfile(
            name=TSO,
            calendar=CALENDAR,
            coordination=coordination,
            dso_of_grid={GRID: DSO},
            needs=() if need.product == "FCR" else (need,),
            rules=Rules(0.1, 0.1, 1000.0),
            test=TestRules(us(60), us(60), 0.05, 0.5),
            activation=ActivationRules(0.05, us(CONTROL_S), us(CONTROL_S)),
            control_us=us(SET_POINT_S if need.product == "aFRR" else CONTROL_S),
            stale_after_us=us(3 * CONTROL_S + 1),
            regulation=REGULATION if need.product == "aFRR" else None,
            patience=PATIENCE,
            reserve=_reserve(need),
        )
    )


def _own_units() -> OwnUnits:
    unit = _unit("dso 1", "generator", GRID, 0.0)
    return OwnUnits((unit,), DYNAMICS, (BidPlan("mFRR", "up", unit.id, 1.0, 0.1, True, 45.0),))


def _unit(name: str, kind: Literal["pool", "generator"], grid: str, down_mw: float) -> ResourceData:
    scheme = (ConnectedShare(unit=name, point=name, bus="1", share=1.0),)
    return ResourceData(id=name, kind=kind, grid=grid, scheme=scheme, max_up_mw=1.0, max_down_mw=down_mw)


def _dso(coordination: Coordination, units: OwnUnits | None) -> Dso:
    return Dso(
        DsoProfile(
            name=DSO,
            tso=TSO,
            grid=GRID,
            calendar=CALENDAR,
            coordination=coordination,
            monitoring_us=us(MONITORING_S),
            demand_response=DemandResponse(40.0, 1.0, 1, 10.0) if coordination.dso_is_participant else None,
            units=units,
            submit_before_us=us(250),
            hold_limit_us=us(MONITORING_S),
            stale_after_us=us(3 * MEASUREMENT_S),
            patience=PATIENCE,
        )
    )


def _provider(coordination: Coordination, part: Part, product: Product) -> Bsp:
    resource = f"{part.name} 1"
    kind: Literal["pool", "generator"] = "pool" if part.kind == "AGGREGATOR" else "generator"
    unit = _unit(resource, kind, part.grid, 1.0 if product == "FCR" else 0.0)
    energy = BidPlan(product, "up", resource, 1.0, 0.1, True, part.price_eur_per_mwh)
    profile = BspProfile(
        name=part.name,
        kind=part.kind,
        tso=TSO,
        calendar=CALENDAR,
        product=product,
        resources=(unit,),
        dynamics=DYNAMICS,
        bids=() if product == "FCR" else (energy,),
        applies_us=us(part.applies_s),
        measurement_us=us(MEASUREMENT_S),
        hold_set_point_us=us(END_S),
        coordination=coordination,
        submit_before_us=us(300),
        patience=PATIENCE,
        reserve=ReservePlan(resource, 1.0, 0.1, part.price_eur_per_mwh) if product == "FCR" else None,
        dso=DSO if part.grid == GRID else None,
    )
    return Aggregator(profile) if part.kind == "AGGREGATOR" else Bsp(profile)
