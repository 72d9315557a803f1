"""The TSO's containment reserve (FCR): call for capacity, award the cheapest, tell the DSOs; later pay what was kept.

    call ─▶ offers ─▶ gate closure ─▶ cheapest first until the need is met ─▶ ReserveAward, ReserveNotice
    taken by a limit ─▶ called for again, for the rest of the period                (containment.py)
    period over ─▶ ReserveStatement ─▶ books                                        (reserve_books.py)

Nobody orders it: awarded reserve follows the frequency by itself, and the TSO looks whether it does (reserve_watch.py).
"""

from typing import NamedTuple

from immutables import Map

from ....protocols.envelope import Topic
from ....protocols.information.offering import RejectedOffer, Rejection, Withdrawal
from ....protocols.information.reserve import (
    AwardedReserve,
    CallForReserve,
    ReserveAward,
    ReserveNotice,
    ReserveOffer,
    ReserveOffers,
    ReserveRecord,
)
from ....protocols.stages import reserve as stage
from ...actions import Action, Note, Open, Say, Wake
from ...agent import Reaction
from ...changes import derived
from ...events import Event, Heard, Rejected, RoundClosed, Silence, Started, Woken
from ...market.reserve import Award, cheapest
from ...profiles import ReserveRules, TsoProfile
from ..state import TsoState
from . import books as reserve_books
from . import containment
from . import watch as reserve_watch
from .containment import CALL
from .tender import Tender

GATE, CALLED = "reserve/gate/", "reserves/"


Offered = tuple[str, tuple[ReserveOffer, ...]]


class Refused(NamedTuple):
    """An offer of reserve that is not taken, and why."""

    offer: ReserveOffer
    reason: str


def react(profile: TsoProfile, state: TsoState, event: Event, now_us: int) -> Reaction[TsoState]:
    """React to what concerns containment reserve."""
    rules = profile.reserve
    match event:
        case _ if rules is None:
            return state, ()
        case Started():
            return state, (*(Wake(CALL + p.id, p.cfp_us) for p in rules.periods), *reserve_books.due(profile, rules))
        case Woken(timer) if timer.startswith(CALL):
            return state, call(profile, state, _tender(state, rules, timer.removeprefix(CALL)))
        case Woken(timer) if timer.startswith(GATE):
            return _close(profile, state, _tender(state, rules, timer.removeprefix(GATE)))
        case Woken(timer):
            return reserve_books.propose(profile, state, rules.period(timer.removeprefix(reserve_books.SETTLE)), now_us)
        case RoundClosed(round_id):
            tender = _tender(state, rules, round_id.removeprefix(CALLED))
            return state, (Wake(GATE + tender.key, max(now_us, tender.closure_us)),)
        case Heard() if isinstance(event.content, ReserveOffers):
            return _offered(state, event, event.content)
        case _:
            return _answered(profile, state, event)


def _answered(profile: TsoProfile, state: TsoState, event: Event) -> Reaction[TsoState]:
    if isinstance(event, Heard) and isinstance(event.content, ReserveRecord):
        return reserve_books.recorded(state, event, event.content), ()
    if isinstance(event, Heard) and isinstance(event.content, Withdrawal):
        return _withdrawn(state, event, event.content.reason)
    if isinstance(event, Heard | Silence | Rejected) and event.conversation.protocol is stage.RESERVE_STATEMENT:
        return reserve_books.answered(profile, state, event)
    if isinstance(event, Silence | Rejected):
        return state, (Note(stage.STAGE, None, {"name": "no answer", "conversation_id": event.conversation.id}),)
    return state, ()


def _withdrawn(state: TsoState, event: Heard, reason: str) -> Reaction[TsoState]:
    """A participant is not bound by a late award: its reserve is missing, and is not paid."""
    period, name = event.conversation.topic.period, event.conversation.peer
    own = [offer.offer_id for offer in state.reserve.offers.get(event.conversation.id, ())]
    left = tuple(a for a in state.reserve.awards.get(period, ()) if a.offer.offer_id not in own)
    gone_mw = sum(a.awarded_mw for a in state.reserve.awards.get(period, ())) - sum(a.awarded_mw for a in left)
    evidence = {"name": "reserve withdrawn", "participant": name, "period": period, "reason": reason}
    note = Note(stage.STAGE, None, {**evidence, "missing_mw": round(gone_mw, 6)})
    return state.with_reserve(awards=state.reserve.awards.set(period, left)), (note,)


