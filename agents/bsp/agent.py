"""The BSP and aggregator agents: each event goes to the stage that it belongs to.

An aggregator is a BSP whose resource is a pool: it declares its activation scheme in the application, offers
what its storages can hold for a period, and its pool splits every set-point over the DFRs by that scheme.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...protocols.flow import Row
from ...protocols.information.settlement import Statement
from ..agent import Reaction
from ..changes import derived
from ..cycle import Cycle
from ..events import Event, Heard, Rejected, Sampled, Silence, Started, Woken
from ..profiles import BspProfile
from . import bidding, delivery, following, qualification, reserve, settlement
from .state import BspState

STAGES = {
    "prequalification": qualification.react,
    "offering": bidding.react,
    "activation": delivery.react,
    "reserve": reserve.react,
}
SOURCES = {
    qualification.TEST_METER: "prequalification",
    bidding.AVAILABILITY: "offering",
    delivery.METER: "activation",
}


@dataclass(frozen=True)
class Bsp:
    """A balancing service provider with one unit or several."""

    profile: BspProfile

    @property
    def kind(self) -> str:
        """BSP."""
        return "BSP"

    @property
    def name(self) -> str:
        """Its name in the run."""
        return self.profile.name

    @property
    def baseline(self) -> str:
        """How its baseline is made, as stated in its records."""
        return "declared schedule"

    def start(self) -> BspState:
        """Nothing heard, nothing promised."""
        return BspState()

    def react(self, state: BspState, event: Event, now_us: int) -> Reaction[BspState]:
        """Hand the event to its stage."""
        if isinstance(event, Sampled):
            if event.source == delivery.METER:
                return delivery.measured(self.profile, state, event.reading, now_us)
            return STAGES[SOURCES[event.source]](self.profile, state, event, now_us)
        match event:
            case Started():
                stage = "prequalification"
            case Heard(envelope=envelope) if isinstance(envelope.content, Statement):
                tolerance = self.profile.dispute_tolerance
                return state, settlement.answer(state.book, event.conversation.id, envelope.content, tolerance)
            case Woken(timer) if timer.startswith(bidding.RECORD):
                conversation_id = timer.removeprefix(bidding.RECORD)
                return state, settlement.record(state.book, conversation_id, self.baseline)
            case Heard() | Silence() | Rejected():
                stage = event.conversation.protocol.stage
            case Woken(timer):
                stage = timer.partition("/")[0]
            case _:
                return state, ()
        return STAGES[stage](self.profile, state, event, now_us) if stage in STAGES else (state, ())

    def overhear(self, state: BspState, rows: Sequence[Row]) -> tuple[BspState, int]:
        """Set-points that change nothing."""
        return following.overheard(state, rows)

    def told(self, state: BspState, cycle: Cycle) -> BspState | None:
        """Nobody tells a participant measurements."""
        return None

    def telemetry(self, state: BspState) -> Mapping[str, float]:
        """The set-point as the participant has it, and the caps it keeps; the same object as long as they stay."""
        sources = state.set_points, state.book.caps, state.reserve.armed
        return derived(state, "~telemetry", sources, lambda: self._telemetry(state))

    def _telemetry(self, state: BspState) -> Mapping[str, float]:
        caps = dict(sorted(state.book.caps.items()))
        values = {"applied_mw": round(sum(state.set_points.values()), 6)}
        for direction in ("up", "down"):
            bound = [cap for key, cap in caps.items() if key.endswith(f"|{direction}")]
            values[f"limit_{direction}_mw"] = min(bound) if bound else float("nan")
        if self.profile.reserve is not None:
            values["reserve_mw"] = round(sum(state.reserve.armed.values()), 6)
        return values


@dataclass(frozen=True)
class Aggregator(Bsp):
    """A BSP that offers a pool of distributed flexibility resources (DFRs)."""

    @property
    def kind(self) -> str:
        """AGGREGATOR."""
        return "AGGREGATOR"

    @property
    def baseline(self) -> str:
        """How its baseline is made, as stated in its records."""
        return "declared schedule of the pool"
