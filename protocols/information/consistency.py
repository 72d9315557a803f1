"""What must hold between the fields of one payload, as validators to be written beside a field's type.

    end: Annotated[Instant, exceeds("start")]      offers: Annotated[tuple[Offer, ...], distinct("offer_id")]

A rule that names other fields looks at those declared before its own; if one of them is invalid itself, that is
the fault that is reported. Each raises ValueError, which pydantic reports together with the field's name.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol

from pydantic import AfterValidator, ValidationInfo


class Shared(Protocol):
    """Something that has a share of a whole."""

    @property
    def share(self) -> float:
        """Between 0 and 1."""


def exceeds(field: str) -> AfterValidator:
    """The value is greater (later) than that of an earlier field."""

    def check(value: Any, info: ValidationInfo) -> Any:
        least = info.data.get(field)
        if least is not None and not value > least:
            raise ValueError(f"must be after {field}" if isinstance(value, int) else f"must be above {field}")
        return value

    return AfterValidator(check)


def at_least(field: str) -> AfterValidator:
    """The value is not below that of an earlier field."""

    def check(value: Any, info: ValidationInfo) -> Any:
        if field in info.data and value < info.data[field]:
            raise ValueError(f"must not be below {field}")
        return value

    return AfterValidator(check)


def at_most(*fields: str) -> AfterValidator:
    """The value is not above the largest of some earlier fields."""

    def check(value: Any, info: ValidationInfo) -> Any:
        known = [info.data[field] for field in fields if field in info.data]
        if len(known) == len(fields) and value > max(known):
            raise ValueError(f"must not be above {' and '.join(fields)}")
        return value

    return AfterValidator(check)


def zero_if(field: str, *values: str) -> AfterValidator:
    """The value is 0 if an earlier field says so."""

    def check(value: float, info: ValidationInfo) -> float:
        if info.data.get(field) in values and value != 0:
            raise ValueError(f"must be 0 where {field} is {info.data[field]}")
        return value

    return AfterValidator(check)


def never(value: str) -> AfterValidator:
    """One of the values that the type allows elsewhere is not used here."""

    def check(given: str) -> str:
        if given == value:
            raise ValueError(f"'{value}' is not used here")
        return given

    return AfterValidator(check)


def _key(item: Any, fields: tuple[str, ...]) -> Any:
    return tuple(getattr(item, field) for field in fields) if fields else item


def distinct(*fields: str) -> AfterValidator:
    """No two items agree in these fields (or at all, if none is named)."""

    def check(items: Sequence[Any]) -> Sequence[Any]:
        seen = set()
        for item in items:
            key = _key(item, fields)
            if key in seen:
                raise ValueError(f"{' and '.join(fields) or 'item'} {key!r} occurs twice")
            seen.add(key)
        return items

    return AfterValidator(check)


def alike(field: str) -> AfterValidator:
    """All items agree in this field."""

    def check(items: Sequence[Any]) -> Sequence[Any]:
        found = sorted({getattr(item, field) for item in items})
        if len(found) > 1:
            raise ValueError(f"one {field} is wanted, not {' and '.join(found)}")
        return items

    return AfterValidator(check)


def ascending(field: str) -> AfterValidator:
    """Each item's field is greater than that of the item before."""

    def check(items: Sequence[Any]) -> Sequence[Any]:
        values = [getattr(item, field) for item in items]
        if any(later <= earlier for earlier, later in pairwise(values)):
            raise ValueError(f"{field} must ascend")
        return items

    return AfterValidator(check)


def whole(tolerance: float = 1e-6) -> AfterValidator:
    """The shares add up to 1."""

    def check(items: Sequence[Shared]) -> Sequence[Shared]:
        total = sum(item.share for item in items)
        if abs(total - 1) > tolerance:
            raise ValueError(f"the shares add up to {total:g}, not to 1")
        return items

    return AfterValidator(check)
