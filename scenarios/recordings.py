"""Whether a user's file of disturbances can be read, told at once and with its line."""

from __future__ import annotations

from collections.abc import Iterator

from .consistency import Finding
from .schema import Scenario


def wrong_recording(scenario: Scenario) -> Iterator[Finding]:
    """What is wrong with the file of the area's disturbances, with its path in the scenario."""
    recorded = scenario.located_area().recorded
    if recorded is None:
        return
    from ..grid.area.disturbance import RecordingError, read_rows

    try:
        read_rows(recorded.file)
    except RecordingError as error:
        yield ("area", "recorded", "file"), str(error)
