"""Scenario II: the DSO delivers by stepping its tap changers, and publishes P and Q of its connection points.

    Activate (block) ─▶ Activated, one more step     Cancel ─▶ one step back     readings ─▶ Measurement (INFO 7)

The part of the import that the taps free is computed against the same state with the taps where they
started, because the measured import also moves with everybody else's activations.
"""

from dataclasses import replace

from ...protocols.information.activation import (
    Activate,
    Activated,
    ActivateWhen,
    ActivationEnded,
    Measurement,
    MeasurementSubscription,
)
from ...protocols.messages import Agree, Cancel, Cancelled, CancelTooLate, Message, Refuse
from ...protocols.stages import activation as stage
from ..actions import Action, Actuate, Note, Publish, Say, Wake
from ..agent import Reaction
from ..bsp.delivery import END, START
from ..events import Heard
from ..profiles import DsoProfile
from .demand_response import position, resource_of
from .state import DsoState
from .studies import Watch


def hear(profile: DsoProfile, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
    """React to the TSO's orders and subscriptions."""
    conversation_id = event.conversation.id
    match event.content:
        case MeasurementSubscription():
            listeners = (*state.demand.listeners, conversation_id)
            return state.with_demand(listeners=listeners), (Say(conversation_id, Agree()),)
        case Activate() | ActivateWhen() as order:
            return _ordered(profile, state, conversation_id, order, now_us)
        case Cancel() if event.conversation.protocol.fipa == "fipa-subscribe":
            listeners = tuple(one for one in state.demand.listeners if one != conversation_id)
            return state.with_demand(listeners=listeners), (Say(conversation_id, Cancelled()),)
        case Cancel():
            return _cancelled(profile, state, conversation_id, now_us)
        case _:
            return state, ()


def _ordered(
    profile: DsoProfile, state: DsoState, conversation_id: str, order: Activate | ActivateWhen, now_us: int
) -> Reaction[DsoState]:
    book = state.demand.book
    fault = book.fault(order, now_us)
    if fault is not None:
        return state, (Say(conversation_id, Refuse(reason=fault)),)
    ending: tuple[Action, ...] = ()
    if order.supersedes in book.tasks:
        book = book.ended(str(order.supersedes))
        ended = ActivationEnded(offer_id=order.offer_id, reason="superseded")
        ending = (Say(str(order.supersedes), ended),)
    scheduled = order.start > now_us
    status = Activated(offer_id=order.offer_id, product=order.product, status="scheduled" if scheduled else "activated")
    confirm = Say(conversation_id, status, order.end + profile.patience.answer_us)
    timers: tuple[Action, ...] = (Wake(END + conversation_id, order.end),)
    if scheduled:
        timers = (Wake(START + conversation_id, order.start), *timers)
    state = state.with_demand(book=book.taken(conversation_id, order))
    state, moves = moved(profile, state, now_us)
    return state, (*ending, confirm, *timers, *moves)


def moved(profile: DsoProfile, state: DsoState, now_us: int) -> Reaction[DsoState]:
    """Bring the taps in line with the blocks in force; leave evidence when they move."""
    demand = state.demand
    if demand.options is None:
        return state, ()
    active = [demand.book.offers[task.offer_id].resource for task in demand.book.in_force(now_us)]
    wanted = {
        t.name: position(state, t.name, active.count(resource_of(profile.grid, t.name)))
        for t in demand.options.transformers
    }
    moves = tuple(Actuate(f"taps/{n}", p) for n, p in sorted(wanted.items()) if demand.positions.get(n) != p)
    if not moves:
        return state, ()
    evidence = {"name": "taps stepped", "positions": wanted, "blocks": len(active)}
    note = Note(stage.STAGE, "10.2", evidence)
    return state.with_demand(positions=demand.positions.update(wanted)), (note, *moves)


def over(profile: DsoProfile, state: DsoState, conversation_id: str, now_us: int) -> Reaction[DsoState]:
    """An order's time has come to its end."""
    task = state.demand.book.tasks.get(conversation_id)
    if task is None:
        return state, ()
    state = replace(state, demand=replace(state.demand, book=state.demand.book.ended(conversation_id)))
    state, moves = moved(profile, state, now_us)
    return state, (Say(conversation_id, ActivationEnded(offer_id=task.offer_id, reason="delivered")), *moves)


def _cancelled(profile: DsoProfile, state: DsoState, conversation_id: str, now_us: int) -> Reaction[DsoState]:
    answer: Message = CancelTooLate(reason="the order was over")
    if conversation_id in state.demand.book.tasks:
        answer = Cancelled()
    state = state.with_demand(book=state.demand.book.ended(conversation_id))
    state, moves = moved(profile, state, now_us)
    return state, (Say(conversation_id, answer), *moves)


def published(profile: DsoProfile, state: DsoState, watch: Watch, now_us: int) -> Reaction[DsoState]:
    """Real-time P and Q of the connection points (+ injection into transmission), and what the taps free."""
    readings, demand = state.readings, state.demand
    if readings is None or not demand.listeners:
        return state, ()
    import_mw = sum(p_mw for _, p_mw, _ in readings.interface)
    measurement = Measurement(
        participant=profile.name,
        measured_at=readings.at_us,
        p_mw=round(-import_mw, 6) + 0.0,
        q_mvar=round(-sum(q for _, _, q in readings.interface), 6) + 0.0,
        activated_mw=watch.freed_mw,
        baseline_mw=round(-import_mw - watch.freed_mw, 6),
        set_point_mw=round(sum(task.power_mw for task in demand.book.in_force(now_us)), 6),
    )
    counted = state.with_demand(book=demand.book.metered(watch.freed_mw, profile.monitoring_us, now_us))
    return counted, (Publish(demand.listeners, measurement),)
