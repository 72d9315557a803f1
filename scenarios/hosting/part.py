"""What one host leaves behind: the record of its own agents, and of the plants if they are there; to be merged.

The same files as of a run, but nothing derived from the whole. Messages to other hosts have no time of reception here:
that is in the journal of the receiver's host.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..description.schema import Scenario
from ..description.times import microseconds
from ..errors import RecordError
from ..record.cells import plain
from ..record.columns import FORMAT_VERSION
from ..record.manifest import NAME, PART_FORMAT, describe
from ..record.parquet import read_table
from ..record.run import Run
from ..record.wide import WideFile
from ..record.writer import RunWriter
from ..version import VERSION

PART, PLANTS = "part.json", "plants.parquet"


class PartWriter(RunWriter):
    """Writes the record of one host."""

    def __init__(self, scenario: Scenario, out: Path) -> None:
        super().__init__(scenario, out, realtime=True)
        self._plants = WideFile(self.folder / PLANTS, self._clerk)

    def plants(self, at_us: int, values: Mapping[str, float]) -> None:
        """One tick of the area, of every meter and of every grid."""
        self._plants.add(at_us, tuple(values), tuple(values.values()))

    def close(self) -> None:
        """Write what is left and close the files, without completing the record."""
        if not self._messages.closed:
            self._plants.close()
        super().close()

    def finish_part(self, about: Mapping[str, object], timing: Mapping[str, object]) -> Path:
        """Complete the part and give it its name; `about`: agents, plants, and whose each column of telemetry is."""
        self.close()
        self._json(PART, about)
        self._json("timing.json", plain(timing))
        head = {"format": PART_FORMAT, "gridpact_version": VERSION, "scenario": self.scenario.name}
        self._json(NAME, describe(self.folder, self._all_rows(), head))
        return self._directory.commit()


@dataclass(frozen=True)
class Part:
    """A part, opened again."""

    folder: Path

    @cached_property
    def run(self) -> Run:
        """Its files, which are those of a run."""
        return Run(self.folder)

    @cached_property
    def about(self) -> dict[str, Any]:
        """Which agents ran there, whether the plants did, and whose each column of telemetry is."""
        return dict(json.loads((self.folder / PART).read_text("utf-8")))

    def telemetry(self) -> Iterator[tuple[int, dict[str, float]]]:
        """(microseconds, values by column) of every tick, of agents and plants."""
        for name in ("telemetry.parquet", PLANTS):
            path = self.folder / name
            rows = read_table(path).to_pylist() if path.exists() else []
            for row in rows:
                yield microseconds(row.pop("at")), row

    @property
    def agents(self) -> tuple[str, ...]:
        """Who ran there."""
        return tuple(self.about["agents"])

    @property
    def plants(self) -> bool:
        """Whether the plants ran there."""
        return bool(self.about["plants"])


def load_part(folder: Path) -> Part:
    """Open the record of one host; RecordError if it is none."""
    try:
        manifest = json.loads((folder / NAME).read_text("utf-8"))
        known = isinstance(manifest, dict) and manifest.get("format") == PART_FORMAT
        if not known or manifest.get("format_version") != FORMAT_VERSION:
            raise RecordError(f"{folder}: this is no record of one host; `gridpact host` makes one")
        part = Part(folder)
        missing = {"agents", "plants", "columns", "digest", "run"} - set(part.about)
    except OSError:
        raise RecordError(
            f"{folder}: there is no record of one host; `gridpact host --out {folder}` makes one"
        ) from None
    except ValueError as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(f"{folder}: this record is damaged: {error}; run the host again") from None
    if missing:
        raise RecordError(f"{folder / PART}: this record is damaged: it lacks {', '.join(sorted(missing))}")
    return part
