"""KPIs follow from the record, agree with it, and tell the schemes apart."""

import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from math import inf
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from gridpact.scenarios.audit.index import Index
from gridpact.scenarios.kpis import compute_kpis
from gridpact.scenarios.kpis.energy import _asked_for
from gridpact.scenarios.kpis.participation import _covered_us
from gridpact.scenarios.operation.running import run as run_scenario
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.limiting import limit_steps
from gridpact.scenarios.record.run import Run
from gridpact.scenarios.summary.tables import print_summary

Recorded = Callable[[str], Run]
Rows = list[dict[str, Any]]
GRIDS = "[{network: case33bw, planning_cases: [{name: evening, load: 1.0}]}]"
SCHEMES = ("blind", "scenario-1", "scenario-1-dso", "scenario-2")


@pytest.mark.parametrize("name", SCHEMES)
def test_they_can_be_computed_again_from_the_record(name: str, recorded: Recorded) -> None:
    run = recorded(name)
    assert json.loads(json.dumps(compute_kpis(Index(run)))) == run.kpis


@pytest.mark.parametrize("name", SCHEMES)
def test_without_loss_everything_expected_is_sent_delivered_and_valid(name: str, recorded: Recorded) -> None:
    for info, figures in recorded(name).kpis["kpi_1_information_exchange"]["information"].items():
        assert figures["expected"] == figures["sent"] == figures["delivered"] == figures["valid"], info
        assert figures["latency_p50_ms"] <= figures["latency_p95_ms"] <= figures["latency_p99_ms"]


def test_counts_agree_with_messages_and_streams(recorded: Recorded) -> None:
    run = recorded("scenario-1-dso")
    told = run.kpis["kpi_1_information_exchange"]["information"]
    counted = run.messages["info"].value_counts().to_dict() | {"INFO 7": len(run.streams)}
    assert {info: figures["sent"] for info, figures in told.items()} == counted


def test_activated_energy_agrees_with_the_measurements(recorded: Recorded) -> None:
    run = recorded("scenario-1-dso")
    own = run.streams[(run.streams["sender"] == "bsp-a") & (run.streams["receiver"] == "tso")]
    inside = own[(own["measured_at"] >= "2026-03-02T11:00:00Z") & (own["measured_at"] < "2026-03-02T12:00:00Z")]
    expected_mwh = inside["activated_mw"].clip(lower=0).sum() * 4 / 3600
    told = run.kpis["kpi_2_flexibility_activated"]["by_participant"]["bsp-a"]
    assert told["up_mwh"] == pytest.approx(expected_mwh, abs=1e-9)
    assert told["up_peak_mw"] == pytest.approx(2.5)


def test_the_dso_validates_only_where_the_scheme_says_so(recorded: Recorded) -> None:
    checked = {
        name: [
            recorded(name).kpis["kpi_3_participation_of_dso"][part]["checked"]
            for part in ("prequalification", "merit_order")
        ]
        for name in SCHEMES
    }
    assert checked["blind"] == [0, 0]
    assert checked["scenario-1"][0] > 0
    assert checked["scenario-1"][1] == 0
    assert min(checked["scenario-1-dso"]) > 0


def test_blind_overloads_until_the_line_trips_and_the_others_hardly(recorded: Recorded) -> None:
    worst = {name: recorded(name).kpis["violations"]["north"] for name in SCHEMES}
    assert worst["blind"]["worst_loading_percent"] == pytest.approx(128.2, abs=0.1)
    assert worst["blind"]["percent_seconds"] > 1000
    for name in SCHEMES[1:]:
        assert worst[name]["worst_loading_percent"] < 121
        assert worst[name]["minutes"] < 2


def test_limits_avoid_violations(recorded: Recorded) -> None:
    told = recorded("scenario-1-dso").kpis["kpi_3_participation_of_dso"]
    assert told["violations_avoided"]["north"]["minutes"] > 10
    assert told["real_time"]["limited_mw"] == pytest.approx(0.60 + 0.27 + 0.33)
    assert told["real_time"]["limited_minutes"] > 10


