"""What is known of the schemes holds in a comparison, `ideal` is a bound, and its table is what the records say."""

import io
import shutil
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

import gridpact
from gridpact.grid.engine import single_threaded
from gridpact.scenarios.cli import app
from gridpact.scenarios.comparison.account import account
from gridpact.scenarios.comparison.comparing import Comparison
from gridpact.scenarios.comparison.table import PARTS
from gridpact.scenarios.comparison.told import SHEETS, print_comparison, seeds_told
from gridpact.scenarios.record.qualifying import qualifications
from gridpact.scenarios.record.run import Run, load_run

sys.path.insert(0, str(Path(__file__).parent))
from recomputed import recomputed
from weighed import cheaper, runs_of

VALIDATED = ("scenario-1", "scenario-1-dso-static", "scenario-1-dso", "scenario-2", "scenario-2-dso")
NOT_RECOMPUTED = {
    *("kpi_1_steps_percent", "kpi_1_valid_percent", "kpi_1_slowest_p95_ms", "bytes"),
    *("kpi_2_demand_response_mwh", "kpi_2_demand_response_peak_mw"),
    *("kpi_3_limited_mw", "kpi_3_limited_minutes", "kpi_3_avoided_minutes"),
    *("lost_revenue_eur", "worst_element"),
}
LISTED = ["period", "direction", "rank", "participant", "price_eur_per_mwh", "offered_mw", "accepted_mw"]


def row(made: Comparison, scheme: str, scale: float | None = None) -> pd.Series:
    rows = made.runs[made.runs["scheme"] == scheme]
    (found,) = (rows if scale is None else rows[rows["error_scale"] == scale]).to_dict("records")
    return pd.Series(found)


def run_of(made: Comparison, scheme: str, scale: float | None = None) -> Run:
    return load_run(made.request.out / "runs" / row(made, scheme, scale)["run"])


def test_all_that_was_asked_for_was_run(congested: Comparison, roomy: Comparison) -> None:
    for made, count in ((congested, 14), (roomy, 4)):
        assert len(made.runs) == count
        assert set(made.runs["status"]) == {"ok"}, made.runs["error"].dropna().tolist()
        assert made.notes == ()


def test_without_congestion_list_and_cost_do_not_depend_on_the_dso(roomy: Comparison) -> None:
    lists = [run_of(roomy, scheme).merit_order[LISTED] for scheme in ("blind", "scenario-1", "scenario-1-dso")]
    assert len(lists[0]) > 0
    for other in lists[1:]:
        pd.testing.assert_frame_equal(lists[0], other)
    bids_eur = [row(roomy, scheme)["bids_eur"] for scheme in ("blind", "scenario-1", "scenario-1-dso")]
    assert bids_eur == [bids_eur[0]] * 3
    assert bids_eur[0] > 100
    assert roomy.runs["violations"].max() == 0
    assert roomy.participants["curtailed_offers"].max() == 0


@pytest.mark.parametrize("scheme", VALIDATED)
def test_without_forecast_error_what_is_validated_violates_nothing(scheme: str, congested: Comparison) -> None:
    assert row(congested, scheme, 0.0)["violations"] == 0
    assert row(congested, "blind", 0.0)["violations"] > 0


def test_with_forecast_error_violations_last_as_long_as_the_reaction(congested: Comparison) -> None:
    limited, static = (row(congested, scheme, 1.0) for scheme in ("scenario-1-dso", "scenario-1-dso-static"))
    assert 0 < limited["violation_minutes"] < static["violation_minutes"]
    scenario = run_of(congested, "scenario-1-dso", 1.0).scenario
    slowest_s = max(provider.response.deactivation_s for provider in scenario.providers.values())
    for one in run_of(congested, "scenario-1-dso", 1.0).kpis["real_time_limits"]["reactions"]:
        assert one["ended_after_s"] <= slowest_s + 2 * scenario.ticks.monitoring_s


def test_all_together_never_qualifies_more_than_separately(congested: Comparison) -> None:
    together, separately = (
        {
            (one.resource, one.direction): one.qualified_mw
            for one in qualifications(run_of(congested, name, 0.0).message_rows)
        }
        for name in ("scenario-1", "scenario-1-dso")
    )
    assert together.keys() == separately.keys()
    assert all(together[key] <= separately[key] for key in together)
    assert sum(together.values()) < sum(separately.values())


@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_perfect_foresight_costs_no_more_than_any_scheme_that_violates_nothing(
    scale: float, congested: Comparison
) -> None:
    runs = congested.runs[(congested.runs["error_scale"] == scale) & (congested.runs["scheme"] != "ideal")]
    feasible = runs[runs["violations"] == 0]
    assert len(feasible) >= 1
    assert (feasible["regret_eur"] >= 0).all()
    ideal = row(congested, "ideal", scale)
    assert ideal["total_eur"] <= feasible["total_eur"].min()
    assert ideal["imbalance_left_mwh"] == pytest.approx(0.0, abs=1e-6)


