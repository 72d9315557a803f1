"""What the messages carry: INFO 1 to 10 and steps as the use case has them, and units in names."""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated, Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gridpact.protocols.information.capacity import BindingConstraint, ResourceData
from gridpact.protocols.information.offering import AcceptanceNotice, MeritOrderList, MeritOrderNotice, Offer
from gridpact.protocols.information.quantities import LAST_US, instant, iso
from gridpact.protocols.messages import Message, Payload
from gridpact.protocols.stages import PROTOCOLS
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE

Content = Callable[[type[Message]], Any]
MESSAGES = sorted(BUSINESS_USE_CASE.messages.values(), key=lambda message: message.type_id)
TYPES = BUSINESS_USE_CASE.messages

# INFO and direction of travel, from → to. Where the DSO is the participant (Figs 8 to 10) it has the BSP's place.
TRAVELS = {
    "INFO 1": {("BSP", "TSO"), ("TSO", "DSO")},
    "INFO 2": {("DSO", "TSO"), ("TSO", "BSP"), ("TSO", "DSO")},
    "INFO 3": {("BSP", "TSO"), ("DSO", "TSO"), ("TSO", "BSP"), ("TSO", "DSO")},
    "INFO 4": {("TSO", "DSO")},
    "INFO 5": {("DSO", "TSO")},
    "INFO 6": {("TSO", "BSP"), ("TSO", "DSO"), ("DSO", "BSP")},
    "INFO 7": {("BSP", "TSO"), ("BSP", "DSO"), ("DSO", "TSO")},
    "INFO 8": {("DSO", "TSO"), ("TSO", "BSP")},
    "INFO 9": {("DSO", "TSO")},
    "INFO 10": {("DSO", "TSO")},
}

# Figure.step, from → to, INFO, message: every step of the paper that is a message, and nothing else.
STEPS = {
    ("4.1", "BSP", "TSO", "INFO 1", "application"),
    ("4.2", "TSO", "DSO", "INFO 1", "capacity-request"),
    ("4.4", "DSO", "TSO", "INFO 2", "capacity-verdict"),
    ("4.5", "TSO", "BSP", None, "test-order"),
    ("4.5", "BSP", "TSO", None, "test-report"),
    ("4.5", "TSO", "BSP", "INFO 2", "qualified"),
    ("4.5", "TSO", "BSP", "INFO 2", "not-qualified"),
    ("5.1", "BSP", "TSO", "INFO 3", "offers"),
    ("5.5", "TSO", "BSP", "INFO 3", "acceptance"),
    ("5.5", "TSO", "DSO", "INFO 3", "acceptance-notice"),
    ("6.1", "BSP", "TSO", "INFO 3", "offers"),
    ("6.4", "TSO", "DSO", "INFO 4", "merit-order-list"),
    ("6.5", "DSO", "TSO", "INFO 5", "merit-order-verdict"),
    ("6.8", "TSO", "BSP", "INFO 3", "acceptance"),
    ("6.8", "TSO", "DSO", "INFO 3", "acceptance-notice"),
    ("7.1", "TSO", "BSP", "INFO 6", "activate"),
    ("7.1", "TSO", "BSP", "INFO 6", "set-point"),
    ("7.1", "TSO", "BSP", "INFO 6", "activate-when"),
    ("7.2", "BSP", "TSO", None, "activated"),
    # the same by way of the DSO
    ("7.1", "TSO", "DSO", "INFO 6", "activate"),
    ("7.1", "TSO", "DSO", "INFO 6", "activate-when"),
    ("7.1", "TSO", "DSO", "INFO 6", "set-point"),
    ("7.1", "DSO", "BSP", "INFO 6", "set-point"),
    ("7.1", "DSO", "BSP", "INFO 6", "activate"),
    ("7.1", "DSO", "BSP", "INFO 6", "activate-when"),
    ("7.2", "BSP", "DSO", None, "activated"),
    ("7.2", "DSO", "TSO", None, "activated"),
    ("7.3", "BSP", "TSO", "INFO 7", "measurement"),
    ("7.6", "BSP", "DSO", "INFO 7", "measurement"),
    ("7.7", "DSO", "TSO", "INFO 8", "limit-request"),
    ("7.8", "TSO", "BSP", "INFO 8", "limit-order"),
    ("7.9", "BSP", "TSO", None, "offer-modified"),
    ("8.1", "TSO", "DSO", "INFO 1", "requirements"),
    ("8.1", "DSO", "TSO", "INFO 9", "technical-data"),
    ("8.2", "TSO", "DSO", None, "test-order"),
    ("8.2", "DSO", "TSO", None, "test-report"),
    ("8.4", "TSO", "DSO", "INFO 2", "qualification-proposal"),
    ("9.1", "DSO", "TSO", "INFO 3", "offers"),
    ("9.4", "TSO", "DSO", "INFO 4", "merit-order-notice"),
    ("9.5", "DSO", "TSO", "INFO 10", "baseline-forecast"),
    ("10.1", "TSO", "DSO", "INFO 6", "activate"),
    ("10.1", "TSO", "DSO", "INFO 6", "activate-when"),
    ("10.2", "DSO", "TSO", None, "activated"),
    ("10.3", "DSO", "TSO", "INFO 7", "measurement"),
}


