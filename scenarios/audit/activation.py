"""Which steps of activation were due: Fig. 7 for every order and limit of BSPs, Fig. 10 for the DSO of scenario II."""

from __future__ import annotations

from collections.abc import Mapping

from ...agents.calendar import period_id
from ..record.activation import VIA_DSO
from ..record.offering import is_of
from .findings import Chain, Row, Trail, moment_of
from .index import Index, before

ORDERS = ("activate", "activate-when")
Parties = tuple[str, str]
First = tuple[str, str]


def follow(index: Index, trail: Trail) -> None:
    """Follow every order, every limit, and the monitoring of every period."""
    heard = _streams(index)
    for order in index.typed(*ORDERS):
        if order["protocol"] in VIA_DSO:
            _passed(index, trail, order)
        elif order["receiver"] in index.scenario.dsos:
            _operator_ordered(index, trail, order, heard)
        else:
            _ordered(index, trail, order, heard)
    for request in index.typed("limit-request"):
        _limited(index, trail, request)
    for dso in index.scenario.dsos:
        for start_us, _ in index.scenario.time.periods:
            _monitored(index, trail, dso, period_id(start_us))


def _streams(index: Index) -> dict[Parties, First]:
    """First delivered measurement of each participant to each receiver: (id, time)."""
    streams = index.run.streams
    delivered = streams[streams["received_at"].notna()].drop_duplicates(["sender", "receiver"])
    texts = delivered["sent_at"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    rows = zip(delivered["sender"], delivered["receiver"], delivered["id"], texts, strict=True)
    return {(sender, receiver): (str(message), text) for sender, receiver, message, text in rows}


def _measured(
    index: Index, chain: Chain, step: str, *, wanted: str, parties: tuple[str, str], heard: Mapping[Parties, First]
) -> None:
    """Demand a measurement between (sender, receiver), unless the receiver's subscription was lost."""
    sender, receiver = parties
    asked = [row for row in index.told(sender, "measurement-subscription") if row["sender"] == receiver]
    if asked and asked[0]["received_at"] is None:
        return
    first = heard.get(parties)
    own = chain.trail.chain(chain.about)
    rows: list[Row] = [] if first is None else [{"id": first[0], "sent_at": first[1], "received_at": first[1]}]
    own.message(step, wanted, rows, "INFO 7")


def _ordered(index: Index, trail: Trail, order: Row, heard: dict[Parties, First]) -> None:
    participant, offer_id = order["receiver"], order["content"]["offer_id"]
    chain = trail.chain(f"{participant}, order {order['conversation_id']}")
    chain.message("7.1", "TSO → BSP", [order], "INFO 6")
    if not chain.open or index.broken(order["conversation_id"]):
        return
    if not _cancelled_early(index, order):
        notes = [row for row in index.noted("7.2", participant, offer_id=offer_id) if _not_before(row, order)]
        chain.event("7.2", "BSP activates", notes)
        chain.message("7.2", "BSP → TSO, confirmation", index.said(order["conversation_id"], "activated"))
    tso = index.scenario.tso
    _measured(index, chain, "7.3", wanted="BSP → TSO", parties=(participant, tso), heard=heard)
    if (participant, tso) in heard:
        trail.chain(chain.about).event("7.4", "TSO receives", index.noted("7.4", participant=participant))
    own = trail.chain(chain.about)
    own.event("7.5", "TSO controls", index.controlled(offer_id))
    provider = index.scenario.providers.get(participant)
    dso = index.scenario.dso_of(provider.grid) if provider is not None else None
    if dso is not None and _knows(index, dso, participant):
        _measured(index, chain, "7.6", wanted="BSP → DSO", parties=(participant, dso), heard=heard)


def _passed(index: Index, trail: Trail, order: Row) -> None:
    """Step 1 by way of the DSO: what it passes on must go to the participant; what it refuses, it has answered for."""
    chain = trail.chain(f"{order['receiver']}, order {order['conversation_id']}")
    chain.message("7.1", "TSO → DSO, to be passed on", [order], "INFO 6")
    if not chain.open or index.said(order["conversation_id"], "refuse", "not-understood"):
        return
    passed = index.caused(order["id"], *ORDERS)
    chain.message("7.1", "DSO → BSP", passed, "INFO 6")
    if passed and not index.broken(passed[0]["conversation_id"]) and not _cancelled_early(index, passed[0]):
        own = trail.chain(chain.about)
        own.message("7.2", "DSO → TSO, confirmation", index.said(order["conversation_id"], "activated"))


def _knows(index: Index, dso: str, participant: str) -> bool:
    """Whether no acceptance notice on this participant to the DSO was lost; else it may not know whom to listen to."""
    own = index.announced(dso, participant)
    return not own or any(row["received_at"] is not None for row in own)


def _cancelled_early(index: Index, order: Row) -> bool:
    """Whether the TSO cancelled before it had a confirmation, so that none was due."""
    cancelled = index.said(order["conversation_id"], "cancel")
    confirmed = index.said(order["conversation_id"], "activated")
    return bool(cancelled) and not confirmed


def _not_before(row: Row, order: Row) -> bool:
    return moment_of(row["at"]) >= moment_of(order["sent_at"])


def _operator_ordered(index: Index, trail: Trail, order: Row, heard: dict[Parties, First]) -> None:
    dso = order["receiver"]
    chain = trail.chain(f"{dso}, order {order['conversation_id']}")
    chain.message("10.1", "TSO → DSO", [order], "INFO 6")
    if not chain.open or index.broken(order["conversation_id"]) or _cancelled_early(index, order):
        return
    chain.event("10.2", "DSO activates", [row for row in index.noted("10.2", dso) if _not_before(row, order)])
    _measured(index, chain, "10.3", wanted="DSO → TSO", parties=(dso, index.scenario.tso), heard=heard)
    if (dso, index.scenario.tso) in heard:
        trail.chain(chain.about).event("10.4", "TSO monitors the quality", index.noted("10.4", participant=dso))


def _monitored(index: Index, trail: Trail, dso: str, period: str) -> None:
    chain = trail.chain(f"{dso}, period {period}")
    notes = index.noted("7.6", dso, period=period)
    chain.event("7.6", "DSO monitors its network", notes)


def _limited(index: Index, trail: Trail, request: Row) -> None:
    chain = trail.chain(f"{request['sender']}, limit {request['conversation_id']}")
    chain.message("7.7", "DSO → TSO", [request], "INFO 8")
    if not chain.open or index.said(request["conversation_id"], "refuse", "not-understood"):
        return
    for limit in request["content"]["limits"]:
        if not is_of(request["sender"], limit["offer_id"]):  # its own units it has lowered already
            _passed_on(index, chain, request, limit["offer_id"])
    followed = index.said(request["conversation_id"], "limit-followed", "failure")
    answer = trail.chain(chain.about)
    answer.message("7.9", "TSO → DSO, limit followed", followed)


def _passed_on(index: Index, chain: Chain, request: Row, offer_id: str) -> None:
    """Steps 8 and 9, for an offer with an order in force when the TSO heard of the limit."""
    orders = [
        row for row in index.caused(request["id"], "limit-order") if row["content"]["limit"]["offer_id"] == offer_id
    ]
    if not orders and not _in_force(index, offer_id, request["received_at"]):
        return
    own = chain.trail.chain(f"{offer_id}, limit {request['conversation_id']}")
    own.last_at, own.last_step = request["sent_at"], "7.7"
    own.message("7.8", "TSO → BSP", orders, "INFO 8")
    if not own.open or index.broken(orders[0]["conversation_id"]):
        return
    notes = index.noted("7.9", orders[0]["receiver"], offer_id=offer_id)
    own.event("7.9", "BSP modifies", [row for row in notes if _not_before(row, orders[0])])
    own.message("7.9", "BSP → TSO, modification", index.said(orders[0]["conversation_id"], "offer-modified"))


def _in_force(index: Index, offer_id: str, at: str) -> bool:
    """Whether an offer's latest order before a time was still running then."""
    orders = before(index.typed(*ORDERS, offer_id=offer_id), at)
    if not orders or moment_of(orders[-1]["content"]["end"]) <= moment_of(at):
        return False
    over = ("cancel", "refuse", "failure", "not-understood", "activation-ended")
    ended = index.said(orders[-1]["conversation_id"], *over)
    return not before(ended, at)