def test_at_no_tick_was_a_feasible_dispatch_of_mfrr_cheaper(congested: Comparison, roomy: Comparison) -> None:
    with single_threaded():
        for what, run in (*runs_of(roomy), *runs_of(congested)):
            found, allowed = cheaper(run)
            assert allowed > 0, what
            assert not found, f"{what}: {found}"


def test_without_congestion_it_is_the_merit_order(roomy: Comparison) -> None:
    """Nothing binds, so the cheapest come first; voltage reduction (50 EUR/MWh) is the only thing a scheme has not."""
    cheapest = row(roomy, "ideal")
    assert cheapest["bids_eur"] / cheapest["activated_up_mwh"] < 75
    assert (roomy.runs["regret_eur"].dropna() >= 0).all()


@pytest.mark.parametrize("scale", [0.0, 1.0])
@pytest.mark.parametrize("scheme", ["blind", "scenario-1-dso", "scenario-2", "scenario-2-dso"])
def test_a_row_of_the_table_is_what_the_files_of_its_run_say(scheme: str, scale: float, congested: Comparison) -> None:
    """Recomputed by a script of its own, which knows nothing but the files."""
    told, again = row(congested, scheme, scale), recomputed(run_of(congested, scheme, scale).folder)
    missing = set(told.index) - set(again) - {"error_scale", "seed", "scheme", "run", "status", "error", "regret_eur"}
    assert missing == NOT_RECOMPUTED
    # kpis.json and settlement.csv, from which the table is made, have six decimals
    assert {name: told[name] for name in again} == pytest.approx(again, rel=1e-6, abs=1e-6, nan_ok=True)


def test_losses_are_those_of_a_power_flow(congested: Comparison) -> None:
    run = run_of(congested, "scenario-1-dso", 1.0)
    telemetry = run.telemetry.set_index("at")
    at = pd.Timestamp("2026-03-02T12:36+01:00")
    states = run.states().set_index("at").loc[at]
    power = {name: states.filter(regex=rf"^{name}\.\d+\.p_mw$").sum() for name in ("sgen", "load", "storage")}
    losses = telemetry["north.interface_p_mw"].loc[at] + power["sgen"] - power["load"] - power["storage"]
    assert losses == pytest.approx(_losses_by_pandapower(run, "12:36:00"), abs=1e-4)


def test_regret_is_the_total_less_that_of_perfect_foresight(congested: Comparison) -> None:
    for scale in (0.0, 1.0):
        best = row(congested, "ideal", scale)["total_eur"]
        for scheme in congested.runs["scheme"].unique():
            own = row(congested, scheme, scale)
            assert own["regret_eur"] == pytest.approx(own["total_eur"] - best)
            assert own["total_eur"] == pytest.approx(sum(own[part] for part in PARTS))


def _losses_by_pandapower(run: Run, at: str) -> float:
    import pandapower

    net = run.network(at)
    pandapower.runpp(net, numba=False)
    return float(net.res_line.pl_mw.sum() + net.res_trafo.pl_mw.sum())


def test_differences_are_paired(congested: Comparison) -> None:
    summary = congested.summary.set_index(["error_scale", "scheme", "measure"])
    own = summary.loc[(1.0, "scenario-1-dso", "total_eur")]
    runs = [row(congested, scheme, 1.0)["total_eur"] for scheme in ("scenario-1-dso", "blind")]
    assert own["mean"] == pytest.approx(runs[0])
    assert own["difference"] == pytest.approx(runs[0] - runs[1])
    assert own["runs"] == 1
    assert pd.isna(own["low"])


def test_tables_and_page_are_written(congested: Comparison) -> None:
    out = congested.request.out
    for name in ("runs", "participants", "summary"):
        written = pd.read_parquet(out / f"{name}.parquet")
        assert list(written.columns) == list(pd.read_csv(out / f"{name}.csv").columns)
        assert len(written) == len(getattr(congested, name))
    page = (out / "compare.html").read_text("utf-8")
    assert 'data-plot="headline"' in page
    assert "scenario-1-dso-static" in page


