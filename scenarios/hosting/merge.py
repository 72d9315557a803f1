"""The records of several hosts as one run directory, as if all had been in one process.

messages, measurements, events, journal     in the order of time; within a host the order is its own
received_at                                 from the journal of the receiver's host
scenario                                    the public one with what was private to each host
telemetry                                   columns of all hosts side by side, tick by tick
"""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...agents.runtime.memory.recording import Sent
from ...protocols.information.quantities import instant
from ...protocols.vocabulary import Vocabulary
from ...protocols.wire import content_from
from ..audit.streams import stream_rows
from ..description.schema import Scenario
from ..errors import RecordError
from ..extension.plugins import vocabulary
from ..reading.loading import changed_scenario
from ..record.instants import envelope_of, instant_or_none, times_us
from ..record.run import Run, load_run
from ..record.writer import RunWriter
from .host import taking_part
from .part import Part, load_part

Row = Mapping[str, Any]


def merge(folders: Iterable[Path], out: Path) -> Run:
    """Merge the records of all hosts of a run; RecordError if they are not of one run, or one is missing."""
    parts = [load_part(folder) for folder in folders]
    scenario = _scenario(parts)
    spoken = vocabulary(scenario)
    received = _received(parts)
    with RunWriter(scenario, out) as writer:
        for number, row in enumerate(_in_order([part.run.message_rows for part in parts], "sent_at")):
            writer.message(_sent(row, number, spoken, received))
        for row in _in_order([list(stream_rows(part.run)) for part in parts], "sent_at"):
            writer.stream(_sent(row, None, spoken, received))
        _merge_rest(parts, writer)
        writer.finish({"hosts": [{"agents": part.agents, **part.run.timing} for part in parts]}, hosts=len(parts))
    return load_run(out)


def _in_order(files: list[list[Any]], time: str) -> Iterator[Row]:
    """Rows of all hosts in the order of time; of the same moment, the first host's come first.

    Plants run a little behind, so what they have left may stand after later rows of their own host.
    """

    def at(row: Row) -> int:
        return instant(row[time])

    return heapq.merge(*(sorted(rows, key=at) for rows in files), key=at)


def _scenario(parts: list[Part]) -> Scenario:
    """The whole scenario; RecordError if the parts are not those of one run, each agent in one of them."""
    if not parts:
        raise RecordError("name the record of every host")
    first = parts[0]
    for part in parts[1:]:
        for key, what in (("run", "another run"), ("digest", "another public scenario")):
            if part.about[key] != first.about[key]:
                raise RecordError(f"{part.folder}: this host has run {what} than that of {first.folder}")
    _check_complete(parts, first.run.scenario)
    return _joined(parts)


def _check_complete(parts: list[Part], scenario: Scenario) -> None:
    ran = [name for part in parts for name in part.agents]
    missing = [name for name in taking_part(scenario) if name not in ran]
    twice = sorted({name for name in ran if ran.count(name) > 1})
    if missing:
        raise RecordError(f"the record of {', '.join(missing)} is missing; name the records of all hosts")
    if twice:
        raise RecordError(f"{', '.join(twice)}: there are two records of it; name each host's record once")
    if [part.plants for part in parts].count(True) != 1:
        raise RecordError("one of the hosts should have run the plants; name the records of all hosts")


def _joined(parts: list[Part]) -> Scenario:
    """The scenario of the plants' host, which has the files too, and from every other one what was private to it."""
    changes: dict[str, object] = {}
    for part in parts:
        values = part.run.scenario.model_dump(mode="json")
        changes |= {f"participants.{name}": values["participants"][name] for name in part.agents}
    (base,) = [part for part in parts if part.plants]
    return changed_scenario(base.run.scenario, changes)


def _received(parts: list[Part]) -> dict[str, str]:
    """When each message was first heard, by its id, from the journals of those who heard it."""
    found: dict[str, str] = {}
    for part in parts:
        for row in part.run.journal_rows():
            if row["input"]["@"] == "Arrival":
                found.setdefault(row["input"]["envelope"]["id"], row["at"])
    return found


def _sent(row: Row, number: int | None, spoken: Vocabulary, received: Mapping[str, str]) -> Sent:
    """A recorded row as it was told to the writer, with the time of its reception."""
    content = content_from(row["type"], row["content"], spoken)
    arrived_us = instant_or_none(received.get(row["id"]))
    roles = (row["sender_role"], row["receiver_role"], row["stage"], row["step"])
    return Sent(number, instant(row["sent_at"]), arrived_us, envelope_of(row, content), *roles)


def _merge_rest(parts: list[Part], writer: RunWriter) -> None:
    """Events, journal, telemetry, networks and states."""
    for row in _in_order([part.run.event_rows for part in parts], "at"):
        writer.event(
            agent=row["agent"], at_us=instant(row["at"]), stage=row["stage"], step=row["step"], evidence=row["evidence"]
        )
    for row in heapq.merge(*(part.run.journal_rows() for part in parts), key=lambda row: instant(row["at"])):
        line = json.dumps(row["input"], ensure_ascii=False, separators=(",", ":"))
        writer.journal(row["agent"], instant(row["at"]), line)
    _merge_telemetry(parts, writer)
    for part in parts:
        if part.plants:
            _copy_grids(part, writer)


def _merge_telemetry(parts: list[Part], writer: RunWriter) -> None:
    """Every tick with the columns of all hosts, in the order that a run in one process has."""
    ticks: dict[int, dict[str, float | None]] = {}
    for part in parts:
        for at_us, values in part.telemetry():
            ticks.setdefault(at_us, {}).update(values)
    whose = {key: names for part in parts for key, names in part.about["columns"].items()}
    names = tuple(name for key in sorted(whose, key=_place) for name in whose[key])
    for at_us, row in sorted(ticks.items()):
        writer.telemetry(at_us, names, [_number(row.get(name)) for name in names])


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _place(key: str) -> tuple[int, str, int]:
    """The area, then everybody by name (what it knows, then its meter), then the grids."""
    if key == "area":
        return 0, "", 0
    if key.startswith("grid "):
        return 2, key, 0
    return 1, key.removeprefix("meter of "), int(key.startswith("meter of "))


def _copy_grids(part: Part, writer: RunWriter) -> None:
    for grid in part.run.grids:
        writer.network(grid, (part.folder / "networks" / f"{grid}.json").read_text("utf-8"))
        writer.notes(grid, json.loads((part.folder / "networks" / f"{grid}.notes.json").read_text("utf-8"))["notes"])
        frame = part.run.states(grid)
        times = times_us(frame.pop("at")).tolist()
        names = tuple(str(name) for name in frame.columns)
        for at_us, values in zip(times, frame.to_numpy(dtype=float), strict=True):
            writer.state(grid, at_us, names, values)
