"""A DSO validates merit order lists against its forecast, and learns what was accepted of them.

    MeritOrderList ─▶ Validate ─▶ agree, MeritOrderVerdict
    AcceptanceNotice ─▶ done, and a subscription to the measurements of who was accepted

Lists of two products for the same time and direction may be delivered together, so the later one is validated on top of
what was accepted of the earlier one: it waits for that, a minute at most; then all that was allowed counts.
"""

from dataclasses import replace as replace_activation

from ...grid.limits.allowing import Activation, Allowed
from ...protocols.information.offering import (
    AcceptanceNotice,
    GroupLimit,
    MeritOrderList,
    MeritOrderNotice,
    MeritOrderVerdict,
    MolEntry,
    OfferVerdict,
)
from ...protocols.information.quantities import iso
from ...protocols.messages import Agree, Done, Refuse, kept
from ...protocols.stages import offering
from ..actions import Action, Compute, Forget, Note, Say, Wake
from ..agent import Reaction
from ..changes import replace, without
from ..events import Computed, Heard
from ..profiles import DsoProfile
from . import terms
from .forgetting import forgotten
from .reserves import reserved, subscription
from .state import DsoState, Listed
from .studies import UnknownPoint, Validate
from .validation import binding_of, no_study, signed, verdict_of

LIST, WAIT, ACCEPTED = "list/", "list/wait/", "accepted-"


