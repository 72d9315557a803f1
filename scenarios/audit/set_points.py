"""What must hold for the set-points of aFRR (INFO 6 in streams.parquet).

accepted     of nobody more is asked than he has accepted for the period of that moment
limited      once the TSO has received INFO 8, nothing above it, until it is lifted or its validity is over
one way      never up and down in the same cycle
acknowledged what a measurement names as its cause is a set-point that was sent to its sender before
passed on    what a DSO says is within its own limits from INFO 8 on, and no more than it has heard    (relay.py)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ...protocols.information.activation import SetPoint
from ...protocols.information.quantities import instant
from ..record.instants import times_us
from ..record.limiting import LimitStep, limit_steps
from . import relay
from .findings import Trail
from .index import Index

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE_MW = 1e-5
Held = Mapping[tuple[str, str], float]
Period = tuple[int, int]


def follow(index: Index, trail: Trail) -> None:
    """Check every rule; one finding a participant and rule."""
    streams = index.run.streams
    sent = streams[streams["type"] == SetPoint.type_id].copy()
    if not len(sent):
        return
    sent["at_us"] = times_us(sent["sent_at"])
    sent["about"] = sent["conversation_id"].map(relay.subscribed(index)).fillna(sent["receiver"])
    by_tso, accepted, steps = sent[sent["sender"] == index.scenario.tso], _accepted(index), _heard_limits(index)
    for participant, rows in by_tso.groupby("about", sort=True):
        trail.findings += _within(index, str(participant), rows, accepted, steps)
    for participant, rows in sent.drop(by_tso.index).groupby("about", sort=True):
        own = relay.own_limits(index, str(rows.iloc[0]["sender"]))
        trail.findings += _within(index, str(participant), rows, accepted, own)
        trail.findings += relay.not_raised(str(participant), rows, by_tso)
    trail.findings += _one_way(by_tso)
    trail.findings += _acknowledged(streams, sent)


def _accepted(index: Index) -> Mapping[tuple[str, Period], Mapping[tuple[str, str], float]]:
    """MW accepted of a participant in a period, by resource and direction."""
    found: dict[tuple[str, Period], dict[tuple[str, str], float]] = defaultdict(lambda: defaultdict(float))
    for row in index.typed("acceptance"):
        for offer in row["content"]["offers"]:
            if offer["product"] == "aFRR":
                period = instant(offer["delivery_start"]), instant(offer["delivery_end"])
                found[row["receiver"], period][offer["resource"], offer["direction"]] += offer["quantity_mw"]
    return found


def _heard_limits(index: Index) -> list[LimitStep]:
    rows = [row for row in index.typed("limit-request") if row["received_at"] is not None]
    kept = [row for row in rows if not index.said(row["conversation_id"], "refuse", "not-understood")]
    return limit_steps(kept)


def _within(
    index: Index,
    participant: str,
    rows: pd.DataFrame,
    accepted: Mapping[tuple[str, Period], Mapping[tuple[str, str], float]],
    steps: list[LimitStep],
) -> Iterator[str]:
    for period in index.scenario.time.periods:
        own = rows[(rows["at_us"] >= period[0]) & (rows["at_us"] < period[1])]
        held = accepted.get((participant, period), {})
        yield from _exceeding(participant, own, held, "MW are accepted")
        for (from_us, until_us), capped in _capped(held, steps, period):
            during = own[(own["at_us"] > from_us) & (own["at_us"] < until_us)]
            yield from _exceeding(participant, during, capped, "MW is the limit in force (step 7.7)")


def _capped(held: Held, steps: list[LimitStep], period: Period) -> Iterator[tuple[Period, Held]]:
    """What limits leave of what is accepted, and from when to when in this period."""
    for number, step in enumerate(steps):
        if step.limited not in held or step.lifts:
            continue
        later = [other.at_us for other in steps[number + 1 :] if other.limited == step.limited]
        until_us = min([instant(step.limit["valid_until"]), period[1], *later[:1]])
        if until_us > max(step.at_us, period[0]):
            most_mw = min(held[step.limited], step.max_mw)
            yield (max(step.at_us, period[0] - 1), until_us), {**held, step.limited: most_mw}


def _exceeding(participant: str, rows: pd.DataFrame, held: Held, what: str) -> Iterator[str]:
    for direction, sign in (("up", 1.0), ("down", -1.0)):
        most_mw = sum(mw for (_, way), mw in held.items() if way == direction)
        beyond = rows[sign * rows["power_mw"] > most_mw + TOLERANCE_MW]
        if len(beyond):
            first = beyond.iloc[0]
            asked = f"{sign * first['power_mw']:g} MW {direction} are asked of {participant} by {first['id']}"
            yield f"step 7.1: {asked}, {most_mw:g} {what}"
            return


def _one_way(sent: pd.DataFrame) -> Iterator[str]:
    cycles = sent.groupby("sent_at")["power_mw"].agg(["min", "max"])
    both = cycles[(cycles["min"] < 0) & (cycles["max"] > 0)]
    if len(both):
        yield f"step 7.1: up and down are asked for in the same cycle, first at {both.index[0].isoformat()}"


def _acknowledged(streams: pd.DataFrame, sent: pd.DataFrame) -> Iterator[str]:
    named = streams[streams["participant"].notna() & streams["caused_by"].notna()]
    known = sent.set_index("id")
    unknown = named[~named["caused_by"].isin(known.index)]
    if len(unknown):
        first = unknown.iloc[0]
        yield f"step 7.3: message {first['id']} acknowledges {first['caused_by']}, which is no set-point that was sent"
        return
    about = known.loc[named["caused_by"]]
    wrong = (about["receiver"].to_numpy() != named["sender"].to_numpy()) | (
        about["sent_at"].to_numpy() > named["sent_at"].to_numpy()
    )
    if wrong.any():
        first = named[wrong].iloc[0]
        yield f"step 7.3: message {first['id']} acknowledges {first['caused_by']}, which it cannot have heard"
