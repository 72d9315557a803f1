"""What every part of a description shares: frozen, no unknown keys, and numbers that say what is wrong with them."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, ValidationInfo

from .clock import clock_us


class Part(BaseModel):
    """A frozen piece of a description; unknown keys, NaN and infinities are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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
