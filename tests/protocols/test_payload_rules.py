"""No impossible values: what a payload cannot mean is refused, with its place and the reason."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gridpact.protocols.errors import RemoteProtocolError
from gridpact.protocols.messages import Message
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.protocols.wire import content_from

Content = Callable[[type[Message]], Any]
MESSAGES = sorted(BUSINESS_USE_CASE.messages.values(), key=lambda message: message.type_id)
TYPES = BUSINESS_USE_CASE.messages

# Type, path to a field, value, and what is said of it.

FAULTS: list[tuple[str, str, Any, str]] = [
    ("activate", "power_mw", -1, "greater than or equal to 0"),
    ("activate", "power_mw", 1e7, "less than or equal to 1000000"),
    ("activate", "end", "2026-03-02T12:00:00Z", "must be after start"),
    ("activate", "end", "2026-03-02T11:00:00Z", "must be after start"),
    ("activate", "direction", "sideways", "Input should be 'up' or 'down'"),
    ("activate", "product", "RR", "Input should be 'FCR', 'aFRR' or 'mFRR'"),
    ("activate", "offer_id", "", "at least 1 character"),
    ("activate", "supersedes", "", "at least 1 character"),
    ("activate-when", "end", "2026-03-02T12:00:00Z", "must be after start"),
    ("measurement", "p_mw", -1e7, "greater than or equal to -1000000"),
    ("measurement-subscription", "end", "2026-03-02T12:00:00Z", "must be after start"),
    ("limit-order", "limit.max_mw", -0.1, "greater than or equal to 0"),
    ("limit-order", "limit.kind", "terminate", "must be 0 where kind is terminate"),
    ("limit-request", "limits", [], "at least 1 item"),
    ("limit-request", "limits.+", None, "offer_id ('bsp.1.r1',) occurs twice"),
    ("limit-followed", "followed.+", None, "occurs twice"),
    ("application", "resources", [], "at least 1 item"),
    ("application", "resources.+", None, "id ('a',) occurs twice"),
    ("application", "resources.0.max_up_mw", -2.5, "greater than or equal to 0"),
    ("application", "resources.0.min_mw", 2.6, "must not be above max_up_mw and max_down_mw"),
    ("application", "resources.0.scheme.0.share", 0.2, "the shares add up to 0.95, not to 1"),
    ("application", "resources.0.scheme.0.share", -0.1, "greater than or equal to 0"),
    ("application", "resources.0.scheme.0.share", 1.1, "less than or equal to 1"),
    ("application", "resources.0.scheme.0.unit", "a.2", "unit ('a.2',) occurs twice"),
    ("application", "dynamics.ramping_s", -1, "greater than or equal to 0"),
    ("application", "dynamics.max_duration_s", 10, "must not be below min_duration_s"),
    ("capacity-request", "resources.0.scheme", [], "at least 1 item"),
    ("capacity-verdict", "verdicts.0.max_mw", -2, "greater than or equal to 0"),
    ("capacity-verdict", "verdicts.0.verdict", "rejected", "must be 0 where verdict is rejected"),
    ("capacity-verdict", "verdicts.0.verdict", "excluded", "'excluded' is not used here"),
    ("capacity-verdict", "verdicts.+", None, "resource and direction ('a', 'up') occurs twice"),
    ("qualified", "verdicts", [], "at least 1 item"),
    ("not-qualified", "reason", "", "at least 1 character"),
    ("test-order", "steps", [], "at least 1 item"),
    ("test-order", "steps.1.offset_s", 0.0, "offset_s must ascend"),
    ("test-order", "steps.1.offset_s", 1300.0, "ends before the last step"),
    ("test-order", "sample_every_s", 0.0, "greater than or equal to 0.1"),
    ("test-order", "sample_every_s", 1300.0, "must not be below sample_every_s"),
    ("test-report", "samples.1.offset_s", 0.0, "offset_s must ascend"),
    ("requirements", "tolerance_percent", 101, "less than or equal to 100"),
    ("requirements", "attempt", 0, "greater than or equal to 1"),
    ("technical-data", "vm_max_pu", 0.95, "must be above vm_min_pu"),
    ("technical-data", "vm_min_pu", 0.0, "greater than 0"),
    ("technical-data", "transformers.0.tap_position", 10, "must not be above tap_max"),
    ("technical-data", "transformers.0.tap_position", -10, "must not be below tap_min"),
    ("technical-data", "transformers.0.tap_max", -10, "must not be below tap_min"),
    ("technical-data", "transformers.0.mw_per_step", -0.3, "greater than or equal to 0"),
    ("technical-data", "transformers.+", None, "occurs twice"),
    ("call-for-offers", "need_mw", -7.5, "greater than or equal to 0"),
    ("call-for-offers", "delivery_end", "2026-03-02T12:00:00Z", "must be after delivery_start"),
    ("offers", "offers", [], "at least 1 item"),
    ("offers", "offers.+", None, "offer_id ('bsp.1',) occurs twice"),
    ("offers", "offers.0.participant", "gen", "one participant is wanted, not bsp and gen"),
    ("offers", "offers.0.quantity_mw", -2.5, "greater than or equal to 0"),
    ("offers", "offers.0.min_quantity_mw", 2.6, "must not be above quantity_mw"),
    ("offers", "offers.0.price_eur_per_mwh", 1e9, "less than or equal to 1000000"),
    ("offers", "offers.0.delivery_end", "2026-03-02T12:00:00Z", "must be after delivery_start"),
    ("offers", "offers.0.revision", -1, "greater than or equal to 0"),
    ("offers", "offers.0.revision", 1, "a revision, and nothing else, is related to another offer"),
    ("offers", "offers.0.related_offer_id", "bsp.9", "a revision, and nothing else, is related"),
    ("acceptance", "offers.0.related_offer_id", "bsp.1.r1", "a revision, and nothing else, is related"),
    ("acceptance", "offers", [], "at least 1 item"),
    ("rejection", "rejected", [], "at least 1 item"),
    ("rejection", "rejected.0.reason", "", "at least 1 character"),
    ("acceptance-notice", "offers.0.rank", 0, "greater than or equal to 1"),
    ("acceptance-notice", "offers.0.min_quantity_mw", 2.1, "must not be above quantity_mw"),
    ("acceptance-notice", "offers.0.delivery_end", "2026-03-02T12:00:00Z", "must be after delivery_start"),
    ("merit-order-list", "entries", [], "at least 1 item"),
    ("merit-order-list", "entries.1.rank", 1, "rank must ascend"),
    ("merit-order-list", "entries.1.offer_id", "bsp.1", "offer_id ('bsp.1',) occurs twice"),
    ("merit-order-list", "entries.0.quantity_mw", -1, "greater than or equal to 0"),
    ("merit-order-list", "entries.0.min_quantity_mw", 2.6, "must not be above quantity_mw"),
    ("merit-order-notice", "entries.1.rank", 1, "rank must ascend"),
    ("merit-order-verdict", "verdicts", [], "at least 1 item"),
    ("merit-order-verdict", "verdicts.1.max_mw", 0.5, "must be 0 where verdict is excluded"),
    ("merit-order-verdict", "verdicts.0.verdict", "rejected", "'rejected' is not used here"),
    ("merit-order-verdict", "verdicts.1.offer_id", "bsp.1", "occurs twice"),
    ("merit-order-verdict", "group_limits.0.offer_ids", ["a", "a"], "item 'a' occurs twice"),
    ("forecast-query", "end", "2026-03-02T12:00:00Z", "must be after start"),
    ("forecast-query", "resolution_s", 0, "greater than or equal to 60"),
    ("baseline-forecast", "points", [], "at least 1 item"),
    ("baseline-forecast", "points.+", None, "connection_point and start"),
    ("baseline-forecast", "zones.0.end", "2026-03-02T12:00:00Z", "must be after start"),
    ("delivery-record", "offers.0.metered_mwh", -0.5, "greater than or equal to 0"),
    ("delivery-record", "offers.+", None, "occurs twice"),
    ("metered-query", "participants", ["bsp", "bsp"], "item 'bsp' occurs twice"),
    ("metered-query", "end", "2026-03-02T12:00:00Z", "must be after start"),
    ("metered-energy", "entries.0.up_mwh", -1, "greater than or equal to 0"),
    ("metered-energy", "entries.+", None, "occurs twice"),
    ("statement", "total_eur", "17.51", "the lines add up to 17.50 EUR"),
    ("statement", "total_eur", "17.505", "no more than 2 decimal places"),
    ("statement", "lines.0.amount_eur", "NaN", "finite number"),
    ("statement", "lines.0.energy_mwh", -0.5, "greater than or equal to 0"),
    ("statement", "lines.+", None, "occurs twice"),
    ("statement-disputed", "claimed_eur", "Infinity", "finite number"),
]


def spoil(content: Any, path: str, value: Any) -> Any:
    """Set one field of a content; a path that ends in `+` repeats the first item of a list."""
    *way, last = path.split(".")
    inner = content
    for part in way:
        inner = inner[int(part)] if part.isdecimal() else inner[part]
    if last == "+":
        inner.append(inner[0])
    else:
        inner[last] = value
    return content


@pytest.mark.parametrize(("name", "path", "value", "fault"), FAULTS)
def test_an_impossible_value_is_refused_with_its_place(
    name: str, path: str, value: Any, fault: str, content: Content
) -> None:
    message = TYPES[f"gridpact.{name}/1"]
    content_from(message.type_id, content(message), BUSINESS_USE_CASE)
    with pytest.raises(RemoteProtocolError) as caught:
        content_from(message.type_id, spoil(content(message), path, value), BUSINESS_USE_CASE)
    assert str(caught.value).startswith(message.type_id)
    assert fault in str(caught.value)


def numbers(content: Any, path: str = "") -> Iterator[str]:
    """Paths of all numbers in a content."""
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        here = f"{path}.{key}" if path else str(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield here
        yield from numbers(value, here)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.type_id)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), "1", True], ids=str)
def test_no_number_is_infinite_or_something_else(message: type[Message], value: object, content: Content) -> None:
    for path in numbers(content(message)):
        with pytest.raises(RemoteProtocolError):
            content_from(message.type_id, spoil(content(message), path, value), BUSINESS_USE_CASE)
