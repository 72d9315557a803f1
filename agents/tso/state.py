"""What the TSO has heard and promised, one slice a stage; immutable and hashable."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from immutables import Map

from ...protocols.information.activation import Limit, OfferModified, SetPoint
from ...protocols.information.capacity import Application, ResourceVerdict, TechnicalData
from ...protocols.information.offering import Offer, OfferVerdict
from ...protocols.information.reserve import ReserveLine, ReserveOffer
from ...protocols.information.settlement import StatementLine
from ..changes import replace
from ..cycle import Cycle, heard_us
from ..market.channel import Bounds, Channel
from ..market.distribution import Walk
from ..market.merit_order import Position
from ..market.regulation import Controller
from ..market.reserve import Award
from ..market.settlement import Payment
from .prequalification.trial import Trial
from .reserve.tender import Tender


class Applicant(NamedTuple):
    """An application: `validated` is what the DSO says, `tests` are still to be done, `verdicts` hold their results.

    `trial` is the test that is going on, the first of `tests`.
    """

    application: Application | None
    message_id: str
    verdicts: tuple[ResourceVerdict, ...] = ()
    tests: tuple[ResourceVerdict, ...] = ()
    technical: TechnicalData | None = None
    attempt: int = 1
    validated: tuple[ResourceVerdict, ...] | None = None
    trial: Trial | None = None


class Order(NamedTuple):
    """An activation in force: its conversation, MW and time.

    Until the participant has confirmed it, the orders that it `supersedes` may still be in force there, and
    the energy requested in it (`unconfirmed`, W·µs) may still turn out not to have been.
    """

    conversation_id: str
    power_mw: float
    start_us: int
    end_us: int
    confirmed: bool = False
    supersedes: tuple[str, ...] = ()
    unconfirmed: int = 0


class Service(NamedTuple):
    """A participant's quality of service: how far a breach has gone and since when, and what a period counts."""

    level: int = 0
    since_us: int | None = None
    cycles: int = 0
    fresh: int = 0
    requested: int = 0
    delivered: int = 0


class Known(NamedTuple):
    """The last measurement of a participant."""

    activated_mw: float
    measured_us: int


class PassedLimit(NamedTuple):
    """A DSO's limit request on its way to the participants; `unknown` offers are nothing the TSO could limit.

    `ordered`: conversation and MW of the orders that it has lowered, before it did.
    """

    limits: tuple[Limit, ...]
    confirmed: Map[str, OfferModified] = Map()
    unknown: tuple[str, ...] = ()
    ordered: Map[str, tuple[str, float]] = Map()


@dataclass(frozen=True)
class Prequalification:
    """Applications by conversation; lanes of those waiting, one a grid; what is qualified of each participant.

    `applied` leads from a participant to the conversation of its application, `claimed` from a resource to the
    participant that has applied with it, `lane_of` from an applicant to its lane: to look one up does not cost more
    where many have applied.
    """

    applicants: Map[str, Applicant] = Map()
    applied: Map[str, str] = Map()
    claimed: Map[str, str] = Map()
    lanes: Map[str, tuple[str, ...]] = Map()
    lane_of: Map[str, str] = Map()
    qualified: Map[str, tuple[ResourceVerdict, ...]] = Map()


@dataclass(frozen=True)
class Offering:
    """Offers by conversation, merit order lists by `period/subject`, verdicts while they come in."""

    offers: Map[str, tuple[Offer, ...]] = Map()
    lists: Map[str, tuple[Position, ...]] = Map()
    unfit: Map[str, str] = Map()
    verdicts: Map[str, OfferVerdict] = Map()
    definitive: Map[str, tuple[Position, ...]] = Map()


@dataclass(frozen=True)
class Activation:
    """Orders by offer, caps by resource and their validity, what was measured, the recent need, and requested energy.

    The energy is counted until `counted_us`.

    `withheld` is energy (W·µs) that limits have kept from being ordered, `moved` holds (resource, MW) that other units
    of a portfolio give of an offer, `opposed` what aFRR asks for against the target, cycle by cycle on end. `failed`
    offers are not ordered any more, `derated` ones only up to what they have been seen to deliver. What is `known` of
    somebody was measured then, or said again in the last `cycle`; those `ahead` date their measurements too late.
    """

    target_mw: float = 0.0
    needs: tuple[float, ...] = ()
    restless: int = 0
    opposed: tuple[float, ...] = ()
    orders: Map[str, Order] = Map()
    opened: int = 0
    caps: Map[str, float] = Map()
    cap_ends: Map[str, int] = Map()
    moved: Map[str, tuple[tuple[str, float], ...]] = Map()
    failed: frozenset[str] = frozenset()
    derated: Map[str, float] = Map()
    services: Map[str, Service] = Map()
    changed: bool = False
    known: Map[str, Known] = Map()
    cycle: Cycle | None = None
    ahead: frozenset[str] = frozenset()
    subscribed: Map[str, bool] = Map()
    passed: Map[str, PassedLimit] = Map()
    withheld: Map[str, int] = Map()
    limited: int = 0
    energy: Map[str, int] = Map()
    counted_us: int = 0

    def last(self, name: str) -> Known | None:
        """The last measurement of a participant, and when it was last measured."""
        known = self.known.get(name)
        return None if known is None else Known(known.activated_mw, heard_us(self.cycle, name, known.measured_us))


