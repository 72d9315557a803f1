"""Settlement: metered energy and statements. The paper gives these no INFO number."""

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from ..messages import Message, Payload, Performative
from .quantities import Direction, Instant, Name, Product, Text


class MeteredQuery(Message):
    """The TSO asks a DSO what it metered of the participants in its grid."""

    type_id: ClassVar[str] = "gridpact.metered-query/1"
    performative: ClassVar[Performative] = Performative.QUERY_REF
    start: Instant
    end: Instant
    participants: tuple[Name, ...] = Field(min_length=1)


class MeteredParticipant(Payload):
    """Energy a participant delivered beyond its baseline, per direction (both positive)."""

    participant: Name
    up_mwh: float = Field(ge=0)
    down_mwh: float = Field(ge=0)
    samples: int = Field(ge=0)


class MeteredEnergy(Message):
    """The DSO's archive of INFO 7, added up."""

    type_id: ClassVar[str] = "gridpact.metered-energy/1"
    performative: ClassVar[Performative] = Performative.INFORM
    entries: tuple[MeteredParticipant, ...]


class StatementLine(Payload):
    """One offer's energy, what it is settled on, its price and the amount (+ the TSO pays)."""

    offer_id: Name
    product: Product
    direction: Direction
    settled_on: Literal["requested", "metered"]
    energy_mwh: float
    price_eur_per_mwh: float
    amount_eur: Decimal


class Statement(Message):
    """The TSO's proposal of what is to be paid for one market time unit."""

    type_id: ClassVar[str] = "gridpact.statement/1"
    performative: ClassVar[Performative] = Performative.PROPOSE
    start: Instant
    end: Instant
    lines: tuple[StatementLine, ...] = Field(min_length=1)
    total_eur: Decimal
    attempt: int = Field(ge=1)


class StatementAccepted(Message):
    """The participant agrees with a statement."""

    type_id: ClassVar[str] = "gridpact.statement-accepted/1"
    performative: ClassVar[Performative] = Performative.ACCEPT_PROPOSAL


class StatementDisputed(Message):
    """The participant disagrees, with the reason and what it claims."""

    type_id: ClassVar[str] = "gridpact.statement-disputed/1"
    performative: ClassVar[Performative] = Performative.REJECT_PROPOSAL
    reason: Text
    claimed_eur: Decimal
