"""What a DSO allows keeps its grid's limits together with the reactive power that comes along, which was declared."""

from pathlib import Path
from typing import Any

import pytest
from once import recorded_once

from gridpact.scenarios.operation.running import run as run_scenario
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run

RATING_MVA = 20.0 * 3**0.5 * 0.15
TEXT = """
gridpact: 1
name: reactive
time: {start: 2026-06-15T11:30:00+02:00, first_delivery: 2026-06-15T12:00:00+02:00, market_time_units: 1,
       gate_closure_min: 6, cfp_lead_min: 4, tail_min: 1}
ticks: {control_s: 10, measurement_s: 10, monitoring_s: 10}
coordination: {scheme: scenario-1-dso}
market:
  needs: [{direction: up, quantity_mw: 8.0}]
  test: {hold_min: 0.5}
area:
  disturbances: [{at: "12:01:00", mw: -7.0, name: a generator trips}]
grids:
  g: {file: grid.json, limits: {loading_percent: 100, vm_min_pu: 0.8, vm_max_pu: 1.2}, metered: [interface]}
participants:
  tso: {kind: tso}
  dso: {kind: dso, grid: g}
  far:
    kind: bsp
    grid: g
    units: [{id: far, bus: 2, kind: storage, up_mw: 8.0, q_per_p: 1.0}]
    response: {preparation_s: 5, ramping_s: 20, deactivation_s: 10}
    offers: [{direction: up, quantity_mw: 8.0, price_eur_per_mwh: 40}]
  reserve:
    kind: bsp
    grid: transmission
    units: [{id: gas turbine, up_mw: 10.0}]
    response: {preparation_s: 30, ramping_s: 60, deactivation_s: 30}
    offers: [{direction: up, quantity_mw: 10.0, price_eur_per_mwh: 90}]
"""


@pytest.fixture(scope="module")
def reactive(shared: Path) -> Run:
    """A storage at the end of a cable of 0.15 kA injects a Mvar with every MW."""

    def make(out: Path) -> Run:
        import pandapower

        net: Any = pandapower.create_empty_network()
        buses = [pandapower.create_bus(net, kv) for kv in (110.0, 20.0, 20.0)]
        pandapower.create_ext_grid(net, buses[0])
        pandapower.create_transformer(net, buses[0], buses[1], "25 MVA 110/20 kV")
        pandapower.create_line_from_parameters(net, buses[1], buses[2], 1.0, 0.16, 0.11, 0.0, max_i_ka=0.15)
        folder = out.with_name("reactive-source")
        folder.mkdir()
        pandapower.to_json(net, str(folder / "grid.json"))
        (folder / "reactive.yaml").write_text(TEXT)
        return run_scenario(load_scenario(folder / "reactive.yaml"), out=out)

    return recorded_once(shared / "reactive", make)


def test_so_much_is_qualified_as_the_cable_bears_with_its_reactive_power(reactive: Run) -> None:
    qualified = [row["content"] for row in reactive.message_rows if row["type"] == "gridpact.capacity-verdict/1"]
    (up,) = [one for content in qualified for one in content["verdicts"] if one["max_mw"] > 0]
    assert up["max_mw"] == pytest.approx(RATING_MVA / 2**0.5, rel=0.03)


def test_and_nothing_is_overloaded_when_it_delivers(reactive: Run) -> None:
    assert reactive.telemetry["far.activated_mw"].max() > 3
    assert reactive.telemetry["far.q_mvar"].max() > 3
    assert reactive.kpis["violations"]["g"]["minutes"] == 0
    assert 95 < reactive.kpis["violations"]["g"]["worst_loading_percent"] <= 100
