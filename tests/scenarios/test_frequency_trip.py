"""A trip in the small area, judged from its record: the reserves take over from each other, the DSO's limit is seen."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pandas as pd
import pytest

from gridpact.scenarios.audit import audit
from gridpact.scenarios.operation import plants
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run
from gridpact.scenarios.replay.replaying import replay

TRIP, WIND = (pd.Timestamp(f"2026-03-02T{clock}+01:00") for clock in ("12:02:00", "12:35:00"))
FIRST_END, LAST_END = (pd.Timestamp(f"2026-03-02T{clock}+01:00") for clock in ("12:15:00", "13:00:00"))
K_MW_PER_HZ = 110.0


@pytest.fixture(scope="module")
def run(recorded: Callable[[str], Run]) -> Run:
    return recorded("frequency-trip")


@pytest.fixture(scope="module")
def telemetry(run: Run) -> pd.DataFrame:
    return run.telemetry.set_index("at")


@pytest.fixture(scope="module")
def twin(unlimited: Callable[[str], Run]) -> pd.DataFrame:
    return unlimited("frequency-trip").telemetry.set_index("at")


def of(product: str, run: Run, telemetry: pd.DataFrame) -> "pd.Series[float]":
    names = [name for name, provider in run.scenario.providers.items() if provider.qualify == product]
    return telemetry[[f"{name}.activated_mw" for name in names]].sum(axis=1)


def test_the_record_is_audited_and_replayed(run: Run) -> None:
    assert audit(run).passed
    assert replay(run) == []


@pytest.mark.parametrize(("called_mw", "k_mw_per_hz"), [(4.0, K_MW_PER_HZ), (8.0, 130.0)])
def test_k_counts_the_reserve_that_is_called_for_whoever_offers_it(called_mw: float, k_mw_per_hz: float) -> None:
    scenario = load_scenario("frequency-trip", {"market.fcr.need_mw": str(called_mw)})
    reading = plants.area(scenario).advance(scenario.time.start_us + 60_000_000, -1.0)
    assert reading.ace_mw / (reading.frequency_hz - 50) == pytest.approx(k_mw_per_hz, rel=1e-3)


def test_the_frequency_falls_at_once_and_fcr_stops_it(telemetry: pd.DataFrame) -> None:
    before, after = telemetry.loc[TRIP], telemetry.loc[TRIP + timedelta(seconds=4)]
    assert before["frequency_hz"] == 50.0
    assert 50 - after["frequency_hz"] == pytest.approx(
        4 * 50 * 8.5 / (10 * 1000), rel=0.3
    )  # inertia, less what FCR has
    nadir = telemetry["lowest_hz"].idxmin()
    assert TRIP + timedelta(seconds=8) <= nadir <= TRIP + timedelta(seconds=16)
    assert -0.2 < telemetry["lowest_hz"].min() - 50 < -0.15


def test_all_power_balances_so_nothing_is_counted_twice(run: Run, telemetry: pd.DataFrame) -> None:
    """In steady state disturbance, activation, FCR and self-regulation sum to zero, but for losses in the grid."""
    calm = telemetry.loc[TRIP + timedelta(minutes=20) : WIND - timedelta(seconds=1)]
    offset_hz = calm["frequency_hz"] - 50
    activated_mw = of("aFRR", run, calm) + of("mFRR", run, calm)
    left_mw = calm["disturbance_mw"] + activated_mw + calm["fcr_mw"] - 10 * offset_hz
    assert left_mw.abs().max() < 0.7  # 5.9 MW behind line 3-8 cost about 0.5 MW of losses
    first = telemetry.loc[TRIP + timedelta(seconds=12)]
    fcr_mw = first["fcr-battery.activated_mw"] + first["fcr-hydro.activated_mw"]
    assert 0.5 < fcr_mw < first["fcr_mw"]


def test_fcr_answers_in_proportion_and_is_released_as_afrr_takes_over(run: Run, telemetry: pd.DataFrame) -> None:
    peak = telemetry.loc[TRIP : TRIP + timedelta(seconds=30)]
    assert of("FCR", run, peak).max() > 2.0
    later = telemetry.loc[TRIP + timedelta(minutes=20) : WIND - timedelta(seconds=1)]
    assert later["fcr_mw"].abs().max() < 0.05
    battery, hydro = later["fcr-battery.activated_mw"], later["fcr-hydro.activated_mw"]
    assert battery.to_numpy() == pytest.approx(-5 * (later["frequency_hz"] - 50).to_numpy(), abs=0.001)
    assert (hydro == 0).all()  # within its dead band of 10 mHz


def test_the_reserves_take_over_from_each_other(run: Run, telemetry: pd.DataFrame) -> None:
    """FCR peaks first, then aFRR, then mFRR carries the trip and the faster ones are free again."""
    window = telemetry.loc[TRIP : FIRST_END + timedelta(minutes=10)]
    fcr, afrr, mfrr = window["fcr_mw"], of("aFRR", run, window), of("mFRR", run, window)
    assert fcr.idxmax() < afrr.idxmax() < mfrr.idxmax()
    assert afrr.max() > 4
    assert mfrr.iloc[-1] == pytest.approx(8.5, abs=0.6)
    assert afrr.iloc[-1] < 1
    assert fcr.iloc[-1] == pytest.approx(0, abs=0.1)


def test_the_frequency_is_restored_within_a_quarter_of_an_hour(telemetry: pd.DataFrame) -> None:
    restored = telemetry.loc[TRIP + timedelta(minutes=15) : WIND - timedelta(seconds=1)]
    assert (restored["frequency_hz"] - 50).abs().max() < 0.010
    assert restored["ace_mw"].abs().max() < 0.5


def test_a_limit_of_the_dso_is_seen_in_the_frequency_beside_the_twin_run_without_it(
    telemetry: pd.DataFrame, twin: pd.DataFrame
) -> None:
    pd.testing.assert_series_equal(telemetry.loc[:WIND, "frequency_hz"], twin.loc[:WIND, "frequency_hz"])
    window = slice(WIND, WIND + timedelta(seconds=96))
    dip_mhz = 1000 * (telemetry.loc[window, "frequency_hz"] - twin.loc[window, "frequency_hz"]).min()
    assert dip_mhz == pytest.approx(-10, abs=2)
    later = slice(WIND + timedelta(minutes=8), WIND + timedelta(minutes=20))
    assert (telemetry.loc[later, "frequency_hz"] - 50).abs().max() < 0.001
    assert telemetry.loc[later, "north.worst_loading_percent"].max() <= 100


def test_without_the_limit_the_line_trips_and_the_frequency_pays_for_it(twin: pd.DataFrame, run: Run) -> None:
    assert (
        twin.loc[WIND + timedelta(seconds=40) : WIND + timedelta(seconds=96), "north.worst_loading_percent"].min() > 120
    )
    trip = WIND + timedelta(seconds=100)
    lost = twin.loc[trip + timedelta(seconds=4)]
    assert (lost[["bsp-a.activated_mw", "bsp-b.activated_mw", "bsp-c.activated_mw"]] == 0).all()
    assert twin.loc[trip : trip + timedelta(seconds=30), "lowest_hz"].min() - 50 == pytest.approx(-0.1, abs=0.01)
    restored = twin.loc[trip + timedelta(minutes=6)]
    assert restored["frequency_hz"] == pytest.approx(50, abs=0.001)
    gone_mw = 2.5 + 2.5 + 0.87
    assert restored["gen-t.activated_mw"] + restored["afrr-hydro.activated_mw"] > gone_mw


def test_the_dso_leaves_room_for_the_reserve_in_its_grid(run: Run, telemetry: pd.DataFrame) -> None:
    """The battery moves with the frequency, and no line is beyond its limit for that."""
    before_the_wind = telemetry.loc[:WIND].iloc[:-1]
    assert before_the_wind["north.worst_loading_percent"].max() <= 100
    allowed = run.merit_order.query("participant == 'bsp-c'")["allowed_mw"]
    assert allowed.max() < 0.93


def test_reserve_is_awarded_by_price_kept_and_paid_as_capacity(run: Run) -> None:
    paid = run.settlement[run.settlement["kind"] == "capacity"].set_index("payee")
    assert paid["capacity_mw_h"].to_dict() == {"fcr-battery": 1.0, "fcr-hydro": 3.0}
    assert paid["amount_eur"].map(Decimal).to_dict() == {"fcr-battery": Decimal(12), "fcr-hydro": Decimal(48)}
    back = run.settlement.query("kind == 'neutrality' and payer == 'tso:neutrality' and product == 'FCR'")
    assert sum(back["amount_eur"].map(Decimal)) == Decimal(60)
    telemetry = run.telemetry.set_index("at")
    kept_mw_h = telemetry[["fcr-battery.reserve_mw", "fcr-hydro.reserve_mw"]].sum() * 4 / 3600
    assert kept_mw_h.to_list() == pytest.approx([1.0, 3.0])
