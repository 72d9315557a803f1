"""What agents know before anything happens: rules, addresses, deadlines. Frozen values, made from a scenario."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from immutables import Map

from ..protocols.information.capacity import Dynamics, ResourceData
from ..protocols.information.quantities import Direction, Product
from .calendar import KEPT_US, US_PER_MIN, Calendar, MarketTimeUnit
from .market.channel import ChannelRules
from .market.compensation import Policy
from .market.distribution import Distribution
from .market.merit_order import Rules
from .strategies import AsAgreed, Bidding, FrequencyController, LimitPolicy, Truthful

FULL_ACTIVATION_US = Map[Product, int]([("FCR", 30_000_000), ("aFRR", 300_000_000), ("mFRR", 750_000_000)])
SilentDso = Literal["exclude", "use_prequalified_limits", "accept"]
LapsedLimits = Literal["release", "keep", "terminate"]


@dataclass(frozen=True, slots=True)
class Coordination:
    """How TSO and DSOs work together: the scheme that a scenario compares with others."""

    dso_validates: bool
    dso_in_offering: bool
    dso_limits: bool
    dso_is_participant: bool
    silent_dso: SilentDso = "exclude"
    applicant_order: Literal["first_come", "joint"] = "first_come"
    limit_scope: Literal["prefix", "subset"] = "prefix"
    limit_split: Literal["merit_order", "pro_rata"] = "merit_order"
    forecast: Literal["with_offer", "after_mol"] = "with_offer"
    signal_route: Literal["direct", "via_dso"] = "direct"
    lapsed_limits: LapsedLimits = "release"
    limit_compensation: Policy = "none"
    limit_margin: float = 0.2

    @property
    def figure(self) -> str:
        """The paper's figure of the offering by BSPs."""
        return "6" if self.dso_in_offering else "5"


@dataclass(frozen=True, slots=True)
class Need:
    """What the TSO wants of one product and direction in every market time unit."""

    product: Product
    direction: Direction
    quantity_mw: float

    @property
    def subject(self) -> str:
        """The subject of the conversations about it."""
        return f"{self.product}-{self.direction}"


@dataclass(frozen=True, slots=True)
class TestRules:
    """The prequalification test: how long to hold, what tolerance and completeness, how many at once in a grid.

    `pause_us`: between the two humps of aFRR.
    """

    __test__ = False
    hold_us: int
    sample_us: int
    tolerance: float
    completeness: float
    pause_us: int = 0
    at_once: int = 1


@dataclass(frozen=True, slots=True)
class ActivationRules:
    """When the TSO changes its orders: by how much the averaged need must have moved, and the lead of schedules.

    mFRR that aFRR runs against for `release_us` on end is taken back.
    """

    trigger_mw: float
    averaging_us: int
    schedule_lead_us: int
    release_us: int = 300_000_000


