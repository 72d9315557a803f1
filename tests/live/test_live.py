"""A run is watched while it happens: the page moves, the terminal tells, and the record is the same."""

import http.client
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandapower
import pytest
from rich.console import Console

from gridpact.grid.moments.one_line import moment
from gridpact.protocols.information.quantities import instant
from gridpact.scenarios.cli import main
from gridpact.scenarios.live.course import MOST_ROWS, Course
from gridpact.scenarios.live.market import Market
from gridpact.scenarios.live.picture import diagrams, picture
from gridpact.scenarios.live.serving import Watch
from gridpact.scenarios.live.sight import MOST_PARTICIPANTS, Sight
from gridpact.scenarios.live.terminal import Panel
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.report.tables import sheets

SHORT = {
    "time": {
        "start": "2026-03-02T11:43:00+01:00",
        "first_delivery": "2026-03-02T12:00:00+01:00",
        "market_time_units": 1,
        "gate_closure_min": 6,
        "cfp_lead_min": 4,
        "tail_min": 2,
    },
    "market.test.hold_min": 0.5,
    "grids.north.profiles": {"wind": {"forecast": 0.2, "actual": {"12:09:00": 1.0}}},
    **{f"participants.{name}": None for name in ("agg-1", "bsp-d", "bsp-e")},
    **{f"participants.bsp-{name}.applies_at": None for name in "abc"},
    "participants.gen-t.applies_at": None,
    **{
        f"participants.{name}.response": {"preparation_s": 5, "ramping_s": 10, "deactivation_s": 5}
        for name in ("bsp-a", "bsp-b", "bsp-c", "gen-t")
    },
}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Sight]:
    """A run that was seen, with a limit in real time."""
    scenario = load_scenario("scenario-1-dso", SHORT)
    sight = Sight(scenario, drawn=True)
    made = run(scenario, out=tmp_path_factory.mktemp("live") / "run", sight=sight)
    sight.finish()
    return made, sight


def rows(made: Run) -> Iterator[tuple[int, tuple[str, ...], np.ndarray]]:
    """The telemetry of a run, tick by tick."""
    table = made.telemetry
    names = tuple(str(name) for name in table.columns[1:])
    times = table["at"].astype("datetime64[us, UTC]").astype("int64")
    for at_us, values in zip(times, table[list(names)].to_numpy(dtype=float), strict=True):
        yield int(at_us), names, values


def test_every_tick_is_seen_and_the_last_one_is_the_record_s(watched: tuple[Run, Sight]) -> None:
    made, sight = watched
    assert sight.ticks == len(made.telemetry)
    last = sight.last()
    assert last is not None
    assert last.values["frequency_hz"] == pytest.approx(made.telemetry["frequency_hz"].iloc[-1], abs=1e-6)
    assert sight.share == 1.0


def test_ticks_written_together_are_those_that_somebody_saw_one_by_one(
    watched: tuple[Run, Sight], tmp_path: Path
) -> None:
    unseen = run(load_scenario("scenario-1-dso", SHORT), out=tmp_path / "run")
    for name in ("telemetry.parquet", "states/north.parquet", "streams.parquet", "messages.jsonl"):
        assert (unseen.folder / name).read_bytes() == (watched[0].folder / name).read_bytes()


def test_a_long_run_is_thinned_and_ends_with_its_last_tick(watched: tuple[Run, Sight]) -> None:
    sight = Sight(watched[0].scenario)
    for tick in range(5 * MOST_ROWS):
        sight.see(tick, ("frequency_hz", "bsp-a.activated_mw"), (50.0, float(tick)))
    kept = sight.telemetry()
    assert MOST_ROWS / 2 <= len(kept) <= MOST_ROWS + 1
    assert (kept["bsp-a.activated_mw"].iloc[0], kept["bsp-a.activated_mw"].iloc[-1]) == (0.0, 5 * MOST_ROWS - 1)


def test_what_is_left_out_of_a_long_run_leaves_its_extremes() -> None:
    course = Course(("frequency_hz", "lowest_hz", "north.worst_loading_percent"))
    for tick in range(5 * MOST_ROWS):
        course.add(tick, np.array([50.0, 49.8 if tick == 1237 else 49.9, 120.0 if tick == 1239 else 80.0]))
    times, rows = course.copied()
    table = np.array(rows)
    assert (table[:, 1].min(), table[:, 2].max()) == (49.8, 120.0)
    for value, column in ((49.8, 1), (120.0, 2)):
        (place,) = np.flatnonzero(table[:, column] == value)
        assert times[place - 1] < 1240
        assert times[place] >= 1237


def test_what_was_long_before_the_first_delivery_is_forgotten_when_that_comes(watched: tuple[Run, Sight]) -> None:
    scenario = watched[0].scenario
    sight, first_us = Sight(scenario), scenario.time.first_delivery_us
    for minute in range(-60, 10):
        sight.see(first_us + 60_000_000 * minute, ("frequency_hz",), (50.0,))
    assert len(sight.telemetry()) == 15


