"""What no agent may do: the orderings of the paper, watched at each agent by itself, from outside.

    TSO   accepts no offer that the DSO has not validated, or more of it than validated        steps 6.5 → 6.8
          orders no offer that it has not accepted, or more of it than accepted                steps 6.7 → 7.1
          asks by set-points for no more of a participant than it has accepted                 steps 6.7 → 7.1
          sends no order or set-point above a limit that it has received (INFO 8)              steps 7.7 → 7.1
    DSO   passes on no set-point or order that is more than the one it has heard, or another   steps 7.1 → 7.1
          way, and none above a limit that it has asked for (INFO 8)                           steps 7.7 → 7.1
    BSP   applies no set-point above a limit that it has received (INFO 8)                     steps 7.8 → 7.9

The watch keeps its own books, from the messages heard and said and from what is actuated; it does not ask
the agent what it knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ...protocols.envelope import Envelope
from ...protocols.information.activation import Activate, ActivateWhen, LimitOrder, LimitRequest, SetPoint
from ...protocols.information.offering import Acceptance, MeritOrderVerdict, Offer
from ...protocols.messages import Message, Refuse
from ...protocols.stages import offering
from ...protocols.verification.story import Wrong
from ..actions import RESERVE, Actuate
from ..agent import Agent
from ..dso import Dso
from ..dso.set_points import participant_of
from ..runtime.inputs import Arrival, Effect, Input, Send
from ..tso import Tso

if TYPE_CHECKING:
    from .actor import Standing

UNVALIDATED = "an acceptance before the DSO's validation"
NOT_IN_MOL = "an activation of what is not in the definitive merit order list"
SENT_ABOVE = "a set-point above the limit is sent"
APPLIED_ABOVE = "a set-point above the limit is applied"
RAISED = "a signal is raised on its way"
SLACK_MW = 1e-6
Numbers = tuple[tuple[str, float], ...]


class Seen(NamedTuple):
    """The watch's books: MW validated and accepted by offer, limits by `resource|direction`, MW applied by target.

    `heard` are the signals that came to be passed on: MW by offer, and of set-points by participant.
    """

    validated: Numbers = ()
    accepted: Numbers = ()
    limits: Numbers = ()
    applied: Numbers = ()
    heard: Numbers = ()


def watch(agent: Agent[Any], seen: Seen, given: Input, effects: Iterable[Effect], after: Standing) -> Seen | Wrong:
    """Keep the books of one agent after an input; or what it has done that it may not do."""
    found: Seen | Wrong = seen
    said = [effect.envelope.content for effect in effects if isinstance(effect, Send)]
    if isinstance(given, Arrival) and _is_news(given.envelope, after):
        heard = _to_pass_on(seen, given.envelope) if isinstance(agent, Dso) else seen
        found = _heard(heard, given.envelope.content, said)
    for effect in effects:
        if isinstance(found, Wrong):
            return found
        if isinstance(effect, Send) and isinstance(agent, Tso):
            found = _said(agent, found, effect.envelope, after)
        elif isinstance(effect, Send) and isinstance(agent, Dso):
            found = _passing_on(found, effect.envelope, after)
        elif isinstance(effect, Actuate):
            found = found._replace(applied=_put(found.applied, effect.target, effect.value))
    return found if isinstance(found, Wrong) else _above(agent, found) or found


def _is_news(envelope: Envelope, after: Standing) -> bool:
    """Whether this message has just been taken: it is the last one heard in its conversation, and no copy."""
    return any(one.last_heard == envelope.id for one in after.conversations if one.id == envelope.conversation_id)


def _heard(seen: Seen, content: Message, said: list[Message]) -> Seen:
    match content:
        case MeritOrderVerdict(verdicts=verdicts):
            known = seen.validated
            for verdict in verdicts:
                known = _put(known, verdict.offer_id, verdict.max_mw)
            return seen._replace(validated=known)
        case LimitRequest(limits=limits) if not any(isinstance(one, Refuse) for one in said):
            known = seen.limits
            for limit in limits:
                known = _put(known, f"{limit.resource}|{limit.direction}", limit.max_mw)
            return seen._replace(limits=known)
        case LimitOrder(limit=limit):
            return seen._replace(limits=_put(seen.limits, f"{limit.resource}|{limit.direction}", limit.max_mw))
    return seen


def _said(agent: Tso, seen: Seen, envelope: Envelope, after: Standing) -> Seen | Wrong:
    match envelope.content:
        case Acceptance(offers=offers):
            return _accepting(agent, seen, offers, after)
        case Activate() | ActivateWhen() as order:
            return _ordering(seen, order, after)
        case SetPoint(power_mw=power_mw):
            return _asking(seen, _asked(envelope, after), power_mw, after)
    return seen


def _asked(envelope: Envelope, after: Standing) -> str:
    """Whose set-points a subscription carries: those of whom it goes to, or of whom a DSO passes them on to."""
    subscribers = sorted(after.state.regulation.subscribers.items())
    return next((name for name, cid in subscribers if cid == envelope.conversation_id), envelope.receiver)


def _to_pass_on(seen: Seen, envelope: Envelope) -> Seen:
    """A DSO hears a signal that is meant for a participant."""
    match envelope.content:
        case SetPoint(power_mw=power_mw):
            name = participant_of(envelope.conversation_id.split("/")[3])
            return seen._replace(heard=_put(seen.heard, name, power_mw))
        case Activate() | ActivateWhen() as order:
            return seen._replace(heard=_put(seen.heard, order.offer_id, order.power_mw))
    return seen


def _passing_on(seen: Seen, envelope: Envelope, after: Standing) -> Seen | Wrong:
    """What a DSO passes on is no more than what it has heard last, and no more than its limits leave."""
    match envelope.content:
        case LimitRequest(limits=limits):
            known = seen.limits
            for limit in limits:
                known = _put(known, f"{limit.resource}|{limit.direction}", limit.max_mw)
            return seen._replace(limits=known)
        case SetPoint(power_mw=power_mw):
            name, most_mw = envelope.receiver, _left_mw(seen, envelope.receiver, power_mw, after)
        case Activate() | ActivateWhen() as order:
            offer = after.state.accepted[order.offer_id]
            limit_mw = dict(seen.limits).get(f"{offer.resource}|{offer.direction}", order.power_mw)
            name, power_mw = order.offer_id, order.power_mw
            most_mw = power_mw if order.kind == "set-point" else limit_mw
        case _:
            return seen
    heard_mw = dict(seen.heard).get(name, 0.0)
    if abs(power_mw) > abs(heard_mw) + SLACK_MW or power_mw * heard_mw < 0:
        return Wrong(RAISED, f"{power_mw:g} MW are asked of {name}, {heard_mw:g} MW had been heard")
    if abs(power_mw) > most_mw + SLACK_MW:
        return Wrong(SENT_ABOVE, f"{power_mw:g} MW are asked of {name}, the limit is {most_mw:g} MW")
    return seen


def _left_mw(seen: Seen, name: str, power_mw: float, after: Standing) -> float:
    """What limits leave of a participant's accepted offers in the direction of a set-point."""
    direction, limits = "up" if power_mw >= 0 else "down", dict(seen.limits)
    offers = [o for _, o in sorted(after.state.accepted.items()) if (o.participant, o.direction) == (name, direction)]
    bound = [limits.get(f"{offer.resource}|{direction}", float("inf")) for offer in offers]
    return sum(bound) if offers else float("inf")


