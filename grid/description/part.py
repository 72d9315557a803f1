"""What every part of a description shares: frozen, no unknown keys, and numbers that say what is wrong with them."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, Strict, ValidationInfo
from pydantic_core import CoreSchema

from ..clock import clock_us


def _make_numbers_strict(schema: Any) -> None:
    """Keys stay as they are: in YAML and JSON each is a text."""
    if isinstance(schema, dict):
        if schema.get("type") in ("int", "float"):
            schema["strict"] = True
        for name, inner in schema.items():
            if name != "keys_schema":
                _make_numbers_strict(inner)
    elif isinstance(schema, list | tuple):
        for inner in schema:
            _make_numbers_strict(inner)


class Part(BaseModel):
    """A frozen piece of a description; unknown keys, NaN, infinities, and true or false for a number are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Every number strict, in place of a word at every field: neither true nor a text in quotes is one."""
        schema = handler(source)
        _make_numbers_strict(schema)
        return schema


def _size(value: float, info: ValidationInfo) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{info.field_name} is {value:g}, but it is a size: a finite number, 0 or more")
    return value


def _positive(value: float, info: ValidationInfo) -> float:
    if value <= 0:
        raise ValueError(f"{info.field_name} is {value:g}, but it must be above 0")
    return value


def _clock(text: str) -> str:
    clock_us(text)
    return text


Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Size = Annotated[float, Strict(), Field(allow_inf_nan=True), AfterValidator(_size)]
Positive = Annotated[Number, AfterValidator(_positive)]
ClockTime = Annotated[str, AfterValidator(_clock)]
