"""How fast the DSO's hand is, what it leaves and costs, and what overload brings about: from the records of runs."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from gridpact.scenarios.audit import audit
from gridpact.scenarios.audit.index import Index
from gridpact.scenarios.kpis.reaction import reaction
from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.replay.replaying import replay

Recorded = Callable[[str], Run]
LIMITED = ("scenario-1-dso",)


def reactions(run: Run) -> list[dict[str, float]]:
    return list(run.kpis["real_time_limits"]["reactions"])


@pytest.mark.parametrize("name", LIMITED)
def test_the_first_violating_reading_leads_to_info_8_within_one_dso_cycle(name: str, recorded: Recorded) -> None:
    run = recorded(name)
    told = [one["info_8_after_s"] for one in reactions(run)]
    assert told
    assert all(after_s is not None and after_s <= run.scenario.ticks.monitoring_s for after_s in told)


@pytest.mark.parametrize("name", LIMITED)
def test_and_to_a_lowered_set_point_within_two_tso_cycles(name: str, recorded: Recorded) -> None:
    run = recorded(name)
    assert all(one["lowered_after_s"] <= 2 * run.scenario.ticks.control_s for one in reactions(run))
    assert all(one["replaced_after_s"] <= 2 * run.scenario.ticks.control_s for one in reactions(run))


@pytest.mark.parametrize("name", ["scenario-1", "scenario-2", *LIMITED])
def test_no_limit_is_reversed_more_than_once_in_five_minutes(name: str, recorded: Recorded) -> None:
    assert recorded(name).kpis["real_time_limits"]["most_reversals_of_a_limit_in_5_min"] <= 1


def test_residual_overload_is_told_per_element_and_agrees_with_the_telemetry(recorded: Recorded) -> None:
    run = recorded("scenario-1-dso")
    told = run.kpis["real_time_limits"]["overload_percent_seconds"]["north"]
    assert list(told) == ["line 3-8"]
    loading = run.telemetry["north.worst_loading_percent"]
    assert told["line 3-8"] == pytest.approx(float((loading - 100).clip(lower=0).sum() * 4), abs=0.01)


def test_redispatch_costs_what_the_replacement_costs_more(recorded: Recorded) -> None:
    """What C and B would have given at 80 and 70 EUR/MWh, transmission gives at 95."""
    run = recorded("scenario-1-dso")
    kpis = run.kpis["real_time_limits"]
    assert kpis["redispatched_mwh"] == pytest.approx(0.49, abs=0.02)
    assert 15 <= kpis["redispatch_eur"] / kpis["redispatched_mwh"] <= 25


def test_a_trip_is_evidence_of_physics_and_nobodys_message(recorded: Recorded) -> None:
    run = recorded("blind")
    (trip,) = [row for row in run.event_rows if row["evidence"].get("name") == "protection trip"]
    assert (trip["agent"], trip["step"], trip["evidence"]["element"]) == ("plant:north", None, "line 3-8")
    assert trip["evidence"]["lasted_s"] == 60.0
    assert audit(run).findings == ()
    assert replay(run) == []


def test_an_order_long_after_a_violation_is_no_replacement_of_what_was_limited_in_it(
    short: Recorded, tmp_path: Path, write_lines: Callable[..., None]
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(short("scenario-1-dso").folder, folder)
    first, second = reactions(load_run(folder))
    late = second["violated_at"]
    assert first["replaced_after_s"] is not None
    kept = [
        row
        for row in load_run(folder).message_rows
        if row["type"] != "gridpact.activate/1" or not first["violated_at"] <= row["sent_at"] < late
    ]
    write_lines(folder / "messages.jsonl", kept)
    first, second = reaction(Index(load_run(folder)))["reactions"]
    assert first["replaced_after_s"] is None
    assert second["replaced_after_s"] is not None


def test_what_a_trip_takes_is_bought_again_and_blind_pays_for_what_it_does(recorded: Recorded) -> None:
    run = recorded("blind")
    points = run.telemetry.set_index("at").filter(like=".set_point_mw")
    tripped = pd.Timestamp("2026-03-02T12:08:52+01:00")
    lost = ["bsp-a.set_point_mw", "bsp-b.set_point_mw", "bsp-c.set_point_mw"]
    after = points.loc[tripped + pd.Timedelta(seconds=4)]
    assert after[lost].to_list() == [0.0, 0.0, 0.0]
    assert points["gen-t.set_point_mw"].loc[:tripped].max() == 0.0
    listed = run.merit_order[(run.merit_order["participant"] == "gen-t") & (run.merit_order["direction"] == "up")]
    assert after["gen-t.set_point_mw"] == listed["accepted_mw"].iloc[0] == 3.5  # all that the list has left
    cost = {name: _whole_cost_eur(recorded(name)) for name in ("blind", "scenario-1", "scenario-1-dso")}
    assert cost["scenario-1-dso"] < cost["scenario-1"] < cost["blind"]


def _whole_cost_eur(run: Run) -> float:
    return float(run.kpis["cost"]["balancing_energy_eur"]) + float(run.kpis["consequences"]["lost_load_eur"])


def test_the_network_of_a_moment_shows_the_line_out_of_service(recorded: Recorded) -> None:
    import pandapower

    run = recorded("blind")
    before, after = run.network("12:08:40"), run.network("12:09:00")
    assert before.line.in_service.all()
    out = after.line[~after.line.in_service]
    assert [(line.from_bus, line.to_bus) for line in out.itertuples()] == [(3, 8)]
    pandapower.runpp(after, numba=False)
    row = run.telemetry.set_index("at").loc["2026-03-02T12:09:00+01:00"]
    assert after.res_ext_grid.p_mw.sum() == pytest.approx(row["north.interface_p_mw"], abs=1e-4)
    assert row["north.out_of_service"] == 1


def test_compensation_of_limits_is_paid_by_the_dso_and_the_books_balance() -> None:
    from decimal import Decimal

    from gridpact.agents.market.compensation import owed_eur, payment
    from gridpact.agents.market.settlement import balances, watt_us
    from gridpact.protocols.information.offering import Offer

    offer = Offer(
        offer_id="c.1",
        participant="bsp-c",
        session="Q1",
        product="mFRR",
        direction="up",
        quantity_mw=1.0,
        price_eur_per_mwh=80.0,
        delivery_start=0,
        delivery_end=900_000_000,
        grid="north",
        resource="unit-c",
        submitted_at=0,
    )
    quarter = watt_us(1.0, 900_000_000)
    owed = {policy: owed_eur(offer, quarter, policy, 0.2) for policy in ("none", "margin", "full")}
    assert owed == {"none": Decimal(0), "margin": Decimal("4.00"), "full": Decimal("20.00")}
    down = {price: offer.model_copy(update={"direction": "down", "price_eur_per_mwh": price}) for price in (-5.0, 5.0)}
    assert [owed_eur(down[price], quarter, "full", 0.2) for price in down] == [Decimal("1.25"), Decimal(0)]
    paid = payment("Q1", "dso-north", offer, quarter, owed["full"])
    assert balances([paid]) == {"bsp-c": Decimal("20.00"), "dso-north": Decimal("-20.00")}
