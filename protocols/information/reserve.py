"""Containment reserve (FCR): called for, offered, awarded and paid as capacity – symmetric, for hours, not activated.

A reserve of 2 MW gives up to 2 MW in either direction, by the frequency alone. The paper names FCR among the products,
but has no step for it; an offer of it carries what an offer does (INFO 3), so it has that number.
"""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from ..messages import Message, Payload, Performative
from .consistency import alike, at_most, distinct
from .offering import RejectedOffer
from .quantities import DeliveryEnd, End, Instant, Money, Name, Price, Quantity, Share
from .settlement import adds_up

Deviation = Annotated[float, Field(gt=0, le=5)]


class CallForReserve(Message):
    """The TSO's need of containment reserve for hours to come, and where it is full; reply-by is the gate closure."""

    type_id: ClassVar[str] = "gridpact.call-for-reserve/1"
    performative: ClassVar[Performative] = Performative.CFP
    product: Literal["FCR"] = "FCR"
    need_mw: Quantity
    min_quantity_mw: Quantity
    quantity_step_mw: Quantity
    full_deviation_hz: Deviation
    delivery_start: Instant
    delivery_end: DeliveryEnd


class ReserveOffer(Payload):
    """So much reserve in both directions, at a price for each MW and hour that it is kept.

    It is called `PARTICIPANT.PERIOD.` and what the participant likes.
    """

    offer_id: Name
    participant: Name
    session: Name
    quantity_mw: Quantity
    min_quantity_mw: Annotated[Quantity, at_most("quantity_mw")] = 0.0
    price_eur_per_mw_h: Price
    delivery_start: Instant
    delivery_end: DeliveryEnd
    grid: Name
    resource: Name
    submitted_at: Instant


class ReserveOffers(Message):
    """A participant's offers of reserve (INFO 3)."""

    type_id: ClassVar[str] = "gridpact.reserve-offers/1"
    performative: ClassVar[Performative] = Performative.PROPOSE
    info: ClassVar[str | None] = "INFO 3"
    offers: Annotated[tuple[ReserveOffer, ...], Field(min_length=1), distinct("offer_id"), alike("participant")]


class AwardedReserve(Payload):
    """An offer of reserve, and how much of it is to be kept."""

    offer_id: Name
    resource: Name
    quantity_mw: Quantity
    delivery_start: Instant
    delivery_end: DeliveryEnd


Awards = Annotated[tuple[AwardedReserve, ...], Field(min_length=1), distinct("offer_id")]


class ReserveAward(Message):
    """The reserve that the participant is to keep, and its offers that were not taken (INFO 3)."""

    type_id: ClassVar[str] = "gridpact.reserve-award/1"
    performative: ClassVar[Performative] = Performative.ACCEPT_PROPOSAL
    info: ClassVar[str | None] = "INFO 3"
    awards: Awards
    rejected: Annotated[tuple[RejectedOffer, ...], distinct("offer_id")] = ()


class ReserveNotice(Message):
    """The reserve that a participant keeps in a DSO's grid, without its price (INFO 3)."""

    type_id: ClassVar[str] = "gridpact.reserve-notice/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    info: ClassVar[str | None] = "INFO 3"
    participant: Name
    awards: Awards


class KeptReserve(Payload):
    """The share of its time in which an awarded reserve followed the frequency, by the participant's own records."""

    offer_id: Name
    share: Share


class ReserveRecord(Message):
    """The participant's ex-post record of the reserve that it has kept."""

    type_id: ClassVar[str] = "gridpact.reserve-record/1"
    performative: ClassVar[Performative] = Performative.INFORM
    kept: Annotated[tuple[KeptReserve, ...], Field(min_length=1), distinct("offer_id")]


class ReserveLine(Payload):
    """One award: MW, the share of its time in which the TSO saw it follow the frequency, what that comes to."""

    offer_id: Name
    quantity_mw: Quantity
    share: Share
    capacity_mw_h: Annotated[float, Field(ge=0, le=1e9)]
    price_eur_per_mw_h: Price
    amount_eur: Money

    @property
    def due_eur(self) -> Decimal:
        """What the TSO owes for it."""
        return self.amount_eur


class ReserveStatement(Message):
    """The TSO's proposal of what is to be paid for the reserve kept."""

    type_id: ClassVar[str] = "gridpact.reserve-statement/1"
    performative: ClassVar[Performative] = Performative.PROPOSE
    start: Instant
    end: End
    lines: Annotated[tuple[ReserveLine, ...], Field(min_length=1), distinct("offer_id")]
    total_eur: Annotated[Money, AfterValidator(adds_up)]