def list_received(profile: DsoProfile, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
    """The TSO asks what of its merit order list may be activated: forecast at begin, middle and end."""
    mol = event.content
    assert isinstance(mol, MeritOrderList)
    conversation_id = event.conversation.id
    known = [entry for entry in mol.entries if entry.resource in state.connected]
    unknown = tuple(entry.offer_id for entry in mol.entries if entry.resource not in state.connected)
    wrong = _not_of(event.topic.period, mol, profile, now_us)
    if wrong or not known:
        return state, (Say(conversation_id, Refuse(reason=wrong or f"unknown resources of {', '.join(unknown)}")),)
    state = replace(state, unknown=state.unknown.set(conversation_id, unknown))
    activations = tuple(_activation(state, entry, mol.direction) for entry in known)
    listed = Listed(conversation_id, mol, activations)
    key = key_of(event.topic.period, mol.direction, mol.product)
    over = [one for one, other in sorted(state.lists.items()) if other.mol.delivery_end <= now_us]
    state = replace(state, lists=without(state.lists, over))
    waits = any(not other.settled for _, other in _earlier(state, key))
    state = replace(state, lists=state.lists.set(key, listed._replace(waits=waits)))
    if waits:
        return state, (Wake(WAIT + key, now_us + profile.patience.follow_us),)
    return state, (_study(profile, state, key, now_us),)


def _not_of(name: str, mol: MeritOrderList, profile: DsoProfile, now_us: int) -> str:
    """Why a list is not one to be studied for the period that its conversation names; empty if it is."""
    if not profile.calendar.has(name):
        return f"no market time unit '{name}'"
    period = profile.calendar.period(name)
    if (mol.delivery_start, mol.delivery_end) != (period.start_us, period.end_us):
        return f"the delivery of {name} is from {iso(period.start_us)} to {iso(period.end_us)}, not as the list says"
    return f"the delivery of {name} is over" if now_us >= period.end_us else ""


def key_of(period: str, direction: str, product: str) -> str:
    """What a list is known by."""
    return f"{period}/{direction}/{product}"


def _earlier(state: DsoState, key: str) -> list[tuple[str, Listed]]:
    """Lists of other products for the same time and direction that do not wait themselves."""
    same = key.rpartition("/")[0] + "/"
    return [(k, one) for k, one in sorted(state.lists.items()) if k.startswith(same) and k != key and not one.waits]


def _study(profile: DsoProfile, state: DsoState, key: str, now_us: int) -> Compute:
    """At the begin, in the middle and at the end, on top of what lists of other products may bring at the same time."""
    listed = state.lists[key]
    mol = listed.mol
    known = (entry for entry in mol.entries if entry.resource in state.connected)
    on = terms.of_list(profile, state, listed.activations, known)
    middle_us = (mol.delivery_start + mol.delivery_end) // 2
    job = Validate(
        profile.grid,
        listed.activations,
        (mol.delivery_start, middle_us, mol.delivery_end - 1),
        on.scope,
        on.split,
        made_us=now_us,
        reserves=reserved(state, mol.delivery_start, mol.delivery_end),
        earlier=tuple(each for _, other in _earlier(state, key) for each in _brought(state, other)),
        margin=on.margin,
    )
    return Compute(LIST + listed.conversation_id, job)


def _brought(state: DsoState, listed: Listed) -> tuple[Activation, ...]:
    """What was accepted of a list; as long as that is not known, all that was allowed, or asked for."""
    if not listed.settled:
        return listed.activations
    mol = listed.mol
    about = mol.product, mol.direction, mol.delivery_start
    own = [o for _, o in sorted(state.accepted.items()) if (o.product, o.direction, o.delivery_start) == about]
    return tuple(
        state.connected[o.resource].activation(o.offer_id, signed(o.quantity_mw, o.direction))
        for o in own
        if o.resource in state.connected
    )


def waited(profile: DsoProfile, state: DsoState, key: str, now_us: int) -> Reaction[DsoState]:
    """Nobody has said in time what was accepted of the list before: it counts as allowed; unless delivery is over."""
    listed = state.lists.get(key)
    if listed is None or not listed.waits:
        return state, ()
    state = replace(state, lists=state.lists.set(key, listed._replace(waits=False)))
    return state, (_study(profile, state, key, now_us),)


def _settled(profile: DsoProfile, state: DsoState, key: str, now_us: int) -> Reaction[DsoState]:
    """What is accepted of a list is known: whoever waits for that goes on."""
    listed = state.lists.get(key)
    if listed is None or listed.settled:
        return state, ()
    state = replace(state, lists=state.lists.set(key, listed._replace(settled=True)))
    actions: list[Action] = []
    for other, waiting in sorted(state.lists.items()):
        same = other.rpartition("/")[0] == key.rpartition("/")[0]
        if same and waiting.waits and all(one.settled for _, one in _earlier(state, other)):
            state, more = waited(profile, state, other, now_us)
            actions += (Forget(WAIT + other), *more)
    return state, tuple(actions)


def _activation(state: DsoState, entry: MolEntry, direction: str) -> Activation:
    connected = state.connected[entry.resource]
    return connected.activation(entry.offer_id, signed(entry.quantity_mw, direction), entry.min_quantity_mw)


def list_computed(profile: DsoProfile, state: DsoState, event: Computed, now_us: int) -> Reaction[DsoState]:
    """The merit order list has been computed: give the verdicts, and name what several offers share."""
    conversation_id = event.key.removeprefix(LIST)
    key = next((key for key, one in sorted(state.lists.items()) if one.conversation_id == conversation_id), "")
    if event.error is not None or isinstance(event.result, UnknownPoint):
        state, onward = _settled(profile, state, key, now_us)
        return state, (Say(conversation_id, no_study(event)), *onward)
    allowed: tuple[Allowed, ...] = event.result  # type: ignore[assignment]
    if key:
        state = replace(state, lists=state.lists.set(key, _allowed(state.lists[key], allowed)))
    verdicts = tuple(kept(_verdict(each)) for each in allowed)
    nobody = state.unknown.get(conversation_id, ())
    verdicts += tuple(OfferVerdict(offer_id=offer_id, verdict="excluded", max_mw=0) for offer_id in nobody)
    period, subject = conversation_id.split("/")[2:4]
    evidence = {
        "name": "merit order list validated",
        "period": period,
        "subject": subject,
        "verdicts": [v.model_dump(mode="json") for v in verdicts],
    }
    answer = MeritOrderVerdict(verdicts=verdicts, group_limits=_groups(verdicts))
    note = Note(offering.STAGE, "6.5", evidence)
    return state, (Say(conversation_id, Agree()), note, Say(conversation_id, answer))


def _verdict(allowed: Allowed) -> OfferVerdict:
    return OfferVerdict(
        offer_id=allowed.id,
        verdict=verdict_of(allowed, "excluded"),
        max_mw=abs(allowed.p_mw),
        binding=binding_of(allowed),
    )


def _allowed(listed: Listed, allowed: tuple[Allowed, ...]) -> Listed:
    most = {each.id: each.p_mw for each in allowed}
    found = (replace_activation(each, p_mw=most.get(each.id, 0.0)) for each in listed.activations)
    return listed._replace(activations=tuple(each for each in found if each.p_mw))


def _groups(verdicts: tuple[OfferVerdict, ...]) -> tuple[GroupLimit, ...]:
    """Offers bound by the same element, with the MW they may use together."""
    by_element: dict[str, list[OfferVerdict]] = {}
    for verdict in verdicts:
        if verdict.binding is not None:
            by_element.setdefault(verdict.binding.element, []).append(verdict)
    groups = []
    for _, bound in sorted(by_element.items()):
        constraint = bound[0].binding
        assert constraint is not None
        together_mw = round(sum(v.max_mw for v in bound), 6)
        ids = tuple(v.offer_id for v in bound)
        groups.append(GroupLimit(constraint=constraint, offer_ids=ids, max_mw=together_mw))
    return tuple(groups)


def list_noticed(state: DsoState, event: Heard) -> Reaction[DsoState]:
    """Scenario II: the merit order list, for the DSO's knowledge."""
    assert isinstance(event.content, MeritOrderNotice)
    return state, (Say(event.conversation.id, Done()),)


def accepted(profile: DsoProfile, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
    """Offers in this grid have been accepted, or none of a list: know them, and listen to who will deliver them."""
    notice = event.content
    assert isinstance(notice, AcceptanceNotice)
    known, subscribed = state.accepted, state.subscribed
    actions: list[Action] = []
    for offer in notice.offers:
        known = known.set(offer.offer_id, offer)
        if offer.participant not in subscribed and offer.participant != profile.name:
            subscribed |= {offer.participant}
            actions.append(subscription(profile, offer.participant))
    step = "6.9" if profile.coordination.dso_in_offering else "5.6"
    evidence = {"name": "acceptance received", "offer_ids": [offer.offer_id for offer in notice.offers]}
    noted = Note(offering.STAGE, step, evidence)
    done = Say(event.conversation.id, Done())
    product, _, direction = event.topic.subject.removeprefix(ACCEPTED).partition(".")[0].partition("-")
    state = forgotten(profile, replace(state, accepted=known, subscribed=subscribed), now_us)
    state, onward = _settled(profile, state, key_of(event.topic.period, direction, product), now_us)
    return state, (noted, done, *actions, *onward)
