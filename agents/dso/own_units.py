"""Scenario II: units and pools that the DSO operates itself, offered and delivered beside what its taps free.

    INFO 9 ─▶ tests, as a BSP's are      call ─▶ what its forecast lets its grid bear, cheapest first ─▶ INFO 3
    orders ─▶ set-points within its own limits       own meter ─▶ INFO 7, and what it knows of its grid

Nobody else validates them: what the grid cannot bear is not offered. Where it is too much after all, the DSO lowers
its units at once and tells the TSO as of any other limit (INFO 8), so that what is missing is replaced.
"""

from collections.abc import Iterator
from itertools import count

from ...grid.limits.activation import Activation, Allowed
from ...protocols.information.activation import LimitRequest
from ...protocols.information.capacity import TestOrder, TestSample
from ...protocols.information.offering import CallForOffers, Offer
from ...protocols.information.quantities import US_PER_S
from ...protocols.stages import activation as stage
from ..actions import UNITS, Action, Actuate, Note, Observe, Open
from ..agent import Reaction
from ..bsp import outage
from ..bsp.reading import ParticipantReading
from ..changes import replace
from ..market.merit_order import floor_to_step
from ..profiles import BidPlan, DsoProfile
from .hearing import news
from .own_study import AskOwn
from .state import Connected, DsoState, Told
from .studies import AskTaps, Validate
from .validation import signed

METER, AVAILABLE, TEST = f"{UNITS}meter", f"{UNITS}available", f"{UNITS}test"


def owns(profile: DsoProfile, resource: str) -> bool:
    """Whether a resource is operated by the DSO itself."""
    return profile.units is not None and profile.units.owns(resource)


def joined(profile: DsoProfile, state: DsoState) -> DsoState:
    """The state in which its own units are connected as anybody's are, so that they are watched and limited too."""
    units = profile.units.resources if profile.units else ()
    own = {unit.id: Connected.of(profile.name, unit) for unit in units}
    return replace(state, connected=state.connected.update(own)) if own else state


def begun(profile: DsoProfile) -> tuple[Action, ...]:
    """Read its own meters at every look at the grid."""
    return (Observe(METER, profile.monitoring_us, profile.calendar.end_us),) if profile.units else ()


def asked(profile: DsoProfile, state: DsoState, conversation_id: str, taps: AskTaps) -> AskTaps | AskOwn:
    """The question of what may be offered in answer to a call: with units, at the begin, in the middle, at the end."""
    wanted = tuple(_wanted(profile, state, conversation_id))
    if not wanted:
        return taps
    period, agreed = profile.calendar.period(conversation_id.split("/")[2]), profile.coordination
    instants = period.start_us, (period.start_us + period.end_us) // 2, period.end_us - 1
    return AskOwn(
        taps, Validate(profile.grid, wanted, instants, agreed.limit_scope, agreed.limit_split, made_us=taps.made_us)
    )


def _wanted(profile: DsoProfile, state: DsoState, conversation_id: str) -> Iterator[Activation]:
    """Its planned bids in their merit order, named by their number, within what is qualified and available."""
    left: dict[str, float] = {}
    for number, bid in _planned(profile, conversation_id):
        usable_mw = left.get(bid.resource, _usable_mw(state, bid))
        most_mw = min(bid.quantity_mw, usable_mw) if bid.divisible else bid.quantity_mw
        if 0 < most_mw <= usable_mw and most_mw >= bid.min_quantity_mw:
            left[bid.resource] = usable_mw - most_mw
            least_mw = bid.min_quantity_mw if bid.divisible else most_mw
            yield state.connected[bid.resource].activation(str(number), signed(most_mw, bid.direction), least_mw)


def _planned(profile: DsoProfile, conversation_id: str) -> list[tuple[int, BidPlan]]:
    subject = conversation_id.split("/")[3]
    bids = enumerate(profile.units.bids if profile.units else ())
    own = [(number, bid) for number, bid in bids if f"{bid.product}-{bid.direction}" == subject]
    return sorted(own, key=lambda each: (signed(each[1].price_eur_per_mwh, each[1].direction), each[0]))


def _usable_mw(state: DsoState, bid: BidPlan) -> float:
    qualified_mw = state.demand.qualified.get(f"{bid.resource}|{bid.direction}", 0.0)
    available = state.demand.available.get(bid.resource, (qualified_mw, qualified_mw))
    return min(qualified_mw, available[0 if bid.direction == "up" else 1])


