"""Where two runs part: the first message, event or measurement that differs, and what every agent knew just before.

    messages, events, streams of A and B ─▶ the earliest that differs ─▶ both journals fed up to there ─▶ knowledge

What an agent knows is its profile, its state, where its conversations stand and its timers, rebuilt by replaying its
inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from ..audit.findings import moment_of
from ..audit.streams import stream_rows
from ..record.run import Run
from .knowledge import Knowledge, differences, flattened, knowledge_before

Row = Mapping[str, Any]
TIMES = {"message": "sent_at", "event": "at", "measurement": "sent_at"}
LONGEST = 160


@dataclass(frozen=True)
class Parting:
    """The first difference: of which kind, the how-manieth of it, and both rows (None: that run has ended)."""

    kind: str
    index: int
    first: Row | None
    second: Row | None

    @property
    def at(self) -> str:
        """When it happened: the earlier of both."""
        times = [row[TIMES[self.kind]] for row in (self.first, self.second) if row is not None]
        return str(min(times, key=moment_of))

    @property
    def begins_in_first(self) -> bool:
        """Whether it is the first run's row that comes earlier, or both come at once."""
        return self.first is not None and self.first[TIMES[self.kind]] == self.at

    @property
    def agents(self) -> tuple[str, ...]:
        """Who spoke or acted, then who was spoken to."""
        keys = ("agent",) if self.kind == "event" else ("sender", "receiver")
        rows = [row for row in (self.first, self.second) if row is not None]
        return tuple(dict.fromkeys(str(row[key]) for key in keys for row in rows))


def parting(first: Run, second: Run) -> Parting | None:
    """The earliest message, event or measurement in which two runs differ, or None if there is none."""
    found = [
        _parting("event", first.event_rows, second.event_rows),
        _parting("message", first.message_rows, second.message_rows),
        _parting("measurement", stream_rows(first), stream_rows(second)),
    ]
    return min((each for each in found if each is not None), key=lambda each: moment_of(each.at), default=None)


def _parting(kind: str, first: Iterable[Row], second: Iterable[Row]) -> Parting | None:
    for index, (ours, theirs) in enumerate(zip_longest(first, second)):
        if ours != theirs:
            return Parting(kind, index, ours, theirs)
    return None


def report(first: Run, second: Run, *, most: int = 40) -> tuple[list[str], bool]:
    """Lines to print, and whether the runs differ in what was said or done; at most `most` lines an agent.

    What they knew is left out where a run has kept no journal. Raises RecordError for one that cannot be replayed.
    """
    scenarios = [run.scenario.model_dump(mode="json") for run in (first, second)]
    lines = [f"scenario: {line}" for line in differences(*map(flattened, scenarios))]
    parted = parting(first, second)
    if parted is None:
        return [*lines, "the runs agree in every message, event and measurement"], False
    silent = [run.folder for run in (first, second) if not run.scenario.journal]
    if silent:
        text = f"{silent[0]} has kept no journal; run it again with --set journal=true"
        return [*lines, *_shown(parted, [None, None]), f"what they knew just before cannot be told: {text}"], True
    known = _known(parted, first, second)
    return [*lines, *_shown(parted, [each.cause for each in known]), *_knowledge(parted, known, most)], True


def _known(parted: Parting, first: Run, second: Run) -> list[Knowledge]:
    """What agents of both runs knew at the same point: just before the earlier of the two rows."""
    what = (parted.kind, parted.index, parted.at)
    earlier, later = (first, second) if parted.begins_in_first else (second, first)
    known = knowledge_before(earlier, *what)
    others = knowledge_before(later, *what, known.inputs)
    return [known, others] if parted.begins_in_first else [others, known]


def _shown(parted: Parting, causes: Sequence[str | None]) -> Iterator[str]:
    yield f"first difference: {parted.kind} {parted.index} at {parted.at}"
    for letter, row, cause in zip("AB", (parted.first, parted.second), causes, strict=True):
        yield f"  {letter}: {_told(parted.kind, row)}"
        if cause is not None:
            yield f"     when {cause}"
    rows = [row for row in (parted.first, parted.second) if row is not None]
    if len(rows) == 2 and _identity(parted.kind, rows[0]) == _identity(parted.kind, rows[1]):
        yield from (f"  differs in {line}" for line in differences(*map(flattened, rows)))


def _identity(kind: str, row: Row) -> tuple[object, ...]:
    """What makes a row the counterpart of another one, so that it is worth telling in what they differ."""
    if kind == "event":
        return row["agent"], row["stage"], row["step"], row["evidence"].get("name")
    return (row["id"],)


def _told(kind: str, row: Row | None) -> str:
    if row is None:
        return "nothing more"
    if kind == "event":
        name = row["evidence"].get("name", "")
        return f"{row['at']} {row['agent']}: {row['stage']} {row['step'] or ''} {name}".rstrip()
    step = f" step {row['step']}" if row["step"] else ""
    return f"{row['sent_at']} {row['sender']} → {row['receiver']}: {row['type']}{step}, {row['id']}"


def _knowledge(parted: Parting, known: list[Knowledge], most: int) -> Iterator[str]:
    """Of those concerned, then of everybody else: what one run's agent knew and the other's did not."""
    yield "what they knew just before (A | B):"
    everybody = sorted({*known[0].agents, *known[1].agents})
    same = []
    for name in dict.fromkeys((*(n for n in parted.agents if n in everybody), *everybody)):
        lines = differences(*(each.agents.get(name, {"": "no part in this run"}) for each in known))
        if not lines:
            same.append(name)
            continue
        yield f"  {name}"
        yield from (f"    {line[:LONGEST]}" for line in lines[:most])
        if len(lines) > most:
            yield f"    … and {len(lines) - most} more; --most shows them"
    if same:
        yield f"  the same: {', '.join(same)}"
