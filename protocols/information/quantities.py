"""The kinds of quantity that messages carry: powers, prices, instants, directions, products, and where.

An `Instant` is integer microseconds since the epoch (UTC) in Python and an ISO 8601 text with `Z` in
JSON, so that records and foreign agents read dates while the inside never rounds. Bounds keep out what
cannot be meant (NaN, a million GW, the year 10 000); what a market allows is the business of its rules.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, GetCoreSchemaHandler, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from .consistency import exceeds

Direction = Literal["up", "down"]
Product = Literal["FCR", "aFRR", "mFRR"]
Verdict = Literal["ok", "limited", "rejected", "excluded"]

TRANSMISSION = "transmission"  # the grid of what is connected to no DSO
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
US_PER_S = 1_000_000
LAST_US = 253_402_300_799_999_999  # the end of the year 9999, the last that ISO 8601 texts of four digits can name


def iso(at_us: int) -> str:
    """Microseconds since the epoch as ISO 8601, UTC, without a fraction where there is none."""
    second, rest_us = divmod(at_us, US_PER_S)
    return f"{_second(second)}.{rest_us:06d}Z" if rest_us else f"{_second(second)}Z"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    """A whole second without its zone; many messages fall into the same."""
    return (EPOCH + timedelta(seconds=second)).isoformat()[: -len("+00:00")]


def instant(text: str) -> int:
    """ISO 8601 with an offset as microseconds since the epoch; ValueError if it is not one."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"'{text}' has no offset from UTC; write for example 2026-03-02T12:00:00+01:00")
    return (moment - EPOCH) // timedelta(microseconds=1)


class Iso:
    """An ISO 8601 text is read as an instant; the integer that agents give goes by without a call into Python."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In JSON always a text, in Python a text or an integer."""
        whole = handler(source)
        read = core_schema.with_info_before_validator_function(_to_us, whole)
        either = core_schema.union_schema([{**whole, "strict": True}, read], mode="left_to_right")
        return core_schema.json_or_python_schema(read, either)


def _to_us(value: object, info: ValidationInfo) -> object:
    if isinstance(value, str):
        return instant(value)
    if info.mode == "json":
        raise ValueError("an instant is an ISO 8601 text with an offset, for example 2026-03-02T12:00:00Z")
    return value


Instant = Annotated[
    int,
    Field(ge=0, le=LAST_US),
    Iso(),
    PlainSerializer(iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
End = Annotated[Instant, exceeds("start")]
DeliveryEnd = Annotated[Instant, exceeds("delivery_start")]
Power = Annotated[float, Field(ge=-1e6, le=1e6)]
Quantity = Annotated[float, Field(ge=0, le=1e6)]
Energy = Annotated[float, Field(ge=0, le=1e9)]
Price = Annotated[float, Field(ge=-1e6, le=1e6)]
Money = Annotated[Decimal, Field(ge=-(10**12), le=10**12, decimal_places=2)]
ReactiveRate = Annotated[float, Field(ge=-100, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Sampling = Annotated[float, Field(ge=0.1, le=3_600)]
Name = Annotated[str, Field(min_length=1, max_length=160, pattern=r"^[^/#\s][^/#]*$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
