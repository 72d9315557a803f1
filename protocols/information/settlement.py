"""Settlement: metered energy and statements. The paper gives these no INFO number."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Protocol

from pydantic import AfterValidator, Field, ValidationInfo

from ..messages import Message, Payload, Performative
from .consistency import distinct
from .quantities import Direction, End, Energy, Instant, Money, Name, Price, Product, Text


class MeteredQuery(Message):
    """The TSO asks a DSO what it metered of the participants in its grid."""

    type_id: ClassVar[str] = "gridpact.metered-query/1"
    performative: ClassVar[Performative] = Performative.QUERY_REF
    start: Instant
    end: End
    participants: Annotated[tuple[Name, ...], Field(min_length=1), distinct()]


class MeteredParticipant(Payload):
    """Energy a participant delivered beyond its baseline, per direction (both positive)."""

    participant: Name
    up_mwh: Energy
    down_mwh: Energy
    samples: int = Field(ge=0)


class MeteredEnergy(Message):
    """The DSO's archive of INFO 7, added up."""

    type_id: ClassVar[str] = "gridpact.metered-energy/1"
    performative: ClassVar[Performative] = Performative.INFORM
    entries: Annotated[tuple[MeteredParticipant, ...], distinct("participant")]


class StatementLine(Payload):
    """One offer's energy, what it is settled on, its price and the amount (+ the TSO pays).

    `unpaid_mwh` was delivered beyond what had been asked for; for `missing_mwh` the participant pays the penalty.
    """

    offer_id: Name
    product: Product
    direction: Direction
    settled_on: Literal["requested", "metered"]
    energy_mwh: Energy
    price_eur_per_mwh: Price
    amount_eur: Money
    unpaid_mwh: Energy = 0.0
    missing_mwh: Energy = 0.0
    penalty_eur: Annotated[Money, Field(ge=0)] = Decimal("0.00")

    @property
    def due_eur(self) -> Decimal:
        """What the TSO owes for it: the amount less the penalty."""
        return self.amount_eur - self.penalty_eur


class Charged(Protocol):
    """A line of a statement."""

    @property
    def due_eur(self) -> Decimal:
        """What the TSO owes for it."""


def adds_up(total_eur: Decimal, info: ValidationInfo) -> Decimal:
    """The total is that of the lines; for a validator beside the field."""
    lines: tuple[Charged, ...] = info.data.get("lines", ())
    due_eur = sum((line.due_eur for line in lines), Decimal(0))
    if lines and due_eur != total_eur:
        raise ValueError(f"the lines add up to {due_eur} EUR")
    return total_eur


class Statement(Message):
    """The TSO's proposal of what is to be paid for one market time unit."""

    type_id: ClassVar[str] = "gridpact.statement/1"
    performative: ClassVar[Performative] = Performative.PROPOSE
    start: Instant
    end: End
    lines: Annotated[tuple[StatementLine, ...], Field(min_length=1), distinct("offer_id")]
    total_eur: Annotated[Money, AfterValidator(adds_up)]
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
    claimed_eur: Money
