"""KPI 1 of streams is computed of whole columns, and comes to what a walk through every row comes to."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.audit.index import is_valid
from gridpact.scenarios.audit.streams import stream_rows
from gridpact.scenarios.kpis.streamed import streamed
from gridpact.scenarios.record.cells import line
from gridpact.scenarios.record.run import Run

Recorded = Callable[[str], Run]


def test_columns_come_to_what_rows_come_to(recorded: Recorded) -> None:
    run = recorded("frequency-trip")
    rows = list(stream_rows(run))
    found = streamed(run)
    assert set(found) == {"INFO 6", "INFO 7"}
    for info, figures in found.items():
        own = [row for row in rows if row["info"] == info]
        assert figures.sent == len(own)
        assert figures.valid == sum(is_valid(row, BUSINESS_USE_CASE) for row in own)
        assert figures.content_bytes == sum(len(line(row["content"])) - 1 for row in own)
        assert len(figures.latency_ms) == sum(row["received_at"] is not None for row in own)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("p_mw", float("nan")),
        ("participant", ""),
        ("measured_at", pd.NaT),
        ("performative", "request"),
        ("points", '[{"point": "a"}]'),
    ],
)
def test_a_row_that_is_no_measurement_is_not_counted_as_valid(
    recorded: Recorded, tmp_path: Path, column: str, value: object
) -> None:
    run = recorded("blind")
    frame = run.streams.copy()
    frame[column] = [value, *frame[column].tolist()[1:]]
    changed = Run(tmp_path)
    changed.__dict__["streams"] = frame
    before, after = streamed(run)["INFO 7"], streamed(changed)["INFO 7"]
    assert after.sent == before.sent
    assert after.valid == before.valid - 1
