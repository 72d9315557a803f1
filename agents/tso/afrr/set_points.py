"""One control cycle of aFRR: the controller's demand, shared by the offers under control, published to subscribers.

    participant ─ SetPointSubscription ─▶ TSO ─ SetPoint every cycle ─▶ participant     or by way of its DSO

What is under control is prepared when it changes – a new period, a confirmation, a limit – and only walked down in a
cycle. A limit of a DSO that the TSO has heard binds the walk of the very next cycle.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from immutables import Map

from ....protocols.information.activation import SetPoint, SetPointRelaySubscription, SetPointSubscription
from ....protocols.messages import Agree, Cancelled, Refuse
from ....protocols.stages import activation as stage
from ...actions import Action, Note, PublishEach, Say
from ...agent import Reaction
from ...calendar import MarketTimeUnit
from ...changes import derived, noted, replace
from ...cycle import covers
from ...events import Heard
from ...market.distribution import Portion, Walk, by_participant, shares
from ...market.merit_order import Position, floor_to_step
from ...market.regulation import Controller
from ...profiles import TsoProfile
from ...strategies.frequency import Sample, controlled
from ..activation.caps import caps
from ..prequalification.applicants import source_of
from ..state import Known, Regulation, TsoState
from . import metering
from .metering import PRODUCT

Wish = SetPointSubscription | SetPointRelaySubscription


def subscribed(profile: TsoProfile, state: TsoState, event: Heard, wish: Wish) -> Reaction[TsoState]:
    """A participant that is qualified for aFRR subscribes to its set-points, or the DSO that passes them on to it."""
    peer, conversation_id = event.conversation.peer, event.conversation.id
    name = wish.participant if isinstance(wish, SetPointRelaySubscription) else peer
    if wish.product != PRODUCT or name not in state.prequalification.qualified:
        return state, (Say(conversation_id, Refuse(reason=f"{name} is not qualified for {PRODUCT}")),)
    hears = _hears(profile, state, name)
    if hears != peer:
        return state, (Say(conversation_id, Refuse(reason=f"the set-points of {name} go to {hears}")),)
    subscribers = state.regulation.subscribers.set(name, conversation_id)
    return state.with_regulation(subscribers=subscribers, stale=True), (Say(conversation_id, Agree()),)


def _hears(profile: TsoProfile, state: TsoState, name: str) -> str:
    """To whom a participant's set-points go: to itself, or to the DSO of its grid."""
    source = source_of(state, name)
    grid = source.resources[0].grid if source is not None and source.resources else ""
    dso = profile.dso_of_grid.get(grid) if profile.coordination.signal_route == "via_dso" else None
    return dso if dso is not None else name


def unsubscribed(state: TsoState, event: Heard) -> Reaction[TsoState]:
    """Nobody hears a participant's set-points any more, so its offers cannot be asked for."""
    return left(state, event.conversation.id), (Say(event.conversation.id, Cancelled()),)


def left(state: TsoState, conversation_id: str) -> TsoState:
    """A subscription is over."""
    regulation = state.regulation
    name = next((one for one, cid in sorted(regulation.subscribers.items()) if cid == conversation_id), None)
    if name is None:
        return state
    sent = regulation.sent.delete(name) if name in regulation.sent else regulation.sent
    return state.with_regulation(subscribers=regulation.subscribers.delete(name), sent=sent, stale=True)


def cycle(profile: TsoProfile, state: TsoState, ace_mw: float, now_us: int) -> Reaction[TsoState]:
    """The demand of this cycle, and a set-point for every subscriber."""
    rules = profile.regulation
    if rules is None:
        return state, ()
    state, silenced = _heard_of(profile, state, now_us)
    state = _prepared(profile, state, now_us)
    known = state.regulation
    walk, before = known.walk, known.controller
    room_mw = derived(state, "~room", (walk,), lambda: (walk.up_mw, walk.down_mw))
    sample = Sample(ace_mw, now_us, *room_mw, profile.control_us)
    after = controlled(rules.controller, before, sample)
    wanted = by_participant(shares(walk, after.demand_mw, rules.distribution))
    sent, news, published = _published(state, known, wanted)
    restless = metering.restless(state, news)
    guided = metering.guided(known, sent, restless, rules.channel, now_us=now_us)
    state = replace(state, regulation=known._replace(controller=after, sent=sent, **guided))
    metering.moved_now(state, guided)
    return state, (*silenced, *_lost(before, after), *published)


