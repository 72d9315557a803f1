"""A strategy as a scenario names it: its name alone, or with parameters.

strategy: withholding        strategy: {name: withholding, parameters: {share: 0.6}}
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue

from ...grid.description.part import Part


class Chosen(Part):
    """A strategy by name, with values for what its class asks for."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)
    parameters: dict[str, JsonValue] = Field(default={})


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


Strategy = Annotated[Chosen, BeforeValidator(_named, json_schema_input_type=str | Chosen)]
