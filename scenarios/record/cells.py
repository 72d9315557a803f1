"""How single values are written, so that equal runs are equal bytes: rounded to 1e-6, no -0.0, no NaN, times in UTC."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ...protocols.information.quantities import iso

_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
DIGITS = 6
ENERGY_DIGITS = 9


def number(value: float | None, digits: int = DIGITS) -> float | None:
    """A float to 1e-6 (1 W, 1e-6 pu); NaN and infinities become None, -0.0 becomes 0.0."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits) + 0.0


def digits_of(name: str) -> int:
    """Decimals kept of a quantity: energies keep 1e-9 MWh, so that their price is exact to the cent."""
    return ENERGY_DIGITS if name.endswith("_mwh") and not name.endswith("per_mwh") else DIGITS


def moment(at_us: int | None) -> str | None:
    """Microseconds since the epoch as ISO 8601 with Z, or None."""
    return None if at_us is None else iso(at_us)


def plain(value: object, digits: int = DIGITS) -> Any:
    """Evidence as plain JSON values: numbers rounded, tuples as lists; TypeError for anything JSON has no word for."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner, digits_of(str(key))) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, digits) for inner in value]
    if hasattr(value, "model_dump"):
        return plain(value.model_dump(mode="json"))
    if isinstance(value, float) or hasattr(value, "__float__"):
        return number(float(value), digits)
    raise TypeError(f"evidence holds a {type(value).__name__}, which a JSON record cannot say")


def line(values: Mapping[str, object]) -> bytes:
    """One JSON object as one line; keys in the order given."""
    return _encoded(values).encode() + b"\n"


def cell(name: str, value: object) -> str:
    """One value of a CSV column; None is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(number(value, digits_of(name)))
    return str(value)
