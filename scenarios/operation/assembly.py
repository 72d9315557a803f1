"""From a scenario to the agents: a calendar, and a profile for each party with what it knows, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from immutables import Map

from ...agents.agent import Agent
from ...agents.bsp import Aggregator, Bsp
from ...agents.calendar import Calendar, MarketTimeUnit, period_id
from ...agents.dso import Dso
from ...agents.market.channel import ChannelRules
from ...agents.market.merit_order import Rules
from ...agents.profiles import (
    ActivationRules,
    BspProfile,
    Coordination,
    DemandResponse,
    DsoProfile,
    Need,
    RegulationRules,
    ReserveRules,
    TestRules,
    TsoProfile,
)
from ...agents.strategies import FrequencyController
from ...agents.tso import Tso
from ...grid.description.grid import TapChanger
from ...grid.resources.resource import Resource
from ...protocols.information.quantities import US_PER_S, Product
from ..description.participants import AggregatorDescription
from ..description.schema import Scenario
from ..extension import plugins
from ..extension.strategies import selected
from .declared import bid_plans, dynamics, own_units, reserve_plan, resource_data
from .plants import Resources

if TYPE_CHECKING:
    from ...agents.runtime.messages.exchange import Links


def us(seconds: float) -> int:
    """Seconds as integer microseconds."""
    return round(seconds * US_PER_S)


def calendar(scenario: Scenario) -> Calendar:
    """All dates of a run; the window for applications closes a minute after the last is due."""
    times = scenario.time
    due = [scenario.applies_at_us(name) for name in scenario.connected]
    periods = tuple(
        MarketTimeUnit(period_id(start), times.cfp_us(start), times.gate_closure_us(start), start, end)
        for start, end in times.periods
    )
    return Calendar(times.start_us, max([times.start_us, *due]) + 60 * US_PER_S, periods, times.periods[-1][1])


def coordination(scenario: Scenario) -> Coordination:
    """What the scheme means: who validates, who takes part, who limits."""
    chosen = scenario.coordination
    return Coordination(
        dso_validates=scenario.has_dso,
        dso_in_offering=chosen.scheme == "scenario-1-dso",
        dso_limits=scenario.has_dso and chosen.real_time_limits,
        dso_is_participant=chosen.scheme == "scenario-2",
        silent_dso=chosen.silent_dso,
        applicant_order=chosen.applicant_order,
        limit_scope=chosen.limit_scope,
        limit_split=chosen.limit_split,
        forecast=chosen.forecast,
        signal_route=chosen.signal_route if scenario.has_dso else "direct",
        lapsed_limits=chosen.lost_communication.lapsed_limits,
        limit_compensation=chosen.limit_compensation,
        limit_margin=chosen.limit_margin_percent / 100,
    )


def links(scenario: Scenario) -> Links:
    """How messages travel."""
    from ...agents.runtime.messages.exchange import Links, Silence

    given, clock = scenario.links, scenario.time.at_clock
    silences = tuple(
        Silence(one.who, one.to, clock(one.since), clock(one.until), one.only == "measurements")
        for one in given.silences
    )
    return Links(scenario.seed, given.delay_median_s, given.delay_sigma, given.loss, silences)


def agents(scenario: Scenario, made: Resources) -> tuple[Agent[Any], ...]:
    """Every agent, each with what it may know."""
    dates, scheme = calendar(scenario), coordination(scenario)
    chosen = selected(scenario, plugins.extensions(scenario))
    dsos = {dso.grid: name for name, dso in scenario.dsos.items()}
    people: list[Agent[Any]] = [Tso(_tso_profile(scenario, dates, scheme, dsos, chosen[scenario.tso, "strategy"]))]
    operators = {name: _dso_profile(scenario, name, made, dates, scheme) for name in scenario.dsos}
    people += [Dso(replace(profile, policy=chosen[name, "strategy"])) for name, profile in operators.items()]
    for name, provider in scenario.providers.items():
        profile = _bsp_profile(scenario, name, made.by_provider[name], dates, scheme)
        profile = replace(profile, bidding=chosen[name, "strategy"])
        people.append(Aggregator(profile) if isinstance(provider, AggregatorDescription) else Bsp(profile))
    return tuple(people)


def _tso_profile(
    scenario: Scenario, dates: Calendar, scheme: Coordination, dsos: Mapping[str, str], controller: FrequencyController
) -> TsoProfile:
    market = scenario.market
    test, rules = market.test, market.activation
    return TsoProfile(
        name=scenario.tso,
        calendar=dates,
        coordination=scheme,
        dso_of_grid=dict(sorted(dsos.items())),
        needs=tuple(Need(need.product, need.direction, need.quantity_mw) for need in market.needs),
        rules=Rules(market.min_bid_mw, market.bid_step_mw, market.price_limit_eur_per_mwh),
        test=TestRules(
            us(60 * test.hold_min),
            us(test.sample_s),
            test.tolerance_percent / 100,
            test.completeness_percent / 100,
            us(60 * test.pause_min),
            test.at_once,
        ),
        activation=ActivationRules(
            rules.trigger_mw, us(rules.averaging_s), us(60 * rules.schedule_lead_min), us(60 * rules.release_min)
        ),
        control_us=us(scenario.ticks.control_s),
        stale_after_us=_stale_after_us(scenario),
        quality_patience_us=us(scenario.coordination.lost_communication.patience_s),
        regulation=_regulation(scenario, controller),
        reserve=_reserve_rules(scenario),
        full_activation_us=Map({product: us(market.full_activation_s(product)) for product in get_args(Product)}),
    )


def _reserve_rules(scenario: Scenario) -> ReserveRules | None:
    """Periods of reserve follow each other from the first delivery on; the last ends with the last delivery."""
    fcr, times = scenario.market.fcr, scenario.time
    if fcr is None:
        return None
    end_us, length_us = times.periods[-1][1], us(60 * fcr.period_min)
    periods = []
    for start_us in range(times.first_delivery_us, end_us, length_us):
        closure_us = start_us - us(60 * fcr.gate_closure_min)
        called_us = closure_us - us(60 * fcr.cfp_lead_min)
        until_us = min(start_us + length_us, end_us)
        periods.append(MarketTimeUnit(period_id(start_us), called_us, closure_us, start_us, until_us))
    return ReserveRules(
        fcr.need_mw,
        tuple(periods),
        scenario.area.nominal_hz,
        fcr.full_deviation_mhz / 1000,
        us(fcr.full_activation_s),
        fcr.tolerance_percent / 100,
    )


def _regulation(scenario: Scenario, controller: FrequencyController) -> RegulationRules | None:
    """How aFRR is controlled, if it is needed at all."""
    rules = scenario.market.afrr
    if not any(need.product == "aFRR" for need in scenario.market.needs):
        return None
    times = us(rules.reaction_s), us(rules.full_activation_s)
    channel = ChannelRules(*times, rules.tolerance_percent / 100, rules.penalty_eur_per_mwh)
    return RegulationRules(controller, rules.distribution, channel)


def _dso_profile(scenario: Scenario, name: str, made: Resources, dates: Calendar, scheme: Coordination) -> DsoProfile:
    dso = scenario.dsos[name]
    seconds = (scenario.grids[dso.grid].taps or TapChanger()).step_s
    offer = dso.demand_response
    recovery = scenario.grids[dso.grid].load_recovery
    response = DemandResponse(
        offer.price_eur_per_mwh,
        offer.assumed_cvr_factor,
        offer.max_steps if scenario.coordination.resources != "der" else 0,
        seconds,
        recovered_share=recovery.share,
        recovery_s=recovery.time_s,
        directions=offer.directions,
        down_price_eur_per_mwh=offer.down_price_eur_per_mwh,
    )
    return DsoProfile(
        name=name,
        tso=scenario.tso,
        grid=dso.grid,
        calendar=dates,
        coordination=scheme,
        monitoring_us=us(scenario.ticks.monitoring_s),
        demand_response=response if scheme.dso_is_participant else None,
        units=own_units(scenario, name, made),
        hold_limit_us=us(60 * scenario.coordination.limits.hold_min),
        limit_validity_us=us(60 * scenario.coordination.limits.validity_min),
        state_every=scenario.coordination.limits.state_every,
        stale_after_us=_stale_after_us(scenario),
        assumed_share=scenario.coordination.lost_communication.assumed_share,
        short_time_us=_short_time_us(scenario, dso.grid),
    )


def _short_time_us(scenario: Scenario, grid: str) -> int | None:
    """How long the DSO may use the short-time rating of its grid in real time; None if it has none, or may not."""
    limits = scenario.grids[grid].limits
    used = scenario.coordination.limits.short_time and limits.short_time_percent is not None
    return us(60 * limits.short_time_minutes) if used else None


def _stale_after_us(scenario: Scenario) -> int:
    """So many ticks of whoever measures or looks less often, and a second for the way."""
    ticks = max(scenario.ticks.control_s, scenario.ticks.measurement_s, scenario.ticks.monitoring_s)
    return us(scenario.coordination.lost_communication.stale_after_ticks * ticks + 1)


def _bsp_profile(
    scenario: Scenario, name: str, made: tuple[Resource, ...], dates: Calendar, scheme: Coordination
) -> BspProfile:
    provider = scenario.providers[name]
    return BspProfile(
        name=name,
        kind="AGGREGATOR" if isinstance(provider, AggregatorDescription) else "BSP",
        tso=scenario.tso,
        calendar=dates,
        product=provider.qualify,
        resources=tuple(resource_data(provider, each) for each in made),
        dynamics=dynamics(provider),
        bids=bid_plans(provider, made),
        applies_us=scenario.applies_at_us(name),
        measurement_us=us(scenario.ticks.measurement_s),
        hold_set_point_us=us(scenario.coordination.lost_communication.hold_set_point_s),
        coordination=scheme,
        reserve=reserve_plan(provider),
        dso=scenario.dso_of(provider.grid) if scheme.dso_validates else None,
    )
