"""The generated reference leaves nothing out: every key, message type and command, and every figure of the paper."""

import sys

import typer
from page_reader import DOCS

from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.audit.report import FIGURES
from gridpact.scenarios.cli import app
from gridpact.scenarios.schema import Scenario

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


def test_every_figure_has_a_run_that_shows_it() -> None:
    shown = [figure for figures, _ in generating.RUNS.values() for figure in figures]
    assert sorted(shown) == sorted(FIGURES) == sorted(generating.STAGES)


def test_a_generated_page_names_no_version_of_html_that_it_does_not_mean() -> None:
    assert "<class" not in generating.scenario_page() + generating.messages_page() + generating.cli_page()
