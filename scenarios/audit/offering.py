"""Which steps of the offering were due, per period and need: Fig. 5 or 6 for BSPs, Fig. 9 for a DSO as BSP."""

from __future__ import annotations

from collections.abc import Iterator

from ...agents.calendar import period_id
from .findings import Chain, Row, Trail, moment_of
from .index import Index, before

Key = tuple[str, str, str]


def figure_of(index: Index) -> str:
    """The figure that the offering by BSPs follows."""
    return "6" if index.scenario.scheme == "scenario-1-dso" else "5"


def follow(index: Index, trail: Trail) -> None:
    """Follow every period and need through its figure."""
    if index.scenario.scheme == "scenario-2":
        for start_us, _ in index.scenario.time.periods:
            for dso in index.scenario.dsos:
                _forecast(index, trail, dso, period_id(start_us))
    for key in _keys(index):
        figure = figure_of(index)
        about = f"period {key[0]}, {key[1]} {key[2]}"
        _called(index, trail, key, figure)
        if index.scenario.scheme == "scenario-2":
            _noticed(index, trail, key)
        chain = trail.chain(about)
        what = {"period": key[0], "product": key[1], "direction": key[2]}
        chain.event(f"{figure}.3", "TSO, gate closure", index.noted(f"{figure}.3", **what))
        lists = chain.event(f"{figure}.4", "TSO builds the MOL", index.noted(f"{figure}.4", **what))
        if figure == "6" and lists:
            _validated(index, trail, key, lists[0])
        _accepted(index, chain, key, figure)


def _keys(index: Index) -> Iterator[Key]:
    """Every period and need, as the scenario has them."""
    for start_us, _ in index.scenario.time.periods:
        for need in index.scenario.market.needs:
            yield period_id(start_us), need.product, need.direction


def _called(index: Index, trail: Trail, key: Key, figure: str) -> None:
    """Step 1 and 2 for everybody who was called for offers."""
    for call in (row for row in index.in_period(key[0], "call-for-offers") if _about(row) == key):
        own = "9" if call["receiver"] in index.scenario.dsos else figure
        role = "DSO" if own == "9" else "BSP"
        chain = trail.chain(f"{call['receiver']}, period {key[0]}, {key[1]} {key[2]}")
        chain.open = call["received_at"] is not None
        answers = index.said(call["conversation_id"], "offers", "no-offer", "not-understood")
        if answers and answers[0]["type"] != "gridpact.offers/1":
            continue
        offers = chain.message(f"{own}.1", f"{role} → TSO", answers, "INFO 3")
        if offers and before(offers, call["reply_by"], "received_at"):
            heard = index.noted(f"{own}.2", conversation_id=call["conversation_id"])
            chain.event(f"{own}.2", "TSO receives", heard)


def _about(row: Row) -> Key:
    content = row["content"]
    return row["conversation_id"].split("/")[2], content["product"], content["direction"]


def _noticed(index: Index, trail: Trail, key: Key) -> None:
    """Fig. 9: gate closure and MOL to the DSO."""
    for dso in index.scenario.dsos:
        chain = trail.chain(f"{dso}, period {key[0]}, {key[1]} {key[2]}")
        what = {"period": key[0], "product": key[1], "direction": key[2]}
        chain.event("9.3", "TSO, gate closure", index.noted("9.3", **what))
        chain.event("9.4", "TSO builds the MOL", index.noted("9.4", **what))
        notices = [row for row in index.in_period(key[0], "merit-order-notice", dso) if _about(row) == key]
        chain.message("9.4", "TSO → DSO", notices, "INFO 4")


def _forecast(index: Index, trail: Trail, dso: str, period: str) -> None:
    chain = trail.chain(f"{dso}, period {period}")
    asked = index.in_period(period, "forecast-query", dso)
    if asked and index.broken(asked[0]["conversation_id"]):
        return
    told = index.said(asked[0]["conversation_id"], "baseline-forecast") if asked else []
    chain.message("9.5", "DSO → TSO", told, "INFO 10")
    heard = index.noted("9.6", dso=dso) if told else []
    after = [row for row in heard if moment_of(row["at"]) >= moment_of(told[0]["sent_at"])]
    chain.event("9.6", "TSO receives", after)


