"""Set-points of aFRR by way of the DSO: each is passed on in the cycle in which it came, within the DSO's limits.

    BSP ── SetPointSubscription ─▶ DSO ── SetPointRelaySubscription ─▶ TSO
        ◀──────────────── Agree ──     ◀─────────────────── Agree ──
        ◀───── SetPoint, lowered ──     ◀──── SetPoint ──             every control cycle; linked by `caused_by`

A set-point is lowered to what the limits leave of the participant's accepted offers, never raised and never turned.
When a limit is asked for, the last set-point is lowered at once and said again: the participant need not wait for the
TSO's next cycle.
"""

from ...protocols.conversation import Conversation
from ...protocols.envelope import Topic
from ...protocols.information.activation import SetPoint, SetPointRelaySubscription, SetPointSubscription
from ...protocols.information.quantities import Direction, Product
from ...protocols.messages import Agree, Cancel, Cancelled, Failure, Refuse
from ...protocols.stages import activation as stage
from ..actions import Action, Note, Open, Publish, Say
from ..agent import Reaction
from ..changes import INFINITY_US, Span, derived_now, replace
from ..events import Heard, Rejected, Silence
from ..profiles import DsoProfile
from .hearing import current
from .state import DsoState, Way, limit_key

PRODUCT: Product = "aFRR"
PROTOCOLS = frozenset({stage.SET_POINTS_VIA_DSO.name, stage.SET_POINTS_PASSED_ON.name})
SUBJECT = "set-points."
MAX_ATTEMPTS = 3


