"""A run as what happened, in order: messages, steps without a message, streams; by stage and period, repeats told once.

messages, events, streams ─▶ Happening … ─▶ Chapter (stage, period) …     the sequence diagrams are drawn from these
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ...agents.calendar import period_id
from ..record.run import Run

Row = Mapping[str, Any]
STAGES = ("prequalification", "reserve", "offering", "activation", "settlement")
REFUSING = frozenset({"refuse", "failure", "reject-proposal", "not-understood"})


class Happening(NamedTuple):
    """A message, a stream of them (`many`), or, without a receiver, a step of one agent by itself."""

    order: tuple[str, int, int]
    stage: str
    period: str
    sender: str
    receiver: str
    label: str
    refuses: bool = False
    lost: bool = False
    many: int = 1

    @property
    def kind(self) -> tuple[str, str, str]:
        """What repeats from one period to the next: who, to whom, and what, apart from counts."""
        return self.sender, self.receiver, "" if self.many > 1 else self.label


class Chapter(NamedTuple):
    """What happened in one stage and period; `repeats` names the period that went the same way."""

    stage: str
    period: str
    happenings: tuple[Happening, ...]
    repeats: str = ""


def chapters(run: Run) -> tuple[Chapter, ...]:
    """Everything that happened, by stage and period, in order of time."""
    found: dict[tuple[str, str], list[Happening]] = {}
    for each in sorted(_happenings(run), key=lambda one: one.order):
        found.setdefault((each.stage, each.period), []).append(each)
    place = {stage: number for number, stage in enumerate(STAGES)}
    ordered = sorted(found.items(), key=lambda item: place.get(item[0][0], len(place)))
    return tuple(_with_repeats(Chapter(*key, tuple(told)) for key, told in ordered))


def speakers(run: Run) -> tuple[str, ...]:
    """Who spoke or was spoken to, in the order of the scenario."""
    said = {str(row[key]) for row in run.message_rows for key in ("sender", "receiver")}
    known = [name for name in run.scenario.participants if name in said]
    return (*known, *sorted(said - set(known)))


def label(type_id: str, step: str | None, info: str | None) -> str:
    """A message in few words: the paper's step, what it is, the information it carries."""
    parts: Iterable[str] = (part for part in (step, short(type_id), f"({info})" if info else None) if part)
    return " ".join(parts)


def short(type_id: str) -> str:
    """A type id without origin and version."""
    return type_id.removeprefix("gridpact.").partition("/")[0]


def _happenings(run: Run) -> Iterator[Happening]:
    periods = frozenset(period_id(start_us) for start_us, _ in run.scenario.time.periods)
    for row in run.message_rows:
        lost = row["received_at"] is None
        yield Happening(
            (row["sent_at"].rstrip("Z"), 1, row["sequence"]),
            row["stage"],
            next((part for part in str(row["conversation_id"]).split("/") if part in periods), ""),
            row["sender"],
            row["receiver"],
            label(row["type"], row["step"], row["info"]) + (" (lost)" if lost else ""),
            row["performative"] in REFUSING,
            lost,
        )
    for event in run.event_rows:
        text = f"{event['step'] or ''} {event['evidence'].get('name', 'event')}".strip()
        order = (event["at"].rstrip("Z"), 0, event["sequence"])
        yield Happening(order, event["stage"], _period_of(event, periods), event["agent"], "", text)
    yield from _streams(run)


def _streams(run: Run) -> Iterator[Happening]:
    """One happening for each pair that rows of a stream went between."""
    pairs = run.streams.groupby(["sender", "receiver", "step", "type", "info"], sort=True, dropna=False)
    for number, ((sender, receiver, step, type_id, info), rows) in enumerate(pairs):
        at = rows["sent_at"].min().strftime("%Y-%m-%dT%H:%M:%S.%f")
        text = f"{label(str(type_id), _known(step), _known(info))}, {len(rows)} messages"
        yield Happening((at, 2, number), "activation", "", str(sender), str(receiver), text, many=len(rows))


def _known(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _period_of(event: Row, periods: frozenset[str]) -> str:
    """The period that an event's evidence names, also inside the id of an offer or a conversation."""
    evidence = json.dumps(event["evidence"])
    return next((period for period in sorted(periods) if period in evidence), "")


def _with_repeats(told: Iterable[Chapter]) -> Iterator[Chapter]:
    """Chapters in which the same was said as in an earlier one of the stage, whatever the order, name it."""
    seen: dict[tuple[str, tuple[tuple[tuple[str, str, str], int], ...]], str] = {}
    for chapter in told:
        pattern = tuple(sorted(Counter(each.kind for each in chapter.happenings).items()))
        first = seen.setdefault((chapter.stage, pattern), chapter.period)
        yield chapter._replace(repeats=first if first != chapter.period else "")
