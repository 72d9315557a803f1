"""Faults of simulated time: whoever dies, and whatever happens to messages, the market comes to what it would have."""

from pathlib import Path

import pytest

from gridpact.scenarios.audit import audit
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run
from gridpact.scenarios.replay.replaying import replay


def befallen(handful: Path, out: Path, **faults: object) -> Run:
    changes = {f"faults.{key.replace('__', '.')}": str(value) for key, value in faults.items()}
    return run(load_scenario(handful, changes), out=out)


def books(record: Run) -> str:
    return (record.folder / "settlement.csv").read_text("utf-8")


def accepted(record: Run) -> list[list[object]]:
    return record.merit_order[["offer_id", "accepted_mw"]].to_numpy().tolist()


def test_killed_at_two_hundred_moments_everybody_settles_as_if_nothing_had_been(
    handful: Path, tmp_path: Path, simulated: Run
) -> None:
    killed = befallen(handful, tmp_path / "killed", crashes__share=0.17, seed=1)
    assert killed.timing["faults"]["deaths"] >= 200
    assert books(killed) == books(simulated)
    assert {row["id"] for row in killed.message_rows} == {row["id"] for row in simulated.message_rows}
    assert len(killed.message_rows) == len(simulated.message_rows)
    assert audit(killed).findings == ()
    assert replay(killed) == []


def test_who_is_down_for_a_second_keeps_what_it_has_promised(handful: Path, tmp_path: Path, simulated: Run) -> None:
    """What it does late is counted, costs no more than was ordered meanwhile, and is replayed when it was done."""
    down = befallen(handful, tmp_path / "down", crashes__share=0.02, crashes__down_s=1.0, seed=1)
    told = down.timing["faults"]
    assert told["deaths"] >= 10
    assert told["done late"] > 0
    assert accepted(down) == accepted(simulated)
    assert audit(down).findings == ()
    late_h = told["deaths"] * (1.0 + down.scenario.ticks.control_s) / 3600
    orders = simulated.merit_order.set_index("offer_id")["accepted_mw"]
    paid, before = (run.settlement.groupby("offer_id")["energy_mwh"].max() for run in (down, simulated))
    assert (paid - before).abs().le(orders.reindex(before.index).fillna(orders.sum()) * late_h + 1e-6).all()
    assert replay(down) == []


def test_what_is_lost_doubled_overtaken_or_cut_off_on_the_way_changes_no_outcome(
    handful: Path, tmp_path: Path, simulated: Run
) -> None:
    """The BSP that is cut off while offers are asked for makes its offer when the way is free."""
    cut = '[{who: [bsp-a], since: "11:52:50", until: "11:54:00"}]'
    shares = dict.fromkeys(("loss", "duplication", "reordering", "late"), 0.1)
    shaken = befallen(handful, tmp_path / "shaken", **shares, partitions=cut, seed=1)
    befell = ("lost", "doubled", "overtaken", "late", "unacknowledged", "cut off")
    assert all(shaken.timing["faults"][what] > 0 for what in befell)
    assert books(shaken) == books(simulated)
    assert audit(shaken).findings == ()
    assert replay(shaken) == []


def test_what_stays_lost_is_dealt_with_by_the_declared_rules_and_never_hangs(handful: Path, tmp_path: Path) -> None:
    raw = {"loss": 0.1, "duplication": 0.1, "reordering": 0.1, "repeat_s": "null"}
    record = befallen(handful, tmp_path / "raw", seed=1, **raw)
    assert record.scenario.time.end_us == load_scenario(handful).time.end_us
    assert audit(record).findings == ()
    balance = record.settlement.groupby("payee")["amount_eur"].sum().sum()
    assert balance == pytest.approx(record.settlement["amount_eur"].sum())
    assert replay(record) == []


def test_who_is_named_in_a_fault_must_take_part(handful: Path) -> None:
    with pytest.raises(ScenarioError, match=r'faults.crashes.who.0: there is no participant "bsp-x"'):
        load_scenario(handful, {"faults.crashes.who": "[bsp-x]"})


def test_faults_are_for_simulated_time(handful: Path, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="they are for simulated time"):
        run(load_scenario(handful, {"faults.loss": "0.1"}), out=tmp_path / "run", realtime=True)


@pytest.mark.soak
def test_everybody_killed_at_every_input(handful: Path, tmp_path: Path, simulated: Run) -> None:
    killed = befallen(handful, tmp_path / "killed", crashes__share=1, seed=1)
    print(killed.timing["faults"])  # noqa: T201 - what `make soak` is run for
    assert killed.timing["faults"]["deaths"] >= 1000
    assert books(killed) == books(simulated)
    assert audit(killed).findings == ()
    assert replay(killed) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 12))
def test_no_seed_of_faults_on_the_way_changes_the_outcome(
    handful: Path, tmp_path: Path, simulated: Run, seed: int
) -> None:
    shaken = befallen(handful, tmp_path / "shaken", loss=0.1, duplication=0.1, reordering=0.1, seed=seed)
    assert accepted(shaken) == accepted(simulated)
    assert books(shaken) == books(simulated)
    assert audit(shaken).findings == ()
