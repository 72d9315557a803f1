"""The results of a sweep as one table: a row a point, a column a setting, then status and error, KPIs, and cost.

`run` is the name of the point's result, and of its run directory in `runs/` if these are kept.

`kpis.json` is flattened to paths as `frequency.nadir_mhz`, without what is listed by participant. Amounts that a run
lists only if there are any (payments of a kind, overload of an element, messages of an INFO) are 0 where it lists none.
`wall_s` and `peak_mb` are what the run took on that machine; everything else is reproducible.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .folder import Result, SweepFolder
from .points import Point

if TYPE_CHECKING:
    import pandas as pd

PARQUET, CSV = "sweep.parquet", "sweep.csv"
COST = ("wall_s", "peak_mb")


def table(results: Iterable[tuple[Point, Result]]) -> pd.DataFrame:
    """The table of the points that are done, in their order."""
    import pandas as pd

    rows = [_row(point, result) for point, result in results]
    settings = list(dict.fromkeys(path for row in rows for path in row[0]))
    kpis = list(dict.fromkeys(path for row in rows for path in row[1]))
    nothing = {path: 0.0 for path in kpis if _ADDED_UP.search(path)}
    rows = [(ours, {**nothing, **theirs} if theirs["status"] == "ok" else theirs) for ours, theirs in rows]
    frame = pd.DataFrame(
        [{**ours, **theirs} for ours, theirs in rows],
        columns=[*settings, "run", "status", "error", *(path for path in kpis if path not in _LAST), *COST],
    )
    return frame.assign(**{str(name): _of_one_kind(frame[name]) for name in frame if frame[name].dtype == object})


def write_table(folder: SweepFolder, frame: pd.DataFrame) -> None:
    """Write the table as Parquet and CSV, each whole or not at all."""
    write_frame(folder, frame, "sweep")


def write_frame(folder: SweepFolder, frame: pd.DataFrame, name: str) -> None:
    """Write a table as NAME.parquet and NAME.csv."""
    content = io.BytesIO()
    frame.to_parquet(content, index=False, compression="zstd")
    folder.write(f"{name}.parquet", content.getvalue())
    folder.write(f"{name}.csv", frame.to_csv(index=False).encode())


_ADDED_UP = re.compile(
    r"^cost\.(by_kind|balances)_eur\.|\.overload_percent_seconds\.|\.by_product\.[^.]+\.(orders|offers_activated|\w+_mwh)$"
    r"|\.information\.[^.]+\.(expected|sent|delivered|valid|content_bytes)$"
)
_LAST = {"run", "status", "error", *COST}


def _row(point: Point, result: Result) -> tuple[dict[str, Any], dict[str, Any]]:
    settings = {path: _plain(value) for path, value in point.values.items()}
    outcome = {
        "run": result.get("key"),
        "status": "failed" if "error" in result else "ok",
        "error": result.get("error"),
    }
    kpis = dict(_flat(result.get("kpis", {}), ""))
    return settings, {**kpis, **outcome, **{name: result.get(name) for name in COST}}


def _flat(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if name.startswith("by_participant"):
            continue
        here = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            yield from _flat(value, here)
        else:
            yield here, float(value) if _is_money(here) and value is not None else _plain(value)


def _is_money(path: str) -> bool:
    """Whether amounts are in EUR, which `kpis.json` writes as decimal texts."""
    return any(name.endswith("_eur") for name in path.split("."))


def _plain(value: object) -> Any:
    """A cell: lists and mappings as text."""
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _of_one_kind(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of objects as text, as Parquet wants one type; what holds nothing at all is numbers that are missing."""
    if column.isna().all() and column.name not in _LAST:
        return column.astype(float)
    return column.map(str, na_action="ignore").astype("string")