def test_of_many_participants_the_first_are_kept_and_all_are_counted() -> None:
    sight = Sight(load_scenario("swarm", {"bsps": 100, "aggregators": 1, "dfrs": 5}))
    names = tuple(f"{name}.activated_mw" for name in sight.scenario.participants)
    sight.see(0, names, np.where(np.arange(len(names)) % 2, 1.0, -2.0))
    last = sight.last()
    assert last is not None
    assert len(last.values) == MOST_PARTICIPANTS + 2
    assert (last.values["all.up_mw"], last.values["all.down_mw"]) == (len(names) // 2, 2.0 * -(-len(names) // 2))


def test_the_picture_shows_the_plots_of_the_report(watched: tuple[Run, Sight]) -> None:
    told = json.loads(picture(watched[1]))
    assert told["over"] is True
    assert told["clock"] == "12:17:00"
    plots = [plot["id"] for plot in told["plots"]]
    assert plots[:4] == ["frequency", "activation", "merit-order", "grid-north"]
    assert "delivery-bsp-c" in plots


def test_the_merit_order_is_that_of_the_record_with_what_is_ordered_now(watched: tuple[Run, Sight]) -> None:
    made, sight = watched
    lists = sight.market.lists(made.scenario.time.end_us)
    assert lists.to_dict("records") == made.merit_order.assign(binding=lists["binding"]).to_dict("records")
    assert [text for text in lists["binding"] if text] == made.merit_order["binding"].dropna().tolist()
    ordered = sight.market.ordered_mw(lists["period"].iloc[0])
    orders = made.activations.groupby("offer_id").last()
    expected = orders["power_mw"].where(orders["ended_by"] != "cancelled", 0.0).to_dict()
    for limit in made.limits.dropna(subset=["confirmed_mw"]).itertuples():
        if limit.sent_at > orders["sent_at"].get(limit.offer_id, limit.sent_at):
            expected[limit.offer_id] = min(expected[limit.offer_id], limit.confirmed_mw)
    assert ordered == expected
    assert expected != orders["power_mw"].to_dict()


def test_the_lists_are_those_of_the_period_in_delivery_or_of_the_first_to_come() -> None:
    market, entry = Market(), {"offer_id": "o", "rank": 1, "participant": "p", "grid": "g", "resource": "r"}
    figures = {"price_eur_per_mwh": 1.0, "offered_mw": 1.0, "quantity_mw": 1.0, "accepted_mw": 1.0}
    for quarter in (0, 15, 30):
        evidence = {"name": "selection", "period": f"20260302T11{quarter:02}Z", "product": "mFRR", "direction": "up"}
        market.event({"step": None, "evidence": {**evidence, "entries": [entry | figures]}})
    starts_us = instant("2026-03-02T11:00:00Z")
    shown = [market.lists(starts_us + 60_000_000 * minute)["period"].iloc[0][9:13] for minute in (-9, 0, 14, 15, 50)]
    assert shown == ["1100", "1100", "1100", "1115", "1130"]


def test_limits_are_those_of_the_report_the_latest_first(watched: tuple[Run, Sight]) -> None:
    made, sight = watched
    (sheet,) = [one for one in sheets(made) if one.title.startswith("Limits")]
    told = json.loads(picture(sight))["limits"]
    assert [tuple(row) for row in told["rows"]] == list(reversed(sheet.rows))
    assert "line 3-8" in told["rows"][-1]


def test_the_diagram_has_the_loadings_and_voltages_of_the_last_tick(watched: tuple[Run, Sight]) -> None:
    made, sight = watched
    told, names = json.loads(picture(sight))["grids"]["north"], json.loads(diagrams(sight))["north"]
    net = made.network(made.telemetry["at"].iloc[-1].to_pydatetime())
    pandapower.runpp(net, numba=False)
    loading = dict(zip(names["branches"], told["loading_percent"][0], strict=True))
    for line in net.line.index:
        shown = loading[net.line.name.at[line]]
        assert shown is None or shown == pytest.approx(net.res_line.loading_percent.at[line], abs=0.02)
    assert sum(value is None for value in loading.values()) == 3
    np.testing.assert_allclose(told["vm_pu"][0], net.res_bus.vm_pu, atol=2e-5)
    assert names["svg"].count("<circle") == len(names["buses"]) == 15


def test_what_has_tripped_is_shown_without_flow(watched: tuple[Run, Sight]) -> None:
    _, sight = watched
    drawn, state = sight.diagrams["north"], sight.grids["north"].state
    shown = moment(drawn, state.vm_pu, state.loading_percent, out=(3,))
    assert np.isnan(shown[3])
    assert np.isfinite(shown[2])


def test_limits_in_force_are_told(watched: tuple[Run, Sight]) -> None:
    made, _ = watched
    sight = Sight(made.scenario)
    limited = next(each for each in rows(made) if each[2][each[1].index("bsp-c.limit_up_mw")] >= 0)
    sight.see(*limited)
    (card,) = [card for card in json.loads(picture(sight))["cards"] if card["what"] == "limit, bsp-c"]
    assert card["value"].endswith(" MW up")


def test_before_the_first_tick_there_is_nothing_to_see(watched: tuple[Run, Sight]) -> None:
    told = json.loads(picture(Sight(watched[0].scenario)))
    assert (told["over"], told["share"], told["plots"]) == (False, 0.0, [])


def test_the_terminal_tells_progress_frequency_power_and_limits(watched: tuple[Run, Sight]) -> None:
    made, _ = watched
    sight = Sight(made.scenario)
    console = Console(file=io.StringIO(), width=100)
    console.print(Panel(sight, "http://127.0.0.1:1/"))
    sight.see(*next(each for each in rows(made) if each[2][each[1].index("bsp-c.limit_up_mw")] >= 0))
    console.print(Panel(sight, None))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "assembling" in text
    for word in (
        "12:09:",
        " %",
        "frequency",
        " Hz",
        "activated",
        "MW up",
        "limit, bsp-c",
        "watch: http://127.0.0.1:1/",
    ):
        assert word in text, word


def asked(watch: Watch, path: str, host: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", watch.port, timeout=10)
    connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{watch.port}"})
    answer = connection.getresponse()
    status, content = answer.status, answer.read()
    connection.close()
    return status, content


def test_only_this_machine_is_served_and_only_by_its_name(watched: tuple[Run, Sight]) -> None:
    with Watch(Sight(watched[0].scenario)) as watch:
        assert watch.address.startswith("http://127.0.0.1:")
        assert asked(watch, "/")[0] == 200
        assert asked(watch, "/picture", f"localhost:{watch.port}")[0] == 200
        assert asked(watch, "/picture", "rebound.example.org")[0] == 403
        assert asked(watch, "/scenario.yaml")[0] == 404
        assert json.loads(asked(watch, "/diagrams")[1]) == {}
        watch.sight.finish()
        assert json.loads(asked(watch, "/picture")[1])["over"] is True


def test_the_command_prints_where_to_look(
    watched: tuple[Run, Sight], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made, _ = watched
    file = str(made.folder / "scenario.yaml")
    monkeypatch.setattr("sys.argv", ["gridpact", "run", file, "--watch", "--quiet", "--out", str(tmp_path / "again")])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 0
    assert "watch: http://127.0.0.1:" in capsys.readouterr().err
    for name in ("messages.jsonl", "telemetry.parquet", "kpis.json"):
        assert (load_run(tmp_path / "again").folder / name).read_bytes() == (made.folder / name).read_bytes()


def test_a_run_over_hosts_cannot_be_watched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["gridpact", "run", "scenario-1-dso", "--watch", "--hosts", "2"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    assert "--watch shows a run in one process" in capsys.readouterr().err


POINTS = "return document.querySelector('#plot-frequency')?.data?.[0]?.x?.length ?? 0"


def test_the_plots_move_in_a_browser_until_the_run_is_over(
    browser: Any, watched: tuple[Run, Sight], tmp_path: Path
) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    made, _ = watched
    ticks, sight = list(rows(made)), Sight(made.scenario)
    half = len(ticks) // 2
    for tick in ticks[: half + 60]:
        sight.see(*tick)
    with Watch(sight) as watch:
        browser.get(watch.address)
        wait = WebDriverWait(browser, 30)
        first = wait.until(lambda driver: driver.execute_script(POINTS))
        assert browser.find_element("id", "state").text == "running"
        for tick in ticks[half + 60 :]:
            sight.see(*tick)
        wait.until(lambda driver: driver.execute_script(POINTS) > first)
        sight.finish()
        wait.until(lambda driver: driver.find_element("id", "state").text == "the run is over")
        shown = browser.find_element("id", "cards").text
    assert "frequency" in shown
    assert browser.find_element("id", "clock").text == "12:17:00"
    browser.save_screenshot(str(tmp_path / "live.png"))
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize(("width", "height", "dark"), [(1440, 900, False), (390, 844, True)])
def test_the_page_shows_market_grid_and_limits_at_any_size(
    browser: Any, watched: tuple[Run, Sight], width: int, height: int, *, dark: bool
) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    scheme = {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    with Watch(watched[1]) as watch:
        browser.get(watch.address)
        told = WebDriverWait(browser, 30).until(
            lambda driver: driver.execute_script("return document.querySelector('#grid-north .told')?.textContent")
        )
    script = browser.execute_script
    assert "Line 3-8" in told or "pu" in told
    assert script("return document.querySelectorAll('#grid-north [data-branch][style]').length") == 17
    assert script("return document.querySelectorAll('#limits tbody tr').length") == len(
        watched[1].market.limits(None).rows
    )
    assert script("return document.querySelectorAll('#plot-merit-order .bars path').length") > 0
    assert script("return document.documentElement.scrollWidth") <= width
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