class Lot(NamedTuple):
    """One accepted offer of aFRR as it is metered: its direction and MW."""

    offer_id: str
    up: bool
    most_mw: float


class Meter(NamedTuple):
    """One participant's meter: its acceptance channel, what is measured since `at_us`, and the bounds of that time."""

    channel: Channel = Channel()
    at_us: int = 0
    power_mw: float = 0.0
    bounds: Bounds = Bounds(0, 0.0, 0.0)


class Counted(NamedTuple):
    """Energy of one offer, W·µs: delivered, of that too much to be paid, and missing."""

    metered: int = 0
    unpaid: int = 0
    missing: int = 0


class Regulation(NamedTuple):
    """aFRR: offers under control, who hears set-points and the last of them, the controller, and the prepared walk.

    `stale`: what is under control has changed since the walk was prepared. Lots by `period/participant`, meters by
    participant, energy by offer. `silent` are those whose measurements stay away, so that they are not counted on;
    the channels of those `moving` have moved since they were last heard together.
    """

    controls: Map[str, Order] = Map()
    subscribers: Map[str, str] = Map()
    sent: Map[str, SetPoint] = Map()
    controller: Controller = Controller()
    walk: Walk = Walk()
    stale: bool = False
    lots: Map[str, tuple[Lot, ...]] = Map()
    meters: Map[str, Meter] = Map()
    counted: Map[str, Counted] = Map()
    silent: tuple[str, ...] = ()
    moving: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settlement:
    """Metered energy by participant, delivery records by offer, statements as stated, open or agreed; payments made.

    Statements by period and participant.
    """

    metered: Map[str, tuple[float, float]] = Map()
    recorded: Map[str, tuple[float, float]] = Map()
    unsettled: Map[str, Map[str, tuple[StatementLine, ...]]] = Map()
    agreed: Map[str, Map[str, tuple[StatementLine, ...]]] = Map()
    payments: tuple[Payment, ...] = ()


class Kept(NamedTuple):
    """Control cycles in which an awarded reserve followed the frequency, of all that were looked at.

    A cycle in which a limit leaves only a part of the award counts in part.
    """

    followed: float = 0
    cycles: int = 0


@dataclass(frozen=True)
class Reserve:
    """Containment reserve: offers by conversation, awards by period, what is measured of it, how it was kept.

    `offsets_hz` are the frequency deviations of the last cycles, `recorded` what participants say of their offers,
    `unsettled` and `agreed` statements by period and participant, `again` what has been called for again because
    limits took it.
    """

    offers: Map[str, tuple[ReserveOffer, ...]] = Map()
    awards: Map[str, tuple[Award, ...]] = Map()
    known: Map[str, Known] = Map()
    offsets_hz: tuple[float, ...] = ()
    kept: Map[str, Kept] = Map()
    recorded: Map[str, float] = Map()
    unsettled: Map[str, Map[str, tuple[ReserveLine, ...]]] = Map()
    agreed: Map[str, Map[str, tuple[ReserveLine, ...]]] = Map()
    again: Map[str, Tender] = Map()


@dataclass(frozen=True)
class TsoState:
    """All the TSO knows."""

    prequalification: Prequalification = Prequalification()
    offering: Offering = Offering()
    activation: Activation = Activation()
    regulation: Regulation = Regulation()
    settlement: Settlement = Settlement()
    reserve: Reserve = Reserve()

    def with_prequalification(self, **changes: Any) -> "TsoState":
        """The state with changes to the prequalification slice."""
        return replace(self, prequalification=replace(self.prequalification, **changes))

    def with_offering(self, **changes: Any) -> "TsoState":
        """The state with changes to the offering slice."""
        return replace(self, offering=replace(self.offering, **changes))

    def with_activation(self, **changes: Any) -> "TsoState":
        """The state with changes to the activation slice."""
        return replace(self, activation=replace(self.activation, **changes))

    def with_regulation(self, **changes: Any) -> "TsoState":
        """The state with changes to the regulation slice."""
        return replace(self, regulation=self.regulation._replace(**changes))

    def with_settlement(self, **changes: Any) -> "TsoState":
        """The state with changes to the settlement slice."""
        return replace(self, settlement=replace(self.settlement, **changes))

    def with_reserve(self, **changes: Any) -> "TsoState":
        """The state with changes to the reserve slice."""
        return replace(self, reserve=replace(self.reserve, **changes))


def cap_key(participant: str, resource: str, direction: str) -> str:
    """What a DSO's limit binds: a participant's resource in one direction, whatever offer uses it."""
    return f"{participant}|{resource}|{direction}"
