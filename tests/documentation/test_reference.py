"""The reference leaves nothing out: every key, message type and command, every part of a plugin, every figure."""

import pkgutil
import re
import sys
from dataclasses import fields
from types import FunctionType
from typing import get_args

import pytest
import typer
from page_reader import DOCS

from gridpact.agents.actions import Action
from gridpact.agents.bsp.state import BspState
from gridpact.agents.calendar import Calendar, MarketTimeUnit
from gridpact.agents.dso.state import DsoState
from gridpact.agents.errors import PluginError
from gridpact.agents.events import Event
from gridpact.agents.extension import Behaviour, Party, Situation, Study
from gridpact.agents.tso.state import TsoState
from gridpact.grid.studies.studies import GridStudies
from gridpact.protocols import templates
from gridpact.protocols.envelope import Topic
from gridpact.protocols.messages import Cancel, Cancelled, CancelTooLate
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.audit.report import FIGURES
from gridpact.scenarios.cli import app
from gridpact.scenarios.description.schema import Scenario

sys.path.insert(0, str(DOCS))
import generating


def test_every_key_of_a_scenario_is_in_the_reference() -> None:
    page = generating.scenario_page()
    schema = Scenario.model_json_schema()
    parts = {"Scenario": schema, **schema["$defs"]}
    for name, part in parts.items():
        if "properties" in part:
            section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
            assert [key for key in part["properties"] if f"| `{key}` |" not in section] == [], name


def test_every_message_type_is_in_the_reference() -> None:
    page = generating.messages_page()
    assert [type_id for type_id in BUSINESS_USE_CASE.messages if f"\n## {type_id}\n" not in page] == []


def test_every_command_and_option_is_in_the_reference() -> None:
    page = generating.cli_page()
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        section = page.partition(f"\n## gridpact {name}\n")[2].partition("\n## ")[0]
        options = [option.opts[0] for option in command.params if option.param_type_name == "option"]
        assert [option for option in options if option not in section] == [], name


def documented() -> dict[str, object]:
    """What the page on Python documents, by its whole name."""
    found: dict[str, object] = {}
    module = ""
    text = (DOCS / "reference" / "api.md").read_text("utf-8")
    for kind, name in re.findall(r"^\.\. (currentmodule|auto\w+):: (\S+)$", text, re.MULTILINE):
        module = name if kind == "currentmodule" else module
        whole = name if name.startswith("gridpact.") else f"{module}.{name}"
        found[whole] = pkgutil.resolve_name(whole)
    return found


def test_all_that_a_plugin_is_written_with_is_in_the_reference() -> None:
    shown = set(map(id, documented().values()))
    parts = (Topic, Situation, Party, Calendar, MarketTimeUnit, Behaviour, Study, PluginError, GridStudies)
    made = [value for value in vars(templates).values() if isinstance(value, FunctionType)]
    own = [each for each in made if each.__module__ == templates.__name__ and not each.__name__.startswith("_")]
    wanted = [*get_args(Event), *get_args(Action), *parts, *own, Cancel, Cancelled, CancelTooLate]
    assert [one.__name__ for one in wanted if id(one) not in shown] == []


@pytest.mark.parametrize(("kind", "states"), [("TSO", TsoState), ("DSO", DsoState), ("BSP, AGGREGATOR", BspState)])
def test_what_the_reference_says_of_the_base_is_there(kind: str, states: type) -> None:
    text = (DOCS / "reference" / "api.md").read_text("utf-8")
    (row,) = re.findall(rf"^\| {kind} \| `(\S+)` \| (.*) \|$", text, re.MULTILINE)
    assert pkgutil.resolve_name(row[0]) is states
    named = set(re.findall(r"`(\w+)`", row[1]))
    assert named <= {field.name for field in fields(states)}


def test_every_figure_has_a_run_that_shows_it() -> None:
    shown = [figure for figures, _ in generating.RUNS.values() for figure in figures]
    assert sorted(shown) == sorted(FIGURES) == sorted(generating.STAGES)


def test_a_generated_page_names_no_version_of_html_that_it_does_not_mean() -> None:
    assert "<class" not in generating.scenario_page() + generating.messages_page() + generating.cli_page()
