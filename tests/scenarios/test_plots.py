"""Every plot of a report says what the record says: the values in the page, held against the files of the run."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gridpact.scenarios.record.run import Run
from gridpact.scenarios.report import thinning
from gridpact.scenarios.report.labels import Box, labels
from gridpact.scenarios.report.merit import merit_order

Recorded = Callable[[str], Run]
FORE_US = pd.Timedelta(minutes=5)


@pytest.fixture(scope="module")
def run(recorded: Recorded) -> Run:
    return recorded("scenario-1-dso")


@pytest.fixture(scope="module")
def text(page: Path) -> str:
    return page.read_text("utf-8")


@pytest.fixture(scope="module")
def shown(run: Run) -> pd.DataFrame:
    """The telemetry from five minutes before the first delivery on: short enough to be shown whole."""
    telemetry = run.telemetry
    first = pd.Timestamp(run.scenario.time.first_delivery_us, unit="us", tz="UTC")
    found = telemetry[telemetry["at"] >= first - FORE_US].reset_index(drop=True)
    assert len(found) <= thinning.MOST_ROWS
    return found


def figure(text: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text.partition(f'data-plot="{name}">')[2].partition("</script>")[0])
    return found


def numbers(values: Any) -> np.ndarray:
    """An array as plotly writes it: plain, or as bytes."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"]).astype(float)
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def traces(text: str, name: str) -> dict[str, np.ndarray]:
    return {trace["name"]: numbers(trace["y"]) for trace in figure(text, name)["data"]}


def test_frequency_and_ace_are_those_of_the_telemetry(text: str, shown: pd.DataFrame) -> None:
    drawn = traces(text, "frequency")
    np.testing.assert_allclose(drawn["Δf"], 1000 * (shown["frequency_hz"] - 50), atol=1e-6)
    for name, column in (("ACE", "ace_mw"), ("FCR", "fcr_mw"), ("disturbance", "disturbance_mw")):
        np.testing.assert_allclose(drawn[name], shown[column], atol=1e-9)


def test_the_lowest_value_drawn_is_the_nadir(text: str, run: Run) -> None:
    drawn = [numbers(one["y"]) for one in figure(text, "frequency")["data"] if one["name"] == "between ticks"]
    assert min(map(np.nanmin, drawn)) == pytest.approx(run.kpis["frequency"]["nadir_mhz"], abs=0.01)
    assert max(map(np.nanmax, drawn)) == pytest.approx(run.kpis["frequency"]["highest_mhz"], abs=0.01)


