"""A swarm is drawn from the seed, stands under what the file says itself, and goes through all stages."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from documented import console
from typer.testing import CliRunner

from gridpact.scenarios.cli import app
from gridpact.scenarios.description.buses import BUILT_IN, SOURCES
from gridpact.scenarios.description.participants import AggregatorDescription, BspDescription
from gridpact.scenarios.description.schema import Scenario
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.reading.loading import changed_scenario, load_scenario, scenario_yaml
from gridpact.scenarios.record.run import load_run


def swarm(**settings: object) -> Scenario:
    return load_scenario("swarm", {key.replace("__", "."): str(value) for key, value in settings.items()})


def bsps(scenario: Scenario) -> dict[str, BspDescription]:
    return {
        name: who
        for name, who in scenario.providers.items()
        if isinstance(who, BspDescription) and not who.on_transmission
    }


def test_as_many_take_part_as_the_scenario_says() -> None:
    scenario = swarm(bsps=120, aggregators=7, dfrs=9)
    pools = [who.pool for who in scenario.providers.values() if isinstance(who, AggregatorDescription)]
    assert len(bsps(scenario)) == 120
    assert [pool.dfrs for pool in pools] == [9] * 7


def test_a_grid_per_fifty_bsps_each_with_its_own_dso_and_the_networks_in_turn() -> None:
    scenario = swarm(bsps=220, aggregators=0)
    assert len(scenario.grids) == 5
    assert {dso.grid for dso in scenario.dsos.values()} == set(scenario.grids)
    networks = [grid.network for grid in scenario.grids.values()]
    assert networks == ["cigre_mv_der", "oberrhein", "case33bw", "cigre_mv_der", "oberrhein"]
    counted = [sum(who.grid == grid for who in bsps(scenario).values()) for grid in scenario.grids]
    assert counted == [50, 50, 50, 50, 20]


def test_who_takes_part_does_not_depend_on_how_many_others_do() -> None:
    few, many = bsps(swarm(bsps=10)), bsps(swarm(bsps=300))
    assert all(many[name] == who for name, who in few.items())


def test_another_seed_draws_others_and_the_same_seed_the_same() -> None:
    assert bsps(swarm(bsps=30)) == bsps(swarm(bsps=30))
    assert bsps(swarm(bsps=30)) != bsps(swarm(bsps=30, seed=2))


def test_sizes_prices_ways_and_kinds_follow_their_distributions() -> None:
    scenario = swarm(bsps=2000)
    everybody = list(bsps(scenario).values())
    sizes = sorted(max(who.units[0].up_mw, who.units[0].down_mw) for who in everybody)
    prices = sorted(offer.price_eur_per_mwh for who in everybody for offer in who.offers if offer.direction == "up")
    assert sizes[len(sizes) // 2] == pytest.approx(0.3, abs=0.02)
    assert (sizes[0], sizes[-1]) == (0.1, pytest.approx(1.4, abs=0.6))
    assert prices[len(prices) // 2] == pytest.approx(80, abs=2)
    assert prices[len(prices) // 6] == pytest.approx(80 - 15, abs=3)
    both = sum(len(who.offers) == 2 for who in everybody)
    assert both == pytest.approx(0.2 * 2000, rel=0.15)
    generators = sum(who.units[0].kind == "generator" for who in everybody)
    assert generators == pytest.approx(0.6 * 2000, rel=0.1)


def test_they_are_spread_over_all_buses_but_those_of_the_sources() -> None:
    buses = {who.units[0].bus for who in bsps(swarm(bsps=400, swarm__bsps_per_grid=400)).values()}
    assert buses == set(range(1, 15))


def test_the_sources_that_are_avoided_are_those_of_the_networks() -> None:
    from gridpact.grid.description.grid import GridDescription
    from gridpact.grid.network.source import load

    for name, sources in SOURCES.items():
        net = load(GridDescription.model_validate({"network": name}))
        assert set(net.ext_grid["bus"]) == sources
    assert SOURCES.keys() == BUILT_IN.keys()


def test_the_need_the_reserve_and_the_area_grow_with_the_swarm() -> None:
    for scenario in (swarm(bsps=20), swarm(bsps=200)):
        offers = [offer for who in bsps(scenario).values() for offer in who.offers if offer.direction == "up"]
        pools = [who for who in scenario.providers.values() if isinstance(who, AggregatorDescription)]
        offers += [offer for who in pools for offer in who.offers if offer.direction == "up"]
        need = next(need for need in scenario.market.needs if need.direction == "up")
        assert need.quantity_mw == pytest.approx(sum(offer.quantity_mw for offer in offers) / 2, abs=0.02)
        assert scenario.area.load_mw >= 100 * need.quantity_mw - 1e-6
        assert scenario.area.fcr.limit_mw == pytest.approx(0.02 * scenario.area.load_mw, abs=1e-3)
        assert scenario.area.disturbances[0].mw == pytest.approx(-0.7 * need.quantity_mw, abs=1e-2)


def test_disturbances_are_over_when_the_last_period_is() -> None:
    for units in (1, 2, 3):
        steps = swarm(time__market_time_units=units).area.disturbances
        assert sum(step.mw for step in steps) == pytest.approx(0)
        assert all(first.at < second.at for first, second in pairwise(steps))


def test_delivery_begins_as_soon_as_all_tests_can_be_over() -> None:
    first = {bsps: swarm(bsps=bsps).time.first_delivery_us for bsps in (5, 50, 500)}
    assert first[5] < first[50] == first[500]
    begun = swarm(bsps=50).time
    earlier = begun.start_us + 60_000_000 * 15 * (-(-(begun.first_delivery_us - begun.start_us) // 900_000_000) - 2)
    at = begun.start.fromtimestamp(earlier / 1e6, begun.start.tzinfo).isoformat()
    with pytest.raises(ScenarioError, match="would not be over before the first call"):
        swarm(bsps=50, time__first_delivery=at)


def test_what_the_file_says_itself_stands() -> None:
    own = "{kind: bsp, grid: grid-001, units: [{id: mine, bus: 3, up_mw: 7.0}]}"
    load, needs = "area.load_mw", "market.needs"
    overrides = {"participants.bsp-00002": own, load: "5000.0", needs: "[{direction: up, quantity_mw: 3}]"}
    scenario = load_scenario("swarm", overrides | {"grids.grid-001": "{network: cigre_mv}"})
    assert scenario.participants["bsp-00002"].units[0].id == "mine"  # type: ignore[union-attr]
    assert (scenario.area.load_mw, scenario.market.needs[0].quantity_mw) == (5000.0, 3.0)
    assert scenario.grids["grid-001"].network == "cigre_mv"
    assert scenario.area.fcr.limit_mw != 20.0
    assert len(scenario.participants) == len(swarm().participants)


@pytest.mark.parametrize(
    "overrides", [{}, {"area.load_mw": "5000.0", "participants.operator-1": "{kind: dso, grid: grid-001}"}]
)
def test_the_record_keeps_the_numbers_and_loads_as_the_same_swarm(overrides: dict[str, str], tmp_path: Path) -> None:
    scenario = load_scenario("swarm", {"bsps": "500", **overrides})
    text = scenario_yaml(scenario)
    assert ("dso-001" in scenario.participants, "operator-1" in text) == (not overrides, bool(overrides))
    assert "bsp-00007" not in text
    assert "grid-003" not in text
    (tmp_path / "again.yaml").write_text(text)
    again = load_scenario(tmp_path / "again.yaml")
    assert again.model_dump() == scenario.model_dump()
    assert list(again.participants) == list(scenario.participants)


def test_a_change_in_python_draws_anew() -> None:
    assert len(changed_scenario(swarm(), {"bsps": 77}).providers) == 77 + 3 + 1
    assert bsps(changed_scenario(swarm(), {"seed": 9})) == bsps(swarm(seed=9))


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"bsps": -1}, "--set bsps=-1: swarm.bsps: it should be greater than or equal to 0"),
        ({"bsps": "many"}, "--set bsps=many: swarm.bsps: it should be a plain number"),
        ({"bsps": 0, "aggregators": 0}, "there is nobody to offer anything"),
        ({"dfrs": 0}, "swarm.dfrs"),
        ({"bsp": 3}, "unknown key|did you mean"),
        ({"swarm.bsp.ways": "{up: 0.5, down: 0.2}"}, "the shares sum to 0.7, but they must sum to 1"),
        ({"swarm.bsp.ramping_s": "[60, 20]"}, "the smaller number comes first"),
        ({"swarm.grids": "[]"}, "at least 1 grid"),
        ({"swarm.grids": "[{file: mine.json}]"}, "buses is empty: for the network file mine.json"),
        ({"short_names": "{seed: swarm.bsps}"}, '"seed" cannot be a short name'),
        ({"short_names": "{n: swarms.bsps}"}, '"swarms.bsps" is no path of a scenario'),
    ],
)
def test_nonsense_is_told_in_one_sentence(settings: dict[str, Any], wanted: str) -> None:
    with pytest.raises(ScenarioError, match=wanted) as told:
        load_scenario("swarm", {key: str(value) for key, value in settings.items()})
    assert "\n" not in str(told.value)


def test_a_short_name_is_the_long_path_in_any_scenario(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: blind\nshort_names: {need: market.needs.0, price: market}")
    scenario = load_scenario(
        tmp_path / "mine.yaml", {"need.quantity_mw": "4.5", "price.price_limit_eur_per_mwh": "900"}
    )
    assert scenario.market.needs[0].quantity_mw == 4.5
    assert scenario.market.price_limit_eur_per_mwh == 900


def test_the_swarm_of_the_page_in_two_grids_goes_through_all_stages_and_its_record_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the commands of the page: it runs, and audit and replay pass."""
    monkeypatch.chdir(tmp_path)
    for command in console("swarms-and-sweeps.md")[0]:
        told = CliRunner().invoke(app, command.split()[1:])
        assert told.exit_code == 0, f"{command}: {told.output}"
    done = load_run(tmp_path / "runs" / "swarm")
    assert {row["stage"] for row in done.message_rows} == {
        "prequalification",
        "offering",
        "activation",
        "settlement",
    }
    assert done.grids == ("grid-001", "grid-002")
    assert float(done.kpis["cost"]["balancing_energy_eur"]) > 0


