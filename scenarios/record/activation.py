"""Tables of activation and settlement, computed from messages and events: activations, limits, settlement.

INFO 6 ─▶ agree ─▶ inform | cancel | refuse | failure      one row an order
LimitRequest ─ caused_by ─▶ LimitOrder ─▶ OfferModified … LimitFollowed     one row a limit
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ...protocols.stages import activation as stage
from .offering import is_of

Row = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]
_ENDS = {
    "gridpact.cancelled/1": "cancelled",
    "gridpact.refuse/1": "refused",
    "gridpact.failure/1": "failed",
    "gridpact.not-understood/1": "failed",
}
VIA_DSO = frozenset(protocol.name for protocol in stage.VIA_DSO)  # the participant's order is the one passed on
_ORDERS = ("gridpact.activate/1", "gridpact.activate-when/1")


def by_conversation(messages: Rows) -> dict[str, list[Mapping[str, Any]]]:
    """The messages of each conversation, in the order of sending."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for message in messages:
        found[message["conversation_id"]].append(message)
    return found


def activations(messages: Rows, events: Rows) -> list[Row]:
    """Rows of activations.csv."""
    del events
    conversations = by_conversation(messages)
    orders = [m for m in messages if m["type"] in _ORDERS and m["protocol"] not in VIA_DSO]
    return [_activation(order, conversations[order["conversation_id"]]) for order in orders]


def _activation(order: Mapping[str, Any], conversation: Rows) -> Row:
    content = order["content"]
    confirmed = _first(conversation, "gridpact.activated/1")
    ended_at, ended_by = _end(conversation)
    return {
        "message_id": order["id"],
        "offer_id": content["offer_id"],
        "participant": order["receiver"],
        "product": content["product"],
        "direction": content["direction"],
        "power_mw": content["power_mw"],
        "start": content["start"],
        "end": content["end"],
        "supersedes": content["supersedes"],
        "sent_at": order["sent_at"],
        "received_at": order["received_at"],
        "confirmed_at": confirmed["sent_at"] if confirmed else None,
        "ended_at": ended_at,
        "ended_by": ended_by,
    }


def _first(conversation: Rows, kind: str) -> Mapping[str, Any] | None:
    return next((message for message in conversation if message["type"] == kind), None)


def _end(conversation: Rows) -> tuple[str | None, str | None]:
    for message in conversation:
        if message["type"] == "gridpact.activation-ended/1":
            return message["sent_at"], message["content"]["reason"]
        if message["type"] in _ENDS:
            return message["sent_at"], _ENDS[message["type"]]
    return None, None


def limits(messages: Rows, events: Rows) -> list[Row]:
    """Rows of limits.csv."""
    del events
    conversations = by_conversation(messages)
    orders = {
        (message["caused_by"], message["content"]["limit"]["offer_id"]): message
        for message in reversed(messages)
        if message["type"] == "gridpact.limit-order/1"
    }
    rows: list[Row] = []
    for request in (message for message in messages if message["type"] == "gridpact.limit-request/1"):
        followed = _first(conversations[request["conversation_id"]], "gridpact.limit-followed/1")
        for limit in request["content"]["limits"]:
            order = orders.get((request["id"], limit["offer_id"]))
            rows.append(_asked(request, limit) | _answered(order, conversations) | _confirmed(followed))
            if order is None and is_of(request["sender"], limit["offer_id"]):
                rows[-1] |= _kept(request, limit)
    return rows


def _kept(request: Mapping[str, Any], limit: Mapping[str, Any]) -> Row:
    """A DSO has limited what it operates itself: it keeps that from when it asks for it."""
    return {
        "participant": request["sender"],
        "modified_at": request["sent_at"],
        "confirmed_mw": limit["max_mw"],
    }


def _asked(request: Mapping[str, Any], limit: Mapping[str, Any]) -> Row:
    binding = limit["binding"] or {}
    return {
        "message_id": request["id"],
        "dso": request["sender"],
        "sent_at": request["sent_at"],
        "received_at": request["received_at"],
        "offer_id": limit["offer_id"],
        "resource": limit["resource"],
        "direction": limit["direction"],
        "kind": limit["kind"],
        "max_mw": limit["max_mw"],
        "element": binding.get("element"),
        "quantity": binding.get("kind"),
        "value": binding.get("value"),
        "bound": binding.get("limit"),
        "ground": limit.get("ground"),
        "valid_until": limit["valid_until"],
    }


def _answered(order: Mapping[str, Any] | None, conversations: Mapping[str, Rows]) -> Row:
    modified = _first(conversations[order["conversation_id"]], "gridpact.offer-modified/1") if order else None
    return {
        "participant": order["receiver"] if order else None,
        "ordered_at": order["sent_at"] if order else None,
        "order_received_at": order["received_at"] if order else None,
        "modified_at": modified["sent_at"] if modified else None,
        "confirmed_mw": modified["content"]["confirmed_mw"] if modified else None,
    }


def _confirmed(followed: Mapping[str, Any] | None) -> Row:
    return {"followed_at": followed["sent_at"] if followed else None}


def settlement(messages: Rows, events: Rows) -> list[Row]:
    """Rows of settlement.csv: the payments that the TSO's books hold."""
    del messages
    booked = [event for event in events if event["stage"] == "settlement"]
    return [dict(payment) for event in booked for payment in event["evidence"].get("payments", ())]
