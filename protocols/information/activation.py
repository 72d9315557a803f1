"""Activation: orders and set-points (INFO 6), measurements (INFO 7) and the DSO's limits (INFO 8)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..messages import Message, Payload, Performative
from .capacity import BindingConstraint
from .consistency import distinct, zero_if
from .offering import Offer
from .quantities import Direction, End, Instant, Name, Power, Product, Quantity, Text

Ground = Literal["measured", "expected"]


class Activate(Message):
    """Deliver this much of an offer from `start` to `end`; directly (INFO 6).

    Of kind `set-point` it puts the offer under control: the set-points that follow say how much of it is wanted.
    """

    type_id: ClassVar[str] = "gridpact.activate/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    info: ClassVar[str | None] = "INFO 6"
    offer_id: Name
    product: Product
    direction: Direction
    kind: Literal["activate", "set-point"] = "activate"
    power_mw: Quantity
    start: Instant
    end: End
    supersedes: Text | None = None


class ActivateWhen(Message):
    """The same, scheduled: when `start` has come (INFO 6)."""

    type_id: ClassVar[str] = "gridpact.activate-when/1"
    performative: ClassVar[Performative] = Performative.REQUEST_WHEN
    info: ClassVar[str | None] = "INFO 6"
    offer_id: Name
    product: Product
    direction: Direction
    kind: Literal["activate", "set-point"] = "activate"
    power_mw: Quantity
    start: Instant
    end: End
    supersedes: Text | None = None


class Activated(Message):
    """The participant acknowledges and confirms an order."""

    type_id: ClassVar[str] = "gridpact.activated/1"
    performative: ClassVar[Performative] = Performative.AGREE
    offer_id: Name
    product: Product
    status: Literal["activated", "scheduled"]


class ActivationEnded(Message):
    """The order has been carried out to its end, or another one has taken its place."""

    type_id: ClassVar[str] = "gridpact.activation-ended/1"
    performative: ClassVar[Performative] = Performative.INFORM
    offer_id: Name
    reason: Literal["delivered", "superseded"]


class SetPointSubscription(Message):
    """A participant asks for the set-points of its offers under control."""

    type_id: ClassVar[str] = "gridpact.set-point-subscription/1"
    performative: ClassVar[Performative] = Performative.SUBSCRIBE
    product: Product
    start: Instant
    end: End


class SetPointRelaySubscription(Message):
    """A DSO asks for the set-points of a participant in its grid, which has asked it for them."""

    type_id: ClassVar[str] = "gridpact.set-point-relay-subscription/1"
    performative: ClassVar[Performative] = Performative.SUBSCRIBE
    participant: Name
    product: Product
    start: Instant
    end: End


class SetPoint(Message):
    """What a participant is to deliver of its offers under control, from now until the next one (INFO 6).

    + is up. The participant shares it over its offers in force in merit order. Its next measurement, which names it
    as its cause, acknowledges it.
    """

    type_id: ClassVar[str] = "gridpact.set-point/1"
    performative: ClassVar[Performative] = Performative.INFORM
    info: ClassVar[str | None] = "INFO 6"
    product: Product
    kind: Literal["set-point", "terminate"] = "set-point"
    power_mw: Power


class MeasurementSubscription(Message):
    """Ask a participant for its real-time information."""

    type_id: ClassVar[str] = "gridpact.measurement-subscription/1"
    performative: ClassVar[Performative] = Performative.SUBSCRIBE
    per_point: bool
    start: Instant
    end: End


class PointPower(Payload):
    """Change from the baseline at one connection point (+ more injection or less load)."""

    point: Name
    p_mw: Power
    q_mvar: Power

    @property
    def power_mva(self) -> complex:
        """Both as one number; plain MW where there is no reactive power."""
        return complex(self.p_mw, self.q_mvar) if self.q_mvar else self.p_mw


class Measurement(Message):
    """Real-time information: power measured, the part that is activation, and the baseline (INFO 7).

    P and Q are positive as injection; in scenario II they are those of the TSO-DSO connection points.
    `set_point_mw` is the last set-point seen, which acknowledges it.
    """

    type_id: ClassVar[str] = "gridpact.measurement/1"
    performative: ClassVar[Performative] = Performative.INFORM
    info: ClassVar[str | None] = "INFO 7"
    participant: Name
    measured_at: Instant
    p_mw: Power
    q_mvar: Power
    activated_mw: Power
    baseline_mw: Power
    set_point_mw: Power
    points: tuple[PointPower, ...] = ()


class Limit(Payload):
    """A cap on (or the end of) what an offer may deliver; a higher cap later lifts it.

    `ground`: a violation that is measured now, or one that is expected if what is ordered or kept is on; none, if it
    lifts the limit before it.
    """

    offer_id: Name
    resource: Name
    direction: Direction
    kind: Literal["cap", "terminate"]
    max_mw: Annotated[Quantity, zero_if("kind", "terminate")]
    binding: BindingConstraint | None = None
    ground: Ground | None = None
    valid_until: Instant


class GridReading(Payload):
    """What the DSO measured when it decided on a limit."""

    element: Name
    p_mw: Power
    q_mvar: Power
    measured_at: Instant


class LimitRequest(Message):
    """The DSO limits activations in its grid, with its power measurements (INFO 8, and INFO 7 in it)."""

    type_id: ClassVar[str] = "gridpact.limit-request/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    info: ClassVar[str | None] = "INFO 8"
    limits: Annotated[tuple[Limit, ...], Field(min_length=1), distinct("offer_id")]
    readings: tuple[GridReading, ...] = ()


class OtherUnit(Payload):
    """Another unit of the same portfolio that may give what a limit takes: qualified, and free up to so many MW."""

    resource: Name
    max_mw: Quantity


class MovedPower(Payload):
    """What another unit gives of an offer from now on: at most, and at present."""

    resource: Name
    max_mw: Quantity
    power_mw: Quantity


class FollowedLimit(Payload):
    """One limit, and the MW that the participant has confirmed to stay below; `moved`: what other units give."""

    offer_id: Name
    confirmed_mw: Quantity
    moved: Annotated[tuple[MovedPower, ...], distinct("resource")] = ()


class LimitFollowed(Message):
    """The TSO tells the DSO that the participants have followed its limits."""

    type_id: ClassVar[str] = "gridpact.limit-followed/1"
    performative: ClassVar[Performative] = Performative.INFORM
    followed: Annotated[tuple[FollowedLimit, ...], Field(min_length=1), distinct("offer_id")]


class LimitOrder(Message):
    """The TSO passes a DSO's limit on to the participant, with other units that may give what it takes (INFO 8)."""

    type_id: ClassVar[str] = "gridpact.limit-order/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    info: ClassVar[str | None] = "INFO 8"
    limit: Limit
    other_units: Annotated[tuple[OtherUnit, ...], distinct("resource")] = ()


class OfferModified(Message):
    """The participant has modified its offer (a related revision) and its output; `moved`: what other units give."""

    type_id: ClassVar[str] = "gridpact.offer-modified/1"
    performative: ClassVar[Performative] = Performative.INFORM
    offer: Offer | None
    confirmed_mw: Quantity
    moved: Annotated[tuple[MovedPower, ...], distinct("resource")] = ()
    remark: Text | None = None