def test_its_folder_opens_as_the_same_comparison(congested: Comparison, tmp_path: Path) -> None:
    again = gridpact.load_comparison(congested.request.out)
    pd.testing.assert_frame_equal(again.summary, congested.summary)
    assert (again.against, again.request.prices) == (congested.against, congested.request.prices)
    done = CliRunner().invoke(app, ["report", str(congested.request.out), "--out", str(tmp_path / "again.html")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "again.html").read_text("utf-8") == (congested.request.out / "compare.html").read_text("utf-8")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_the_page_works_in_a_browser(
    browser: Any, congested: Comparison, tmp_path: Path, width: int, *, dark: bool
) -> None:
    scheme = {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get((congested.request.out / "compare.html").as_uri())
    for link in browser.find_elements("css selector", "nav a"):
        link.click()
    browser.execute_script("document.querySelectorAll('.plot').forEach(draw)")
    plots = browser.execute_script("return document.querySelectorAll('.plot').length")
    assert browser.execute_script("return document.querySelectorAll('.plot > .plot-container').length") == plots == 2
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert "regret" in browser.find_element("id", "tables").text
    leave_out_and_take_back(browser, "blind")
    assert [line for line in browser.get_log("browser") if line["level"] in {"SEVERE", "WARNING"}] == []
    assert browser.save_screenshot(str(tmp_path / f"compare-{width}.png"))


def leave_out_and_take_back(browser: Any, scheme: str) -> None:
    """A name of the headline's legend, pressed twice."""
    names = browser.find_elements("css selector", "#headline + .legend button")
    (entry,) = [one for one in names if one.text == scheme]
    script = "return headline.data.filter((one) => one.name === arguments[0]).map((one) => one.visible)"
    for expected in ([False, False], [None, None]):
        entry.click()
        assert browser.execute_script(script, scheme) == expected


def test_seeds_are_told_by_their_numbers() -> None:
    assert seeds_told([2]).startswith("Seed number 2 alone: no intervals")
    assert seeds_told(range(1, 6)).startswith("Means over 5 seeds (1 to 5)")
    assert seeds_told([1, 7]).startswith("Means over 2 seeds (1, 7)")


def test_the_terminal_s_tables_have_a_column_for_every_part(congested: Comparison) -> None:
    shown = {column for sheet in SHEETS.values() for column in sheet}
    numbers = set(congested.runs.select_dtypes("number").columns) - {"error_scale", "seed"}
    assert numbers - shown == {"losses_mwh", "foregone_mw_h"}  # shown in EUR
    text = printed(congested)
    for word in ("Seed number 1 alone", "worst at", "KPI 1", "KPI 3", "Lost revenue in EUR (offers cut)", "bsp-c"):
        assert word in text, word


def printed(made: Comparison) -> str:
    console = Console(file=io.StringIO(), width=160)
    print_comparison(made, console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_a_comparison_goes_on_where_it_stopped(congested: Comparison) -> None:
    done = {path: path.stat().st_mtime_ns for path in (congested.request.out / "results").iterdir()}
    again = gridpact.compare(
        congested.request.base,
        errors=congested.request.errors,
        schemes=[variant.name for variant in congested.request.variants],
        out=congested.request.out,
    )
    pd.testing.assert_frame_equal(again.runs, congested.runs)
    assert {path: path.stat().st_mtime_ns for path in (congested.request.out / "results").iterdir()} == done


def test_a_comparison_that_was_interrupted_can_be_looked_at(congested: Comparison, tmp_path: Path) -> None:
    part = shutil.copytree(congested.request.out, tmp_path / "part", ignore=shutil.ignore_patterns("runs*", "*.csv"))
    for result in sorted((part / "results").iterdir())[3:]:
        result.unlink()
    made = gridpact.load_comparison(part)
    assert len(made.runs) == 3
    assert "Cost in EUR" in printed(made)
    assert made.write().is_file()


def test_losses_and_lost_revenue_belong_to_somebody(congested: Comparison) -> None:
    own = congested.participants.set_index(["error_scale", "scheme", "participant"])
    limited = own.loc[(1.0, "scenario-1-dso", "bsp-c")]
    assert limited["lost_revenue_eur"] > 0
    assert own.loc[(1.0, "scenario-1-dso", "gen-t")]["lost_revenue_eur"] < 0
    assert limited["curtailed_offers"] == 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--schemes", "blnd"], 'did you mean "blind"?'),
        (["--errors", "3"], "it must lie between 0 and 2"),
        (["--errors", "x"], "write scales by commas"),
        (["--against", "scenario-2", "--schemes", "blind,ideal"], "is not among the schemes"),
        (["--seeds", "3..1"], "smallest first"),
        (["--schemes", "ideal"], "there is no scheme to compare"),
        (["--tick", "0"], "a tick of 0 s is out of range"),
        (["--set", "time.tail_min=1"], "nobody is paid for it; make tail_min 1.5 or more"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(options: list[str], text: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["compare", "blind", "--out", str(tmp_path / "out"), *options])
    assert isinstance(result.exception, ValueError), result.output
    assert text in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_the_account_of_a_run_is_reproducible(congested: Comparison) -> None:
    run = run_of(congested, "scenario-2", 0.0)
    assert account(run) == account(Run(run.folder))
