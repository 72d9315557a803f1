"""Series of load and generation from files: what they mean, and one clear sentence for everything that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridpact.grid.clock import QUARTER_US
from gridpact.grid.description.grid import GridDescription
from gridpact.grid.errors import ProfileError
from gridpact.grid.model import GridModel, load_model
from gridpact.grid.powerflow.operating_point import OperatingPoint
from gridpact.grid.series.blocks import Window
from gridpact.grid.series.profiles import Profiles

HOUR_US = 3_600_000_000
Vary = Callable[..., GridDescription]
Written = Callable[..., Profiles]


def midnight_us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


@pytest.fixture
def written(tmp_path: Path, model: GridModel, vary: Vary) -> Written:
    """Write a CSV and read it as the truth of the worked example."""

    def write(text: str, window: Window | None = None, **series: object) -> Profiles:
        (tmp_path / "s.csv").write_text(text)
        description = vary(series={"source": str(tmp_path / "s.csv")} | series, profiles={})
        chosen = window or Window(end_us=HOUR_US)
        return Profiles(model, description, chosen.midnight_us, window=chosen)

    return write


def rows(*columns: str, every_min: int = 30, count: int = 2) -> str:
    header, *values = columns
    lines = [f"{k * every_min // 60:02d}:{k * every_min % 60:02d},{values[k % len(values)]}" for k in range(count)]
    return "\n".join([f"time,{header}", *lines])


def load_p(state: OperatingPoint, model: GridModel, name: str) -> float:
    return float(state.load_p_mw[list(model.net.load.name).index(name)])


def test_a_scale_multiplies_the_file_s_value_and_holds_until_the_next_row(written: Written, model: GridModel) -> None:
    profiles = written(rows("load", "0.5", "0.25"))
    first, second = profiles.actual(29 * 60_000_000), profiles.actual(30 * 60_000_000)
    assert first.load_p_mw == pytest.approx(0.5 * model.net.load.file_p_mw)
    assert second.load_q_mvar == pytest.approx(0.25 * model.net.load.file_q_mvar)


def test_megawatts_count_in_the_element_s_own_sign_and_beat_its_group(written: Written, model: GridModel) -> None:
    profiles = written(rows("Load R1.p_mw,load,Load R1.q_mvar,wind", "3.5,0.5,0.7,0.4"))
    state = profiles.actual(0)
    assert load_p(state, model, "Load R1") == 3.5
    assert state.load_q_mvar[list(model.net.load.name).index("Load R1")] == 0.7
    assert load_p(state, model, "Load R3") == pytest.approx(0.5 * model.net.load.set_index("name").file_p_mw["Load R3"])
    assert state.sgen_p_mw[8] == pytest.approx(0.6)


def test_a_group_s_megawatts_are_shared_out_as_in_the_file(written: Written, model: GridModel) -> None:
    state = written(rows("commerce.p_mw,household", "6.0,0.0")).actual(0)
    assert state.load_p_mw.sum() == pytest.approx(6.0)
    assert load_p(state, model, "Load R1") == 0.0
    assert load_p(state, model, "Load CI1") > load_p(state, model, "Load CI3") > 0


def test_elements_are_found_by_type_and_by_zone(vary: Vary, tmp_path: Path) -> None:
    import pandapower

    net = pandapower.create_empty_network()
    buses = [pandapower.create_bus(net, 20.0, zone=zone) for zone in ("north", "south")]
    pandapower.create_ext_grid(net, buses[0])
    pandapower.create_line(net, *buses, 1.0, "NA2XS2Y 1x185 RM/25 12/20 kV")
    for bus, kind in zip(buses, ("farm", "shop"), strict=True):
        pandapower.create_load(net, bus, 2.0, type=kind)
        pandapower.create_sgen(net, bus, 1.0, type="PV")
    pandapower.to_json(net, str(tmp_path / "net.json"))
    (tmp_path / "s.csv").write_text(rows("type:shop,zone:north,pv", "0.5,0.25,1.0"))
    description = GridDescription(file=str(tmp_path / "net.json"), series={"source": str(tmp_path / "s.csv")})
    state = Profiles(load_model(description), description, window=Window(end_us=HOUR_US)).actual(0)
    assert state.load_p_mw.tolist() == [0.5, 1.0]
    assert state.sgen_p_mw.tolist() == [0.25, 1.0]


def test_the_scenario_s_own_profile_is_the_last_word(vary: Vary, model: GridModel) -> None:
    description = vary(profiles={"wind": {"forecast": 0.1}}, series="synthetic-day")
    assert Profiles(model, description).actual(12 * HOUR_US).sgen_p_mw[8] == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (rows("load", "0.5", "", count=4), r"s\.csv:3: column load: there is no value"),
        (rows("load", "0.5", "half"), r's\.csv:3: column load: "half" is no number'),
        (rows("load,wind,load", "0.5,0.1,0.6"), r"s\.csv: the column load stands there twice"),
        (rows("Load R99", "0.5"), r'column Load R99: "Load R99" is neither a group nor an element.*near: Load R'),
        (rows("zone:west", "0.5"), r'has the zone "west"'),
        (
            "time,load\n00:00,1\n00:15,1\n00:45,1\n01:00,1",
            r"s\.csv:4: there is a gap between 00:15:00 and 00:45:00",
        ),
        ("time,load\n00:30,1\n00:15,1", r"s\.csv:3: time 00:15:00 does not come after"),
        ("time,load\n2026-03-02T00:00+01:00,1\nMonday,1", r's\.csv:3: time "Monday": give all times with an offset'),
        ("time,load\nsoon,1\nlater,1", r's\.csv:2: "soon" is no time; write 2026-03-02T00:15:00\+01:00'),
        ("time,load\n2026-03-02T00:00,1\n2026-03-02T01:00,1", r"needs its `zone`"),
        (rows("load", "1", every_min=15), r"s\.csv ends at 00:30:00, but the scenario lasts until 01:00:00"),
        ("time,load\n00:30,1\n01:00,1", r"s\.csv begins at 00:30:00, after the scenario, which begins at 00:00:00"),
        ("at,load\n00:30,1", r"needs a column time"),
        (rows("Load R1.q_mvar", "0.1"), r"needs Load R1\.p_mw beside it"),
        ("", r"is no table that can be read"),
    ],
)
def test_what_is_wrong_with_a_series_is_one_sentence(written: Written, text: str, words: str) -> None:
    with pytest.raises(ProfileError, match=words) as caught:
        written(text)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(vary: Vary, model: GridModel) -> None:
    with pytest.raises(ProfileError, match=r"nowhere\.csv cannot be read: No such file"):
        Profiles(model, vary(series="nowhere.csv", profiles={}))


@pytest.mark.parametrize(("day", "offset", "quarters"), [("2026-03-29", "+01:00", 92), ("2026-10-25", "+02:00", 100)])
@pytest.mark.parametrize("with_offset", [True, False])
def test_days_of_92_and_100_quarter_hours_are_what_the_clocks_make_them(
    written: Written, day: str, offset: str, quarters: int, with_offset: bool
) -> None:
    times = pd.date_range(day, periods=quarters, freq="15min", tz="Europe/Berlin")
    assert times[-1].strftime("%H:%M") == "23:45"
    texts = [each.isoformat() if with_offset else each.strftime("%Y-%m-%dT%H:%M") for each in times]
    text = "\n".join(["time,load", *(f"{at},{k / 1000}" for k, at in enumerate(texts))])
    window = Window(midnight_us(f"{day}T00:00{offset}"), 0, quarters * QUARTER_US)
    profiles = written(text, window, zone="Europe/Berlin")
    scale = [profiles.actual(window.midnight_us + k * QUARTER_US).load_p_mw[0] for k in range(quarters)]
    assert np.diff(scale) == pytest.approx(np.full(quarters - 1, scale[1]), rel=1e-9)


def test_a_local_time_that_the_clocks_left_out_is_refused(written: Written) -> None:
    window = Window(midnight_us("2026-03-29T00:00+01:00"), 0, 4 * HOUR_US)
    text = "time,load\n" + "\n".join(f"2026-03-29T0{hour}:30,1" for hour in range(5))
    with pytest.raises(ProfileError, match=r"the clocks of Europe/Berlin leave out 2026-03-29 02:30"):
        written(text, window, zone="Europe/Berlin")


def test_parquet_says_the_same_as_csv(written: Written, vary: Vary, model: GridModel, tmp_path: Path) -> None:
    csv = written("time,load\n1970-01-01T00:00Z,0.5\n1970-01-01T00:30Z,0.25")
    times = pd.to_datetime(["1970-01-01T00:00Z", "1970-01-01T00:30Z"])
    for frame in (pd.DataFrame({"time": times, "load": [0.5, 0.25]}), pd.DataFrame({"load": [0.5, 0.25]}, index=times)):
        frame.to_parquet(tmp_path / "s.parquet")
        description = vary(series=str(tmp_path / "s.parquet"), profiles={})
        same = Profiles(model, description, window=Window(end_us=HOUR_US))
        for at_us in (0, HOUR_US // 2):
            assert same.actual(at_us).same_as(csv.actual(at_us))


@pytest.mark.parametrize("season", ["winter", "spring", "summer"])
def test_a_synthetic_day_has_its_peaks_where_they_belong(vary: Vary, model: GridModel, season: str) -> None:
    description = vary(series={"source": "synthetic-day", "season": season, "seed": 3}, profiles={})
    profiles = Profiles(model, description)
    by_quarter = [profiles.actual(k * QUARTER_US) for k in range(96)]
    commerce = profiles.elements.commerce
    household = np.setdiff1d(np.arange(len(model.net.load)), commerce)
    at_home = np.array([state.load_p_mw[household].sum() for state in by_quarter])
    at_work = np.array([state.load_p_mw[commerce].sum() for state in by_quarter])
    sun = np.array([state.sgen_p_mw[profiles.elements.pv].sum() for state in by_quarter])
    wind = np.array([state.sgen_p_mw[8] for state in by_quarter])
    assert 17 <= np.argmax(at_home) / 4 <= 21
    assert at_work[40:56].mean() > 2 * at_work[:16].mean()
    assert sun[[0, 8, 88]].max() == 0.0
    assert 9 <= np.argmax(sun) / 4 <= 16
    assert 0 <= wind.min() < wind.max() <= 1.5


def test_a_synthetic_day_is_the_same_however_long_it_is_looked_at(vary: Vary, model: GridModel) -> None:
    description = vary(series={"source": "synthetic-day", "seed": 5}, profiles={})
    short, long = (Profiles(model, description, window=Window(end_us=days * 96 * QUARTER_US)) for days in (1, 2))
    for quarter in (0, 50, 95):
        assert short.actual(quarter * QUARTER_US).same_as(long.actual(quarter * QUARTER_US))
    other = Profiles(model, vary(series={"source": "synthetic-day", "seed": 6}, profiles={}))
    assert not other.actual(0).same_as(short.actual(0))
