"""What a TSO expert looks for in a run with aFRR, one test (or two) a point; the numbers are the points'."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
import pytest

from gridpact.agents.events import Heard
from gridpact.agents.verification.cast import PERIOD, cast
from gridpact.grid.area.area import Area
from gridpact.grid.area.description import AreaDescription
from gridpact.grid.limits.allowing import Activation
from gridpact.grid.studies.studies import GridStudies
from gridpact.protocols.conversation import Conversation
from gridpact.protocols.envelope import Envelope, Side, Topic
from gridpact.protocols.information.offering import Offer, Offers
from gridpact.protocols.stages.offering import OFFERING
from gridpact.scenarios.audit.auditing import audit
from gridpact.scenarios.description.times import Times
from gridpact.scenarios.operation import plants
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run

S = 1_000_000
K_MW_PER_HZ = 110.0
AFRR = ("bsp-a", "bsp-b", "agg-1", "hydro")
FAT_S = {"bsp-a": 180.0, "bsp-b": 180.0, "hydro": 180.0}
RANGE_MW = {"bsp-a": 2.5, "bsp-b": 2.5, "hydro": 8.0}


def between(seen: pd.DataFrame, begin: str, end: str) -> pd.DataFrame:
    return seen[(seen.index >= begin) & (seen.index < end)]


def total(frame: pd.DataFrame, what: str, names: tuple[str, ...] = AFRR) -> pd.Series:
    return sum(frame[f"{name}.{what}"] for name in names)  # type: ignore[return-value]


def test_01_a_loss_of_infeed_lowers_the_frequency_and_the_cheapest_bids_go_up_first(seen: pd.DataFrame) -> None:
    first = between(seen, "12:02:04", "12:03:00")
    assert first["frequency_hz"].max() < 50.0
    assert first["ace_mw"].max() < 0.0
    assert first["bsp-a.set_point_mw"].min() > 0.0  # 60 EUR/MWh
    assert first["bsp-b.set_point_mw"].max() == 0.0  # 70 EUR/MWh, not before the first is full
    later = between(seen, "12:03:20", "12:05:40")
    assert (later["bsp-a.set_point_mw"] == 2.5).all()
    assert later["bsp-b.set_point_mw"].min() > 0.0
    assert later["hydro.set_point_mw"].max() == 0.0


def test_02_slope_and_steady_state_are_those_of_theory(seen: pd.DataFrame) -> None:
    area = Area(AreaDescription(), 0, 0)
    area.advance(0, -4.0)
    slope = (area.advance(S // 20, -4.0).frequency_hz - 50.0) / 0.05
    assert slope == pytest.approx(-4.0 * 50 / (10 * 1000), rel=0.01)
    before_afrr = seen.loc["12:02:20"]  # FCR has settled, nothing of aFRR has come yet: reaction takes 20 s
    assert before_afrr["frequency_hz"] - 50.0 == pytest.approx(-4.0 / K_MW_PER_HZ, rel=0.02)


def test_03_fcr_is_proportional_and_released_as_afrr_takes_over(seen: pd.DataFrame) -> None:
    rested = pd.concat([between(seen, "12:02:16", "12:06:00"), between(seen, "12:21:00", "12:23:00")])
    assert np.allclose(rested["fcr_mw"], -100.0 * (rested["frequency_hz"] - 50.0), atol=0.15)
    assert seen.loc["12:02:20", "fcr_mw"] > 3.5
    assert abs(seen.loc["12:19:00", "fcr_mw"]) < 0.1


def test_03_fcr_saturates() -> None:
    area = Area(AreaDescription(), 0, 0)
    area.advance(0, -60.0)
    assert area.advance(90 * S, -60.0).fcr_mw == pytest.approx(20.0)


@pytest.mark.parametrize(("disturbed", "restored"), [("12:02:00", "12:17:00"), ("12:20:00", "12:30:00")])
def test_04_the_frequency_is_back_and_the_error_gone_within_15_minutes(
    seen: pd.DataFrame, disturbed: str, restored: str
) -> None:
    assert between(seen, disturbed, restored)["ace_mw"].abs().max() > 3.0
    rest = between(seen, restored, "12:19:56" if restored < "12:20" else "12:32:56")
    assert rest["ace_mw"].abs().max() < 0.4
    assert (rest["frequency_hz"] - 50.0).abs().max() < 0.004
    swings = np.sign(rest["ace_mw"][rest["ace_mw"].abs() > 0.05]).diff().fillna(0).ne(0).sum()
    assert swings == 0  # no lasting oscillation


def test_05_never_more_is_asked_for_than_the_list_holds_and_nothing_winds_up(hour: Run, seen: pd.DataFrame) -> None:
    lists = hour.merit_order[hour.merit_order["product"] == "aFRR"].groupby(["period", "direction"])["accepted_mw"]
    held = lists.sum().groupby("direction").min()
    assert seen["afrr_demand_mw"].max() <= held["up"] + 1e-6
    assert seen["afrr_demand_mw"].min() >= -held["down"] - 1e-6
    turned = between(seen, "12:39:12", "12:40:00")  # mFRR has come: the error has turned, and so has the demand
    assert turned["afrr_demand_mw"].is_monotonic_decreasing


def test_06_the_result_hardly_depends_on_the_tick(at_ticks: Mapping[float, Run]) -> None:
    nadirs = [run.telemetry["lowest_hz"].min() for run in at_ticks.values()]
    settled = [run.settlement.query("kind == 'balancing_energy'")["energy_mwh"].sum() for run in at_ticks.values()]
    assert max(nadirs) - min(nadirs) < 0.002
    assert (max(settled) - min(settled)) / max(settled) < 0.005


def test_07_nothing_moves_before_the_reaction_time_nor_faster_than_the_ramp(seen: pd.DataFrame) -> None:
    assert (between(seen, "12:02:00", "12:02:20")["bsp-a.activated_mw"] == 0.0).all()
    assert between(seen, "12:02:00", "12:02:20")["bsp-a.set_point_mw"].max() > 0.0
    for name, size_mw in RANGE_MW.items():
        rises = seen[f"{name}.activated_mw"].diff().dropna().clip(lower=0.0)
        falls_to_zero = seen[f"{name}.activated_mw"] < 0
        assert rises[~falls_to_zero.reindex(rises.index)].max() <= size_mw / FAT_S[name] * 4 * 2 + 1e-5
    rising = between(seen, "12:02:28", "12:04:30")["bsp-a.activated_mw"].diff().dropna()
    assert rising.max() <= 2.5 / 180 * 4 + 1e-6


def test_07_set_point_and_delivery_stand_side_by_side(seen: pd.DataFrame) -> None:
    for name in AFRR:
        columns = {f"{name}.{what}" for what in ("set_point_mw", "activated_mw", "channel_low_mw", "channel_high_mw")}
        assert columns <= set(seen.columns)


def test_08_up_and_down_are_never_asked_for_at_once(seen: pd.DataFrame) -> None:
    points = seen[[f"{name}.set_point_mw" for name in AFRR]]
    assert not ((points > 0).any(axis=1) & (points < 0).any(axis=1)).any()


def test_09_the_order_of_the_list_is_kept_and_the_last_bid_is_taken_in_part(seen: pd.DataFrame) -> None:
    a, b, pool, hydro = (seen[f"{name}.set_point_mw"].clip(lower=0.0) for name in AFRR)
    room_b = seen["bsp-b.limit_up_mw"].fillna(2.5).clip(upper=2.5)
    during = between(seen, "12:00:00", "12:44:56").index
    assert (a[during][b[during] > 0] == 2.5).all()
    assert (b[during][pool[during] > 0] >= room_b[during][pool[during] > 0] - 0.5 - 1e-6).all()
    assert (pool[during][hydro[during] > 0] == 0.8).all()
    together = (a + b + pool + hydro)[during]
    assert np.allclose(together, seen["afrr_demand_mw"][during].clip(lower=0.0), atol=6e-4)


@pytest.mark.parametrize("boundary", ["12:15:00", "12:30:00"])
def test_09_the_quarter_hour_changes_without_a_bump(seen: pd.DataFrame, boundary: str) -> None:
    around = seen.iloc[seen.index.get_loc(boundary) - 3 : seen.index.get_loc(boundary) + 6]
    assert around["afrr_demand_mw"].diff().abs().max() < 0.05
    assert (around["frequency_hz"]).diff().abs().max() < 0.001


def test_10_qualified_is_at_least_offered_is_at_least_activated_and_shares_add_up(
    hour: Run, seen: pd.DataFrame
) -> None:
    qualified = {
        (row["receiver"], verdict["direction"]): verdict["max_mw"]
        for row in hour.message_rows
        if row["type"] == "gridpact.qualified/1"
        for verdict in row["content"]["verdicts"]
    }
    offers = hour.offers[hour.offers["product"] == "aFRR"]
    for row in offers.itertuples():
        assert row.quantity_mw <= qualified[row.participant, row.direction] + 1e-9
    accepted = offers.groupby(["participant", "direction"])["accepted_mw"].max()
    for name in AFRR:
        assert seen[f"{name}.set_point_mw"].max() <= accepted.get((name, "up"), 0.0) + 1e-9
        assert -seen[f"{name}.set_point_mw"].min() <= accepted.get((name, "down"), 0.0) + 1e-9
    during = between(seen, "12:00:00", "12:45:00")
    assert np.allclose(total(during, "set_point_mw"), during["afrr_demand_mw"], atol=6e-4)


def test_11_a_limit_is_followed_the_replacement_asked_for_in_the_same_cycle_and_nothing_stays_overloaded(
    hour: Run, seen: pd.DataFrame
) -> None:
    limit = hour.limits.iloc[0]
    heard = limit["received_at"].tz_convert("Europe/Berlin")
    cycle = (heard.ceil("4s")).strftime("%H:%M:%S")
    before = (heard.floor("4s")).strftime("%H:%M:%S")
    assert limit["participant"] == "bsp-b"
    assert seen.loc[before, "bsp-b.set_point_mw"] == 2.5
    assert seen.loc[cycle, "bsp-b.set_point_mw"] <= limit["max_mw"]
    gained, wanted = (seen.loc[cycle, one] - seen.loc[before, one] for one in ("hydro.set_point_mw", "afrr_demand_mw"))
    assert gained == pytest.approx(2.5 - limit["max_mw"] + wanted, abs=1.1e-3)
    assert between(seen, cycle, "12:45:00")["north.worst_loading_percent"].max() <= 100.0
    assert between(seen, "12:36:30", "12:38:00")["ace_mw"].abs().max() < 0.3  # the frequency has recovered
    dearer = (100 - 70) * (2.5 - limit["max_mw"])  # what bsp-b may not give at 70 EUR/MWh, hydro gives at 100
    assert seen.loc[cycle, "redispatch_eur_per_h"] == pytest.approx(dearer)


def test_12_settled_energy_and_money_are_what_the_telemetry_says_to_the_cent(hour: Run) -> None:
    frame, lasts_us = hour.telemetry, 4 * S
    paid = hour.settlement[hour.settlement["kind"] == "balancing_energy"].set_index("offer_id")
    offers = hour.offers[(hour.offers["product"] == "aFRR") & hour.offers["accepted_mw"].notna()]
    assert len(offers) >= 3 * 6
    for offer in offers.itertuples():
        rows = frame[(frame["at"] >= offer.delivery_start) & (frame["at"] < offer.delivery_end)]
        sign, bound = (1, "high") if offer.direction == "up" else (-1, "low")
        delivered = (sign * rows[f"{offer.participant}.activated_mw"]).clip(lower=0.0)
        most = 1.05 * (sign * rows[f"{offer.participant}.channel_{bound}_mw"]).clip(lower=0.0)
        beyond = (delivered - most).clip(lower=0.0)
        watts = (delivered * 1e6).round().astype(int) - (beyond * 1e6).round().astype(int)
        price = Decimal(str(offer.price_eur_per_mwh))
        due = Decimal(int(watts.sum()) * lasts_us) * price / Decimal(3_600_000_000_000_000)
        own = paid[paid.index.str.startswith(offer.offer_id)]["amount_eur"]
        stated = Decimal(own.iloc[0]) if len(own) else Decimal(0)
        assert stated == sign * due.quantize(Decimal("0.01"), ROUND_HALF_UP), offer.offer_id


def test_12_payments_of_all_parties_sum_to_zero(hour: Run) -> None:
    accounts: dict[str, Decimal] = {}
    for row in hour.settlement.itertuples():
        accounts[row.payer] = accounts.get(row.payer, Decimal(0)) - Decimal(row.amount_eur)
        accounts[row.payee] = accounts.get(row.payee, Decimal(0)) + Decimal(row.amount_eur)
    assert sum(accounts.values()) == 0
    assert "balance-responsible-parties" in accounts
    assert accounts["tso"] == 0


def test_13_everything_is_in_the_record_with_its_conversation(hour: Run) -> None:
    report = audit(hour)
    assert report.findings == ()
    assert report.valid_messages == report.messages
    rows = hour.streams[hour.streams["type"] == "gridpact.set-point/1"]
    assert set(rows["conversation_id"]) == {f"{name}/activation/delivery/set-points/tso" for name in AFRR}
    assert (rows["info"] == "INFO 6").all()


def test_13_measurements_acknowledge_the_set_point_that_was_heard_last(hour: Run) -> None:
    streams = hour.streams
    own = streams[(streams["sender"] == "bsp-a") & (streams["receiver"] == "tso") & streams["caused_by"].notna()]
    sent = streams[streams["type"] == "gridpact.set-point/1"].set_index("id")
    named = sent.loc[own["caused_by"]]
    assert (named["received_at"].to_numpy() <= own["sent_at"].to_numpy()).all()
    assert np.allclose(named["power_mw"].to_numpy()[5:-1], own["set_point_mw"].to_numpy()[5:-1], atol=0.28)


def test_13_a_late_offer_is_rejected_with_the_reason() -> None:
    tso = cast("scenario-1", product="aFRR")[0]
    offer = Offer(
        offer_id="bsp.x.1",
        participant="bsp",
        session=PERIOD.id,
        product="aFRR",
        direction="up",
        quantity_mw=1.0,
        price_eur_per_mwh=50.0,
        delivery_start=PERIOD.start_us,
        delivery_end=PERIOD.end_us,
        grid="north",
        resource="bsp 1",
        submitted_at=PERIOD.gate_closure_us + 1,
    )
    topic = Topic("tso", "offering", PERIOD.id, "aFRR-up", "bsp")
    talk = Conversation(OFFERING, topic, Side.INITIATOR, state="late")
    said = Envelope("x", "bsp", "tso", OFFERING.name, topic.conversation_id, Offers(offers=(offer,)))
    _, actions = tso.react(tso.start(), Heard(said, talk, late=True), PERIOD.gate_closure_us + 1)
    assert [one.content.rejected[0].reason for one in actions] == ["late: the gate had closed"]


def test_14_all_together_is_never_less_strict_than_separately(hour: Run) -> None:
    scenario = hour.scenario
    studies: GridStudies = plants.laboratory(scenario, plants.resources(scenario)).studies["north"]
    asked = tuple(Activation(point, ((point, 1.0),), 2.5) for point in ("unit-a", "unit-b"))
    alone = studies.prequalify(asked, "single", ())
    together = studies.prequalify(asked, "all", ())
    assert all(one.p_mw >= joint.p_mw for one, joint in zip(alone, together, strict=True))
    assert sum(one.p_mw for one in alone) > sum(joint.p_mw for joint in together)


def test_15_who_does_not_measure_any_more_is_not_counted_on_and_others_take_its_part(unheard: Run) -> None:
    notes = [row for row in unheard.event_rows if row["evidence"].get("name") == "not counted on"]
    assert [note["evidence"]["participants"] for note in notes] == [["first"]]
    frame = unheard.telemetry.set_index("at")
    at = pd.Timestamp(notes[0]["at"])
    assert frame.loc[at - pd.Timedelta("4s"), "first.set_point_mw"] > 2.0
    assert frame.loc[at, "first.set_point_mw"] == 0.0
    assert frame.loc[at, "second.set_point_mw"] > 2.0
    assert audit(unheard).findings == ()


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-29T00:00:00+01:00", 92), ("2026-10-25T00:00:00+02:00", 100)])
def test_16_days_of_92_and_100_quarter_hours(day: str, quarters: int) -> None:
    from zoneinfo import ZoneInfo

    begin = datetime.fromisoformat(day)
    times = Times(start=begin - timedelta(hours=3), first_delivery=begin, market_time_units=quarters)
    ends = datetime.fromtimestamp(times.periods[-1][1] / 1e6, ZoneInfo("Europe/Berlin"))
    assert (ends.hour, ends.minute, ends.date()) == (0, 0, (begin + timedelta(days=1)).date())
    assert len({start for start, _ in times.periods}) == quarters


def test_17_power_at_the_units_and_at_the_interface_differ_by_losses_and_both_are_reported(seen: pd.DataFrame) -> None:
    calm, full = seen.loc["12:01:52"], seen.loc["12:06:00"]
    at_units = sum(full[f"{name}.activated_mw"] for name in ("bsp-a", "bsp-b", "agg-1"))
    at_interface = calm["north.interface_p_mw"] - full["north.interface_p_mw"]
    assert at_units > 3.0
    assert 0.005 < abs(at_units - at_interface) / at_units < 0.2


def test_the_built_in_day_is_well_formed() -> None:
    day = load_scenario("afrr-day")
    assert len(day.time.periods) == 96
    assert len(day.providers) == 20
    assert {(need.product, need.direction) for need in day.market.needs} == {
        (product, direction) for product in ("aFRR", "mFRR") for direction in ("up", "down")
    }