def lifted(rows: Rows) -> Rows:
    """Some minutes after each resource's last limit, the DSO lifts it instead of renewing it."""
    is_renewal = lambda row: row["type"] == "gridpact.limit-request/1" and row["sent_at"] > "2026-03-02T11:40"  # noqa: E731
    rows = [row for row in rows if not is_renewal(row)]
    last = [row for row in rows if row["type"] == "gridpact.limit-request/1"][-1]
    lift = json.loads(json.dumps(last)) | {"id": "dso-north/activation/lift/limit-9/tso#i0"}
    lift |= {"conversation_id": "dso-north/activation/lift/limit-9/tso", "sent_at": "2026-03-02T11:40:00Z"}
    lift["received_at"] = "2026-03-02T11:40:00Z"
    for limit in lift["content"]["limits"]:
        limit.update(kind="cap", max_mw=2.5, binding=None)
    return [*rows, lift]


def test_a_lift_ends_a_limit_and_is_none(recorded: Recorded, tampered: Callable[..., Run]) -> None:
    run = recorded("scenario-1-dso")
    before = run.kpis["kpi_3_participation_of_dso"]["real_time"]
    changed = tampered(run, messages=lifted)
    after = changed.kpis["kpi_3_participation_of_dso"]["real_time"]
    assert (after["limits"], after["limited_mw"]) == (before["limits"], before["limited_mw"])
    assert before["limited_minutes"] == pytest.approx(25, abs=0.01)
    assert after["limited_minutes"] == pytest.approx(5, abs=0.01)
    shown = StringIO()
    print_summary(changed, Console(file=shown, width=120))
    rows = [line for line in shown.getvalue().splitlines() if "12:40:00" in line]
    assert len(rows) == 2
    assert all("lifted" in row for row in rows)


def test_a_lower_cap_without_a_binding_constraint_is_still_a_limit() -> None:
    def request(number: int, max_mw: float, binding: object) -> dict[str, Any]:
        limit = {"resource": "u", "direction": "up", "kind": "cap", "max_mw": max_mw, "binding": binding}
        at = f"2026-03-02T11:0{number}:00Z"
        content = {"limits": [limit | {"valid_until": "2026-03-02T12:00:00Z"}]}
        return {"received_at": at, "sent_at": at, "sequence": number, "content": content}

    steps = limit_steps([request(0, 2.0, {}), request(1, 1.0, None), request(2, 1.0, None), request(3, 0.5, {})])
    assert [step.lifts for step in steps] == [False, False, True, False]
    assert [step.before_mw for step in steps] == [inf, 2.0, 1.0, inf]


def test_in_scenario_2_the_dso_has_a_share_of_the_balancing_energy(recorded: Recorded) -> None:
    assert 0 < recorded("scenario-2").kpis["kpi_3_participation_of_dso"]["share_of_balancing_energy_percent"] < 50
    assert recorded("scenario-1").kpis["kpi_3_participation_of_dso"]["share_of_balancing_energy_percent"] is None


@pytest.mark.parametrize("name", SCHEMES)
def test_cost_is_what_the_settlement_says(name: str, recorded: Recorded) -> None:
    run = recorded(name)
    rows = run.settlement[run.settlement["kind"] == "balancing_energy"]
    assert sum(map(Decimal, rows["amount_eur"])) == Decimal(run.kpis["cost"]["balancing_energy_eur"])


def test_cost_by_kind_is_the_tso_s_account_and_all_balances_are_zero_together(recorded: Recorded) -> None:
    """In frequency-trip the neutrality account is paid in some periods and pays in others."""
    run = recorded("frequency-trip")
    cost, rows = run.kpis["cost"], run.settlement.assign(eur=run.settlement["amount_eur"].map(Decimal))
    net = {
        kind: own.loc[own["payer"] == "tso", "eur"].sum() - own.loc[own["payee"] == "tso", "eur"].sum()
        for kind, own in rows.groupby("kind")
    }
    assert (rows["payer"] == "tso:neutrality").any()
    assert {kind: Decimal(text) for kind, text in cost["by_kind_eur"].items()} == net
    assert cost["balances_eur"]["tso:neutrality"] == cost["by_kind_eur"]["neutrality"]
    assert sum(map(Decimal, cost["balances_eur"].values())) == 0
    assert -Decimal(cost["balances_eur"]["tso"]) == sum(map(Decimal, cost["by_kind_eur"].values())) == 0


