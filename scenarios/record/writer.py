"""Keeps the record of a run while it happens, and finishes it: derived tables, KPIs, manifest.

message ─▶ messages.jsonl     stream ─▶ streams.parquet      telemetry ─▶ telemetry.parquet
event   ─▶ events.jsonl       state  ─▶ states/<grid>        journal   ─▶ journal.jsonl.gz
finish: CSV files and kpis.json from what was written ─▶ manifest.json ─▶ the directory gets its name
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ...agents.runtime.collector import PATIENT, calm
from ...agents.runtime.memory.recording import Sent, Values
from ...protocols.flow import Row, Volley
from ..description.files import NamedFile
from ..description.schema import Scenario
from ..errors import RecordError, ScenarioError
from ..reading.loading import scenario_yaml
from ..version import VERSION
from .cells import line, moment, plain
from .clerk import Clerk
from .columns import EVENTS, JOURNAL, MESSAGES, STREAMS
from .derived import derived_files
from .directory import RunDirectory
from .journal import JournalFile
from .manifest import NAME, describe
from .messages import MessageFile
from .parquet import ParquetFile
from .streaming import check_streamed, stream_arrays
from .volleys import by_column
from .wide import WideFile

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # of a disk, a quota, a limit of the process


class RunWriter:
    """Writes a run directory; implements `Recorder`. Use it as a context: left without `finish`, nothing stays."""

    watched = False  # whether somebody looks at every tick as it happens

    def __init__(self, scenario: Scenario, out: Path, *, realtime: bool = False) -> None:
        """Raises RecordError if `out` exists and is no run, or cannot be written."""
        self._directory = RunDirectory(out)
        self.folder = self._directory.folder
        try:
            self.scenario = self._begun(scenario)
        except BaseException:
            self._directory.discard()
            raise
        self._events = (self.folder / EVENTS.file).open("wb")
        self._clerk = Clerk(beside=realtime)
        self._messages = MessageFile(self.folder / MESSAGES.file, self._clerk)
        self._journal = JournalFile(self.folder / JOURNAL.file, self._clerk)
        place, unique = self.folder / STREAMS.file, ("id", "caused_by")
        self._streams = ParquetFile(place, STREAMS, stream_arrays, self._clerk, unique=unique)
        self._telemetry = WideFile(self.folder / "telemetry.parquet", self._clerk)
        self._states: dict[str, WideFile] = {}
        self._rows = {EVENTS.file: 0}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        broken = error
        try:
            self.close()
        except OSError as at_last:
            broken = at_last
        finally:
            self._directory.discard()
        if isinstance(broken, OSError) and broken.errno in FULL:
            why = os.strerror(broken.errno).lower()
            raise RecordError(f"{self._directory.out}: the record cannot be written: {why}; nothing is kept") from None
        if broken is not error and broken is not None:
            raise broken

    def message(self, sent: Sent) -> None:
        """A negotiation message, in the order of sending."""
        self._messages.add(sent)

    def stream(self, sent: Sent) -> None:
        """A high-rate message of a subscription (INFO 6 set-point, INFO 7); TypeError if it is none."""
        check_streamed(type(sent.envelope.content))
        self._streams.add(sent)

    def flowed(self, row: Row) -> None:
        """The same, as a row of a flow."""
        self._streams.add(row)

    def volley(self, volley: Volley) -> None:
        """The same, as many rows of flows sent at one instant."""
        for kind in {flow.kind for flow in volley.flows}:
            check_streamed(kind)
        self._streams.add_part(by_column(volley))

    def event(self, *, agent: str, at_us: int, stage: str, step: str | None, evidence: Mapping[str, object]) -> None:
        """A step without a message, with its evidence."""
        values = {"agent": agent, "at": moment(at_us), "stage": stage, "step": step, "evidence": plain(evidence)}
        self._events.write(line({"sequence": self._rows[EVENTS.file], **values}))
        self._rows[EVENTS.file] += 1

    @property
    def events(self) -> int:
        """How many events have been written."""
        return self._rows[EVENTS.file]

    def telemetry(self, at_us: int, names: tuple[str, ...], values: Values) -> None:
        """One tick of the area and of every participant, by column."""
        self._telemetry.add(at_us, names, values)

    def state(self, grid: str, at_us: int, names: tuple[str, ...], values: Values) -> None:
        """One tick of a grid's physical state, by column."""
        if grid not in self._states:
            place, files = self.folder / "states" / f"{grid}.parquet", len(self.scenario.grids)
            self._states[grid] = WideFile(place, self._clerk, files)
        self._states[grid].add(at_us, names, values)

    def network(self, grid: str, json_text: str) -> None:
        """A grid's pandapower network, once."""
        self._text(f"networks/{grid}.json", json_text)

    def journal(self, agent: str, at_us: int, line: str) -> None:
        """One input of an agent, before its effects."""
        self._journal.add(agent, at_us, line)

    def finish(self, timing: Mapping[str, object], hosts: int | None = None) -> Path:
        """Complete the record and give it its name; returns the run directory.

        `timing`: wall-clock figures; `hosts`: of how many it was merged.
        """
        from ..audit.index import Index
        from ..kpis import compute_kpis
        from .run import Run

        self.close()
        run = Run(self.folder)
        with calm(PATIENT):
            for name, (content, rows) in derived_files(run.message_rows, run.event_rows).items():
                (self.folder / name).write_bytes(content)
                self._rows[name] = rows
            self._json("kpis.json", compute_kpis(Index(run)))
        self._json("timing.json", plain(timing))
        head = {"gridpact_version": VERSION, "scenario": self.scenario.name, "scheme": self.scenario.scheme}
        merged = {} if hosts is None else {"hosts": str(hosts)}
        self._json(NAME, describe(self.folder, self._all_rows(), head | merged))
        return self._directory.commit()

    def _begun(self, scenario: Scenario) -> Scenario:
        """Folders and the scenario, which is returned as it is written down."""
        (self.folder / "networks").mkdir()
        (self.folder / "states").mkdir()
        contained = self._self_contained(scenario)
        self._text("scenario.yaml", scenario_yaml(contained))
        return contained

    def _self_contained(self, scenario: Scenario) -> Scenario:
        """The scenario with the files of the user's own beside it, and the version that runs it."""
        files = scenario.files()
        for file in files:
            self._copy(file)
        named = scenario.with_files({file.steps: file.copy for file in files})
        return named.model_copy(update={"gridpact_version": VERSION})

    def _copy(self, file: NamedFile) -> None:
        (self.folder / file.copy).parent.mkdir(exist_ok=True)
        try:
            shutil.copyfile(file.source, self.folder / file.copy)
        except OSError as error:
            raise ScenarioError(f"{file.source} cannot be read: {error.strerror}") from None

    def notes(self, grid: str, notes: Sequence[str]) -> None:
        """What was filled in or repaired in a grid's network, and why it may be slow."""
        self._json(f"networks/{grid}.notes.json", {"notes": list(notes)})

    def _all_rows(self) -> dict[str, int]:
        messages = {MESSAGES.file: self._messages.rows}
        rows = {STREAMS.file: self._streams.rows, JOURNAL.file: self._journal.rows}
        for file in (self._telemetry, *self._states.values()):
            rows |= {path.relative_to(self.folder).as_posix(): many for path, many in file.rows.items()}
        return messages | self._rows | rows

    def close(self) -> None:
        """Write what is left and close the files, without completing the record."""
        if self._messages.closed:
            return
        self._messages.close()
        self._events.close()
        self._journal.close()
        self._streams.close()
        for file in (self._telemetry, *self._states.values()):
            file.close()
        self._clerk.finish()

    def _text(self, name: str, text: str) -> None:
        (self.folder / name).write_bytes(text.encode())

    def _json(self, name: str, value: object) -> None:
        self._text(name, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