def hear(profile: DsoProfile, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
    """A subscription, its answer, its end, or a set-point to be passed on."""
    match event.content:
        case SetPoint() as content:
            return _passed_on(state, event, content, now_us)
        case SetPointSubscription() as wish:
            return _subscribed(profile, state, event, wish, now_us)
        case Agree():
            return _agreed(state, event.conversation)
        case Refuse(reason=reason) | Failure(reason=reason):
            return _given_up(state, participant_of(event.topic.subject), reason)
        case Cancel():
            return _left(profile, state, event.conversation.peer, event.conversation.id, now_us)
        case _:
            return state, ()


def participant_of(subject: str) -> str:
    """Whose set-points a conversation with the TSO is about, from its subject."""
    return subject.removeprefix(SUBJECT).partition("-")[2]


def _subscribed(
    profile: DsoProfile, state: DsoState, event: Heard, wish: SetPointSubscription, now_us: int
) -> Reaction[DsoState]:
    """A participant wants its set-points: ask the TSO for them, unless they come already."""
    name, told = event.conversation.peer, event.conversation.id
    if name not in {one.participant for _, one in sorted(state.connected.items())}:
        return state, (Say(told, Refuse(reason=f"{name} is not connected to {profile.grid}")),)
    known = state.ways.get(name)
    if known is not None:
        state = replace(state, ways=state.ways.set(name, known._replace(told=told)))
        return state, (Say(told, Agree()) if known.agreed else Say(known.told, Refuse(reason="asked for again")),)
    return _asked(profile, state, name, Way("", told, wish, attempt=0), now_us)


def _asked(profile: DsoProfile, state: DsoState, name: str, way: Way, now_us: int) -> Reaction[DsoState]:
    wish, attempt = way.wish, way.attempt + 1
    topic = Topic(profile.name, stage.STAGE, "delivery", f"{SUBJECT}{attempt}-{name}", profile.tso)
    ask = SetPointRelaySubscription(participant=name, product=wish.product, start=wish.start, end=wish.end)
    ways = state.ways.set(name, way._replace(asked=topic.conversation_id, attempt=attempt))
    opening = Open(stage.SET_POINTS_VIA_DSO, topic, ask, now_us + profile.patience.answer_us // 2)
    return replace(state, ways=ways), (opening,)


def _agreed(state: DsoState, conversation: Conversation) -> Reaction[DsoState]:
    name = participant_of(conversation.topic.subject)
    way = state.ways.get(name)
    if way is None or way.agreed:
        return state, ()
    return replace(state, ways=state.ways.set(name, way._replace(agreed=True))), (Say(way.told, Agree()),)


def _given_up(state: DsoState, name: str, reason: str) -> Reaction[DsoState]:
    """There are no set-points to pass on: tell the participant."""
    way = state.ways.get(name)
    if way is None:
        return state, ()
    note = Note(stage.STAGE, None, {"name": "no set-points to pass on", "participant": name, "reason": reason})
    return replace(state, ways=state.ways.delete(name)), (note, Say(way.told, Failure(reason=reason)))


def _left(profile: DsoProfile, state: DsoState, name: str, told: str, now_us: int) -> Reaction[DsoState]:
    """A participant wants no more set-points, so the TSO cannot ask for its offers any more."""
    way = state.ways.get(name)
    answer = Say(told, Cancelled())
    if way is None or way.told != told:
        return state, (answer,)
    return replace(state, ways=state.ways.delete(name)), (answer, _cancel(profile, way, now_us))


def _cancel(profile: DsoProfile, way: Way, now_us: int) -> Say:
    return Say(way.asked, Cancel(reason="the participant does not follow"), now_us + profile.patience.answer_us)


def unanswered(profile: DsoProfile, state: DsoState, event: Silence | Rejected, now_us: int) -> Reaction[DsoState]:
    """The TSO does not answer: ask again, a few times. Who has not understood us is not asked again."""
    conversation = event.conversation
    if conversation.protocol is stage.SET_POINTS_PASSED_ON:
        way = state.ways.get(conversation.peer)
        if isinstance(event, Silence) or way is None or way.told != conversation.id:
            return state, ()
        return replace(state, ways=state.ways.delete(conversation.peer)), (_cancel(profile, way, now_us),)
    name = participant_of(conversation.topic.subject)
    way = state.ways.get(name)
    if way is None or way.asked != conversation.id:
        return state, ()
    if isinstance(event, Rejected) or way.attempt >= MAX_ATTEMPTS:
        return _given_up(state, name, f"no set-points of {profile.tso}")
    return _asked(profile, state, name, way, now_us)


def _passed_on(state: DsoState, event: Heard, content: SetPoint, now_us: int) -> Reaction[DsoState]:
    """A set-point has come: pass it on as it is, or lowered."""
    name = participant_of(event.topic.subject)
    way = state.ways.get(name)
    if way is None:
        return state, ()
    said = _within(state, name, way, content, now_us)
    notes = _lowered(name, content, said) if said is not content and said != way.said else ()
    first: tuple[Action, ...] = () if way.agreed else (Say(way.told, Agree()),)
    way = way._replace(agreed=True, heard=content, said=said, cause=event.envelope.id)
    return replace(state, ways=state.ways.set(name, way)), (*first, Publish((way.told,), said, way.cause), *notes)


def limited(state: DsoState, now_us: int) -> Reaction[DsoState]:
    """Limits have been asked for: lower the last set-points at once."""
    actions: list[Action] = []
    ways = state.ways
    for name, way in sorted(ways.items()):
        if way.heard is None or way.said is None:
            continue
        said = _within(state, name, way, way.heard, now_us)
        if abs(said.power_mw) < abs(way.said.power_mw):
            ways = ways.set(name, way._replace(said=said))
            actions += [Publish((way.told,), said, way.cause), *_lowered(name, way.heard, said)]
    return (replace(state, ways=ways) if actions else state), tuple(actions)


def _within(state: DsoState, name: str, way: Way, content: SetPoint, now_us: int) -> SetPoint:
    """The set-point, or as much of it as limits leave; the same object where nothing has changed."""
    if not state.limits:
        return content
    most_mw = _most_mw(state, name, "up" if content.power_mw > 0 else "down", now_us)
    if abs(content.power_mw) <= most_mw:
        return content
    power_mw = most_mw if content.power_mw > 0 else -most_mw
    if way.said is not None and way.said.power_mw == power_mw:
        return way.said
    return content.model_copy(update={"power_mw": power_mw})


def _most_mw(state: DsoState, name: str, direction: Direction, now_us: int) -> float:
    """What limits leave of a participant's offers under control; without a limit there is no bound."""
    sources = state.limits, state.moved, state.accepted, state.connected

    def made() -> Span:
        offers = current(state, now_us)
        ends = (end for offer in offers for end in (offer.delivery_start, offer.delivery_end))
        later = [at_us for at_us in ends if at_us > now_us]
        return Span(now_us, min(later, default=INFINITY_US), _left_mw(state, name, direction, now_us))

    most_mw: float = derived_now(state, f"~most/{name}/{direction}", sources, now_us, made)
    return most_mw


def _left_mw(state: DsoState, name: str, direction: Direction, now_us: int) -> float:
    """A set-point may come when no offer is being delivered any more: then the limits on all that it has count."""
    own = [o for o in current(state, now_us) if (o.participant, o.direction, o.product) == (name, direction, PRODUCT)]
    if not own:
        return _limits_mw(state, name, direction)
    left: dict[str, float] = {}
    whole_mw = 0.0
    for offer in own:
        offer_mw = 0.0
        for unit, share_mw in ((offer.resource, offer.quantity_mw), *state.moved.get(offer.offer_id, ())):
            key = limit_key(offer, unit)
            limit = state.limits.get(key)
            room_mw = left.setdefault(key, limit.max_mw if limit is not None else float("inf"))
            part_mw = min(share_mw, room_mw, offer.quantity_mw - offer_mw)
            left[key], offer_mw = room_mw - part_mw, offer_mw + part_mw
        whole_mw += offer_mw
    bound = any(key in state.limits for key in sorted(left))
    return round(whole_mw, 6) if bound else float("inf")


def _limits_mw(state: DsoState, name: str, direction: Direction) -> float:
    resources = [resource for resource, one in sorted(state.connected.items()) if one.participant == name]
    limits = [state.limits.get(f"{name}|{resource}|{direction}") for resource in resources]
    return sum(limit.max_mw if limit is not None else float("inf") for limit in limits)


def _lowered(name: str, heard: SetPoint, said: SetPoint) -> tuple[Action, ...]:
    evidence = {"name": "set-point lowered", "participant": name}
    return (Note(stage.STAGE, None, {**evidence, "ordered_mw": heard.power_mw, "power_mw": said.power_mw}),)