def offers(
    profile: DsoProfile, call: CallForOffers, allowed: tuple[Allowed, ...], first: int, *, period: str, now_us: int
) -> Iterator[Offer]:
    """An offer of each bid as far as it is allowed, in whole steps; numbered from `first` on."""
    assert profile.units is not None
    numbers = count(first)
    for each in allowed:
        bid = profile.units.bids[int(each.id)]
        quantity_mw = floor_to_step(abs(each.p_mw), call.quantity_step_mw) if bid.divisible else abs(each.p_mw)
        if quantity_mw < max(bid.min_quantity_mw, call.min_quantity_mw):
            continue
        yield Offer(
            offer_id=f"{profile.name}.{period}.{bid.product}-{bid.direction}.{next(numbers)}",
            participant=profile.name,
            session=period,
            product=bid.product,
            direction=bid.direction,
            quantity_mw=quantity_mw,
            min_quantity_mw=min(bid.min_quantity_mw, quantity_mw),
            divisible=bid.divisible,
            price_eur_per_mwh=bid.price_eur_per_mwh,
            delivery_start=call.delivery_start,
            delivery_end=call.delivery_end,
            grid=profile.grid,
            resource=bid.resource,
            submitted_at=now_us,
        )


def tested(order: TestOrder, p_mw: float) -> Actuate:
    """One of its units follows a test."""
    return Actuate(order.resource, p_mw, announced=True)


def sampled(profile: DsoProfile, state: DsoState, source: str, reading: object) -> Reaction[DsoState]:
    """Its own meters have been read: for a test, before an offer, or in delivery."""
    assert isinstance(reading, ParticipantReading)
    if source == TEST:
        return _test_sampled(state, reading), ()
    known = {one.resource: (one.available_up_mw, one.available_down_mw) for one in reading.resources}
    state = state.with_demand(available=state.demand.available.update(known))
    return (state, ()) if source == AVAILABLE else _metered(profile, state, reading)


def _test_sampled(state: DsoState, reading: ParticipantReading) -> DsoState:
    """A reading counts for the moment at which it was taken, however late it comes."""
    test = state.demand.test
    if test is None or reading.at_us < test.order.start:
        return state
    measured_mw = sum(one.activated_mw for one in reading.resources if one.resource == test.order.resource)
    sample = TestSample(offset_s=(reading.at_us - test.order.start) / US_PER_S, p_mw=measured_mw)
    return state.with_demand(test=test._replace(samples=(*test.samples, sample)))


def _metered(profile: DsoProfile, state: DsoState, reading: ParticipantReading) -> Reaction[DsoState]:
    """What its units do is known as if it had been told; pools share their set-points out anew."""
    demand, failures = outage.seen(state.demand, reading.resources)
    demand = replace(demand, units_mw=reading.activated_mw)
    points = tuple((point.point, point.power_mva) for point in reading.points)
    told = Told(_together_mw(state), reading.activated_mw, points)
    state = replace(state, demand=demand, heard_us=state.heard_us.set(profile.name, reading.at_us))
    state = news(profile, state, {profile.name: told})
    pools = [unit.id for unit in (profile.units.resources if profile.units else ()) if unit.kind == "pool"]
    shares = (Actuate(name, demand.set_points[name]) for name in pools if demand.set_points.get(name))
    return state, (*failures, *shares)


def _together_mw(state: DsoState) -> float:
    return round(sum(state.demand.set_points.values()), 6)


def moved(profile: DsoProfile, state: DsoState, now_us: int) -> Reaction[DsoState]:
    """Bring its units in line with the orders in force, its own limits kept."""
    if profile.units is None:
        return state, ()
    before = state.demand.set_points
    points = {name: mw for name, mw in state.demand.book.set_points(now_us).items() if owns(profile, name)}
    wanted = dict.fromkeys(before, 0.0) | points
    moves = tuple(Actuate(name, mw) for name, mw in sorted(wanted.items()) if before.get(name, 0.0) != mw)
    state = state.with_demand(set_points=before.update(wanted))
    if moves:  # nobody has to tell it what it has just ordered itself
        told = state.told.get(profile.name) or Told(0.0, 0.0, ())
        state = replace(state, told=state.told.set(profile.name, told._replace(set_point_mw=_together_mw(state))))
    return state, moves


def limited(profile: DsoProfile, state: DsoState, actions: tuple[Action, ...], now_us: int) -> Reaction[DsoState]:
    """What it asks the TSO to limit of its own units it keeps from here on; they follow when they are moved next."""
    requests = (one.content for one in actions if isinstance(one, Open) and isinstance(one.content, LimitRequest))
    own = [limit for request in requests for limit in request.limits if owns(profile, limit.resource)]
    if not own:
        return state, ()
    book = state.demand.book.lapsed(now_us)
    for limit in own:
        book = book.capped(limit.resource, limit.direction, limit.max_mw, until_us=limit.valid_until, now_us=now_us)
    shown = [{"resource": one.resource, "direction": one.direction, "max_mw": one.max_mw} for one in own]
    return state.with_demand(book=book), (Note(stage.STAGE, None, {"name": "own units limited", "limits": shown}),)
