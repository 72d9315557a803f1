"""What must be agreed between agents whenever nothing is on its way between them, and nothing is being computed.

    awarded   no participant is bound by an offer that the TSO has not accepted, or has dropped
    ordered   what the TSO counts as ordered is what the participant delivers, unless the TSO still waits
    limited   a limit that the DSO takes for followed is in force at the TSO and at the participant
    known     the DSO knows the offers accepted in its grid, unless the TSO still waits for its answer
    qualified no participant takes itself for qualified for more than the TSO does
    kept      no participant keeps reserve that the TSO has not awarded, and the DSO knows what is kept in its grid

A side that still waits for an answer is one that will learn of it: the disagreement is detected. Where a
side has been told of it, or its waiting has ended, it must have been repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ...protocols.conversation import NOT_UNDERSTOOD, Conversation
from ...protocols.stages import activation, offering, reserve
from ...protocols.verification.story import Wrong
from ..agent import Agent
from ..bsp import Bsp
from ..delivery import OrderBook
from ..dso import Dso
from ..tso import Tso
from ..tso.state import cap_key
from .actor import Standing

BOUND = "a participant is bound by what the TSO has not accepted or has dropped"
ORDERED = "TSO and participant disagree on what is ordered"
LIMITED = "a limit taken for followed is not in force"
KNOWN = "the DSO does not know what was accepted"
QUALIFIED = "a participant takes itself for qualified for more than the TSO does"
KEPT = "a participant keeps reserve that the TSO has not awarded"
UNKNOWN_RESERVE = "the DSO does not know what reserve is kept in its grid"
OFFERINGS = (offering.OFFERING, offering.OFFERING_WITH_DSO, offering.OFFERING_BY_DSO)
ORDERS = (
    activation.ACTIVATION,
    activation.SCHEDULED_ACTIVATION,
    activation.DSO_ACTIVATION,
    activation.DSO_SCHEDULED_ACTIVATION,
    *activation.VIA_DSO,
    activation.ACTIVATION_PASSED_ON,
    activation.SCHEDULED_ACTIVATION_PASSED_ON,
)
NOTICES = (offering.ACCEPTANCE_NOTICE, offering.ACCEPTANCE_NOTICE_WITH_DSO)
WAITING = frozenset({"asked", "cancelling", "over_cancelling"})
SLACK_MW = 1e-6


class Quiet(NamedTuple):
    """A moment at which nothing is on its way: who stands where; agents fallen silent are not in it."""

    now_us: int
    agents: Mapping[str, Agent[Any]]
    standings: Mapping[str, Standing]

    def of(self, kind: type[Agent[Any]]) -> Iterator[tuple[str, Any, Standing]]:
        """Name, agent and standing of everybody of a kind."""
        for name, standing in self.standings.items():
            if isinstance(self.agents[name], kind):
                yield name, self.agents[name], standing


Placed = tuple[str, float]
Rule = Callable[[Quiet], Iterable[Wrong]]


def awarded(quiet: Quiet) -> Iterator[Wrong]:
    """Nobody is bound by what the TSO has not accepted, or has dropped because it was withdrawn."""
    for _, _, tso in quiet.of(Tso):
        standing = {offer_id for offer_id, _ in tso.seen.accepted} - set(_dropped(tso))
        for name, book in _books(quiet):
            for offer_id in sorted(set(book.offers) - standing):
                yield Wrong(BOUND, f"{name} is bound by {offer_id}")


def _dropped(tso: Standing) -> Iterator[str]:
    """Offers accepted in a contract net that the participant has withdrawn from, or has not understood."""
    for one in tso.conversations:
        if one.protocol in OFFERINGS and one.state in {"failed", NOT_UNDERSTOOD}:
            for position in tso.state.offering.definitive.get(f"{one.topic.period}/{one.topic.subject}", ()):
                if position.offer.participant == one.peer:
                    yield position.offer.offer_id


def ordered(quiet: Quiet) -> Iterator[Wrong]:
    """The TSO's orders in force are the participants' tasks in force, or the TSO still waits for an answer about it."""
    for _, _, tso in quiet.of(Tso):
        for name, book in _books(quiet):
            counted = _counted(quiet, tso, name)
            tasks = {task.offer_id: (_about(c), task.power_mw) for c, task in sorted(book.tasks.items())}
            in_force = {task.offer_id for _, task in sorted(book.tasks.items()) if task.end_us > quiet.now_us}
            for offer_id in sorted({*counted, *in_force}):
                mine, theirs = counted.get(offer_id), tasks.get(offer_id)
                waiting = _waits(tso, offer_id) or any(_waits(dso, offer_id) for _, _, dso in quiet.of(Dso))
                if not _same(tso, book, offer_id, mine, theirs) and not waiting:
                    yield Wrong(ORDERED, f"{offer_id}: {_order(mine)} at the TSO, {_order(theirs)} at {name}")


def _about(conversation_id: str) -> str:
    """Period and subject of an order's conversation: the same on both legs, where a DSO passes it on."""
    return "/".join(conversation_id.split("/")[2:4])


