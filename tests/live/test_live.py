"""A run is watched while it happens: the page moves, the terminal tells, and the record is the same."""

import http.client
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from gridpact.scenarios.cli import main
from gridpact.scenarios.live import Sight, Watch
from gridpact.scenarios.live.picture import picture
from gridpact.scenarios.live.sight import MOST_PARTICIPANTS, MOST_ROWS
from gridpact.scenarios.live.terminal import Panel
from gridpact.scenarios.loading import load_scenario
from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.running import run

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
    sight = Sight(scenario)
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


def test_a_long_run_is_thinned_and_ends_with_its_last_tick(watched: tuple[Run, Sight]) -> None:
    sight = Sight(watched[0].scenario)
    for tick in range(5 * MOST_ROWS):
        sight.see(tick, ("frequency_hz", "bsp-a.activated_mw"), (50.0, float(tick)))
    kept = sight.telemetry()
    assert MOST_ROWS / 2 <= len(kept) <= MOST_ROWS + 1
    assert (kept["bsp-a.activated_mw"].iloc[0], kept["bsp-a.activated_mw"].iloc[-1]) == (0.0, 5 * MOST_ROWS - 1)


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
    assert plots[:3] == ["frequency", "activation", "grid-north"]
    assert "delivery-bsp-c" in plots


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
