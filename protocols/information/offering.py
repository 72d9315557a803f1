"""Offering: offers and acceptances (INFO 3), merit order lists and their validation (INFO 4, 5), forecasts (INFO 10).

An offer is never changed in place: 6 MW offered and 5 MW allowed makes a new offer of 5 MW, with an id
of its own, related to the old one (`Offer.revised`).
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ..messages import Message, Payload, Performative, kept
from .capacity import BindingConstraint
from .consistency import alike, ascending, at_most, distinct, never, zero_if
from .quantities import (
    DeliveryEnd,
    Direction,
    End,
    Energy,
    Instant,
    Name,
    Power,
    Price,
    Product,
    Quantity,
    Text,
    Verdict,
)

OfferStatus = Literal[
    "in_validation",
    "conformity_validated",
    "technically_validated",
    "changes_required",
    "selected",
    "rejected",
]


class CallForOffers(Message):
    """The TSO's need for one product, direction and market time unit; reply-by is the gate closure."""

    type_id: ClassVar[str] = "gridpact.call-for-offers/1"
    performative: ClassVar[Performative] = Performative.CFP
    product: Product
    direction: Direction
    need_mw: Quantity
    min_quantity_mw: Quantity
    quantity_step_mw: Quantity
    delivery_start: Instant
    delivery_end: DeliveryEnd


class Offer(Payload):
    """One balancing energy bid of a participant, and where it is activated.

    A new one is called `PARTICIPANT.PERIOD.PRODUCT-DIRECTION.` and what the participant likes, so that nobody's id is
    taken for another's; its revisions end in `.r1`, `.r2` …
    """

    offer_id: Name
    related_offer_id: Name | None = None
    revision: int = Field(default=0, ge=0)
    participant: Name
    session: Name
    product: Product
    direction: Direction
    quantity_mw: Quantity
    min_quantity_mw: Annotated[Quantity, at_most("quantity_mw")] = 0.0
    divisible: bool = True
    price_eur_per_mwh: Price
    delivery_start: Instant
    delivery_end: DeliveryEnd
    grid: Name
    resource: Name
    submitted_at: Instant
    status: OfferStatus = "in_validation"

    @model_validator(mode="after")
    def _a_revision_is_related(self) -> Self:
        if (self.revision > 0) != (self.related_offer_id is not None) or self.related_offer_id == self.offer_id:
            raise ValueError(f"offer {self.offer_id}: a revision, and nothing else, is related to another offer")
        return self

    def revised(self, quantity_mw: float, status: OfferStatus) -> "Offer":
        """A new offer with another quantity, a new id, related to this one."""
        root = self.offer_id.rpartition(".r")[0] if self.revision else self.offer_id
        revision = self.revision + 1
        change = {
            "offer_id": f"{root}.r{revision}",
            "related_offer_id": self.offer_id,
            "revision": revision,
            "quantity_mw": quantity_mw,
            "min_quantity_mw": min(self.min_quantity_mw, quantity_mw),
            "status": status,
        }
        return kept(Offer(**{**dict(self), **change}))

    def with_status(self, status: OfferStatus) -> "Offer":
        """The same offer, one step further in its life."""
        return kept(Offer(**{**dict(self), "status": status}))


OwnOffers = Annotated[tuple[Offer, ...], Field(min_length=1), distinct("offer_id"), alike("participant")]


class Offers(Message):
    """A participant's offers for what was called (INFO 3)."""

    type_id: ClassVar[str] = "gridpact.offers/1"
    performative: ClassVar[Performative] = Performative.PROPOSE
    info: ClassVar[str | None] = "INFO 3"
    offers: OwnOffers


class NoOffer(Message):
    """A participant has nothing to offer for what was called."""

    type_id: ClassVar[str] = "gridpact.no-offer/1"
    performative: ClassVar[Performative] = Performative.REFUSE
    reason: Text


class RejectedOffer(Payload):
    """An offer that was not taken, and why."""

    offer_id: Name
    reason: Text


class Acceptance(Message):
    """The offers the TSO has selected, as accepted, and those of the same participant it has not (INFO 3)."""

    type_id: ClassVar[str] = "gridpact.acceptance/1"
    performative: ClassVar[Performative] = Performative.ACCEPT_PROPOSAL
    info: ClassVar[str | None] = "INFO 3"
    offers: OwnOffers
    rejected: Annotated[tuple[RejectedOffer, ...], distinct("offer_id")] = ()


class Rejection(Message):
    """None of a participant's offers was taken; each with the reason (late offers too)."""

    type_id: ClassVar[str] = "gridpact.rejection/1"
    performative: ClassVar[Performative] = Performative.REJECT_PROPOSAL
    rejected: Annotated[tuple[RejectedOffer, ...], Field(min_length=1), distinct("offer_id")]