def _asking(seen: Seen, participant: str, power_mw: float, after: Standing) -> Seen | Wrong:
    """A set-point is for all offers of a participant under control, so their limits add up."""
    direction = "up" if power_mw >= 0 else "down"
    accepted, limits = dict(seen.accepted), dict(seen.limits)
    by_resource: dict[str, float] = {}
    for _, positions in sorted(after.state.offering.definitive.items()):
        for offer in (position.offer for position in positions):
            if (offer.participant, offer.direction, offer.product) == (participant, direction, "aFRR"):
                more_mw = accepted.get(offer.offer_id, 0.0)
                by_resource[offer.resource] = by_resource.get(offer.resource, 0.0) + more_mw
    allowed = {one: min(mw, limits.get(f"{one}|{direction}", mw)) for one, mw in by_resource.items()}
    if abs(power_mw) > sum(by_resource.values()) + SLACK_MW:
        text = f"{power_mw:g} MW asked of {participant}, {sum(by_resource.values()):g} MW accepted"
        return Wrong(NOT_IN_MOL, text)
    if abs(power_mw) > sum(allowed.values()) + SLACK_MW:
        return Wrong(SENT_ABOVE, f"{power_mw:g} MW asked of {participant}, the limit is {sum(allowed.values()):g} MW")
    return seen