def test_the_stack_is_what_everybody_delivers_together(text: str, run: Run, shown: pd.DataFrame) -> None:
    stacked = [numbers(one["y"]) for one in figure(text, "activation")["data"] if "stackgroup" in one]
    columns = [f"{name}.activated_mw" for name in run.scenario.participants if f"{name}.activated_mw" in shown]
    np.testing.assert_allclose(np.sum(stacked, axis=0), shown[columns].sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(traces(text, "activation")["mFRR demand"], shown["demand_mw"], atol=1e-9)


def test_loading_and_voltage_are_those_of_the_telemetry(text: str, shown: pd.DataFrame) -> None:
    drawn = traces(text, "grid-north")
    told = {"worst loading": "worst_loading_percent", "had limits not cut any order": "shadow_loading_percent"}
    told |= {"its limit": "loading_limit_percent", "highest voltage": "vm_max_pu", "lowest voltage": "vm_min_pu"}
    for name, column in told.items():
        np.testing.assert_allclose(drawn[name], shown[f"north.{column}"], atol=1e-9)


def test_the_loading_without_limits_is_left_out_where_nothing_was_limited(blind_page: Path) -> None:
    drawn = traces(blind_page.read_text("utf-8"), "grid-north")
    assert list(drawn) == ["worst loading", "its limit", "highest voltage", "lowest voltage"]


@pytest.mark.parametrize("name", ["gen-t", "bsp-a", "bsp-b", "bsp-c", "agg-1"])
def test_set_point_delivery_and_limit_are_those_of_the_telemetry(text: str, shown: pd.DataFrame, name: str) -> None:
    drawn = traces(text, f"delivery-{name}")
    columns = {"set-point": "set_point_mw", "delivered": "activated_mw", "limit up": "limit_up_mw"}
    for label, column in columns.items():
        values = shown[f"{name}.{column}"]
        assert (label in drawn) is bool(values.notna().any())
        if label in drawn:
            np.testing.assert_allclose(drawn[label], values, atol=1e-9)


@pytest.mark.parametrize(("fate", "above", "below"), [("cut by the DSO", "offered", "allowed"), ("all", "offered", "")])
def test_the_merit_order_stack_is_as_wide_as_the_offers(text: str, run: Run, fate: str, above: str, below: str) -> None:
    drawn = figure(text, "merit-order")
    wide = pd.Series(0.0, index=sorted(run.merit_order["period"].unique()))
    for bar, period in zip(drawn["data"], drawn["layout"]["meta"]["of"], strict=True):
        wide[period] += numbers(bar["width"]).sum() if fate in ("all", bar["name"]) else 0.0
    lists = run.merit_order.groupby("period")
    expected = lists[f"{above}_mw"].sum() - (lists[f"{below}_mw"].sum() if below else 0.0)
    np.testing.assert_allclose(wide, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["scenario-1-dso", "frequency-trip"])
def test_the_axes_of_merit_orders_begin_at_zero_and_hold_the_widest_list(name: str, recorded: Recorded) -> None:
    run = recorded(name)
    drawn = merit_order(run.merit_order, {}, None)
    lists = run.merit_order.groupby(["product", "direction", "period"])["offered_mw"].sum()
    widest = lists.groupby(["product", "direction"]).max()
    axes = list(drawn.select_xaxes())
    assert len(axes) == len(widest)
    assert {axis.range[0] for axis in axes} == {0.0}
    assert sorted(axis.range[1] for axis in axes) == pytest.approx(sorted(1.02 * widest))


def test_activated_in_the_stack_is_what_was_ordered_at_most(text: str, run: Run) -> None:
    drawn = figure(text, "merit-order")
    pairs = zip(drawn["data"], drawn["layout"]["meta"]["of"], strict=True)
    activated = {period: numbers(bar["width"]).sum() for bar, period in pairs if bar["name"] == "activated"}
    orders = run.activations.assign(period=run.activations["offer_id"].str.split(".").str[1])
    most = orders.groupby(["period", "offer_id"])["power_mw"].max().groupby("period").sum()
    assert activated == pytest.approx(most.to_dict())


def test_every_moment_of_the_one_line_diagram_is_a_power_flow_of_the_record(text: str, run: Run) -> None:
    told = json.loads(text.partition('class="moments">')[2].partition("</script>")[0])
    telemetry = run.telemetry.set_index(run.telemetry["at"].dt.tz_convert("Europe/Paris").dt.strftime("%H:%M:%S"))
    for at, clock in enumerate(told["clocks"]):
        row = telemetry.loc[clock]
        known = [value for value in told["loading_percent"][at] if value is not None]
        assert max(known) == pytest.approx(row["north.worst_loading_percent"], abs=0.02)
        below = told["vm_pu"][at][1:]  # bus 0 is the source's
        assert min(below) == pytest.approx(row["north.vm_min_pu"], abs=2e-5)
        assert max(below) == pytest.approx(row["north.vm_max_pu"], abs=2e-5)
    assert set(told["most_percent"]) == {100.0}


def test_everybody_in_the_grid_stands_at_his_bus(text: str, run: Run) -> None:
    drawn = text.partition('<svg class="grid"')[2].partition("</svg>")[0]
    told = re.findall(r'<text class="party (\w+)".*?>(.*?)<title>(.*?)</title>', drawn)
    own = {name: who for name, who in run.scenario.providers.items() if who.grid == "north"}
    assert {line.partition(" ")[2] for _, line, _ in told} == set(own)
    assert "bsp-a: unit-a, a generator, 2.5 MW up" in [title for *_, title in told]
    parts = [title for kind, _, title in told if kind == "aggregator"]
    assert len(parts) == len(own["agg-1"].pool.buses)  # type: ignore[union-attr]
    assert sum(int(title.split(": ")[1].split(" ")[0]) for title in parts) == own["agg-1"].pool.dfrs  # type: ignore[union-attr]
    buses = [unit.bus for who in own.values() if who.kind == "bsp" for unit in who.units]
    near = [re.search(rf">Bus {bus}</text>\n<text class=\"party", drawn) for bus in buses]
    assert all(near)


@pytest.mark.parametrize(("other", "below"), [((200.0, 60.0), True), ((200.0, 140.0), False)])
def test_a_bus_s_name_stands_where_no_line_is(other: tuple[float, float], below: bool) -> None:
    at = [(100.0, 100.0), other]
    first, _ = labels(at, [(0, 1)], [["Bus 1"], ["Bus 2"]], Box(0, 0, 400, 400))
    assert (first.anchor, first.y > 100.0) == ("start", below)


def test_names_stand_within_the_frame_and_not_upon_each_other() -> None:
    at = [(390.0, 200.0), (100.0, 100.0), (100.0, 130.0)]
    edge, *both = labels(at, [], [["far right"], ["one", "▲ bsp"], ["two", "▲ bsp"]], Box(0, 0, 400, 400))
    assert edge.anchor == "end"
    assert both[0].y < 100.0
    assert both[1].y > 130.0 or both[1].anchor != both[0].anchor


def table(text: str, heading: str) -> list[list[str]]:
    body = text.partition(f"<h2>{heading}</h2>")[2].partition("</tbody>")[0].partition("<tbody>")[2]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in body.split("</tr>") if "<td" in row]