def test_a_long_table_of_the_summary_is_cut_and_says_so() -> None:
    from rich.console import Console
    from rich.table import Table

    from gridpact.scenarios.summary.tables import MOST_ROWS, _cut

    table = Table("participant", "asked MW", title="Qualified")
    for number in range(MOST_ROWS + 3):
        table.add_row(f"bsp-{number:05d}", "1")
    with Console(record=True, width=100) as console:
        console.print(_cut(table))
    text = console.export_text()
    assert "Qualified" in text
    assert f"bsp-{MOST_ROWS - 1:05d}" in text
    assert f"bsp-{MOST_ROWS:05d}" not in text
    assert "… and 3 more rows" in text


@pytest.mark.parametrize(("columns", "rows"), [(1, 8192), (250, 8192), (12_000, 256), (8000, 262), (120_000, 256)])
def test_what_waits_to_be_written_does_not_grow_with_the_swarm(columns: int, rows: int) -> None:
    from gridpact.scenarios.record.wide import flush_rows

    assert flush_rows(columns) == rows


def test_many_grids_share_what_one_may_keep_waiting() -> None:
    from gridpact.scenarios.record.wide import flush_rows

    assert flush_rows(400) == 5242
    assert flush_rows(400, files=20) == 262
    assert flush_rows(400, files=200) == 256


