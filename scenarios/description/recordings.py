"""Whether a user's files of disturbances and of series can be read, told at once and with their lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .consistency import Finding
from .schema import Scenario


def wrong_recording(scenario: Scenario) -> Iterator[Finding]:
    """What is wrong with the file of the area's disturbances, with its path in the scenario."""
    recorded = scenario.located_area().recorded
    if recorded is None:
        return
    from ...grid.area.disturbance import RecordingError, read_rows

    try:
        read_rows(recorded.file)
    except RecordingError as error:
        yield ("area", "recorded", "file"), str(error)


def wrong_series(scenario: Scenario) -> Iterator[Finding]:
    """Files of series that are not there, with their paths in the scenario; their content is read with the network."""
    for name in scenario.grids:
        series = scenario.located_grid(name).series
        for field, source in series.named_files.items() if series is not None else ():
            if not Path(source).is_file():
                yield ("grids", name, "series"), f"{field}: there is no file {source}"
