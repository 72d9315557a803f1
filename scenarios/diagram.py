"""Runs and protocols as Mermaid text: what was said, by whom, at which step of the paper.

Streams are one arrow with a count; events are notes. Unless the whole run is asked for, periods that went like an
earlier one are told in one line.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..agents.calendar import period_id
from ..protocols.envelope import Side
from ..protocols.tables import START, Protocol
from ..protocols.vocabulary import BUSINESS_USE_CASE, Vocabulary
from .errors import ScenarioError, right_names
from .record.run import Run

Row = Mapping[str, Any]
_ARROWS = {"refuse": "--x", "failure": "--x", "reject-proposal": "--x", "not-understood": "--x"}


def protocol_named(name: str, vocabulary: Vocabulary = BUSINESS_USE_CASE) -> Protocol:
    """A protocol by name; ScenarioError if there is none."""
    named = vocabulary.protocols
    if name not in named:
        raise ScenarioError(f"{name}: there is no such protocol or run directory; {right_names(name, named)}")
    return named[name]


def protocol_diagram(protocol: Protocol) -> str:
    """A protocol's table as a sequence diagram and a state diagram."""
    return f"{protocol_sequence(protocol)}\n{protocol_states(protocol)}"


def protocol_sequence(protocol: Protocol) -> str:
    """What either side may say, in the order of the table, as a Mermaid sequence diagram."""
    lines = ["sequenceDiagram", f"    participant {protocol.initiator}", f"    participant {protocol.respondent}"]
    seen: set[tuple[Side, str]] = set()
    for step in (step for step in protocol.steps if not step.late):
        if (step.speaker, step.message.type_id) in seen:
            continue
        seen.add((step.speaker, step.message.type_id))
        sender, receiver = protocol.role_of(step.speaker), protocol.role_of(step.speaker.other)
        arrow = _ARROWS.get(step.message.performative.value, "->>")
        told = _label(step.message.type_id, protocol.paper.get(step.message), step.message.info)
        lines.append(f"    {sender}{arrow}{receiver}: {step.message.performative.value} {told}")
    return "\n".join(lines) + "\n"


def protocol_states(protocol: Protocol) -> str:
    """Every step and silence as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {START}"]
    letters = {Side.INITIATOR: protocol.initiator, Side.RESPONDENT: protocol.respondent}
    for step in protocol.steps:
        late = ", late" if step.late else ""
        said = f"{letters[step.speaker]} {_short(step.message.type_id)}{late}"
        lines.append(f"    {step.state} --> {step.then} : {said}")
    lines += [f"    {silence.state} --> {silence.then} : silence" for silence in protocol.silences]
    lines += [f"    {state} --> [*]" for state in sorted(protocol.final)]
    return "\n".join(lines) + "\n"


def run_diagram(run: Run, *, full: bool = False) -> str:
    """A run as a sequence diagram with the paper's step numbers; `full` shows every period."""
    names = _names(run)
    across = ",".join(dict.fromkeys((*list(names.values())[:1], *list(names.values())[-1:])))
    lines = ["sequenceDiagram", f"    title {run.scenario.name}"]
    lines += [f"    participant {alias} as {name}" for name, alias in names.items()]
    chapters = _chapters(run, names)
    repeats = {} if full else _repeats(chapters)
    stage = ""
    for (now, period), happenings in chapters.items():
        if now != stage:
            lines.append(f"    Note over {across}: {now}")
            stage = now
        if (now, period) in repeats:
            lines.append(f"    Note over {across}: {now}, period {period}: as {repeats[now, period]}")
        else:
            lines += [f"    {line}" for _, line in happenings]
    return "\n".join(lines) + "\n"


def _names(run: Run) -> dict[str, str]:
    """Who spoke or was spoken to, in the order of the scenario, with a name that Mermaid takes."""
    said = {str(row[key]) for row in run.message_rows for key in ("sender", "receiver")}
    names: dict[str, str] = {}
    for name in [*(n for n in run.scenario.participants if n in said), *sorted(said - set(run.scenario.participants))]:
        alias = "".join(letter if letter.isalnum() else "_" for letter in name)
        while alias in names.values():
            alias += "_"
        names[name] = alias
    return names