def speakers() -> Iterator[tuple[str, str, type[Message], str | None]]:
    """Who says what to whom, and which step of the paper that is."""
    for protocol in PROTOCOLS:
        for step in protocol.steps:
            parties = protocol.role_of(step.speaker), protocol.role_of(step.speaker.other)
            yield *parties, step.message, protocol.paper.get(step.message)


def test_every_info_has_a_type_and_travels_as_the_use_case_says() -> None:
    travels: dict[str, set[tuple[str, str]]] = {}
    for speaker, hearer, message, _ in speakers():
        if message.info is not None:
            travels.setdefault(message.info, set()).add((speaker, hearer))
    assert travels == TRAVELS


def test_every_step_of_the_paper_that_is_a_message_has_its_type_parties_and_info() -> None:
    found = {(step, speaker, hearer, m.info, _short(m)) for speaker, hearer, m, step in speakers() if step}
    assert found == STEPS


def _short(message: type[Message]) -> str:
    return message.type_id.removeprefix("gridpact.").removesuffix("/1")


def test_a_step_belongs_to_the_stage_of_its_figure() -> None:
    stages = {"4": "prequalification", "5": "offering", "6": "offering", "7": "activation"}
    stages |= {"8": "prequalification", "9": "offering", "10": "activation"}
    for protocol in PROTOCOLS:
        assert {stages[step.partition(".")[0]] for step in protocol.paper.values()} <= {protocol.stage}


# Units.

UNITS = (
    "mw",
    "mvar",
    "mva",
    "mwh",
    "s",
    "percent",
    "pu",
    "eur",
    "eur_per_mwh",
    "mw_h",
    "eur_per_mw_h",
    "hz",
    "mw_per_step",
    "mw_per_step_down",
    "seconds_per_step",
)
WITHOUT_UNIT = {"share", *(f"{BindingConstraint.__name__}.{name}" for name in ("value", "limit"))}


def nested(annotation: Any) -> Iterator[type[Payload]]:
    """Payloads inside a field's type."""
    if isinstance(annotation, type) and issubclass(annotation, Payload):
        yield annotation
    for part in get_args(annotation):
        yield from nested(part)


def payloads() -> list[type[Payload]]:
    """Every message type and every payload in one."""
    found: dict[type[Payload], None] = dict.fromkeys(MESSAGES)
    waiting = list(found)
    while waiting:
        for field in waiting.pop().model_fields.values():
            new = [payload for payload in nested(field.annotation) if payload not in found]
            found |= dict.fromkeys(new)
            waiting += new
    return list(found)


