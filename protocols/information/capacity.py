"""Prequalification: what a resource can do (INFO 1, INFO 9) and what of it may be used (INFO 2)."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from ..messages import Message, Payload, Performative
from .consistency import ascending, at_least, at_most, distinct, exceeds, never, whole, zero_if
from .quantities import (
    Direction,
    Instant,
    Name,
    Power,
    Product,
    Quantity,
    ReactiveRate,
    Sampling,
    Seconds,
    Share,
    Text,
    Verdict,
)


class BindingConstraint(Payload):
    """The element whose limit an activation meets first, and in which case."""

    element: Text
    kind: Literal["loading_percent", "vm_max_pu", "vm_min_pu", "no_solution"]
    value: float
    limit: float
    case: Text


class Dynamics(Payload):
    """How fast and how long a resource responds; full activation = preparation + ramping."""

    preparation_s: Seconds
    ramping_s: Seconds
    deactivation_s: Seconds
    min_duration_s: Seconds = 0.0
    max_duration_s: Annotated[Seconds, at_least("min_duration_s")] = 86_400.0

    @property
    def full_activation_s(self) -> float:
        """Preparation period plus ramping period."""
        return self.preparation_s + self.ramping_s


class ConnectedShare(Payload):
    """One unit or DFR: where it is connected and its share of every activation (the activation scheme)."""

    unit: Name
    point: Name
    bus: str | None = None
    share: Share


class ResourceData(Payload):
    """One unit, or one pool with its activation scheme, and what it can change from its baseline.

    `q_mvar_per_mw`: Mvar that it injects more with every MW, + as an overexcited generator does.
    """

    id: Name
    kind: Literal["generator", "load", "storage", "pool", "transformer"]
    grid: Name
    scheme: Annotated[tuple[ConnectedShare, ...], Field(min_length=1), distinct("unit"), whole()]
    max_up_mw: Quantity
    max_down_mw: Quantity
    min_mw: Annotated[Quantity, at_most("max_up_mw", "max_down_mw")] = 0.0
    q_mvar_per_mw: ReactiveRate = 0.0

    def maximum_mw(self, direction: Direction) -> float:
        """The largest change in a direction."""
        return self.max_up_mw if direction == "up" else self.max_down_mw

    def points(self) -> tuple[tuple[str, float], ...]:
        """Connection points with their summed shares, in the order of first mention."""
        shares: dict[str, float] = {}
        for part in self.scheme:
            shares[part.point] = shares.get(part.point, 0.0) + part.share
        return tuple(shares.items())


class Application(Message):
    """A BSP asks to be qualified for a product (INFO 1)."""

    type_id: ClassVar[str] = "gridpact.application/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    info: ClassVar[str | None] = "INFO 1"
    applicant: Name
    product: Product
    submitted_at: Instant
    resources: Annotated[tuple[ResourceData, ...], Field(min_length=1), distinct("id")]
    dynamics: Dynamics


class CapacityRequest(Message):
    """The TSO sends a DSO the part of an application that lies in its grid (INFO 1).

    `judged_with` is how many applications are to be judged together, this one included; 1: by itself.
    """

    type_id: ClassVar[str] = "gridpact.capacity-request/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    info: ClassVar[str | None] = "INFO 1"
    applicant: Name
    product: Product
    submitted_at: Instant
    judged_with: int = Field(default=1, ge=1)
    resources: Annotated[tuple[ResourceData, ...], Field(min_length=1), distinct("id")]
    dynamics: Dynamics


class ResourceVerdict(Payload):
    """What of one resource may be used in one direction, and what binds it, or why else it is not more."""

    resource: Name
    direction: Direction
    verdict: Annotated[Verdict, never("excluded")]
    max_mw: Annotated[Quantity, zero_if("verdict", "rejected")]
    binding: BindingConstraint | None = None
    reason: Text | None = None


Verdicts = Annotated[tuple[ResourceVerdict, ...], distinct("resource", "direction")]


class CapacityVerdict(Message):
    """The DSO's validation result; a negative verdict is a result, not a refusal (INFO 2)."""

    type_id: ClassVar[str] = "gridpact.capacity-verdict/1"
    performative: ClassVar[Performative] = Performative.INFORM
    info: ClassVar[str | None] = "INFO 2"
    applicant: Name
    product: Product
    mode: Literal["separately", "all_together"]
    verdicts: Verdicts
    valid_until: Instant


class Qualified(Message):
    """The TSO's qualification acknowledgement with the qualified MW of each resource (INFO 2)."""

    type_id: ClassVar[str] = "gridpact.qualified/1"
    performative: ClassVar[Performative] = Performative.INFORM
    info: ClassVar[str | None] = "INFO 2"
    applicant: Name
    product: Product
    verdicts: Annotated[Verdicts, Field(min_length=1)]
    valid_until: Instant


