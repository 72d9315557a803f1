"""A finished run, opened again: its scenario, its messages, its tables, and any moment of its grids.

Everything is read when it is asked for. pandas and pyarrow are imported then, so that opening is quick.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...protocols.information.quantities import instant
from ..description.schema import Scenario
from ..errors import RecordError
from ..reading.loading import load_scenario
from .columns import ACTIVATIONS, EVENTS, JOURNAL, LIMITS, MERIT_ORDER, MESSAGES, OFFERS, SETTLEMENT, STREAMS, Table
from .instants import times_us
from .manifest import read_manifest
from .rows import Row, rows_of

if TYPE_CHECKING:
    import pandas as pd


def load_run(path: str | Path) -> Run:
    """Open a run directory; RecordError if it is none, of another version, or incomplete."""
    folder = Path(path)
    manifest = read_manifest(folder)
    for name in manifest["files"]:
        if not (folder / name).is_file():
            raise RecordError(f"{folder / name}: this file of the run is missing; run the scenario again")
    return Run(folder)


class Run:
    """A recorded run; DataFrames have their units in the names of their columns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario as it was run."""
        return load_scenario(self.folder / "scenario.yaml")

    @cached_property
    def kpis(self) -> dict[str, Any]:
        """The KPIs of kpis.json."""
        return dict(self._json("kpis.json"))

    @cached_property
    def notes(self) -> dict[str, list[str]]:
        """Per grid what was filled in or repaired in its network, and why it may be slow."""
        names = {name: f"networks/{name}.notes.json" for name in self.scenario.grids}
        return {name: list(self._json(file)["notes"]) for name, file in names.items() if (self.folder / file).exists()}

    @cached_property
    def timing(self) -> dict[str, Any]:
        """The wall-clock figures of timing.json; empty if it was removed."""
        return dict(self._json("timing.json")) if (self.folder / "timing.json").exists() else {}

    @property
    def refused(self) -> dict[str, dict[str, int]]:
        """How many messages each agent has not taken, by the reason, as timing.json has it."""
        told = (self.timing, *self.timing.get("hosts", ()))
        return {name: dict(counts) for one in told for name, counts in sorted(one.get("refused", {}).items())}

    @cached_property
    def message_rows(self) -> list[Row]:
        """Every negotiation message as it stands in messages.jsonl."""
        return list(self._lines(MESSAGES))

    @cached_property
    def event_rows(self) -> list[Row]:
        """Every event as it stands in events.jsonl."""
        return list(self._lines(EVENTS))

    def received_us(self) -> dict[str, int]:
        """When each message and measurement was received, by its id, in microseconds; those that were lost left out."""
        streamed = self.streams[["id", "received_at"]].dropna()
        times = times_us(streamed["received_at"]).tolist()
        said = {row["id"]: instant(row["received_at"]) for row in self.message_rows if row["received_at"] is not None}
        return said | dict(zip(streamed["id"].tolist(), times, strict=True))

    def journal_rows(self) -> Iterator[Row]:
        """Every input of every agent, in order; RecordError if none were kept."""
        if not self.scenario.journal:
            text = "no journal was kept (`journal: false` in its scenario)"
            raise RecordError(f"{self.folder}: {text}; run it again with --set journal=true")
        return self._lines(JOURNAL)

    @cached_property
    def messages(self) -> pd.DataFrame:
        """messages.jsonl as a table; `content` holds dicts."""
        return self._frame(self.message_rows, MESSAGES)

    @cached_property
    def events(self) -> pd.DataFrame:
        """events.jsonl as a table; `evidence` holds dicts."""
        return self._frame(self.event_rows, EVENTS)

    @cached_property
    def streams(self) -> pd.DataFrame:
        """The high-rate messages."""
        return self._parquet(STREAMS.file)

    @cached_property
    def telemetry(self) -> pd.DataFrame:
        """What was measured and ordered, per tick."""
        return self._parquet("telemetry.parquet")

    @cached_property
    def outline(self) -> pd.DataFrame:
        """The telemetry of the area, the grids and their operators, and of providers what is ordered from them.

        In a swarm that is a small part of it.
        """
        if "telemetry" in self.__dict__:
            return self.telemetry
        providers = self.scenario.providers

        def wanted(column: str) -> bool:
            owner, _, quantity = column.rpartition(".")
            return owner not in providers or quantity == "set_point_mw"

        return self._parquet("telemetry.parquet", wanted)

    @cached_property
    def offers(self) -> pd.DataFrame:
        """Every offer and revision."""
        return self._csv(OFFERS)

    @cached_property
    def merit_order(self) -> pd.DataFrame:
        """Merit order lists: offered, allowed, accepted."""
        return self._csv(MERIT_ORDER)

    @cached_property
    def activations(self) -> pd.DataFrame:
        """Activation orders."""
        return self._csv(ACTIVATIONS)

    @cached_property
    def limits(self) -> pd.DataFrame:
        """Real-time limits."""
        return self._csv(LIMITS)

    @cached_property
    def settlement(self) -> pd.DataFrame:
        """Payments."""
        return self._csv(SETTLEMENT)

    @property
    def grids(self) -> tuple[str, ...]:
        """The names of the grids whose states were recorded."""
        return tuple(sorted(path.stem for path in (self.folder / "states").glob("*.parquet")))

    def states(self, grid: str | None = None) -> pd.DataFrame:
        """Physical states of a grid per tick (the only grid if none is named)."""
        return self._parquet(f"states/{self._grid(grid)}.parquet")

    def network(self, at: datetime | str, grid: str | None = None) -> Any:
        """The pandapower network of a grid as it physically was at (or last recorded before) a moment.

        `at`: an aware datetime, ISO 8601 text, or a clock time HH:MM[:SS] of the scenario's first day. Loads stand
        as constant power at what they drew, so `runpp` gives the recorded state. Raises RecordError outside the run.
        """
        from .moments import network_at

        return network_at(self, at, self._grid(grid))

    def _grid(self, grid: str | None) -> str:
        known = ", ".join(self.grids)
        if grid is None and len(self.grids) == 1:
            return self.grids[0]
        if grid is None:
            raise RecordError(f"{self.folder}: name one of its grids: {known} (on the command line with --grid NAME)")
        if grid not in self.grids:
            raise RecordError(f'{self.folder}: it has no grid "{grid}"; there are: {known}')
        return grid

    def _json(self, name: str) -> Mapping[str, Any]:
        path = self.folder / name
        try:
            value = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise RecordError(f"{path}: this file of the run is missing; run the scenario again") from None
        except (UnicodeDecodeError, json.JSONDecodeError):
            raise RecordError(f"{path}:1: this file is damaged: it is no JSON; run the scenario again") from None
        if not isinstance(value, dict):
            raise RecordError(f"{path}:1: this file is damaged: it should hold one JSON object; run the scenario again")
        return value

    def _lines(self, table: Table) -> Iterator[Row]:
        path = self.folder / table.file
        opened = gzip.open if path.suffix == ".gz" else open
        try:
            with opened(path, "rb") as lines:
                yield from rows_of(path, lines, table)
        except (OSError, EOFError, zlib.error) as error:
            raise RecordError(f"{path}: this file is damaged or missing: {error}; run the scenario again") from None

    def _frame(self, rows: list[Row], table: Table) -> pd.DataFrame:
        import pandas as pd

        return typed(pd.DataFrame(rows, columns=list(table.names)), table)

    def _csv(self, table: Table) -> pd.DataFrame:
        import pandas as pd

        path = self.folder / table.file
        kinds = {column.name: "string" for column in table.columns if column.kind == "text"}
        try:
            frame = pd.read_csv(path, dtype=cast("Any", kinds), keep_default_na=False, na_values=[""])
            return typed(frame[list(table.names)], table)
        except (OSError, ValueError, KeyError) as error:
            raise RecordError(f"{path}: this file is damaged: {error}; run the scenario again") from None

    def _parquet(self, name: str, wanted: Callable[[str], bool] | None = None) -> pd.DataFrame:
        import pyarrow as pa

        from .parquet import read_table

        path = self.folder / name
        try:
            return cast("pd.DataFrame", read_table(path, wanted).to_pandas())
        except (OSError, pa.ArrowException) as error:
            raise RecordError(f"{path}: this file is damaged: {error}; run the scenario again") from None


def typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """A table's columns of time as times, in UTC."""
    import pandas as pd

    names = [column.name for column in table.columns if column.kind == "time"]
    return frame.assign(**{name: pd.to_datetime(frame[name], utc=True, format="ISO8601") for name in names})