def bare(annotation: Any) -> Any:
    return bare(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


@pytest.mark.parametrize("payload", payloads(), ids=lambda payload: payload.__name__)
def test_quantities_have_their_unit_in_their_name(payload: type[Payload]) -> None:
    for name, field in payload.model_fields.items():
        if bare(field.annotation) in {float, Decimal}:
            exempt = {name, f"{payload.__name__}.{name}"} & WITHOUT_UNIT
            assert exempt or re.search(rf"(^|_)({'|'.join(UNITS)})$", name), f"{payload.__name__}.{name}"


def test_every_unit_is_looked_for_in_real_fields() -> None:
    names = [name for payload in payloads() for name in payload.model_fields]
    assert len(payloads()) > len(MESSAGES)
    assert all(any(name.endswith(unit) for name in names) for unit in UNITS)


def test_the_dso_sees_no_prices() -> None:
    for message in (MeritOrderList, MeritOrderNotice, AcceptanceNotice):
        inside = [message, *(p for field in message.model_fields.values() for p in nested(field.annotation))]
        assert not [name for payload in inside for name in payload.model_fields if "price" in name or "eur" in name]


@pytest.mark.parametrize("payload", payloads(), ids=lambda payload: payload.__name__)
def test_payloads_are_frozen_and_take_no_unknown_field(payload: type[Payload]) -> None:
    assert payload.model_config["frozen"]
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        payload(surely_unknown=1)  # type: ignore[call-arg]


# Offers and pools.


def offer(content: Content, **change: Any) -> Offer:
    return Offer.model_validate({**content(TYPES["gridpact.offers/1"])["offers"][0], **change})


def test_an_offer_is_never_changed_in_place_but_revised_under_a_new_id(content: Content) -> None:
    first = offer(content)
    second = first.revised(2.0, "changes_required")
    third = second.revised(0.2, "selected")
    assert [o.offer_id for o in (first, second, third)] == ["bsp.1", "bsp.1.r1", "bsp.1.r2"]
    assert [o.related_offer_id for o in (first, second, third)] == [None, "bsp.1", "bsp.1.r1"]
    assert [o.quantity_mw for o in (first, second, third)] == [2.5, 2.0, 0.2]
    assert third.min_quantity_mw == 0.2
    with pytest.raises(ValidationError, match="frozen"):
        first.quantity_mw = 1.0


def test_an_offer_may_be_lowered_to_nothing_but_not_below(content: Content) -> None:
    assert offer(content).revised(0.0, "rejected").quantity_mw == 0.0
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        offer(content).revised(-1.0, "rejected")


def test_what_a_market_allows_as_price_is_not_the_schemas_business(content: Content) -> None:
    assert offer(content, price_eur_per_mwh=99_999.0).price_eur_per_mwh == 99_999.0
    assert offer(content, price_eur_per_mwh=-500.0).price_eur_per_mwh == -500.0


def test_a_pool_adds_up_its_shares_at_each_connection_point(content: Content) -> None:
    resource = ResourceData.model_validate(content(TYPES["gridpact.application/1"])["resources"][0])
    split = (
        resource.scheme[0].model_copy(update={"unit": "a.3", "share": 0.25}),
        *(part.model_copy(update={"share": 0.375}) for part in resource.scheme),
    )
    pool = ResourceData(**{**dict(resource), "scheme": split})
    assert pool.points() == (("bus 9", 0.625), ("bus 10", 0.375))
    assert (pool.maximum_mw("up"), pool.maximum_mw("down")) == (2.5, 1.0)


def test_the_shares_of_a_large_pool_add_up_within_rounding(content: Content) -> None:
    resource = content(TYPES["gridpact.application/1"])["resources"][0]
    resource["scheme"] = [{"unit": f"a.{n}", "point": "bus 9", "bus": None, "share": 1 / 7000} for n in range(7000)]
    assert ResourceData.model_validate_json(json.dumps(resource)).points()[0][1] == pytest.approx(1)


# Instants.


@given(at_us=st.integers(0, LAST_US))
def test_an_instant_survives_iso_8601(at_us: int) -> None:
    assert instant(iso(at_us)) == at_us
    assert iso(at_us).endswith("Z")


@pytest.mark.parametrize("text", ["", "2026", "2026-03-02", "2026-13-01T00:00:00Z", "12:00Z", "1772449200"])
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Invalid isoformat string|no offset|month must be"):
        instant(text)