def _counted(quiet: Quiet, tso: Standing, name: str) -> dict[str, Placed]:
    """The TSO's orders of a participant's offers that are not over: conversation and MW by offer."""
    lists = tso.state.offering.definitive
    own = {p.offer.offer_id for _, ps in sorted(lists.items()) for p in ps if p.offer.participant == name}
    placed = {**dict(tso.state.activation.orders), **dict(tso.state.regulation.controls)}
    return {
        offer_id: (_about(order.conversation_id), order.power_mw)
        for offer_id, order in sorted(placed.items())
        if offer_id in own and order.end_us > quiet.now_us
    }


def _same(tso: Standing, book: OrderBook, offer_id: str, mine: Placed | None, theirs: Placed | None) -> bool:
    """Both have no order, or the same, MW as far as the limits of both let them be."""
    if mine is None or theirs is None:
        return mine is theirs
    offer = book.offers[offer_id]
    key = cap_key(offer.participant, offer.resource, offer.direction)
    limit_mw = min(book.cap_mw(offer), tso.state.activation.caps.get(key, float("inf")))
    return mine[0] == theirs[0] and abs(min(mine[1], limit_mw) - min(theirs[1], limit_mw)) < SLACK_MW


def _waits(tso: Standing, offer_id: str) -> bool:
    """Whether the TSO, or a DSO that passes it on, still waits for an answer to an order or a cancel of this offer."""
    about = [c for c in tso.conversations if c.protocol in ORDERS and c.topic.subject.rpartition(".")[0] == offer_id]
    return any(c.state in WAITING and c.deadline_us is not None for c in about)


def _order(order: Placed | None) -> str:
    return f"{order[1]:g} MW ({order[0].rpartition('/')[2]})" if order else "nothing"


def limited(quiet: Quiet) -> Iterator[Wrong]:
    """What the DSO takes for followed is in force where it must be."""
    for _, agent, dso in quiet.of(Dso):
        for key, limit in sorted(dso.state.limits.items()):
            name, _, bound = key.partition("|")
            if limit.status != "confirmed" or limit.until_us <= quiet.now_us:
                continue
            for where, most_mw in _in_force(quiet, agent.profile.tso, key, name, bound):
                if most_mw > limit.max_mw + SLACK_MW:
                    yield Wrong(LIMITED, f"{key} at {limit.max_mw:g} MW: {most_mw:g} MW in force at {where}")


def _in_force(quiet: Quiet, tso: str, key: str, name: str, bound: str) -> Iterator[tuple[str, float]]:
    for who, _, standing in quiet.of(Tso):
        if who == tso:
            yield who, standing.state.activation.caps.get(key, float("inf"))
    for who, book in _books(quiet):
        if who == name:
            yield who, book.caps.get(bound, float("inf"))