class NotQualified(Message):
    """The TSO qualifies nothing, with the reason and the test results (INFO 2)."""

    type_id: ClassVar[str] = "gridpact.not-qualified/1"
    performative: ClassVar[Performative] = Performative.INFORM
    info: ClassVar[str | None] = "INFO 2"
    applicant: Name
    product: Product
    verdicts: Verdicts = ()
    reason: Text


class TestStep(Payload):
    """From this offset on, follow this change from the baseline (+ up)."""

    __test__: ClassVar[bool] = False
    offset_s: Seconds
    p_mw: Power


def _covers_the_steps(duration_s: float, info: ValidationInfo) -> float:
    steps: tuple[TestStep, ...] = info.data.get("steps", ())
    if steps and steps[-1].offset_s > duration_s:
        raise ValueError(f"ends before the last step, {steps[-1].offset_s:g} s after the start")
    return duration_s


class TestOrder(Message):
    """The TSO's prequalification test: a set-point profile to follow."""

    __test__: ClassVar[bool] = False
    type_id: ClassVar[str] = "gridpact.test-order/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    product: Product
    resource: Name
    steps: Annotated[tuple[TestStep, ...], Field(min_length=1), ascending("offset_s")]
    start: Instant
    sample_every_s: Sampling
    duration_s: Annotated[Seconds, at_least("sample_every_s"), AfterValidator(_covers_the_steps)]


class TestSample(Payload):
    """Measured change from the baseline at an offset from the start of the test."""

    __test__: ClassVar[bool] = False
    offset_s: Seconds
    p_mw: Power


class TestReport(Message):
    """What was measured during the prequalification test."""

    __test__: ClassVar[bool] = False
    type_id: ClassVar[str] = "gridpact.test-report/1"
    performative: ClassVar[Performative] = Performative.INFORM
    resource: Name
    samples: Annotated[tuple[TestSample, ...], ascending("offset_s")]


class Requirements(Message):
    """Scenario II: what the TSO wants to know of the DSO's demand response, and the test to pass (INFO 1)."""

    type_id: ClassVar[str] = "gridpact.requirements/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    info: ClassVar[str | None] = "INFO 1"
    product: Product
    full_activation_s: Seconds
    hold_s: Seconds
    tolerance_percent: float = Field(ge=0, le=100)
    attempt: int = Field(ge=1)
    shortfall: Text | None = None


class TapData(Payload):
    """One transformer that can change voltage: its taps, and the MW one step moves at reference load.

    `steps` lower the voltage, which frees power (up); `steps_down` raise it, which draws more.
    """

    transformer: Name
    tap_min: int
    tap_max: Annotated[int, at_least("tap_min")]
    tap_position: Annotated[int, at_least("tap_min"), at_most("tap_max")]
    step_percent: float = Field(gt=0, le=100)
    seconds_per_step: Seconds
    steps: int = Field(ge=0)
    mw_per_step: Quantity
    steps_down: int = Field(default=0, ge=0)
    mw_per_step_down: Quantity = 0.0


class TechnicalData(Message):
    """Scenario II: the DSO's technical data for prequalification (INFO 9)."""

    type_id: ClassVar[str] = "gridpact.technical-data/1"
    performative: ClassVar[Performative] = Performative.INFORM
    info: ClassVar[str | None] = "INFO 9"
    applicant: Name
    product: Product
    attempt: int = Field(ge=1)
    transformers: Annotated[tuple[TapData, ...], distinct("transformer")]
    resources: Annotated[tuple[ResourceData, ...], distinct("id")]
    dynamics: Dynamics
    vm_min_pu: float = Field(gt=0, le=2)
    vm_max_pu: Annotated[float, Field(gt=0, le=2), exceeds("vm_min_pu")]


class QualificationProposal(Message):
    """Scenario II: the TSO's qualification acknowledgement to the DSO (INFO 2); `reason`: why it has no verdicts."""

    type_id: ClassVar[str] = "gridpact.qualification-proposal/1"
    performative: ClassVar[Performative] = Performative.PROPOSE
    info: ClassVar[str | None] = "INFO 2"
    applicant: Name
    product: Product
    verdicts: Verdicts
    valid_until: Instant
    reason: Text | None = None


class QualificationAccepted(Message):
    """The DSO takes its qualification as proposed."""

    type_id: ClassVar[str] = "gridpact.qualification-accepted/1"
    performative: ClassVar[Performative] = Performative.ACCEPT_PROPOSAL


class QualificationDeclined(Message):
    """The DSO does not take its qualification as proposed."""

    type_id: ClassVar[str] = "gridpact.qualification-declined/1"
    performative: ClassVar[Performative] = Performative.REJECT_PROPOSAL
    reason: Text