def _tender(state: TsoState, rules: ReserveRules, key: str) -> Tender:
    """A tender by its key: that of a period, or one that was called again."""
    again = state.reserve.again.get(key)
    if again is not None:
        return again
    period = rules.period(key)
    return Tender(period.id, rules.need_mw, period.gate_closure_us, period.start_us, period.end_us)


def call(profile: TsoProfile, state: TsoState, tender: Tender) -> tuple[Action, ...]:
    """Call for reserve from everybody who is qualified for it in both directions."""
    rules = profile.reserve
    assert rules is not None
    call = CallForReserve(
        need_mw=tender.need_mw,
        min_quantity_mw=profile.rules.min_bid_mw,
        quantity_step_mw=profile.rules.bid_step_mw,
        full_deviation_hz=rules.full_deviation_hz,
        delivery_start=tender.start_us,
        delivery_end=tender.end_us,
    )
    names = [name for name in sorted(state.prequalification.qualified) if reserve_watch.keeps(state, name)]
    if not names:
        return (Wake(GATE + tender.key, tender.closure_us),)
    topics = (Topic(profile.name, stage.STAGE, tender.period, tender.subject, name) for name in names)
    closure_us, round_id = tender.closure_us, CALLED + tender.key
    return tuple(Open(stage.RESERVE_TENDER, topic, call, closure_us, None, round_id) for topic in topics)


def _offered(state: TsoState, event: Heard, offers: ReserveOffers) -> Reaction[TsoState]:
    if event.late:
        late = tuple(RejectedOffer(offer_id=o.offer_id, reason="late: the gate had closed") for o in offers.offers)
        return state, (Say(event.conversation.id, Rejection(rejected=late)),)
    return state.with_reserve(offers=state.reserve.offers.set(event.conversation.id, offers.offers)), ()


def _close(profile: TsoProfile, state: TsoState, tender: Tender) -> Reaction[TsoState]:
    """The gate closes: walk from the cheapest to the need, tell everybody."""
    fit, refused = _conforming(profile, state, tender)
    taken = cheapest(fit, tender.need_mw, profile.rules.bid_step_mw)
    awards = tuple(award for award in taken if award.awarded_mw > 0)
    unneeded = [Refused(offer, "not needed: cheaper offers meet the need") for offer, mw in taken if mw <= 0]
    known = state.reserve.awards
    state = state.with_reserve(awards=known.set(tender.period, (*known.get(tender.period, ()), *awards)))
    told = _told(profile, state, tender, (*refused, *unneeded))
    return state, (_note(tender, awards, (*refused, *unneeded)), *told, *_notices(profile, tender, awards))


def _conforming(profile: TsoProfile, state: TsoState, tender: Tender) -> tuple[list[ReserveOffer], list[Refused]]:
    fit, refused = [], []
    for conversation_id, offers in _offers_of(state, tender):
        for offer in offers:
            fault = _fault(profile, state, offer, (tender, conversation_id.rpartition("/")[2]))
            if fault is None:
                fit.append(offer)
            else:
                refused.append(Refused(offer, fault))
    return fit, refused


def _offers_of(state: TsoState, tender: Tender) -> list[Offered]:
    """(conversation, offers) of a tender, in the order of the conversations."""
    offers = state.reserve.offers
    known = derived(state.reserve, "~offered", (offers,), lambda: _by_tender(offers))
    return known.get((tender.period, tender.subject), [])


def _by_tender(offers: Map[str, tuple[ReserveOffer, ...]]) -> dict[tuple[str, str], list[Offered]]:
    found: dict[tuple[str, str], list[Offered]] = {}
    for conversation_id, own in sorted(offers.items()):
        _, _, period, subject, _ = conversation_id.split("/")
        found.setdefault((period, subject), []).append((conversation_id, own))
    return found


