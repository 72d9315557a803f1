"""What a run came to, as tables on the terminal."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..record.instants import times_us
from ..record.limiting import lifted_and_renewed
from ..record.qualifying import qualifications
from ..record.run import Run
from .reserve import reserve_table
from .rivals import rivals_table

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 40


def print_summary(run: Run, console: Console) -> None:
    """Print qualification, merit order, activation, limits, settlement and KPIs, and where the record is.

    Names and titles are the user's: brackets in them are no markup.
    """
    console.print(Text.assemble((run.scenario.name, "bold"), f": {run.scenario.title}"))
    before = (_qualification(run), reserve_table(run), _merit_order(run))
    for table in (*before, _activation(run), _limits(run), rivals_table(run), _settlement(run), _kpis(run)):
        if table.row_count:
            console.print(_cut(table), markup=False)
    for grid, notes in run.notes.items():
        for note in notes:
            console.print(f"grids.{grid}: {note}", soft_wrap=True, markup=False)
    realtime = run.timing.get("realtime")
    if realtime is not None and realtime["warning"]:
        console.print(Text.assemble(("warning", "bold"), f": {realtime['warning']}"), soft_wrap=True)
    console.print(f"record: {run.folder}", soft_wrap=True, markup=False)


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="")
    for name in columns:
        table.add_column(name, justify="right" if name.split(" ")[-1] in ("MW", "MWh", "EUR", "EUR/MWh") else "left")
    return table


def _cut(table: Table) -> Table:
    """The table, or its first rows if it is a long one: the rest is in the record."""
    if table.row_count <= MOST_ROWS:
        return table
    short = _table(str(table.title), [str(column.header) for column in table.columns])
    for row in islice(zip(*(column.cells for column in table.columns), strict=True), MOST_ROWS):
        short.add_row(*row)
    short.caption = f"… and {table.row_count - MOST_ROWS} more rows, in the record"
    return short


def _mw(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.3f}".rstrip("0").rstrip(".")


def _qualification(run: Run) -> Table:
    names = ("participant", "resource", "direction", "asked MW", "qualified MW", "binding, or reason")
    table = _table("Qualified", names)
    for one in qualifications(run.message_rows):
        amounts = (_mw(one.asked_mw), _mw(one.qualified_mw))
        table.add_row(one.participant, one.resource, one.direction, *amounts, one.why)
    return table


def _merit_order(run: Run) -> Table:
    """The list of the first period; those of later periods where they differ from the one before."""
    names = ("period", "way", "offer", "EUR/MWh", "offered MW", "allowed MW", "accepted MW", "binding")
    table = _table("Merit order (later periods where they differ)", names)
    before: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for (period, product, direction), rows in run.merit_order.groupby(["period", "product", "direction"], sort=False):
        numbers = rows[["participant", "price_eur_per_mwh", "offered_mw", "allowed_mw", "accepted_mw"]]
        shown = [tuple(row) for row in numbers.itertuples(index=False)]
        key = (str(product), str(direction))
        if before.get(key) == shown:
            continue
        before[key] = shown
        clock = _clock(run, _start_of(str(period)))
        way = " ".join(key) if run.merit_order["product"].nunique() > 1 else key[1]
        for row, binding in zip(shown, rows["binding"].fillna(""), strict=True):
            element = str(binding).partition(" (")[0]
            table.add_row(clock, way, str(row[0]), *(_mw(value) for value in row[1:]), element)
    return table


def _start_of(period: str) -> datetime:
    """The start of a period from its id, as 20260302T1100Z."""
    return datetime.strptime(period, "%Y%m%dT%H%MZ").replace(tzinfo=UTC)


def _clock(run: Run, at: datetime, form: str = "%H:%M") -> str:
    """A clock time in the scenario's own zone."""
    return at.astimezone(run.scenario.time.start.tzinfo).strftime(form)


def _activation(run: Run) -> Table:
    """Set-points and energy per direction: an order for aFRR says only what is put under control, and may go unused."""
    columns = ("participant", "orders", "most up MW", "most down MW", "up MWh", "down MWh")
    table = _table("Activated (most: the largest set-point)", columns)
    amounts = run.kpis["kpi_2_flexibility_activated"]["by_participant"]
    for participant, rows in run.activations.groupby("participant", sort=True):
        own = amounts.get(str(participant), {})
        energies = (_mw(own.get("up_mwh")), _mw(own.get("down_mwh")))
        table.add_row(str(participant), str(len(rows)), *map(_mw, _largest_mw(run, str(participant))), *energies)
    return table


def _largest_mw(run: Run, participant: str) -> tuple[float, float]:
    """The largest set-points up and down from the first delivery on; 0 where there was none."""
    telemetry = run.outline
    set_point = telemetry.get(f"{participant}.set_point_mw")
    if set_point is None:
        return math.nan, math.nan
    own = set_point[times_us(telemetry["at"]) >= run.scenario.time.first_delivery_us].fillna(0.0)
    return max(0.0, float(own.max())), max(0.0, -float(own.min()))


def _limits(run: Run) -> Table:
    table = _table("Limited in real time", ("at", "participant", "kind", "most MW", "confirmed MW", "binding"))
    requests = [row for row in run.message_rows if row["type"] == "gridpact.limit-request/1"]
    lifts, renewals = lifted_and_renewed(requests)
    for row in run.limits.to_dict("records"):
        if (row["message_id"], row["offer_id"]) in renewals:
            continue
        kind = "lifted" if (row["message_id"], row["offer_id"]) in lifts else row["kind"]
        at = _clock(run, row["sent_at"], "%H:%M:%S")
        table.add_row(at, str(row["participant"]), kind, _mw(row["max_mw"]), _mw(row["confirmed_mw"]), _bound(row))
    return table