def test_what_loads_take_back_after_voltage_reduction_is_no_activation(recorded: Recorded) -> None:
    """Nothing was ordered down, so nothing is activated down; what the DSO measured below zero is payback."""
    run = recorded("scenario-2")
    two = run.kpis["kpi_2_flexibility_activated"]
    assert two["by_product"]["mFRR down"]["down_mwh"] == 0.0
    for told in (two["all"], two["demand_response"], two["by_participant"]["dso-north"]):
        assert told["down_mwh"] == told["down_peak_mw"] == 0.0
    assert two["all"]["up_mwh"] == pytest.approx(two["by_product"]["mFRR up"]["up_mwh"])
    own = run.streams[(run.streams["sender"] == "dso-north") & (run.streams["receiver"] == "tso")]
    inside = own[(own["measured_at"] >= "2026-03-02T11:00:00Z") & (own["measured_at"] < "2026-03-02T12:00:00Z")]
    back_mwh = -inside["activated_mw"].clip(upper=0).sum() * 4 / 3600
    recovery = run.kpis["load_recovery"]["north"]
    assert recovery["paid_back_mwh"] == pytest.approx(back_mwh, abs=1e-6)
    assert 0.02 < recovery["paid_back_mwh"] < recovery["recovered_mwh"]


@pytest.mark.parametrize(
    ("power", "ordered", "asked"),
    [
        ([0.5, 0.4, -0.1, -0.1], [0.5, 0.0, 0.0, 0.0], [True, True, False, False]),
        ([-0.1, 0.4, 0.1], [0.5, 0.5, 0.0], [False, True, True]),
        ([-0.5, -0.1, 0.1], [-0.5, 0.0, 0.0], [True, True, False]),
    ],
)
def test_activation_is_a_span_of_one_sign_with_a_set_point_of_that_sign(
    power: list[float], ordered: list[float], asked: list[bool]
) -> None:
    assert _asked_for(pd.Series(power), pd.Series(ordered)).tolist() == asked


def test_allowed_mw_are_told_by_product_and_direction_and_as_means_of_the_periods(recorded: Recorded) -> None:
    run = recorded("scenario-1-dso")
    told = run.kpis["kpi_3_participation_of_dso"]
    listed = run.messages[run.messages["type"] == "gridpact.merit-order-verdict/1"]["content"]
    allowed = {one["offer_id"]: one["max_mw"] for content in listed for one in content["verdicts"]}
    assert len({offer_id.split(".")[1] for offer_id in allowed}) == 4
    mean_mw = {way: sum(mw for name, mw in allowed.items() if f"mFRR-{way}" in name) / 4 for way in ("up", "down")}
    assert told["merit_order"]["mean_allowed_mw"] == pytest.approx({f"mFRR {way}": mw for way, mw in mean_mw.items()})
    assert mean_mw["up"] < 8.5
    of_all_mw = {"mFRR up": 3 * 2.5 + 1.0, "mFRR down": 1.0 + 2 * 0.8}
    assert told["prequalification"]["allowed_mw"] == pytest.approx(of_all_mw)


def test_the_summary_shows_set_points_by_direction_and_says_what_of_the_ace_is_the_mean(recorded: Recorded) -> None:
    """afrr-hydro has 9 MW up and more down under control, and is asked for less, and for hardly anything down."""
    run = recorded("frequency-trip")
    shown = StringIO()
    print_summary(run, Console(file=shown, width=160))
    text = shown.getvalue()
    activated = text.partition("Activated")[2].partition("Settled")[0]
    (row,) = [line for line in activated.splitlines() if "afrr-hydro" in line]
    _, _, orders, up_mw, down_mw, *_ = [cell.strip() for cell in row.split("│")]
    set_point = run.telemetry["afrr-hydro.set_point_mw"]
    assert [float(up_mw), float(down_mw)] == pytest.approx([set_point.max(), -set_point.min()], abs=0.0006)
    assert int(orders) == len(run.activations.query("participant == 'afrr-hydro'"))
    assert float(up_mw) < run.activations.query("participant == 'afrr-hydro'")["power_mw"].max()
    assert f"mean |ACE| {run.kpis['afrr']['mean_size_of_ace_mw']:.2f} MW" in text


def test_overlapping_limits_are_counted_once() -> None:
    assert _covered_us([(0, 10), (5, 20), (30, 40), (32, 35)]) == 30


def test_violations_are_those_of_the_networks_own_limits(tmp_path: Path) -> None:
    """case33bw says 0.9 pu, not the 0.95 that hold where a network says nothing; its lines have no ratings."""
    changes = {"swarm.bsps": "2", "swarm.aggregators": "0", "time.market_time_units": "1", "swarm.grids": GRIDS}
    done = run_scenario(load_scenario("swarm", changes), out=tmp_path / "run")
    violations = done.kpis["violations"]["grid-001"]
    assert 0.9 < violations["lowest_vm_pu"] < 0.95
    assert violations["minutes"] == 0.0