class AcceptedOffer(Payload):
    """What a DSO learns of an accepted offer in its grid: everything but the price."""

    offer_id: Name
    participant: Name
    product: Product
    direction: Direction
    quantity_mw: Quantity
    min_quantity_mw: Annotated[Quantity, at_most("quantity_mw")]
    delivery_start: Instant
    delivery_end: DeliveryEnd
    resource: Name
    rank: int = Field(ge=1)


class AcceptanceNotice(Message):
    """The accepted offers in a DSO's grid (INFO 3); none, if a list that it has validated was not needed."""

    type_id: ClassVar[str] = "gridpact.acceptance-notice/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    info: ClassVar[str | None] = "INFO 3"
    offers: Annotated[tuple[AcceptedOffer, ...], distinct("offer_id")]


class MolEntry(Payload):
    """One offer of a merit order list as a DSO sees it: no price."""

    rank: int = Field(ge=1)
    offer_id: Name
    quantity_mw: Quantity
    min_quantity_mw: Annotated[Quantity, at_most("quantity_mw")]
    resource: Name


Entries = Annotated[tuple[MolEntry, ...], ascending("rank"), distinct("offer_id")]


class MeritOrderList(Message):
    """The merit order list in a DSO's grid, to be validated technically (INFO 4)."""

    type_id: ClassVar[str] = "gridpact.merit-order-list/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    info: ClassVar[str | None] = "INFO 4"
    product: Product
    direction: Direction
    delivery_start: Instant
    delivery_end: DeliveryEnd
    entries: Annotated[Entries, Field(min_length=1)]


class MeritOrderNotice(Message):
    """Scenario II: the merit order list in a DSO's grid, for its knowledge (INFO 4)."""

    type_id: ClassVar[str] = "gridpact.merit-order-notice/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    info: ClassVar[str | None] = "INFO 4"
    product: Product
    direction: Direction
    delivery_start: Instant
    delivery_end: DeliveryEnd
    entries: Entries


class OfferVerdict(Payload):
    """What of one offer may be activated, and what binds it."""

    offer_id: Name
    verdict: Annotated[Verdict, never("rejected")]
    max_mw: Annotated[Quantity, zero_if("verdict", "excluded")]
    binding: BindingConstraint | None = None


class GroupLimit(Payload):
    """Several offers share a constraint: together they may use no more than this."""

    constraint: BindingConstraint
    offer_ids: Annotated[tuple[Name, ...], Field(min_length=1), distinct()]
    max_mw: Quantity


class MeritOrderVerdict(Message):
    """The DSO's technical validation of a merit order list (INFO 5)."""

    type_id: ClassVar[str] = "gridpact.merit-order-verdict/1"
    performative: ClassVar[Performative] = Performative.INFORM
    info: ClassVar[str | None] = "INFO 5"
    verdicts: Annotated[tuple[OfferVerdict, ...], Field(min_length=1), distinct("offer_id")]
    group_limits: tuple[GroupLimit, ...] = ()


class ForecastQuery(Message):
    """Scenario II: the TSO asks for the DSO's short-term consumption forecast."""

    type_id: ClassVar[str] = "gridpact.forecast-query/1"
    performative: ClassVar[Performative] = Performative.QUERY_REF
    start: Instant
    end: End
    resolution_s: int = Field(ge=60, le=86_400)


class PointForecast(Payload):
    """Forecast of one TSO-DSO connection point in one interval, and the limit of its transformer."""

    connection_point: Name
    start: Instant
    end: End
    p_mw: Power
    limit_mva: Quantity


class ZoneForecast(Payload):
    """The same, added up over the connection points of a balancing zone."""

    zone: Name
    start: Instant
    end: End
    p_mw: Power


class BaselineForecast(Message):
    """Scenario II: forecast of active power, the baseline of the DSO's demand response (INFO 10)."""

    type_id: ClassVar[str] = "gridpact.baseline-forecast/1"
    performative: ClassVar[Performative] = Performative.INFORM
    info: ClassVar[str | None] = "INFO 10"
    kind: Literal["baseline", "available_flexibility"]
    points: Annotated[tuple[PointForecast, ...], Field(min_length=1), distinct("connection_point", "start")]
    zones: Annotated[tuple[ZoneForecast, ...], Field(min_length=1), distinct("zone", "start")]


class DeliveredOffer(Payload):
    """What a participant says it was asked for and has delivered on one offer."""

    offer_id: Name
    requested_mwh: Energy
    metered_mwh: Energy


class DeliveryRecord(Message):
    """The participant's ex-post record: what it delivered, measured against which baseline."""

    type_id: ClassVar[str] = "gridpact.delivery-record/1"
    performative: ClassVar[Performative] = Performative.INFORM
    baseline: Text
    offers: Annotated[tuple[DeliveredOffer, ...], Field(min_length=1), distinct("offer_id")]


class Withdrawal(Message):
    """The participant cannot or need not stand by an accepted offer any more."""

    type_id: ClassVar[str] = "gridpact.withdrawal/1"
    performative: ClassVar[Performative] = Performative.FAILURE
    reason: Text
