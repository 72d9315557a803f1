"""The page about Python is true: every snippet runs; a scenario built in Python is the one that its YAML describes."""

from collections.abc import Callable
from typing import Any

import pytest

import gridpact
from gridpact.scenarios.record.columns import TABLES

UNITS = {
    "MW": "_mw",
    "Mvar": "_mvar",
    "MWh": "_mwh",
    "EUR": "_eur",
    "EUR/MWh": "_eur_per_mwh",
    "Hz": "_hz",
    "pu": "_pu",
    "%": "_percent",
    "s": "_s",
    "EUR/h": "_eur_per_h",
}
WITHOUT_UNIT = ("violations", "_of_service")  # counts and shares


def test_every_snippet_runs(follow: Callable[[str], Any]) -> None:
    reader = follow("python-api.md")
    run = reader.names["built"]
    assert isinstance(run, gridpact.Run)
    assert run.kpis["violations"]["north"]["minutes"] == 0.0
    numbers = [str(name) for name, kind in run.telemetry.dtypes.items() if kind == "float64"]
    assert [name for name in numbers if not name.endswith((*UNITS.values(), *WITHOUT_UNIT))] == []


@pytest.mark.parametrize("name", gridpact.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    thing = getattr(gridpact, name)
    assert name == "__version__" or thing.__doc__


def test_columns_say_their_units() -> None:
    columns = [column for table in TABLES for column in table.columns if column.kind == "number"]
    wrong = [column.name for column in columns if not column.name.endswith(UNITS.get(column.unit, column.name))]
    assert wrong == []


def test_overrides_are_plain_values_or_yaml() -> None:
    assert gridpact.load_scenario("scenario-1-dso", {"seed": 3, "links.loss": "0.01"}).links.loss == 0.01
