"""What `gridpact schema` prints: messages and scenarios as JSON Schema, protocols as AsyncAPI.

With a scenario, its plugins' message types and protocols are described too.
"""

from __future__ import annotations

import json
from typing import Any

from ...protocols.asyncapi import asyncapi
from ...protocols.schema import DRAFT, message_schema
from ...protocols.vocabulary import BUSINESS_USE_CASE, Vocabulary
from ..description.schema import Scenario
from ..errors import ScenarioError, right_names
from ..version import VERSION

KINDS = ("messages", "scenario", "asyncapi")


def schema_text(kind: str, vocabulary: Vocabulary = BUSINESS_USE_CASE) -> str:
    """One of KINDS as indented JSON; ScenarioError for anything else."""
    if kind not in KINDS:
        raise ScenarioError(f"{kind}: there is no such schema; {right_names(kind, KINDS)}")
    return json.dumps(_document(kind, vocabulary), indent=1, ensure_ascii=False) + "\n"


def _document(kind: str, vocabulary: Vocabulary) -> dict[str, Any]:
    if kind == "messages":
        return message_schema(vocabulary)
    return scenario_schema() if kind == "scenario" else asyncapi(vocabulary, version=VERSION)


def scenario_schema() -> dict[str, Any]:
    """A scenario's YAML file as JSON Schema (draft 2020-12).

    A file that `extends` another may leave out anything, so only its keys are checked; what must fit together
    across keys is checked by `gridpact check`.
    """
    whole = Scenario.model_json_schema(ref_template="#/$defs/{model}")
    definitions = whole.pop("$defs")
    names = sorted([*whole["properties"], "extends"])
    return {
        "$schema": DRAFT,
        "$id": "urn:gridpact:scenario",
        "title": "gridpact scenario",
        "type": "object",
        "properties": {"extends": {"type": "string", "description": "a built-in scenario or a file to start from"}},
        "if": {"required": ["extends"]},
        "then": {"propertyNames": {"enum": names}},
        "else": {"$ref": "#/$defs/Scenario"},
        "$defs": {"Scenario": whole, **definitions},
    }
