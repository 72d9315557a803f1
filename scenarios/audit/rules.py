"""What must hold across steps: nothing beyond qualification, validation, acceptance, or a limit in force."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ..record.activation import VIA_DSO
from ..record.offering import root_of
from .activation import ORDERS
from .findings import Row, Trail, moment_of
from .index import Index, before
from .offering import figure_of
from .reserve import reserved

TOLERANCE_MW = 1e-5


def follow(index: Index, trail: Trail) -> None:
    """Check every rule."""
    for rule in (_listed, _offered, _validated, _ordered, _taken, _caused, _limited, _balanced, reserved):
        trail.findings += rule(index)


def _qualified(index: Index) -> dict[tuple[str, str, str], float]:
    told = [*index.typed("qualified"), *index.typed("qualification-proposal")]
    return {
        (row["receiver"], verdict["resource"], verdict["direction"]): verdict["max_mw"]
        for row in told
        for verdict in row["content"]["verdicts"]
    }


def _listed(index: Index) -> Iterator[str]:
    """Every offer of a merit order list was offered by a message."""
    said = {offer["offer_id"]: row for row in index.typed("offers") for offer in row["content"]["offers"]}
    figures = (figure_of(index), *(("9",) if index.scenario.scheme == "scenario-2" else ()))
    for figure in figures:
        for event in index.noted(f"{figure}.4"):
            for entry in event["evidence"].get("entries", ()):
                step = "9.1" if entry["participant"] in index.scenario.dsos else f"{figure_of(index)}.1"
                if entry["offer_id"] not in said:
                    yield f"step {step} ({entry['participant']} → TSO, INFO 3) is missing for {entry['offer_id']}"


def _taken(index: Index) -> Iterator[str]:
    """Nobody activates or modifies without an order or a limit."""
    for event in index.noted("7.2"):
        orders = index.typed(*ORDERS, offer_id=event["evidence"]["offer_id"])
        if not any(moment_of(order["sent_at"]) <= moment_of(event["at"]) for order in orders):
            yield f"step 7.1 (TSO → BSP, INFO 6) is missing for {event['evidence']['offer_id']}"
    for event in index.noted("7.9"):
        passed = [row["content"]["limit"]["offer_id"] for row in index.typed("limit-order")]
        if event["evidence"]["offer_id"] not in passed:
            yield f"step 7.8 (TSO → BSP, INFO 8) is missing for {event['evidence']['offer_id']}"


def _caused(index: Index) -> Iterator[str]:
    """Every limit that the TSO passes on was asked for by a DSO."""
    asked = {row["id"] for row in index.typed("limit-request")}
    for order in index.typed("limit-order"):
        if order["caused_by"] not in asked:
            yield f"step 7.7 (DSO → TSO, INFO 8) is missing for {order['content']['limit']['offer_id']}"


def _offered(index: Index) -> Iterator[str]:
    """Nobody has more accepted than he is qualified for."""
    qualified = _qualified(index)
    for row in index.typed("acceptance"):
        for offer in row["content"]["offers"]:
            most = qualified.get((row["receiver"], offer["resource"], offer["direction"]), 0.0)
            if offer["quantity_mw"] > most + TOLERANCE_MW:
                text = f"{offer['offer_id']} is accepted with {offer['quantity_mw']:g} MW, {most:g} MW are qualified"
                yield f"step {row['step'] or '9.4'}: {text}"


def _validated(index: Index) -> Iterator[str]:
    """With the DSO in the offering: nothing of its grid is accepted above, or before, its verdict."""
    if figure_of(index) != "6":
        return
    verdicts = {
        root_of(verdict["offer_id"]): (verdict["max_mw"], row["received_at"])
        for row in index.typed("merit-order-verdict")
        if row["received_at"] is not None
        for verdict in row["content"]["verdicts"]
    }
    unheard = {row["evidence"]["name"]: row for row in index.noted(None) if row["evidence"].get("name") == "no verdict"}
    lenient = index.scenario.coordination.silent_dso != "exclude" and bool(unheard)
    for row in index.typed("acceptance"):
        for offer in row["content"]["offers"]:
            if index.scenario.dso_of(offer["grid"]) is not None and not lenient:
                yield from _within(row, offer, verdicts.get(root_of(offer["offer_id"])))


def _within(row: Row, offer: Row, verdict: tuple[float, str] | None) -> Iterator[str]:
    if verdict is None:
        yield f"step 6.8: {offer['offer_id']} is accepted without the DSO's validation (step 6.5)"
    elif moment_of(row["sent_at"]) < moment_of(verdict[1]):
        yield f"step 6.8: {offer['offer_id']} is accepted before the DSO's validation (step 6.5) was received"
    elif offer["quantity_mw"] > verdict[0] + TOLERANCE_MW:
        text = f"{offer['quantity_mw']:g} MW are accepted, the DSO allowed {verdict[0]:g} MW"
        yield f"step 6.8: {offer['offer_id']}: {text} (step 6.5)"


def _ordered(index: Index) -> Iterator[str]:
    """Only accepted offers are ordered, within what was accepted and after the acceptance was sent."""
    accepted: dict[str, tuple[float, str, str]] = {}
    for row in index.typed("acceptance"):
        for offer in row["content"]["offers"]:
            accepted[offer["offer_id"]] = (offer["quantity_mw"], row["sent_at"], row["receiver"])
    for order in index.typed(*ORDERS):
        content, step = order["content"], order["step"]
        known = accepted.get(content["offer_id"])
        if known is None:
            yield f"step {step}: {content['offer_id']} is ordered, but is not in the definitive merit order list"
        elif content["power_mw"] > known[0] + TOLERANCE_MW:
            text = f"{content['power_mw']:g} MW are ordered, {known[0]:g} MW are accepted"
            yield f"step {step}: {content['offer_id']}: {text}"
        elif moment_of(order["sent_at"]) < moment_of(known[1]) or not _to_owner(index, order, known[2]):
            yield f"step {step}: {content['offer_id']} is ordered before its acceptance, or of another than its owner"


def _to_owner(index: Index, order: Row, owner: str) -> bool:
    """Whether an order goes to whose offer it is, directly or by way of its DSO; and one passed on was asked for."""
    if order["protocol"] in VIA_DSO:
        provider = index.scenario.providers.get(owner)
        return provider is not None and order["receiver"] == index.scenario.dso_of(provider.grid)
    if order["sender"] not in index.scenario.dsos:
        return bool(order["receiver"] == owner)
    asked = [row for row in index.typed(*ORDERS) if row["id"] == order["caused_by"]]
    same = bool(asked) and asked[0]["content"]["offer_id"] == order["content"]["offer_id"]
    within = same and order["content"]["power_mw"] <= asked[0]["content"]["power_mw"] + TOLERANCE_MW
    return within and bool(order["receiver"] == owner)


def _limited(index: Index) -> Iterator[str]:
    """Once the TSO has received INFO 8 it orders nothing above the cap, until a later limit replaces it."""
    caps = [(r["received_at"], limit) for r in _heard_limits(index) for limit in r["content"]["limits"]]
    resources = {
        offer["offer_id"]: (row["receiver"], offer["resource"], offer["direction"])
        for row in index.typed("acceptance")
        for offer in row["content"]["offers"]
    }
    for order in index.typed(*ORDERS, kind="activate"):
        what = resources.get(order["content"]["offer_id"], ("", "", ""))
        force = [
            limit
            for heard_at, limit in caps
            if (limit["resource"], limit["direction"]) == what[1:]
            and moment_of(heard_at) <= moment_of(order["sent_at"]) < moment_of(limit["valid_until"])
        ]
        if not force:
            continue
        most_mw = force[-1]["max_mw"] + _moved_mw(index, order)
        if order["content"]["power_mw"] > most_mw + TOLERANCE_MW:
            asked = f"{order['content']['power_mw']:g} MW are ordered of {order['content']['offer_id']}"
            yield f"step {order['step']}: {asked} above the limit of {most_mw:g} MW in force (step 7.7)"


def _moved_mw(index: Index, order: Row) -> float:
    """What other units of the portfolio gave of an ordered offer, as the TSO had last heard."""
    offer_id = order["content"]["offer_id"]
    asked = [row for row in index.typed("limit-order") if row["content"]["limit"]["offer_id"] == offer_id]
    said = [told for row in asked for told in index.said(row["conversation_id"], "offer-modified")]
    heard = before(said, order["sent_at"], "received_at")
    return sum(float(one["max_mw"]) for one in heard[-1]["content"]["moved"]) if heard else 0.0


def _heard_limits(index: Index) -> list[Row]:
    rows = [row for row in index.typed("limit-request") if row["received_at"] is not None]
    kept = [row for row in rows if not index.said(row["conversation_id"], "refuse", "not-understood")]
    return sorted(kept, key=lambda row: moment_of(row["received_at"]))


def _balanced(index: Index) -> Iterator[str]:
    """Every payment has two sides, and what a period's books say sums to zero."""
    for event in index.events:
        payments = event["evidence"].get("payments", ()) if event["stage"] == "settlement" else ()
        for payment in payments:
            if not payment["payer"] or not payment["payee"] or payment["payer"] == payment["payee"]:
                yield f"settlement of {payment['period']}: a payment of {payment['amount_eur']} EUR has no counterparty"
        total = sum((Decimal(text) for text in event["evidence"].get("balances_eur", {}).values()), Decimal(0))
        if total:
            yield f"settlement: the accounts of event {event['sequence']} sum to {total} EUR, not to zero"
