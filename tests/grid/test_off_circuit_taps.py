"""Transformers to low voltage have taps that are set with the power off, unless the scenario says otherwise."""

from pathlib import Path
from typing import Any

import pandapower
import pytest

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import quiet
from gridpact.grid.model import load_model
from gridpact.grid.studies.studies import GridStudies

NOTE = "the taps of 1 transformers to below 1 kV are taken as off-circuit: they stay where they are"


@pytest.fixture
def file(tmp_path: Path) -> str:
    """110/20 kV with an on-load tap changer, and below it 20/0.4 kV with taps of ±2 × 2.5 %."""
    net: Any = pandapower.create_empty_network()
    buses = [pandapower.create_bus(net, kv) for kv in (110.0, 20.0, 0.4)]
    pandapower.create_ext_grid(net, buses[0])
    pandapower.create_transformer(net, buses[0], buses[1], "25 MVA 110/20 kV")
    pandapower.create_transformer(net, buses[1], buses[2], "0.4 MVA 20/0.4 kV")
    pandapower.create_load(net, buses[2], 0.2, 0.05)
    with quiet():
        pandapower.to_json(net, str(tmp_path / "net.json"))
    return str(tmp_path / "net.json")


def test_they_stay_where_they_are_and_that_is_said(file: str) -> None:
    model = load_model(GridDescription.model_validate({"file": file}))
    assert model.tap_ranges == ((-9, 9), (0, 0))
    assert [note for note in model.notes if note.startswith(NOTE)]


def test_no_demand_response_is_offered_with_them(file: str) -> None:
    studies = GridStudies("g", GridDescription.model_validate({"file": file}), ())
    assert {block.transformer for block in studies.cvr(0)} == {studies.model.transformer_names[0]}


def test_the_scenario_s_tap_changers_are_on_load_at_every_transformer(file: str) -> None:
    model = load_model(GridDescription.model_validate({"file": file, "taps": {"min": -2, "max": 2}}))
    assert model.tap_ranges == ((-2, 2), (-2, 2))
    assert not [note for note in model.notes if "off-circuit" in note]
