"""What a DSO knows and has promised; immutable and hashable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from immutables import Map

from ...grid.limits.allowing import Activation
from ...grid.readings import Readings
from ...protocols.information.activation import Ground, Measurement, SetPoint, SetPointSubscription
from ...protocols.information.capacity import BindingConstraint, CapacityRequest, ResourceData
from ...protocols.information.offering import AcceptedOffer, CallForOffers, MeritOrderList
from ...protocols.information.reserve import AwardedReserve
from ..bsp.state import RunningTest
from ..changes import replace
from ..cycle import Cycle
from ..delivery import OrderBook
from .studies import TapOptions


class Connected(NamedTuple):
    """A participant's resource in this grid: connection points with their shares of every activation, Mvar per MW."""

    participant: str
    points: tuple[tuple[str, float], ...]
    q_per_p: float = 0.0

    @classmethod
    def of(cls, participant: str, resource: ResourceData) -> Connected:
        """As it was declared in INFO 1."""
        return cls(participant, resource.points(), resource.q_mvar_per_mw)

    def activation(self, name: str, p_mw: float, min_mw: float = 0.0) -> Activation:
        """What a study is asked about: signed MW of it, with the reactive power that was declared to come along."""
        return Activation(name, self.points, p_mw, min_mw, self.q_per_p)


class Told(NamedTuple):
    """The last INFO 7 of a participant."""

    set_point_mw: float
    activated_mw: float
    points: tuple[tuple[str, complex], ...]  # MVA, plain MW where there is no reactive power


class InForce(NamedTuple):
    """A limit in force: MW, since when, in which request, and what the TSO has said of it.

    It was last asked for at `asked_us`, in the name of an offer, and holds until `until_us`; `looks` are (time, MW) of
    the room seen since.
    """

    max_mw: float
    since_us: int
    request: str
    status: Literal["asked", "confirmed", "unconfirmed"] = "asked"
    asked_us: int = 0
    until_us: int = 0
    offer_id: str = ""
    binding: BindingConstraint | None = None
    ground: Ground | None = None
    looks: tuple[tuple[int, float], ...] = ()

    @property
    def lifted(self) -> bool:
        """Whether all that was accepted is allowed again; kept until the TSO has confirmed that too."""
        return self.binding is None


class Listed(NamedTuple):
    """A merit order list: its conversation, what may be activated of it as far as is known, and how far it has come.

    It `waits` for what is accepted of another one; `settled`: it is known what was accepted of it.
    """

    conversation_id: str
    mol: MeritOrderList
    activations: tuple[Activation, ...]
    waits: bool = False
    settled: bool = False


class Way(NamedTuple):
    """How a participant's set-points come: what it wants, the TSO's conversation and its own, the last set-point.

    `heard` and `said` are the last one as it came, in the message `cause`, and as it was passed on.
    """

    asked: str
    told: str
    wish: SetPointSubscription
    attempt: int = 1
    agreed: bool = False
    heard: SetPoint | None = None
    said: SetPoint | None = None
    cause: str | None = None


class Counting(NamedTuple):
    """Readings of the period that is being archived, and which of them was the first to count a participant's `told`.

    What counts for the same participant several times is added to the archive when it changes.
    """

    period: str = ""
    readings: int = 0
    since: Map[str, int] = Map()


@dataclass(frozen=True)
class DemandResponseState:
    """Scenario II: what the taps can do, what was measured of it, and what has been promised.

    `steps` and `mw_per_step` by `transformer|direction`, `applied_mw` is signed. Where the DSO operates units too:
    open `calls`, what is `available` of the units, their `set_points`, `units_mw` as measured, and who is `lost`.
    """

    options: TapOptions | None = None
    attempt: int = 0
    mw_per_step: Map[str, float] = Map()
    steps: Map[str, int] = Map()
    qualified: Map[str, float] = Map()
    test: RunningTest | None = None
    test_base_mw: float | None = None
    book: OrderBook = OrderBook()
    positions: Map[str, float] = Map()
    applied_mw: float = 0.0
    recovered_mw: float = 0.0
    measured: Measurement | None = None
    listeners: tuple[str, ...] = ()
    calls: Map[str, CallForOffers] = Map()
    available: Map[str, tuple[float, float]] = Map()
    set_points: Map[str, float] = Map()
    units_mw: float = 0.0
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DsoState:
    """All a DSO knows.

    Applications are `waiting` for others of their round, then `judging` in a study; `unknown` offers of a merit
    order list are those whose resources nobody has applied with; `heard_us` is when what participants have `told` was
    measured, if it was not said again in the last `cycle`. Who is `missing` has sent no INFO 7 for
    too long; `moved` holds (resource, MW) that other units of a portfolio give of an offer.
    How much units may still move was last looked at `headroom_us`.
    For so long each element (`heated_us`) has been beyond its continuous rating and has not had as long to cool down;
    if that was too long, its short time is `spent` until it has.
    Orders by way of the DSO: the TSO's conversation and the one it was `passed_on` in, and back; those of them that
    are being cancelled, and those of which the TSO has been told that the participant does not answer. Set-points by
    way of the DSO come on the `ways` of participants.
    """

    connected: Map[str, Connected] = Map()
    waiting: Map[str, CapacityRequest] = Map()
    judging: Map[str, tuple[tuple[str, CapacityRequest], ...]] = Map()
    unknown: Map[str, tuple[str, ...]] = Map()
    lists: Map[str, Listed] = Map()
    qualified: tuple[Activation, ...] = ()
    accepted: Map[str, AcceptedOffer] = Map()
    told: Map[str, Told] = Map()
    heard_us: Map[str, int] = Map()
    cycle: Cycle | None = None
    subscribed: frozenset[str] = frozenset()
    reserves: Map[str, AwardedReserve] = Map()
    readings: Readings | None = None
    limits: Map[str, InForce] = Map()
    requests: int = 0
    looked_us: int = 0
    looking: bool = False
    headroom_us: int = 0
    heated_us: Map[str, int] = Map()
    spent: tuple[str, ...] = ()
    idle_readings: int = 0
    missing: frozenset[str] = frozenset()
    moved: Map[str, tuple[tuple[str, float], ...]] = Map()
    passed_on: Map[str, str] = Map()
    came_from: Map[str, str] = Map()
    cancelling: frozenset[str] = frozenset()
    unheard: frozenset[str] = frozenset()
    ways: Map[str, Way] = Map()
    shown: str = ""
    archive: Map[str, int] = Map()
    samples: Map[str, int] = Map()
    counting: Counting = Counting()
    demand: DemandResponseState = DemandResponseState()

    def with_demand(self, **changes: Any) -> DsoState:
        """The state with changes to the demand response slice."""
        return replace(self, demand=replace(self.demand, **changes))


def limit_key(offer: AcceptedOffer, resource: str | None = None) -> str:
    """What a limit binds: a participant's resource in one direction, whatever offer uses it.

    `resource`: another unit of the portfolio that gives part of the offer.
    """
    return f"{offer.participant}|{resource or offer.resource}|{offer.direction}"
