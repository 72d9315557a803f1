"""The kinds of quantity that messages carry: powers, prices, instants, directions, products.

An `Instant` is integer microseconds since the epoch (UTC) in Python and an ISO 8601 text with `Z` in
JSON, so that records and foreign agents read dates while the inside never rounds.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

Direction = Literal["up", "down"]
Product = Literal["FCR", "aFRR", "mFRR"]
Verdict = Literal["ok", "limited", "rejected", "excluded"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
US_PER_S = 1_000_000


def iso(at_us: int) -> str:
    """Microseconds since the epoch as ISO 8601, UTC, without a fraction where there is none."""
    return (EPOCH + timedelta(microseconds=at_us)).isoformat().replace("+00:00", "Z")


def instant(text: str) -> int:
    """ISO 8601 with an offset as microseconds since the epoch; ValueError if it is not one."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"'{text}' has no offset from UTC; write for example 2026-03-02T12:00:00+01:00")
    return (moment - EPOCH) // timedelta(microseconds=1)


def _to_us(value: object) -> object:
    return instant(value) if isinstance(value, str) else value


Instant = Annotated[
    int,
    Field(ge=0),
    BeforeValidator(_to_us),
    PlainSerializer(iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Quantity = Annotated[float, Field(ge=0, le=1e6)]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Name = Annotated[str, Field(min_length=1, max_length=160, pattern=r"^[^/#\s][^/#]*$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