def _heard_of(profile: TsoProfile, state: TsoState, now_us: int) -> Reaction[TsoState]:
    """Whose measurements stay away is not counted on, until they come again."""
    since_us = now_us - profile.stale_after_us - profile.quality_patience_us
    if since_us < profile.calendar.first.start_us:
        return state, ()
    names, activation = metering.metered(state), state.activation
    if covers(activation.cycle, names, since_us):
        silent: tuple[str, ...] = ()
    else:
        silent = tuple([name for name in names if (activation.last(name) or Known(0.0, 0)).measured_us < since_us])
    if silent == state.regulation.silent:
        return state, ()
    evidence = {"name": "not counted on", "participants": list(silent), "reason": "no measurement"}
    return state.with_regulation(silent=silent, stale=True), (Note(stage.STAGE, "7.5", evidence),)


def told(state: TsoState) -> list[tuple[str, float]]:
    """Who has been told a set-point, by name, and the MW of the last one."""
    known = state.regulation
    names, _, said = derived(state, "~said", (known.subscribers, known.sent), lambda: _said(known))
    return [(name, content.power_mw) for name, content in zip(names, said, strict=True) if content is not None]


def _published(
    state: TsoState, known: Regulation, wanted: Mapping[str, float]
) -> tuple[Map[str, SetPoint], Iterable[str], tuple[Action, ...]]:
    """Who has been told what, who of them something new, and a row for everybody.

    A set-point that has not changed is said again as it is.
    """
    if not known.subscribers:
        return known.sent, (), ()
    names, conversation_ids, said = derived(state, "~said", (known.subscribers, known.sent), lambda: _said(known))
    news = {}
    for name, content in zip(names, said, strict=True):
        power_mw = wanted.get(name, 0.0)
        if content is None or content.power_mw != power_mw:
            news[name] = SetPoint(product=PRODUCT, power_mw=power_mw)
    if not news:
        return known.sent, (), (PublishEach(conversation_ids, said),)
    said = tuple([news.get(name, content) for name, content in zip(names, said, strict=True)])
    sent = known.sent.update(news)
    noted(state, "~said", (known.subscribers, sent), (names, conversation_ids, said))
    return sent, news, (PublishEach(conversation_ids, said),)


def _said(known: Regulation) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Any, ...]]:
    """All subscribers by name, their conversations, and what each was told last (None: nothing yet)."""
    names = tuple(sorted(known.subscribers))
    return names, tuple(known.subscribers[name] for name in names), tuple(known.sent.get(name) for name in names)


def _lost(before: Controller, after: Controller) -> tuple[Action, ...]:
    if after.frozen == before.frozen:
        return ()
    name = "measurement lost, demand held" if after.frozen else "measurement is back"
    return (Note(stage.STAGE, "7.5", {"name": name, "demand_mw": round(after.demand_mw, 6)}),)


def _prepared(profile: TsoProfile, state: TsoState, now_us: int) -> TsoState:
    """What is under control now, prepared anew only when it may have changed."""
    regulation = state.regulation
    current = regulation.walk.end_us > now_us
    if current and not regulation.stale and not state.activation.changed:
        return state
    period = profile.calendar.at(now_us)
    walk = walked(profile, state, period) if period is not None else Walk(end_us=now_us)
    return state.with_regulation(walk=walk, stale=False)


def walked(profile: TsoProfile, state: TsoState, period: MarketTimeUnit) -> Walk:
    """The confirmed offers of subscribers in a period, per direction in merit order, limits kept."""
    found: dict[str, tuple[Portion, ...]] = {"up": (), "down": ()}
    for need in profile.needs_of(PRODUCT):
        positions = state.offering.definitive.get(f"{period.id}/{need.subject}", ())
        most = caps(state, positions)
        for position in positions:
            portion = _portion(state, position, most)
            if portion is not None:
                found[need.direction] += (portion,)
    return Walk(period.id, period.end_us, found["up"], found["down"])


def _portion(state: TsoState, position: Position, most: Mapping[str, float]) -> Portion | None:
    offer, regulation = position.offer, state.regulation
    control = regulation.controls.get(offer.offer_id)
    if control is None or not control.confirmed or offer.participant in regulation.silent:
        return None
    if offer.participant not in regulation.subscribers:
        return None
    most_mw = min(position.accepted_mw, most.get(offer.offer_id, position.accepted_mw))
    return Portion(offer.offer_id, offer.participant, floor_to_step(most_mw, 1e-3)) if most_mw > 0 else None
