"""Scenario II: what the DSO has excluded of its rivals, beside the independent check, as a table on the terminal."""

from __future__ import annotations

from rich.table import Table

from ..record.run import Run

COLUMNS = ("participant", "direction", "asked MW", "allowed MW", "check MW", "unfounded MW")


def rivals_table(run: Run) -> Table:
    """A row for each rival and direction that was judged; empty where the DSO is no participant."""
    table = Table(
        title="Rivals of the DSO, and an independent check", title_justify="left", title_style="bold", header_style=""
    )
    for name in COLUMNS:
        table.add_column(name, justify="right" if name.endswith("MW") else "left")
    found = run.kpis.get("rivals") or {}
    for row in found.get("qualification", ()):
        numbers = (row[key] for key in ("asked_mw", "allowed_mw", "check_mw", "unfounded_mw"))
        table.add_row(row["participant"], row["direction"], *(_mw(number) for number in numbers))
    limits = found.get("real_time", {})
    if limits.get("limits"):
        table.caption = f"limited in real time: {limits['limits']}, {limits['without_violation']} without a violation"
    return table


def _mw(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") or "0"
