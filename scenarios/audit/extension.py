"""The steps that plugins add: which were due in each of their conversations, and what fulfils them.

A step is due if it was taken; if every way through the table from its opening to the last message that was said
passes it; or if it is missing at the end: nothing was lost or refused, the time for an answer has passed, and every
way to an end passes it, refusal, failure and cancel left aside. A conversation that was not begun owes nothing: what
could not be said, as to somebody who is not there, is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ...protocols.information.quantities import instant
from ...protocols.messages import Message, Performative
from ...protocols.tables import START, Protocol, Step
from ...protocols.vocabulary import BUSINESS_USE_CASE
from .findings import Chain, Row, Trail
from .index import Index

GIVING_UP = frozenset({Performative.REFUSE, Performative.FAILURE, Performative.CANCEL})
Types = frozenset[type[Message]]


def follow(index: Index, trail: Trail) -> None:
    """Demand the labelled steps of every conversation in a plugin's protocol."""
    labelled = {p.name: p for each in index.extensions for p in each.protocols if p.paper}
    conversations: dict[str, list[Row]] = defaultdict(list)
    for row in index.messages:
        if row["protocol"] in labelled:
            conversations[row["conversation_id"]].append(row)
    for about, rows in conversations.items():
        _demand(index, trail.chain(about), labelled[rows[0]["protocol"]], rows)


def unsaid(index: Index) -> str | None:
    """What agents could not even say in the protocols of plugins, as one line; no finding, as nobody has lost it."""
    own = {m.type_id for each in index.extensions for p in each.protocols for m in p.messages}
    own -= BUSINESS_USE_CASE.messages.keys()
    found = [row["evidence"] for row in index.events if isinstance(row["evidence"], dict)]
    found = [each for each in found if each.get("name") == "not said" and each.get("type") in own]
    if not found:
        return None
    first, more = found[0], f"; {len(found) - 1} more" if len(found) > 1 else ""
    return f"not said: {first['type']} in {first.get('conversation_id')}, because {first.get('reason')}{more}"


def _demand(index: Index, chain: Chain, protocol: Protocol, rows: list[Row]) -> None:
    for label, types in _labels(protocol).items():
        found = [row for row in rows if index.vocabulary.messages.get(row["type"]) in types]
        if found or _was_passed(index, protocol, rows, types) or _is_owed(index, protocol, rows, types):
            step = next(step for step in protocol.steps if step.message in types)
            wanted = f"{protocol.role_of(step.speaker)} → {protocol.role_of(step.speaker.other)}"
            chain.message(label, wanted, found, step.message.info)


def _labels(protocol: Protocol) -> Mapping[str, Types]:
    """The message types of each label, in the order of the labels."""
    found: dict[str, set[type[Message]]] = defaultdict(set)
    for message, label in protocol.paper.items():
        found[label].add(message)
    ordered = sorted(found, key=lambda label: tuple(map(int, label.split("."))))
    return {label: frozenset(found[label]) for label in ordered}


def _was_passed(index: Index, protocol: Protocol, rows: list[Row], types: Types) -> bool:
    """Whether something was said that nobody could come to say without one of these types."""
    spoken = [step for step in protocol.steps if not step.only_heard and step.message not in types]
    reached = _reached({START}, spoken)
    sayable = {step.message for step in spoken if step.state in reached}
    said = {index.vocabulary.messages.get(row["type"]) for row in rows}
    return any(message in said - sayable for message in protocol.messages)


def _is_owed(index: Index, protocol: Protocol, rows: list[Row], types: Types) -> bool:
    """Whether the conversation stands still, out of time and undisturbed, before these types."""
    state = _state_after(protocol, rows)
    deadlines = [instant(row["reply_by"]) for row in rows if row["reply_by"] is not None]
    if state in protocol.final or index.broken(rows[0]["conversation_id"]):
        return False
    if not deadlines or max(deadlines) > index.scenario.time.end_us:
        return False
    others = [s for s in protocol.steps if s.message not in types and s.message.performative not in GIVING_UP]
    return not _reached({state}, others) & protocol.final


def _state_after(protocol: Protocol, rows: list[Row]) -> str:
    state = START
    for row in rows:
        steps = (step for step in protocol.steps if (step.state, step.message.type_id) == (state, row["type"]))
        state = next((step.then for step in steps), state)
    return state


def _reached(states: set[str], steps: list[Step]) -> set[str]:
    """States that these steps lead to."""
    reached = set(states)
    while more := {step.then for step in steps if step.state in reached} - reached:
        reached |= more
    return reached