@dataclass(frozen=True, slots=True)
class RegulationRules:
    """How aFRR is controlled: by what controller, how its demand is shared, and how delivery is judged."""

    controller: FrequencyController
    distribution: Distribution
    channel: ChannelRules


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer may take, per kind of question; never longer than agents remember what they have asked."""

    answer_us: int = 120_000_000
    validation_us: int = 300_000_000
    follow_us: int = 60_000_000

    def __post_init__(self) -> None:
        """ValueError for a patience after which nobody would know the question any more."""
        for name, value_us in (
            ("answer", self.answer_us),
            ("validation", self.validation_us),
            ("follow", self.follow_us),
        ):
            if not 0 < value_us < KEPT_US:
                raise ValueError(
                    f"patience: {name}_us is {value_us}, but must be between 0 and {KEPT_US}: "
                    f"what is older than {KEPT_US // US_PER_MIN} minutes is forgotten"
                )


@dataclass(frozen=True, slots=True)
class ReserveRules:
    """Containment reserve: what is called for, when, and how it has to answer the frequency (Hz off nominal)."""

    need_mw: float
    periods: tuple[MarketTimeUnit, ...]
    nominal_hz: float
    full_deviation_hz: float
    full_activation_us: int
    tolerance: float

    def period(self, period_id: str) -> MarketTimeUnit:
        """The period with this id; KeyError if there is none."""
        for period in self.periods:
            if period.id == period_id:
                return period
        raise KeyError(f"no period of reserve '{period_id}'")


@dataclass(frozen=True)
class TsoProfile:
    """What the TSO knows; `full_activation_us` is how long each product may take from the order to full delivery."""

    name: str
    calendar: Calendar
    coordination: Coordination
    dso_of_grid: Mapping[str, str]
    needs: tuple[Need, ...]
    rules: Rules
    test: TestRules
    activation: ActivationRules
    control_us: int
    regulation: RegulationRules | None = None
    responsible: str = "balance-responsible-parties"
    stale_after_us: int = 13_000_000
    quality_patience_us: int = 60_000_000
    patience: Patience = Patience()
    reserve: ReserveRules | None = None
    full_activation_us: Mapping[Product, int] = FULL_ACTIVATION_US

    @cached_property
    def dsos(self) -> frozenset[str]:
        """The names of the DSOs."""
        return frozenset(self.dso_of_grid.values())

    def needs_of(self, product: Product) -> tuple[Need, ...]:
        """The needs of one product."""
        return self._by_product.get(product, ())

    @cached_property
    def _by_product(self) -> Mapping[str, tuple[Need, ...]]:
        products = {need.product for need in self.needs}
        return {name: tuple(need for need in self.needs if need.product == name) for name in sorted(products)}


@dataclass(frozen=True, slots=True)
class DemandResponse:
    """Scenario II: what the DSO asks for its voltage reduction, and what it assumes of it before any test.

    `recovered_share` of what it frees comes back with the time constant `recovery_s`, by the DSO's own estimate.
    Down is offered by raising the voltage, at a price of its own, which the DSO pays.
    """

    price_eur_per_mwh: float
    assumed_cvr_factor: float
    max_steps: int
    seconds_per_step: float
    recovered_share: float = 0.0
    recovery_s: float = 900.0
    directions: tuple[Direction, ...] = ("up",)
    down_price_eur_per_mwh: float = 0.0


@dataclass(frozen=True, slots=True)
class BidPlan:
    """What a participant wants to offer in every market time unit: its private knowledge."""

    product: Product
    direction: Direction
    resource: str
    quantity_mw: float
    min_quantity_mw: float
    divisible: bool
    price_eur_per_mwh: float


@dataclass(frozen=True, slots=True)
class OwnUnits:
    """Scenario II: units and pools in its grid that the DSO operates itself, and what it wants to offer of them."""

    resources: tuple[ResourceData, ...]
    dynamics: Dynamics
    bids: tuple[BidPlan, ...]

    def owns(self, resource: str) -> bool:
        """Whether a resource is one of them."""
        return any(own.id == resource for own in self.resources)


@dataclass(frozen=True)
class DsoProfile:
    """What a DSO knows of itself; its grid's model stays with its host, behind studies.

    It computes the state of its grid at every `state_every`-th reading. A participant whose INFO 7 is older than
    `stale_after_us` counts with this share of all that was accepted of it. In real time it uses the short-time rating
    of its grid for `short_time_us`, if that is given.
    """

    name: str
    tso: str
    grid: str
    calendar: Calendar
    coordination: Coordination
    monitoring_us: int
    demand_response: DemandResponse | None = None
    units: OwnUnits | None = None
    submit_before_us: int = 600_000_000
    hold_limit_us: int = 300_000_000
    limit_validity_us: int = 900_000_000
    state_every: int = 1
    stale_after_us: int = 13_000_000
    assumed_share: float = 1.0
    policy: LimitPolicy = AsAgreed()
    short_time_us: int | None = None
    patience: Patience = Patience()


@dataclass(frozen=True, slots=True)
class ReservePlan:
    """What a participant wants to offer as containment reserve: its private knowledge."""

    resource: str
    quantity_mw: float
    min_quantity_mw: float
    price_eur_per_mw_h: float


@dataclass(frozen=True)
class BspProfile:
    """What a BSP or aggregator knows of itself; `dso` is that of its grid, if there is one."""

    name: str
    kind: Literal["BSP", "AGGREGATOR"]
    tso: str
    calendar: Calendar
    product: Product
    resources: tuple[ResourceData, ...]
    dynamics: Dynamics
    bids: tuple[BidPlan, ...]
    applies_us: int
    measurement_us: int
    coordination: Coordination
    submit_before_us: int = 600_000_000
    dispute_tolerance: float = 0.02
    hold_set_point_us: int = 60_000_000
    bidding: Bidding = Truthful()
    patience: Patience = Patience()
    reserve: ReservePlan | None = None
    dso: str | None = None

    @property
    def relay(self) -> str | None:
        """The DSO by way of which its orders and set-points come, or None if they come from the TSO."""
        return self.dso if self.coordination.signal_route == "via_dso" else None

    def owns(self, resource: str) -> bool:
        """Whether a resource is its own."""
        return any(own.id == resource for own in self.resources)