def test_limits_have_the_constraints_of_the_record(text: str, run: Run) -> None:
    shown = {(row[2], row[4], row[5], row[7]) for row in table(text, r"Limits in real time (INFO 8)")}
    told = {(one.participant, f"{one.max_mw:g}", one.element, f"{one.value:g}") for one in run.limits.itertuples()}
    assert shown
    assert shown <= told


def test_what_is_paid_is_the_settlement(text: str, run: Run) -> None:
    paid = run.settlement[run.settlement["kind"] == "balancing_energy"]
    rows = table(text, "Balancing energy")
    assert sum(float(row[4]) for row in rows) == pytest.approx(paid["amount_eur"].astype(float).sum())
    assert sum(float(row[3]) for row in rows) == pytest.approx(paid["energy_mwh"].sum(), abs=0.001 * len(rows))
    assert float(run.kpis["cost"]["balancing_energy_eur"]) == pytest.approx(sum(float(row[4]) for row in rows))


def test_the_cards_are_the_kpis(text: str, run: Run) -> None:
    cards = dict(
        re.findall(r'class="value">([^<]*?)(?: <small>.*?</small>)?</span><span class="what">(.*?)</span>', text)
    )
    by_name = {what: value for value, what in cards.items()}
    violations = run.kpis["violations"]["north"]
    assert by_name["balancing energy"] == str(run.kpis["cost"]["balancing_energy_eur"])
    assert by_name["worst loading, north"] == f"{violations['worst_loading_percent']:.1f}"
    assert by_name["violations, north"] == f"{violations['minutes']:.1f}"
    assert by_name["messages"] == str(len(run.message_rows))
    assert by_name["streamed rows"] == str(len(run.streams))


def test_the_sequence_has_an_arrow_for_every_message_that_is_not_told_as_a_repeat(text: str, run: Run) -> None:
    drawn = text.partition('<section id="sequence">')[2].partition("</section>")[0]
    repeated = [found for found in re.findall(r"<summary>(.*?)</summary>", drawn) if ": as for " in found]
    assert len(repeated) == 5
    first, *middle, last = sorted(run.merit_order["period"].unique())
    repeats = {"offering": (*middle, last), "settlement": middle}
    left_out = [
        row
        for row in run.message_rows
        if any(f"/{period}/" in row["conversation_id"] for period in repeats.get(row["stage"], ()))
    ]
    assert first not in {row["conversation_id"].split("/")[2] for row in left_out}
    told = len(re.findall(r'<g class="(?:said|refuses|lost)"', drawn))
    assert told == len(run.message_rows) - len(left_out)


def test_a_thinned_run_keeps_the_extremes_of_every_plot() -> None:
    rows = 40_000
    names = ("frequency_hz", "lowest_hz", "highest_hz", "g.vm_min_pu", "g.vm_max_pu", "g.worst_loading_percent")
    frame = pd.DataFrame({name: np.ones(rows) for name in names})
    for number, name in enumerate(names):
        frame.loc[1000 + 7 * number, name] = 0.5 if name in ("lowest_hz", "g.vm_min_pu") else 1.5
    few = frame.iloc[thinning.kept(frame)]
    assert len(few) <= thinning.MOST_ROWS + len(names)
    assert few.min().tolist() == frame.min().tolist()
    assert few.max().tolist() == frame.max().tolist()
    assert few.index[-1] == rows - 1
