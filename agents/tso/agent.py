"""The TSO agent: each event goes to the stage that it belongs to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...protocols.flow import Row
from ...protocols.information.offering import Offer
from ..agent import Reaction
from ..cycle import Cycle
from ..events import Computed, Event, Heard, Rejected, RoundClosed, Sampled, Silence, Started, Woken
from ..profiles import TsoProfile
from . import measurements
from .activation import activating as activation
from .activation import limits
from .activation.caps import offers_at
from .activation.orders import by_offer
from .activation.redispatch import Redispatch, changes, redispatch
from .afrr import metering, set_points
from .offering import gate as offering
from .offering import merit_list
from .prequalification import applications as prequalification
from .reserve import procuring as reserve
from .settlement import settling as settlement
from .state import TsoState

STAGES = {
    "prequalification": prequalification.react,
    "offering": offering.react,
    "activation": activation.react,
    "settlement": settlement.react,
    "reserve": reserve.react,
}
ROUNDS = {
    offering.CALLED: "offering",
    merit_list.VALIDATED: "offering",
    limits.ROUND: "activation",
    settlement.METERED: "settlement",
    reserve.CALLED: "reserve",
}


@dataclass(frozen=True)
class Tso:
    """The transmission system operator."""

    profile: TsoProfile
    kind: str = "TSO"

    @property
    def name(self) -> str:
        """Its name in the run."""
        return self.profile.name

    def start(self) -> TsoState:
        """Nothing heard, nothing promised."""
        return TsoState()

    def react(self, state: TsoState, event: Event, now_us: int) -> Reaction[TsoState]:
        """Hand the event to its stage."""
        if isinstance(event, Sampled):
            return activation.sampled(self.profile, state, event.reading, now_us)
        match event:
            case Started():
                return self._started(state, event, now_us)
            case Heard() | Silence() | Rejected():
                stage = event.conversation.protocol.stage
            case Woken(timer):
                stage = timer.partition("/")[0]
            case RoundClosed(round_id):
                stage = ROUNDS[round_id.partition("/")[0] + "/"]
            case Computed():
                return state, ()
        return STAGES[stage](self.profile, state, event, now_us)

    def overhear(self, state: TsoState, rows: Sequence[Row]) -> tuple[TsoState, int]:
        """Measurements of a whole cycle at once."""
        return measurements.overheard(self.profile, state, rows)

    def told(self, state: TsoState, cycle: Cycle) -> TsoState | None:
        """Measurements of a whole cycle as columns."""
        return measurements.told(self.profile, state, cycle)

    def _started(self, state: TsoState, event: Started, now_us: int) -> Reaction[TsoState]:
        actions = tuple(action for react in STAGES.values() for action in react(self.profile, state, event, now_us)[1])
        return state, actions

    def telemetry(self, state: TsoState) -> Mapping[str, float]:
        """The demand that the orders of mFRR follow, and that of aFRR."""
        demand = {"demand_mw": state.activation.target_mw}
        if self.profile.regulation is not None:
            demand["afrr_demand_mw"] = round(state.regulation.controller.demand_mw, 6)
        return demand

    def set_points(self, state: TsoState, now_us: int) -> Iterable[tuple[str, float]]:
        """(participant, signed MW) of every order and set-point in force now."""
        offers = offers_at(self.profile, state, now_us)
        found = [
            (offers[offer_id].participant, _signed(offers[offer_id], order.power_mw))
            for offer_id, order in by_offer(state)
            if order.start_us <= now_us < order.end_us
        ]
        if self.profile.calendar.at(now_us) is not None:
            found += set_points.told(state)
        return found

    def channels(self, state: TsoState) -> Iterable[tuple[str, float, float]]:
        """(participant, lower, upper bound in MW) of every acceptance channel, as it stands after this cycle."""
        meters = state.regulation.meters
        for participant in metering.metered(state):
            _, low_mw, high_mw = meters[participant].channel.bounds
            yield participant, low_mw, high_mw

    def withheld(self, state: TsoState, now_us: int) -> Iterable[tuple[str, float]]:
        """(resource, signed MW) that limits keep from being ordered now."""
        for offer, more_mw in changes(self.profile, state, now_us):
            yield offer.resource, _signed(offer, more_mw)

    def redispatch(self, state: TsoState, now_us: int) -> Redispatch:
        """What limits withhold now, and what that costs."""
        return redispatch(self.profile, state, now_us)


def _signed(offer: Offer, power_mw: float) -> float:
    return power_mw if offer.direction == "up" else -power_mw
