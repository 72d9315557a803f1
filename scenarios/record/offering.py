"""Tables of the offering, computed from messages and events: offers.csv and merit_order.csv.

Offers, Acceptance, OfferModified ─▶ every offer and revision         selection events ─▶ merit order lists
Acceptance, Rejection             ─▶ accepted MW, reason              INFO 5           ─▶ binding constraints
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]
CARRIERS = {"gridpact.offers/1": "offers", "gridpact.acceptance/1": "offers", "gridpact.offer-modified/1": "offer"}
_PERIOD = re.compile(r"\d{8}T\d{4}Z\.")
_REJECTING = ("gridpact.acceptance/1", "gridpact.rejection/1")
_AS_OFFERED = (
    "offer_id",
    "related_offer_id",
    "revision",
    "participant",
    "grid",
    "resource",
    "product",
    "direction",
    "quantity_mw",
    "min_quantity_mw",
    "divisible",
    "price_eur_per_mwh",
    "delivery_start",
    "delivery_end",
    "submitted_at",
    "status",
)


def offers(messages: Rows, events: Rows) -> list[Row]:
    """Rows of offers.csv: each offer id once, as first said."""
    del events
    accepted, reasons = _fates(messages)
    rows: dict[str, Row] = {}
    for message, offer in _said(messages):
        offer_id = offer["offer_id"]
        row = {name: offer[name] for name in _AS_OFFERED}
        fate = {"accepted_mw": accepted.get(offer_id), "reason": reasons.get(offer_id)}
        rows.setdefault(offer_id, {**row, "message_id": message["id"], **fate})
    return list(rows.values())


def _said(messages: Rows) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for message in messages:
        key = CARRIERS.get(message["type"])
        carried = message["content"].get(key) if key else None
        for offer in carried if isinstance(carried, list) else [carried] if carried else []:
            yield message, offer


def _fates(messages: Rows) -> tuple[dict[str, float], dict[str, str]]:
    """Accepted MW by offer id (a revision and the offer it stands for alike), and reasons of rejection."""
    accepted: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for message in (message for message in messages if message["type"] in _REJECTING):
        for rejected in message["content"]["rejected"]:
            reasons[rejected["offer_id"]] = rejected["reason"]
        if message["type"] == "gridpact.acceptance/1":
            for offer in message["content"]["offers"]:
                accepted[offer["offer_id"]] = offer["quantity_mw"]
                accepted[root_of(offer["offer_id"])] = offer["quantity_mw"]
    return accepted, reasons


def root_of(offer_id: str) -> str:
    """The id of the offer that a revision goes back to."""
    root, mark, number = offer_id.rpartition(".r")
    return root if mark and number.isdecimal() else offer_id


def is_of(participant: str, offer_id: str) -> bool:
    """Whether an offer is a participant's own: its name and a period begin the id, and not another name with a dot."""
    start = f"{participant}."
    return offer_id.startswith(start) and _PERIOD.match(offer_id, len(start)) is not None


def merit_order(messages: Rows, events: Rows) -> list[Row]:
    """Rows of merit_order.csv: every offer of a list, also those that the DSO has excluded, in order of rank."""
    bindings = _bindings(messages)
    offered = dict(_lists(events, "quantity_mw", final=False))
    rows: list[Row] = []
    for key, entries in _lists(events, "accepted_mw", final=True):
        kept = {root_of(entry["offer_id"]) for entry in entries}
        gone = [_excluded(e) for e in offered.get(key, ()) if root_of(e["offer_id"]) not in kept]
        both = sorted([*entries, *gone], key=lambda entry: (entry["rank"], entry["offer_id"]))
        rows += [_row(key, entry, bindings) for entry in both]
    return rows


def _lists(events: Rows, column: str, *, final: bool) -> Iterator[tuple[tuple[str, str, str], list[Row]]]:
    for event in events:
        evidence = event["evidence"]
        entries = evidence.get("entries")
        listed = isinstance(entries, list) and {"period", "product", "direction"} <= evidence.keys()
        if listed and _is_final(event, entries) == final and all(column in entry for entry in entries):
            yield (evidence["period"], evidence["product"], evidence["direction"]), entries


def _is_final(event: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> bool:
    return (
        event["step"] == "6.7"
        or event["evidence"].get("name") == "selection"
        or (bool(entries) and "accepted_mw" in entries[0])
    )


def _excluded(entry: Mapping[str, Any]) -> Row:
    return {**entry, "offered_mw": entry["quantity_mw"], "quantity_mw": 0.0, "accepted_mw": 0.0}


def _row(key: tuple[str, str, str], entry: Mapping[str, Any], bindings: Mapping[str, str]) -> Row:
    return {
        "period": key[0],
        "product": key[1],
        "direction": key[2],
        "rank": entry["rank"],
        "offer_id": entry["offer_id"],
        "participant": entry["participant"],
        "grid": entry["grid"],
        "resource": entry["resource"],
        "price_eur_per_mwh": entry["price_eur_per_mwh"],
        "offered_mw": entry.get("offered_mw", entry["quantity_mw"]),
        "allowed_mw": entry["quantity_mw"],
        "accepted_mw": entry["accepted_mw"],
        "binding": bindings.get(root_of(entry["offer_id"])),
    }


def _bindings(messages: Rows) -> dict[str, str]:
    found: dict[str, str] = {}
    for message in messages:
        if message["info"] == "INFO 5":
            for verdict in message["content"]["verdicts"]:
                if verdict["binding"] is not None:
                    found[root_of(verdict["offer_id"])] = binding_text(verdict["binding"])
    return found


def binding_text(binding: Mapping[str, Any] | None) -> str:
    """A binding constraint in words, for instance `line 3-8 loading_percent 128.2 > 100 (windy)`."""
    if binding is None:
        return ""
    sign = "<" if binding["kind"] == "vm_min_pu" else ">"
    case = f" ({binding['case']})" if binding.get("case") else ""
    return f"{binding['element']} {binding['kind']} {binding['value']:g} {sign} {binding['limit']:g}{case}"