def known(quiet: Quiet) -> Iterator[Wrong]:
    """The DSO knows the offers that were accepted in its grid."""
    for tso_name, agent, tso in quiet.of(Tso):
        for grid, dso in sorted(agent.profile.dso_of_grid.items()):
            if not agent.profile.coordination.dso_validates or dso not in quiet.standings:
                continue
            lists = tso.state.offering.definitive
            accepted = {p.offer.offer_id for _, ps in sorted(lists.items()) for p in ps if p.offer.grid == grid}
            missing = sorted(accepted - set(quiet.standings[dso].state.accepted))
            if missing and not any(c.protocol in NOTICES and c.deadline_us is not None for c in tso.conversations):
                yield Wrong(KNOWN, f"{', '.join(missing)} accepted by {tso_name}, unknown to {dso}")


def qualified(quiet: Quiet) -> Iterator[Wrong]:
    """No participant takes itself for qualified for more than the TSO does."""
    for _, _, tso in quiet.of(Tso):
        allowed = {
            (name, f"{verdict.resource}|{verdict.direction}"): verdict.max_mw
            for name, verdicts in sorted(tso.state.prequalification.qualified.items())
            for verdict in verdicts
        }
        for name, own in _qualifications(quiet):
            for key, max_mw in sorted(own.items()):
                if max_mw > allowed.get((name, key), 0.0) + SLACK_MW:
                    yield Wrong(QUALIFIED, f"{name}: {key} {max_mw:g} MW")


def kept(quiet: Quiet) -> Iterator[Wrong]:
    """Reserve is kept as awarded; the DSO knows of it, unless the TSO still waits for its answer or has given up."""
    for _, tso, standing in quiet.of(Tso):
        awards = [award for _, own in sorted(standing.state.reserve.awards.items()) for award in own]
        awarded_mw = {award.offer.offer_id: award.awarded_mw for award in awards}
        for name, _, participant in quiet.of(Bsp):
            for award in (one for _, own in sorted(participant.state.reserve.awarded.items()) for one in own):
                if award.quantity_mw > awarded_mw.get(award.offer_id, 0.0) + SLACK_MW:
                    yield Wrong(KEPT, f"{name}: {award.offer_id} {award.quantity_mw:g} MW")
        told = {c.topic.subject for c in standing.conversations if c.protocol is reserve.RESERVE_NOTICE and c.ended}
        for name, _, dso in quiet.of(Dso):
            for award in awards:
                mine = tso.profile.dso_of_grid.get(award.offer.grid) == name
                done = f"awarded-{award.offer.offer_id}" in told and _answered(standing, award.offer.offer_id)
                if mine and done and award.offer.offer_id not in dso.state.reserves:
                    yield Wrong(UNKNOWN_RESERVE, f"{award.offer.offer_id}, kept in the grid of {name}")


def _answered(standing: Standing, offer_id: str) -> bool:
    """Whether the DSO has said that it knows of a reserve."""
    subject = f"awarded-{offer_id}"
    return any(one.topic.subject == subject and one.state == "done" for one in standing.conversations)


def _qualifications(quiet: Quiet) -> Iterator[tuple[str, Mapping[str, float]]]:
    for name, _, standing in quiet.of(Bsp):
        yield name, standing.state.qualified
    for name, _, standing in quiet.of(Dso):
        yield name, standing.state.demand.qualified


def _books(quiet: Quiet) -> Iterator[tuple[str, OrderBook]]:
    for name, _, standing in quiet.of(Bsp):
        yield name, standing.state.book
    for name, _, standing in quiet.of(Dso):
        yield name, standing.state.demand.book


def settled(
    conversation: Conversation, timers: Iterable[tuple[str, int]], open_ended: frozenset[tuple[str, str]]
) -> bool:
    """Whether a conversation is over, or a deadline or a timer names it, or the stage leaves it open."""
    over = conversation.ended or conversation.deadline_us is not None
    timed = any(conversation.id in timer for timer, _ in timers)
    return over or timed or (conversation.protocol.fipa, conversation.state) in open_ended


RULES: tuple[Rule, ...] = (awarded, ordered, limited, known, qualified, kept)