Chapters = dict[tuple[str, str], list[tuple[str, str]]]
Told = tuple[tuple[str, int, int], str, str, str, str]


def _chapters(run: Run, names: Mapping[str, str]) -> Chapters:
    """(kind, line) of everything that happened, by stage and period, in order of time."""
    told = sorted(_told(run, names), key=lambda each: each[0])
    chapters: Chapters = {}
    for _, stage, period, kind, line in told:
        chapters.setdefault((stage, period), []).append((kind, line))
    order = ("prequalification", "reserve", "offering", "activation", "settlement")
    return dict(sorted(chapters.items(), key=lambda item: order.index(item[0][0]) if item[0][0] in order else 9))


def _told(run: Run, names: Mapping[str, str]) -> Iterator[Told]:
    periods = frozenset(period_id(start_us) for start_us, _ in run.scenario.time.periods)
    for row in run.message_rows:
        arrow = "--x" if row["received_at"] is None else _ARROWS.get(row["performative"], "->>")
        label = _label(row["type"], row["step"], row["info"]) + (" (lost)" if row["received_at"] is None else "")
        line = f"{names[row['sender']]}{arrow}{names[row['receiver']]}: {label}"
        kind = f"{row['sender']}{row['receiver']}{row['type']}"
        yield (row["sent_at"].rstrip("Z"), 1, row["sequence"]), row["stage"], _period(row, periods), kind, line
    for event in run.event_rows:
        name = event["evidence"].get("name", "event")
        line = f"Note over {names.get(event['agent'], event['agent'])}: {event['step'] or ''} {name}".replace("  ", " ")
        stage, kind = event["stage"], f"{event['agent']}{event['step']}{name}"
        yield (event["at"].rstrip("Z"), 0, event["sequence"]), stage, _period_of_event(event, periods), kind, line
    yield from _streams(run, names)


def _streams(run: Run, names: Mapping[str, str]) -> Iterator[Told]:
    """One arrow for each pair that measurements went between."""
    frame = run.streams
    pairs = frame.groupby(["sender", "receiver", "step"], sort=True, dropna=False)
    for number, ((sender, receiver, step), rows) in enumerate(pairs):
        at = rows["sent_at"].min().strftime("%Y-%m-%dT%H:%M:%S.%f")
        label = _label("gridpact.measurement/1", str(step), "INFO 7")
        line = f"{names[str(sender)]}-){names[str(receiver)]}: {label}, {len(rows)} messages"
        yield (at, 2, number), "activation", "", f"{sender}{receiver}stream", line


def _period(row: Row, periods: frozenset[str]) -> str:
    return next((part for part in str(row["conversation_id"]).split("/") if part in periods), "")


def _period_of_event(event: Row, periods: frozenset[str]) -> str:
    """The period that an event's evidence names, also inside the id of an offer or a conversation."""
    evidence = json.dumps(event["evidence"])
    return next((period for period in sorted(periods) if period in evidence), "")


def _repeats(chapters: Chapters) -> dict[tuple[str, str], str]:
    """Periods in which the same was said as in an earlier one of the stage, whatever the order."""
    seen: dict[tuple[str, tuple[tuple[str, int], ...]], str] = {}
    repeats: dict[tuple[str, str], str] = {}
    for (stage, period), happenings in chapters.items():
        pattern = (stage, tuple(sorted(Counter(kind for kind, _ in happenings).items())))
        if pattern in seen:
            repeats[stage, period] = seen[pattern]
        seen.setdefault(pattern, period)
    return repeats


def _label(type_id: str, step: str | None, info: str | None) -> str:
    parts: Iterable[str] = (part for part in (step, _short(type_id), f"({info})" if info else None) if part)
    return " ".join(parts)


def _short(type_id: str) -> str:
    return type_id.removeprefix("gridpact.").partition("/")[0]