def test_a_wide_record_is_written_in_parts_and_read_as_one(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    from gridpact.scenarios.record.clerk import Clerk
    from gridpact.scenarios.record.wide import WideFile

    clerk = Clerk()
    file = WideFile(tmp_path / "wide.parquet", clerk)
    names = tuple(f"bsp-{number:05d}.p_mw" for number in range(600))
    ticks = 2**21 // 600 + 2
    for tick in range(ticks):
        file.add(tick * 1_000_000, names, [float(tick)] * len(names))
    file.close()
    clerk.finish()
    written = pq.ParquetFile(tmp_path / "wide.parquet")
    assert [written.metadata.row_group(group).num_rows for group in range(written.num_row_groups)] == [ticks - 2, 2]
    assert written.read(columns=[names[-1]]).column(0).to_pylist() == [float(tick) for tick in range(ticks)]


def test_a_record_that_is_wide_and_long_becomes_several_files_that_are_read_as_one(tmp_path: Path) -> None:
    """What a file that is not closed remembers of its columns is bounded: so is the memory of a run of any length."""
    import pandas as pd

    from gridpact.scenarios.record.clerk import Clerk
    from gridpact.scenarios.record.parquet import read_table
    from gridpact.scenarios.record.wide import WideFile

    clerk, path = Clerk(), tmp_path / "wide.parquet"
    file = WideFile(path, clerk, files=20)
    names = tuple(f"load.{number}.p_mw" for number in range(4000))
    ticks = list(range(2 * 256 + 2))
    for tick in ticks:
        file.add(tick * 1_000_000, names, [float(tick)] * len(names))
    file.close()
    clerk.finish()
    parts = [path / f"{number:06}.parquet" for number in (1, 2, 3)]
    assert (sorted(path.iterdir()), file.rows) == (parts, dict(zip(parts, (256, 256, 2), strict=True)))
    assert [path.name for path in tmp_path.iterdir()] == ["wide.parquet"]
    assert pd.read_parquet(path, columns=[names[7]])[names[7]].tolist() == ticks
    assert read_table(path).column(names[-1]).to_pylist() == ticks


def test_grids_of_one_network_keep_once_what_does_not_depend_on_who_is_connected() -> None:
    from gridpact.grid.model import load_model
    from gridpact.scenarios.operation import plants

    scenario = swarm(bsps=12, swarm__bsps_per_grid=3, aggregators=0)
    points = plants.connection_points(scenario, plants.resources(scenario))
    first, other, third = (
        load_model(scenario.grids[grid], points[grid]) for grid in ("grid-001", "grid-002", "grid-004")
    )
    assert first.point_names != third.point_names
    assert first.net.line is third.net.line
    assert first.net.sgen is not third.net.sgen
    matrices = [model.solver(model.initial_taps)._matrices for model in (first, other, third)]  # type: ignore[union-attr]
    assert matrices[0] is matrices[2]
    assert matrices[0] is not matrices[1]


def test_states_of_many_grids_are_packed_like_one_wide_file() -> None:
    from gridpact.scenarios.record.wide import packing

    assert packing(700) == packing(700, files=5) == {"compression": "zstd"}
    assert packing(700, files=200) == packing(70_000) == {"compression": "lz4", "use_dictionary": False}