def _validated(index: Index, trail: Trail, key: Key, listed: Row) -> None:
    """Fig. 6, steps 4 to 6, for each DSO that has an offer of the list in its grid."""
    for dso, who in index.scenario.dsos.items():
        if not any(entry["grid"] == who.grid for entry in listed["evidence"]["entries"]):
            continue
        chain = trail.chain(f"{dso}, period {key[0]}, {key[1]} {key[2]}")
        sent = [row for row in index.in_period(key[0], "merit-order-list", dso) if _about(row) == key]
        asked = chain.message("6.4", "TSO → DSO", sent, "INFO 4")
        if asked and index.broken(asked[0]["conversation_id"]):
            continue
        notes = index.noted("6.5", dso, period=key[0], subject=f"mol-{key[1]}-{key[2]}")
        chain.event("6.5", "DSO validates", notes)
        verdicts = index.said(asked[0]["conversation_id"], "merit-order-verdict") if asked else []
        chain.message("6.5", "DSO → TSO", verdicts, "INFO 5")
        heard = index.noted("6.6", conversation_id=asked[0]["conversation_id"]) if asked else []
        chain.event("6.6", "TSO receives", heard)


def selections(index: Index, key: Key) -> list[Row]:
    """The event in which the TSO selected, for a period and need."""
    what = {"period": key[0], "product": key[1], "direction": key[2]}
    definitive = index.noted("6.7", **what)
    return definitive or index.noted(None, name="selection", **what)


def _accepted(index: Index, chain: Chain, key: Key, figure: str) -> None:
    """The definitive list, and the acceptances that follow from it to BSPs and DSOs."""
    if figure == "6":
        chosen = chain.event("6.7", "TSO builds the definitive MOL", selections(index, key))
    else:
        chosen = selections(index, key)
        if not chosen:
            chain.trail.findings.append(f"step 5.4 (TSO selects from the MOL) is missing for {chain.about}")
    for row in chosen[:1]:
        taken = [entry for entry in row["evidence"]["entries"] if entry["accepted_mw"] > 0]
        for participant in dict.fromkeys(entry["participant"] for entry in taken):
            _told(index, chain, key, participant)
        for dso, who in index.scenario.dsos.items():
            if any(entry["grid"] == who.grid for entry in taken):
                _notified(index, chain, key, dso)


def _told(index: Index, chain: Chain, key: Key, participant: str) -> None:
    figure = figure_of(index)
    step, then = ("6.8", "6.9") if figure == "6" else ("5.5", "5.6")
    own = chain.trail.chain(f"{participant}, {chain.about}")
    own.last_at, own.last_step = chain.last_at, chain.last_step
    rows = [row for row in index.in_period(key[0], "acceptance", participant) if _accepts(row, key)]
    told = own.message(step, "TSO → BSP", rows, "INFO 3")
    ids = [offer["offer_id"] for offer in told[0]["content"]["offers"]] if told else []
    if participant not in index.scenario.dsos:
        own.event(then, "BSP receives", index.noted(then, participant, offer_ids=ids))


def _accepts(row: Row, key: Key) -> bool:
    return any((offer["product"], offer["direction"]) == key[1:] for offer in row["content"]["offers"][:1])


def _notified(index: Index, chain: Chain, key: Key, dso: str) -> None:
    step, then = ("6.8", "6.9") if figure_of(index) == "6" else ("5.5", "5.6")
    own = chain.trail.chain(f"{dso}, {chain.about}")
    own.last_at, own.last_step = chain.last_at, chain.last_step
    rows = [row for row in index.in_period(key[0], "acceptance-notice", dso) if _accepts(row, key)]
    told = own.message(step, "TSO → DSO", rows, "INFO 3")
    ids = [offer["offer_id"] for offer in told[0]["content"]["offers"]] if told else []
    own.event(then, "DSO receives", index.noted(then, dso, offer_ids=ids))
