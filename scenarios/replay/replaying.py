"""Replay: feed every agent its recorded inputs again, and compare what it says with what is recorded.

    journal ─▶ fresh nodes (agent + desk) ─▶ exchange ─▶ writer ─▶ messages, streams, events ═ the record?

Nothing else is needed: no clock, no plant, no study, no order of arrival but the journal's. That the bytes
are equal shows that the agents are pure.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...agents.errors import PluginError
from ...protocols.errors import ProtocolError
from ..operation import assembly, plants, studying
from ..operation.nodes import Cast, cast
from ..record.columns import PLANT
from ..record.manifest import read_manifest

if TYPE_CHECKING:
    from ...agents.runtime.inputs import Effect, Input
    from ...agents.runtime.messages.exchange import Exchange
    from ...protocols.envelope import Envelope
    from ..record.run import Run
    from ..record.writer import RunWriter

# what an input that was changed, or is of another version, can make of an agent that takes it
UNFIT = (
    PluginError,
    ProtocolError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
COMPARED = ("messages.jsonl", "events.jsonl", "streams.parquet")


@dataclass(frozen=True)
class Difference:
    """Where a replay departs from the record: the file, the line (0: the file as a whole), and both texts."""

    file: str
    line: int
    recorded: str
    replayed: str

    def __str__(self) -> str:
        """One sentence."""
        where = f"{self.file} line {self.line}" if self.line else self.file
        return f"{where}: recorded {self.recorded}, replayed {self.replayed}"


def replay(run: Run) -> list[Difference]:
    """Replay a run; the differences found, at most one a file. Raises RecordError for a damaged journal."""
    from ..record.writer import RunWriter

    with tempfile.TemporaryDirectory() as folder, RunWriter(run.scenario, Path(folder) / "replay") as writer:
        broken = _feed(run, writer)
        writer.close()
        if broken is not None:
            return [broken]
        return [found for name in COMPARED if (found := _compare(run.folder / name, writer.folder / name))]


def _feed(run: Run, writer: RunWriter) -> Difference | None:
    """Give every node its inputs in the journal's order; a node that cannot take one is a difference."""
    from ...protocols.information.quantities import instant

    everybody = cast(run.scenario, plants.resources(run.scenario))
    exchange, recall = _exchange(run, everybody, writer), Recall(everybody)
    physical = {row["sequence"]: row for row in run.event_rows if row["agent"].startswith(PLANT)}
    _copy(physical, writer)
    deaths = _deaths(run)
    late: dict[str, list[Effect]] = {}
    for row in run.journal_rows():
        agent, at_us = row["agent"], instant(row["at"])
        try:
            effects = late.pop(agent) if is_restart(row) else everybody.nodes[agent].take(recall.input_of(row), at_us)
        except UNFIT as error:
            said = f"{type(error).__name__}: {error}"
            return Difference("journal.jsonl.gz", row["sequence"] + 1, f"an input of {agent}", said)
        if row["sequence"] in deaths:
            done = deaths[row["sequence"]]
            effects, late[agent] = effects[:done], effects[done:]
        recall.keep(effects)
        for effect in effects:
            _keep(effect, exchange, writer, agent=agent, at_us=at_us)
            _copy(physical, writer)
    return None


def is_restart(row: Mapping[str, Any]) -> bool:
    """Whether a line of the journal is no input, but says that an agent's process is there again."""
    return isinstance(row["input"], dict) and row["input"].get("@") == "Restarted"


def _deaths(run: Run) -> dict[int, int]:
    """The inputs (by their line) of which an agent could not do everything before it died, and how much it had done."""
    last: dict[str, int] = {}
    found: dict[int, int] = {}
    if run.scenario.faults is None or not run.scenario.faults.crashes.down_s:
        return found
    for row in run.journal_rows():
        if is_restart(row):
            before = last[row["agent"]]
            found[before] = int(row["input"]["done"])
        last[row["agent"]] = row["sequence"]
    return found


def _copy(physical: Mapping[int, Mapping[str, Any]], writer: RunWriter) -> None:
    """What plants have left behind is no agent's doing: it is taken over at its place in the record."""
    from ...protocols.information.quantities import instant

    while writer.events in physical:
        row = physical[writer.events]
        where = {"agent": row["agent"], "stage": row["stage"], "step": row["step"]}
        writer.event(**where, at_us=instant(row["at"]), evidence=row["evidence"])


class Recall:
    """Reads the journal's inputs; streamed messages stand there by number only, so what was said of them is kept."""

    def __init__(self, everybody: Cast) -> None:
        self._everybody = everybody
        self._results = studying.results(everybody.extensions)
        self._said: dict[int, Envelope] = {}
        self._streamed = 0

    def keep(self, effects: Iterable[Effect]) -> None:
        """Remember what an agent has streamed."""
        from ...agents.runtime.inputs import Send

        for effect in effects:
            if isinstance(effect, Send) and effect.streamed:
                self._said[self._streamed] = effect.envelope
                self._streamed += 1

    def input_of(self, row: Mapping[str, Any]) -> Input:
        """What an agent experienced in a line of the journal; ValueError, KeyError or a ProtocolError if it is none."""
        from ...agents.runtime.inputs import Arrival
        from ...agents.runtime.memory.journal import Restarted, Streamed, from_line

        vocabulary = self._everybody.nodes[row["agent"]].desk.vocabulary
        given = from_line(json.dumps(row["input"]), vocabulary, self._results)
        if isinstance(given, Restarted):
            raise ValueError("a restart is no input")
        return Arrival(self._said.pop(given.row), given.row) if isinstance(given, Streamed) else given


def _exchange(run: Run, everybody: Cast, writer: RunWriter) -> Exchange:
    """An exchange that delivers nothing: with the run's own delays, or those recorded of a network or of faults."""
    from ...agents.runtime.messages.exchange import AsRecorded, Exchange

    if "hosts" in read_manifest(run.folder) or run.scenario.faults is not None:
        return AsRecorded(run.received_us(), everybody.kinds, writer)
    return Exchange(assembly.links(run.scenario), everybody.kinds, writer, lambda envelope, at_us: None)


def _keep(effect: Effect, exchange: Exchange, writer: RunWriter, *, agent: str, at_us: int) -> None:
    """What a node says and notes goes where it went in the run; the rest has no effect here."""
    from ...agents.actions import Note
    from ...agents.runtime.inputs import Send

    if isinstance(effect, Send):
        exchange.send(effect, at_us)
    elif isinstance(effect, Note):
        writer.event(agent=agent, at_us=at_us, stage=effect.stage, step=effect.step, evidence=effect.evidence)


def _compare(recorded: Path, replayed: Path) -> Difference | None:
    if recorded.read_bytes() == replayed.read_bytes():
        return None
    if recorded.suffix != ".jsonl":
        return Difference(recorded.name, 0, "other bytes", "other bytes")
    pairs = zip(_padded(recorded), _padded(replayed), strict=False)
    for number, (ours, theirs) in enumerate(pairs, start=1):
        if ours != theirs:
            return Difference(recorded.name, number, ours[:200], theirs[:200])
    return None


def _padded(path: Path) -> Iterator[str]:
    """Lines of a file, then one that says it has ended."""
    yield from path.read_text(encoding="utf-8").splitlines()
    yield "nothing"
