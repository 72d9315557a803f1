"""Whether the measurements that were sent (INFO 7) agree with the telemetry of the same moments.

Both are written from the same meters, so where both exist they differ only if one of them was changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..record.run import Run
from .findings import Trail
from .index import Index

if TYPE_CHECKING:
    import pandas as pd

MEASURED = ("p_mw", "activated_mw", "baseline_mw")
TOLERANCE_MW = 2e-6


def follow(index: Index, trail: Trail) -> None:
    """Compare every participant's own measurements with its telemetry, one finding per participant and quantity."""
    run = index.run
    own = run.streams[run.streams["sender"] == run.streams["participant"]]
    for name, sent in own.groupby("participant", sort=True):
        step = "10.3" if name in index.scenario.dsos else "7.3"
        trail.findings += _differences(run, str(name), sent, step)


def _differences(run: Run, name: str, sent: pd.DataFrame, step: str) -> Iterator[str]:
    telemetry = run.telemetry.drop_duplicates("at").set_index("at")
    for quantity in MEASURED:
        if f"{name}.{quantity}" not in telemetry:
            continue
        measured = telemetry[f"{name}.{quantity}"].reindex(sent["measured_at"]).to_numpy()
        beyond = abs(sent[quantity].to_numpy() - measured) > TOLERANCE_MW
        if beyond.any():
            first = int(beyond.argmax())
            row = sent.iloc[first]
            told = f"{row[quantity]:g} MW in message {row['id']}, but {measured[first]:g} MW in telemetry.parquet"
            yield f"step {step}: {quantity} of {name} is {told} ({int(beyond.sum())} such differences)"
