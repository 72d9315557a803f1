"""What containment reserve (FCR) was awarded, kept and paid, as a table on the terminal."""

from __future__ import annotations

from rich.table import Table

from ..record.run import Run

COLUMNS = ("participant", "offered MW", "EUR/(MW·h)", "awarded MW", "kept %", "amount EUR")


def reserve_table(run: Run) -> Table:
    """A row for each offer of reserve and period; empty if none was called for."""
    table = Table(title="Containment reserve (FCR)", title_justify="left", title_style="bold", header_style="")
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "participant" else "right")
    lines = {
        line["offer_id"]: line
        for row in run.message_rows
        if row["type"] == "gridpact.reserve-statement/1"
        for line in row["content"]["lines"]
    }
    events = [row["evidence"] for row in run.event_rows if row["stage"] == "reserve" and "awards" in row["evidence"]]
    for entry in (entry for evidence in events for entry in evidence["awards"]):
        line = lines.get(entry["offer_id"])
        kept = (f"{100 * line['share']:.1f}", line["amount_eur"]) if line else ("", "")
        numbers = (entry["offered_mw"], entry["price_eur_per_mw_h"], entry["awarded_mw"])
        table.add_row(entry["participant"], *(f"{number:g}" for number in numbers), *kept)
    return table
