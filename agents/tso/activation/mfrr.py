"""mFRR: which orders follow from a lasting need.

    need_mw   = −ACE + Σ measured activation          open-loop; + short, − long            domain: LFC
    target_mw = average of the need, kept until it has moved by the trigger
    orders    = the definitive MOL walked down to the target, caps kept        market/merit_order.dispatch

Where there is aFRR it covers the need first, and what it covers is part of the need: what lasts is moved to mFRR, and
as that comes in the ACE turns, so that aFRR is released. Where the need has turned so quickly that aFRR runs against
mFRR for some minutes on end, mFRR is taken back by what aFRR has asked for against it. From the schedule lead before a
quarter-hour on, every change is ordered for the next period too, so that the hand-over is bumpless. The energy
requested is the set-point in force at each cycle (left rectangle).
"""

import math
from collections.abc import Mapping

from ....protocols.information.offering import Offer
from ....protocols.information.quantities import Product
from ....protocols.stages import activation as stage
from ...actions import Action, Note
from ...agent import Reaction
from ...calendar import MarketTimeUnit
from ...market.merit_order import dispatch
from ...market.settlement import watt_us
from ...profiles import TsoProfile
from ..state import Order, TsoState
from .caps import accepted, caps
from .orders import by_offer, cancelled, opening_of

PRODUCT: Product = "mFRR"
RESOLUTION_MW, LEAST_STEP_MW = 1e-3, 1e-6
RESTLESS_WINDOWS = 5