def _accepting(agent: Tso, seen: Seen, offers: tuple[Offer, ...], after: Standing) -> Seen | Wrong:
    validated, accepted = dict(seen.validated), seen.accepted
    for offer in offers:
        most_mw = validated.get(_root(offer))
        if most_mw is None and _needs_verdict(agent, offer, after):
            return Wrong(UNVALIDATED, f"{offer.offer_id} is accepted, the DSO has given no verdict on it")
        if most_mw is not None and offer.quantity_mw > most_mw + SLACK_MW:
            text = f"{offer.offer_id}: {offer.quantity_mw:g} MW accepted of {most_mw:g} MW validated"
            return Wrong(UNVALIDATED, text)
        accepted = _put(accepted, offer.offer_id, offer.quantity_mw)
    return seen._replace(accepted=accepted)


def _needs_verdict(agent: Tso, offer: Offer, after: Standing) -> bool:
    """Whether the scheme asks the DSO of this grid, and its silence would not mean that the offer stands."""
    scheme, dso = agent.profile.coordination, agent.profile.dso_of_grid.get(offer.grid)
    if not scheme.dso_in_offering or dso is None:
        return False
    asked = [
        c for c in after.conversations if c.protocol is offering.MOL_VALIDATION and c.topic.period == offer.session
    ]
    return scheme.silent_dso == "exclude" or not asked or not all(c.answered for c in asked)


def _root(offer: Offer) -> str:
    """The offer as it was made, of which this is a revision."""
    return offer.offer_id.rpartition(".r")[0] if offer.revision else offer.offer_id


def _ordering(seen: Seen, order: Activate | ActivateWhen, after: Standing) -> Seen | Wrong:
    accepted_mw = dict(seen.accepted).get(order.offer_id)
    if accepted_mw is None or order.power_mw > accepted_mw + SLACK_MW:
        text = f"{order.power_mw:g} MW of {order.offer_id} ordered, {accepted_mw or 0:g} MW accepted"
        return Wrong(NOT_IN_MOL, text)
    lists = after.state.offering.definitive
    offers = {p.offer.offer_id: p.offer for _, positions in sorted(lists.items()) for p in positions}
    offer = offers.get(order.offer_id)
    if offer is None:
        return Wrong(NOT_IN_MOL, f"{order.offer_id} is ordered")
    if order.kind == "set-point":
        return seen
    limit_mw = dict(seen.limits).get(f"{offer.resource}|{offer.direction}")
    if limit_mw is not None and order.power_mw > limit_mw + SLACK_MW:
        return Wrong(SENT_ABOVE, f"{order.power_mw:g} MW of {order.offer_id} ordered, the limit is {limit_mw:g} MW")
    return seen


def _above(agent: Agent[Any], seen: Seen) -> Wrong | None:
    """Limits bind what is applied; a TSO applies nothing."""
    applied = dict(seen.applied)
    for key, limit_mw in seen.limits:
        resource, _, direction = key.rpartition("|")
        p_mw = applied.get(resource, 0.0) if direction == "up" else -applied.get(resource, 0.0)
        p_mw = max(p_mw, applied.get(RESERVE + resource, 0.0))
        if p_mw > limit_mw + SLACK_MW:
            return Wrong(APPLIED_ABOVE, f"{agent.name}: {resource} at {p_mw:g} MW, the limit is {limit_mw:g} MW")
    return None


def _put(numbers: Numbers, key: str, value: float) -> Numbers:
    return tuple(sorted({**dict(numbers), key: value}.items()))
