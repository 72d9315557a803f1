"""Pages that follow from the code: scenario schema, messages, command line, and the business use case from runs.

    schema, vocabulary, typer ─▶ reference pages
    runs of built-in scenarios ─▶ audit, sequence diagrams ─▶ the business use case, figure by figure

python docs/generating.py FOLDER
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import click
import typer

from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.audit import audit
from gridpact.scenarios.audit.report import FIGURES, report
from gridpact.scenarios.cli import app
from gridpact.scenarios.description.schema import Scenario
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run
from gridpact.scenarios.report.sequence import drawn_chapters

SHORT = {"time.tail_min": 2}
RUNS = {  # figures by the scenario that shows them, and what its run is shortened to
    "scenario-1-dso": (("4", "6", "7"), SHORT | {"time.market_time_units": 3}),
    "scenario-1": (("5",), SHORT | {"time.market_time_units": 1}),
    "scenario-2": (("8", "9", "10"), SHORT | {"time.market_time_units": 1}),
}
STAGES = {
    "4": "prequalification",
    "5": "offering",
    "6": "offering",
    "7": "activation",
    "8": "prequalification",
    "9": "offering",
    "10": "activation",
}


def write_all(folder: Path) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"scenario": scenario_page, "messages": messages_page, "cli": cli_page, "business-use-case": case_page}
    for name, page in pages.items():
        (folder / f"{name}.md").write_text(page(), encoding="utf-8")


def scenario_page() -> str:
    """Every part of a scenario with its keys."""
    schema = Scenario.model_json_schema()
    definitions = schema.pop("$defs")
    parts = {"Scenario": schema, **dict(sorted(definitions.items()))}
    return "\n".join(line for name, part in parts.items() if "properties" in part for line in _part(name, part))


def _part(name: str, part: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n## {name}\n\n{_text(part.get('description', ''))}\n"
    yield "| key | what it holds | default |\n|---|---|---|"
    wanted = part.get("required", ())
    for key, value in part["properties"].items():
        yield f"| `{key}` | {_holds(value)} | {'required' if key in wanted else _default(value)} |"


def _default(value: Mapping[str, Any]) -> str:
    """What stands where nothing is said; a part's own defaults are told where it is."""
    given = value.get("default")
    if "default" not in value or (isinstance(given, dict) and given and "name" not in given):
        return "its defaults" if "$ref" in value else ""
    return f"`{json.dumps(given, ensure_ascii=False)}`".replace("|", "\\|")


def _text(description: str) -> str:
    """A docstring as Markdown: code stays code."""
    return description.replace("<", "&lt;").replace("|", "\\|")


def _cell(value: object) -> str:
    text = {True: "true", False: "false", None: "null"}.get(value) if isinstance(value, bool | None) else str(value)
    return str(text).replace("|", "\\|")


def _holds(value: Mapping[str, Any]) -> str:
    """The type of a key in words, with links to its part and its bounds."""
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    rules = [f"{escape(sign)} {value[key]:g}" for key, sign in bounds.items() if key in value]
    return ", ".join([_type(value), *rules])


def _type(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return "any value" if name == "JsonValue" else f"[{name}](#{name.lower()})"
    if "const" in value or "enum" in value:
        choices = [value["const"]] if "const" in value else value["enum"]
        shown = [f"`{_cell(choice)}`" for choice in choices]
        return " or ".join(shown) if len(shown) <= 12 else f"one of {len(shown)} names"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in value:
            return " or ".join(dict.fromkeys(_holds(each) for each in value[key] if each.get("type") != "null"))
    if value.get("type") == "array":
        return f"list of {_holds(value.get('items', {}))}"
    if value.get("type") == "object":
        return f"{_holds(value['additionalProperties'])} by name" if value.get("additionalProperties") else "mapping"
    return f"{value.get('format') or value.get('type', 'anything')}"


def messages_page() -> str:
    """Every message type with its fields."""
    lines = ["| type | act | information | said in |", "|---|---|---|---|"]
    messages = sorted(BUSINESS_USE_CASE.messages.items())
    for type_id, message in messages:
        protocols = [p.name for p in BUSINESS_USE_CASE.protocols.values() if message in p.messages]
        said = ", ".join(f"[{name}](../protocols.md#{name})" for name in protocols)
        lines.append(f"| `{type_id}` | {message.performative} | {message.info or ''} | {said} |")
    for type_id, message in messages:
        lines.append(f"\n## {type_id}\n\n{_text((message.__doc__ or '').strip())}\n")
        fields = message.model_json_schema()["properties"]
        if fields:
            lines += ["| field | what it holds |", "|---|---|"]
            lines += [f"| `{name}` | {_unlinked(value)} |" for name, value in fields.items()]
    return "\n".join(lines)


def _unlinked(value: Mapping[str, Any]) -> str:
    return re.sub(r"\[(\w+)\]\(#\w+\)", r"\1", _holds(value))


def cli_page() -> str:
    """Every command with its arguments and options."""
    root = typer.main.get_command(app)
    context = click.Context(root, info_name="gridpact")
    lines = []
    for name in sorted(root.commands):
        command = root.commands[name]
        own = click.Context(command, info_name=name, parent=context)
        lines.append(f"\n## gridpact {name}\n\n{_text(command.get_short_help_str(limit=1000))}\n")
        lines.append(f"```text\n{command.get_usage(own)}\n```\n")
        if command.epilog:
            lines.append(f"Example: `{command.epilog}`\n")
        records = [record for each in command.get_params(own) if (record := each.get_help_record(own))]
        lines += ["| | |", "|---|---|", *(f"| `{_cell(left)}` | {_text(right)} |" for left, right in records)]
    return "\n".join(lines)


def case_page() -> str:
    """The figures of the paper with what runs show of them."""
    sections: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (figures, settings) in RUNS.items():
            made = run(load_scenario(name, settings), out=Path(folder) / name)
            found = _steps(made)
            for figure in figures:
                sections[figure] = [*_figure(figure, name, made), "```text", *found[figure], "```"]
    return "\n".join(line for figure in FIGURES for line in sections[figure])


def _steps(made: Run) -> dict[str, list[str]]:
    """What the audit says, by figure."""
    result = audit(made)
    assert result.passed, result.findings
    blocks: dict[str, list[str]] = {}
    for line in report(result):
        if not line.startswith(" "):
            current = line.removeprefix("Fig. ").partition(":")[0]
        else:
            blocks.setdefault(current, []).append(line)
    return blocks


def _figure(figure: str, name: str, made: Run) -> Iterator[str]:
    protocols = [p for p in BUSINESS_USE_CASE.protocols.values() if _is_of(figure, p.paper.values())]
    yield f"\n## Fig. {figure}: {FIGURES[figure]}\n"
    links = ", ".join(f"[{each.name}](protocols.md#{each.name})" for each in protocols)
    yield f"Protocols: {links}. A run of `{name}`:\n"
    for drawn in drawn_chapters(made):
        if drawn.heading.partition(" ")[0] == STAGES[figure] and drawn.svg:
            yield f'**{drawn.heading}**\n\n```{{raw}} html\n<div class="sequence-box">{drawn.svg}</div>\n```\n'
    yield "What fulfils the steps, as `gridpact audit` has it:\n"


def _is_of(figure: str, steps: Any) -> bool:
    return any(step.partition(".")[0] == figure for step in steps)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
