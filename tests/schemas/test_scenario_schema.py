"""The scenario schema says what a scenario's YAML may hold."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

import gridpact.scenarios
from gridpact.scenarios.commands.schemas import scenario_schema
from gridpact.scenarios.reading.loading import builtin_names, load_scenario

LIBRARY = Path(gridpact.scenarios.__path__[0]) / "library"
VALIDATOR = Draft202012Validator(scenario_schema())


def test_the_schema_is_one_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(scenario_schema())


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_built_in_file_follows_it(path: Path) -> None:
    values = json.loads(json.dumps(YAML(typ="safe").load(path.read_text("utf-8")), default=str))
    assert list(VALIDATOR.iter_errors(values)) == []


@pytest.mark.parametrize("name", builtin_names())
def test_every_scenario_as_run_follows_it(name: str) -> None:
    assert list(VALIDATOR.iter_errors(load_scenario(name).model_dump(mode="json"))) == []


@pytest.mark.parametrize(
    ("key", "value"), [("sed", 1), ("seed", -1), ("time", {"start": 3}), ("participants", {"x": {"kind": "utility"}})]
)
def test_what_is_wrong_is_told(key: str, value: object) -> None:
    values = {**load_scenario("blind").model_dump(mode="json"), key: value}
    assert not VALIDATOR.is_valid(values)


def test_a_file_that_extends_another_may_leave_out_anything_but_not_invent_keys() -> None:
    assert VALIDATOR.is_valid({"extends": "blind", "seed": 2})
    assert not VALIDATOR.is_valid({"extends": "blind", "sed": 2})