def _fault(profile: TsoProfile, state: TsoState, offer: ReserveOffer, called: tuple[Tender, str]) -> str | None:
    """Why an offer does not count, or None if it does; what has been awarded of its resource before is taken."""
    tender, name = called
    if (offer.participant, offer.delivery_start, offer.delivery_end) != (name, tender.start_us, tender.end_us):
        return "not what was called for"
    begins = f"{name}.{tender.period}."  # so nobody's is taken for another's
    if not offer.offer_id.startswith(begins):
        return f'its id does not begin with "{begins}"'
    verdicts = {v.direction: v.max_mw for v in state.prequalification.qualified[name] if v.resource == offer.resource}
    qualified_mw = min(verdicts.get("up", 0.0), verdicts.get("down", 0.0))
    before = [a for a in state.reserve.awards.get(tender.period, ()) if a.offer.resource == offer.resource]
    if offer.quantity_mw > qualified_mw - sum(award.awarded_mw for award in before) + 1e-6:
        return f"{offer.quantity_mw:g} MW offered, {qualified_mw:g} MW qualified in both directions"
    if before and containment.room_mw(state, name, offer.resource) < qualified_mw:
        return f"{offer.resource} is limited by its DSO"
    if offer.quantity_mw < profile.rules.min_bid_mw - 1e-6:
        return f"quantity {offer.quantity_mw:g} MW is below the smallest bid of {profile.rules.min_bid_mw:g} MW"
    if abs(offer.price_eur_per_mw_h) > profile.rules.price_limit_eur_per_mwh:
        return f"price {offer.price_eur_per_mw_h:g} EUR/MW/h is beyond ±{profile.rules.price_limit_eur_per_mwh:g}"
    return None


def _told(profile: TsoProfile, state: TsoState, tender: Tender, refused: tuple[Refused, ...]) -> tuple[Action, ...]:
    """Accept- or reject-proposal to everybody that has offered."""
    actions: list[Action] = []
    offered, rejected, taken = _offers_of(state, tender), dict[str, list[RejectedOffer]](), dict[str, list[Award]]()
    conversations = {id(offer): conversation_id for conversation_id, own in offered for offer in own}
    for offer, reason in refused:
        said = RejectedOffer(offer_id=offer.offer_id, reason=reason)
        rejected.setdefault(conversations[id(offer)], []).append(said)
    for award in state.reserve.awards[tender.period]:
        if id(award.offer) in conversations:
            taken.setdefault(conversations[id(award.offer)], []).append(award)
    for conversation_id, _ in offered:
        others = tuple(rejected.get(conversation_id, ()))
        awards = tuple(awarded(award) for award in taken.get(conversation_id, ()))
        if awards:
            report_by_us = tender.end_us + profile.patience.answer_us
            actions.append(Say(conversation_id, ReserveAward(awards=awards, rejected=others), report_by_us))
        elif others:
            actions.append(Say(conversation_id, Rejection(rejected=others)))
    return tuple(actions)


def awarded(award: Award) -> AwardedReserve:
    """An award as messages carry it."""
    offer = award.offer
    return AwardedReserve(
        offer_id=offer.offer_id,
        resource=offer.resource,
        quantity_mw=award.awarded_mw,
        delivery_start=offer.delivery_start,
        delivery_end=offer.delivery_end,
    )


def _notices(profile: TsoProfile, tender: Tender, awards: tuple[Award, ...]) -> tuple[Action, ...]:
    """Each DSO learns what moves with the frequency in its grid."""
    if not profile.coordination.dso_validates:
        return ()
    actions = []
    for award in awards:
        dso = profile.dso_of_grid.get(award.offer.grid)
        if dso is not None:
            content = ReserveNotice(participant=award.offer.participant, awards=(awarded(award),))
            topic = Topic(profile.name, stage.STAGE, tender.period, f"awarded-{award.offer.offer_id}", dso)
            until_us = tender.closure_us + profile.patience.answer_us
            actions.append(Open(stage.RESERVE_NOTICE, topic, content, until_us))
    return tuple(actions)


def _note(tender: Tender, awards: tuple[Award, ...], refused: tuple[Refused, ...]) -> Note:
    entries = [
        {
            "offer_id": offer.offer_id,
            "participant": offer.participant,
            "resource": offer.resource,
            "price_eur_per_mw_h": offer.price_eur_per_mw_h,
            "offered_mw": offer.quantity_mw,
            "awarded_mw": mw,
        }
        for offer, mw in (*awards, *((r.offer, 0.0) for r in refused))
    ]
    short_mw = round(tender.need_mw - sum(award.awarded_mw for award in awards), 6)
    name = "reserve awarded" if tender.number == 1 else "reserve bought again"
    head = {"name": name, "period": tender.period, "need_mw": tender.need_mw, "short_mw": max(0.0, short_mw)}
    return Note(stage.STAGE, None, {**head, "awards": entries})