def averaged(profile: TsoProfile, state: TsoState, need_mw: float) -> TsoState:
    """Keep the recent needs; move the target when their average has moved by the trigger, and has come to rest.

    A frequency that still swings says little about a lasting need, so the target waits until the needs of a
    window lie within the trigger of each other – but no longer than `RESTLESS_WINDOWS`.
    """
    rules, activation = profile.activation, state.activation
    window = max(1, rules.averaging_us // profile.control_us)
    needs = (*activation.needs, round(need_mw, 6))[-window:]
    average_mw = sum(needs) / len(needs)
    moved = len(needs) == window and abs(average_mw - activation.target_mw) >= rules.trigger_mw
    restless = activation.restless + 1 if moved else 0
    at_rest = moved and (max(needs) - min(needs) <= rules.trigger_mw or restless > RESTLESS_WINDOWS * window)
    target_mw = round(average_mw, _digits(rules.trigger_mw)) if at_rest else activation.target_mw
    return state.with_activation(
        needs=needs,
        restless=0 if target_mw != activation.target_mw else restless,
        target_mw=target_mw,
        changed=activation.changed or target_mw != activation.target_mw,
    )


def _digits(trigger_mw: float) -> int:
    """Decimals of a target: steps of 0.1 MW, and finer ones where a smaller trigger says that less matters."""
    return max(1, math.ceil(-math.log10(max(trigger_mw, LEAST_STEP_MW))))


def released(profile: TsoProfile, state: TsoState) -> Reaction[TsoState]:
    """Take back mFRR that aFRR has run against for `release_us`, by what it asked for on average, to zero at most.

    An average below the trigger is no reason to change orders.
    """
    activation, against_mw = state.activation, -state.regulation.controller.demand_mw
    target_mw = activation.target_mw
    if against_mw * target_mw <= 0:
        return (state.with_activation(opposed=()) if activation.opposed else state), ()
    rules = profile.activation
    window = -(-rules.release_us // profile.control_us)
    opposed = (*activation.opposed, abs(against_mw))[-window:]
    average_mw = sum(opposed) / len(opposed)
    if len(opposed) < window or average_mw < rules.trigger_mw:
        return state.with_activation(opposed=opposed), ()
    back_mw = min(abs(target_mw), round(average_mw, _digits(rules.trigger_mw)))
    left_mw = round(target_mw - (back_mw if target_mw > 0 else -back_mw), 6)
    state = state.with_activation(opposed=(), target_mw=left_mw, restless=0, changed=True)
    evidence = {"name": "mFRR taken back", "need_mw": left_mw, "before_mw": target_mw, "against_mw": back_mw}
    return state, (Note(stage.STAGE, "7.5", evidence),)


def dropped(state: TsoState, now_us: int) -> TsoState:
    """Orders whose time has passed are over."""
    orders = state.activation.orders
    over = [offer_id for offer_id, order in by_offer(state) if order.end_us <= now_us]
    if not over:
        return state
    for offer_id in over:
        orders = orders.delete(offer_id)
    return state.with_activation(orders=orders)


def ordered(profile: TsoProfile, state: TsoState, now_us: int) -> Reaction[TsoState]:
    """Bring the orders of this period, and of the next from the schedule lead on, in line with the target."""
    if not profile.needs_of(PRODUCT):
        return (state.with_activation(changed=False) if state.activation.changed else state), ()
    calendar = profile.calendar
    lead_us = profile.activation.schedule_lead_us
    current = calendar.at(now_us)
    coming = calendar.coming(now_us, lead_us)
    actions: tuple[Action, ...] = ()
    if current is not None and (state.activation.changed or _unmet(profile, state, current)):
        state, more = _aligned(profile, state, current, now_us)
        actions += more
    for period in coming:
        if state.activation.changed or _unmet(profile, state, period):
            state, more = _aligned(profile, state, period, now_us)
            actions += more
    return (state.with_activation(changed=False) if state.activation.changed else state), actions


def _unmet(profile: TsoProfile, state: TsoState, period: MarketTimeUnit) -> bool:
    """Whether a period that should have orders has none yet."""
    return abs(state.activation.target_mw) >= RESOLUTION_MW and not any(
        order.start_us < period.end_us and order.end_us > period.start_us and order.end_us == period.end_us
        for _, order in by_offer(state)
    )


def _aligned(profile: TsoProfile, state: TsoState, period: MarketTimeUnit, now_us: int) -> Reaction[TsoState]:
    actions: list[Action] = []
    wanted = shares(profile, state, period)
    for offer in accepted(profile, state, period, PRODUCT):
        state, change = _change(profile, state, offer, wanted[offer.offer_id], now_us)
        actions += change
    if actions:
        actions.append(_note(state, period, wanted))
    return state, tuple(actions)


def shares(profile: TsoProfile, state: TsoState, period: MarketTimeUnit) -> dict[str, float]:
    """MW wanted of every accepted offer of a period; what one need's list gives is not wanted of the next."""
    target_mw = state.activation.target_mw
    left = {"up": max(0.0, target_mw), "down": max(0.0, -target_mw)}
    wanted: dict[str, float] = {}
    for need in profile.needs_of(PRODUCT):
        positions = state.offering.definitive.get(f"{period.id}/{need.subject}", ())
        share = dispatch(positions, left[need.direction], caps(state, positions))
        left[need.direction] = max(0.0, round(left[need.direction] - sum(share.values()), 6))
        wanted |= share
    return wanted


def _change(
    profile: TsoProfile, state: TsoState, offer: Offer, wanted_mw: float, now_us: int
) -> tuple[TsoState, list[Action]]:
    """Order, change or cancel one offer so that it delivers what is wanted."""
    order = state.activation.orders.get(offer.offer_id)
    if abs(wanted_mw - (order.power_mw if order else 0.0)) < RESOLUTION_MW / 2:
        return state, []
    if wanted_mw < RESOLUTION_MW:
        assert order is not None
        orders = state.activation.orders.delete(offer.offer_id)
        running = (order.conversation_id, *order.supersedes)
        return state.with_activation(orders=orders), list(cancelled(profile, running, "no longer needed", now_us))
    number, before = state.activation.opened + 1, order.conversation_id if order else None
    opening = opening_of(profile, offer, number, now_us, power_mw=wanted_mw, supersedes=before)
    superseded = (order.conversation_id, *order.supersedes) if order else ()
    start_us, conversation_id = max(now_us, offer.delivery_start), opening.topic.conversation_id
    placed = Order(conversation_id, wanted_mw, start_us, offer.delivery_end, confirmed=False, supersedes=superseded)
    orders = state.activation.orders.set(offer.offer_id, placed)
    return state.with_activation(orders=orders, opened=number), [opening]


def _note(state: TsoState, period: MarketTimeUnit, wanted: Mapping[str, float]) -> Note:
    ordered = [{"offer_id": offer_id, "power_mw": mw} for offer_id, mw in wanted.items() if mw > 0]
    short_mw = round(abs(state.activation.target_mw) - sum(wanted.values()), 3)
    evidence = {
        "name": "orders changed",
        "period": period.id,
        "need_mw": state.activation.target_mw,
        "ordered": ordered,
        "short_mw": max(0.0, short_mw),
    }
    return Note(stage.STAGE, "7.5", evidence)


def caught_up(profile: TsoProfile, state: TsoState, at_us: int) -> TsoState:
    """Count the set-points in force in whole cycles that were missed, because the TSO's host was down."""
    since_us, every_us = state.activation.counted_us, profile.control_us
    until_us = since_us + (at_us - since_us) // every_us * every_us
    if not 0 < since_us < until_us:
        return state
    started = {key: -(-order.start_us // every_us) * every_us for key, order in state.activation.orders.items()}
    return _added(state, {key: (max(since_us, start_us), until_us) for key, start_us in started.items()})


def counted(profile: TsoProfile, state: TsoState, at_us: int, now_us: int) -> TsoState:
    """Add the set-points in force until the next cycle to the energy requested; `at_us`: when this one was due."""
    until_us = at_us + profile.control_us
    in_force = [key for key, order in by_offer(state) if order.start_us <= now_us < order.end_us]
    if not in_force:
        return state
    return _added(state, dict.fromkeys(in_force, (at_us, until_us)), counted_us=until_us)


def _added(state: TsoState, spans: Mapping[str, tuple[int, int]], **changes: int) -> TsoState:
    """Add the energy of orders in a span each, as far as they last; and make other `changes`."""
    energy, orders = state.activation.energy, state.activation.orders
    for offer_id, (since_us, until_us) in sorted(spans.items()):
        order = orders[offer_id]
        counted = watt_us(order.power_mw, max(0, min(until_us, order.end_us) - since_us))
        if counted:
            energy = energy.set(offer_id, energy.get(offer_id, 0) + counted)
            if not order.confirmed:
                orders = orders.set(offer_id, order._replace(unconfirmed=order.unconfirmed + counted))
    return state.with_activation(energy=energy, orders=orders, **changes)