def _bound(limit: dict[Hashable, Any]) -> str:
    if not isinstance(limit["element"], str):
        return ""
    return f"{limit['element']} {limit['quantity']} {limit['value']:g}, limit {limit['bound']:g}"


def _settlement(run: Run) -> Table:
    table = _table("Settled (+ the TSO pays)", ("participant", "up MWh", "down MWh", "amount EUR"))
    paid: pd.DataFrame = run.settlement[run.settlement["kind"] == "balancing_energy"]
    amounts = run.kpis["cost"]["by_participant_eur"]
    for participant, rows in paid.groupby("payee", sort=True):
        energy = {d: rows.loc[rows["direction"] == d, "energy_mwh"].sum() for d in ("up", "down")}
        table.add_row(str(participant), _mw(energy["up"]), _mw(energy["down"]), amounts.get(str(participant), ""))
    return table


def _violated(values: dict[str, Any]) -> str:
    worst, lowest, highest = (values[key] for key in ("worst_loading_percent", "lowest_vm_pu", "highest_vm_pu"))
    text = f"{values['minutes']:.1f} min, {values['percent_seconds']:.0f} %·s, worst loading {worst:.1f} %"
    if lowest is None:
        return f"{text}, no power flow at all"
    collapsed = values.get("minutes_without_power_flow", 0.0)
    without = f", {collapsed:.1f} min without a power flow (voltage collapse)" if collapsed else ""
    return f"{text}, {lowest:.3f} to {highest:.3f} pu{without}"


def _kpis(run: Run) -> Table:
    table = _table("Key figures", ("what", "value"))
    kpis = run.kpis
    steps = kpis["kpi_1_information_exchange"]["steps"]
    table.add_row("steps of Figs 4 to 10", f"{steps['covered']} of {steps['due']} due")
    table.add_row("messages", f"{kpis['kpi_1_information_exchange']['messages']} and {_streamed(kpis)} measurements")
    if kpis["frequency"]:
        lowest, highest = (kpis["frequency"][key] for key in ("nadir_mhz", "highest_mhz"))
        outside = kpis["frequency"]["minutes_outside_50_mhz"]
        extremes = f"nadir {lowest:.0f} mHz, highest {highest:+.0f} mHz"
        table.add_row("frequency", f"{extremes}, {outside:.1f} min outside ±50 mHz")
    for grid, values in kpis["violations"].items():
        table.add_row(f"violations in {grid}", _violated(values))
    for grid, recovery in kpis["load_recovery"].items():
        if recovery["paid_back_mwh"]:
            table.add_row(f"paid back in {grid}", f"{_mw(recovery['paid_back_mwh'])} MWh by loads, as taps returned")
    for name, text in _reaction(kpis):
        table.add_row(name, text)
    if kpis.get("afrr"):
        table.add_row("aFRR", _regulated(kpis["afrr"]))
    table.add_row("balancing energy", f"{kpis['cost']['balancing_energy_eur']} EUR")
    for name, reasons in run.refused.items():
        told = ", ".join(f"{why} {count}" for why, count in reasons.items())
        table.add_row(f"not taken by {name}", told)
    if "realtime" in run.timing:
        table.add_row("real time", _paced(run.timing["realtime"]))
    return table


def _paced(timing: dict[str, Any]) -> str:
    """How well the clock was kept."""
    late, missed = timing["lateness"], f"{timing['missed']} missed ({timing['late']})"
    spread = ", ".join(f"{name[:-2]} {1000 * late[name]:.1f}" for name in ("p50_s", "p99_s", "max_s") if name in late)
    drift_ms, load = 1000 * timing["drift_s"], 100 * timing["load_p99"]
    return f"{late['count']} ticks late by {spread} ms, {missed}, drift {drift_ms:.1f} ms, load {load:.0f} % (p99)"


def _streamed(kpis: dict[str, Any]) -> int:
    return int(kpis["kpi_1_information_exchange"]["stream_messages"])


def _reaction(kpis: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """How limits worked, where there were any, and what overload has brought about, if it has."""
    limits, lost = kpis["real_time_limits"], kpis["consequences"]
    if limits["limits"]:
        yield "limits", f"{limits['limits']}, renewed {limits['renewals']} times, {limits['reversals']} taken back"
        yield "redispatch", f"{limits['redispatched_mwh']:.2f} MWh withheld, {limits['redispatch_eur']:.2f} EUR dearer"
    told = [one for one in limits["reactions"] if one["lowered_after_s"] is not None]
    if told:
        worst = {key: max(one[key] for one in told) for key in ("info_8_after_s", "lowered_after_s", "ended_after_s")}
        text = f"INFO 8 after {worst['info_8_after_s']:.1f} s, lowered set-point after {worst['lowered_after_s']:.1f} s"
        yield "reaction, at most", f"{text}, no violation after {worst['ended_after_s']:.0f} s"
    worth = f"{lost['lost_load_mwh']:.2f} MWh of load lost, worth {lost['lost_load_eur']:.0f} EUR"
    if lost["trips"]:
        yield "tripped", f"{', '.join(trip['element'] for trip in lost['trips'])}: {worth}"
    elif lost["lost_load_mwh"]:
        yield "voltage collapse", worth


def _regulated(afrr: dict[str, Any]) -> str:
    """What was asked for, what fell short, and how far the area control error was from zero."""
    asked = f"{_mw(afrr['asked_up_mwh'])} MWh up and {_mw(afrr['asked_down_mwh'])} MWh down asked for"
    missing = sum(own["missing_mwh"] for own in afrr["by_participant"].values())
    return f"{asked}, {_mw(missing) or '0'} MWh missing, mean |ACE| {afrr['mean_size_of_ace_mw']:.2f} MW"
