"""A unit that is slower than its product is not qualified for it, and so neither ordered nor paid."""

from pathlib import Path

import pytest
from once import recorded_once

from gridpact.agents.tso import Tso
from gridpact.scenarios.audit import audit
from gridpact.scenarios.check.oddities import hints
from gridpact.scenarios.operation import assembly, plants
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run

SLOW = {"participants.bsp-a.response.ramping_s": "1200"}


@pytest.fixture(scope="module")
def slow(shared: Path, short_settings: dict[str, str]) -> Run:
    """The cheapest unit takes 20.5 minutes to its full power."""
    scenario = load_scenario("scenario-1-dso", short_settings | SLOW)
    return recorded_once(shared / "slow", lambda out: run(scenario, out=out))


def test_it_takes_no_part_and_others_deliver_in_its_place(slow: Run) -> None:
    assert "bsp-a" not in set(slow.offers["participant"])
    assert "bsp-a" not in set(slow.settlement["payee"])
    assert {"bsp-b", "gen-t"} <= set(slow.settlement["payee"])


def test_nothing_of_the_paper_is_missing_where_an_application_was_refused(slow: Run) -> None:
    assert audit(slow).findings == ()
    steps = slow.kpis["kpi_1_information_exchange"]["steps"]
    assert steps["covered"] == steps["due"]


def test_a_scenario_says_itself_how_long_its_products_may_take() -> None:
    longer = {"market.activation.full_activation_s": "1230", "market.afrr.full_activation_s": "240"}
    scenario = load_scenario("scenario-1-dso", SLOW | longer)
    (tso,) = (one for one in assembly.agents(scenario, plants.resources(scenario)) if isinstance(one, Tso))
    assert dict(tso.profile.full_activation_us) == {"FCR": 30_000_000, "aFRR": 240_000_000, "mFRR": 1_230_000_000}
    assert list(hints(scenario)) == []


def test_nobody_waits_for_tests_longer_than_products_may_take() -> None:
    assert load_scenario("scenario-1-dso", {"participants.bsp-a.response.ramping_s": "20000"}).name == "scenario-1-dso"
