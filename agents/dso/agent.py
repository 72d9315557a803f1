"""The DSO agent: each event goes to the part of its work that it belongs to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ...grid.readings import Readings
from ...protocols.flow import Row
from ...protocols.information.activation import (
    Activate,
    ActivateWhen,
    Measurement,
    MeasurementSubscription,
)
from ...protocols.information.capacity import CapacityRequest, QualificationProposal, Requirements, TestOrder
from ...protocols.information.offering import (
    Acceptance,
    AcceptanceNotice,
    CallForOffers,
    ForecastQuery,
    MeritOrderList,
    MeritOrderNotice,
)
from ...protocols.information.reserve import ReserveNotice
from ...protocols.information.settlement import MeteredQuery, Statement
from ...protocols.messages import Cancel
from ...protocols.stages import activation
from ..actions import Action, Observe, Wake
from ..agent import Reaction
from ..bsp import settlement
from ..bsp.bidding import RECORD, SUBMIT
from ..bsp.qualification import TEST_END, TEST_METER, TEST_STEP
from ..bsp.reading import ParticipantReading
from ..cycle import Cycle
from ..events import Computed, Event, Heard, Rejected, Sampled, Silence, Started, Woken
from ..ordering import END, START
from ..profiles import DsoProfile
from . import (
    archive,
    demand_response,
    forecast,
    hearing,
    merit_lists,
    monitoring,
    own_units,
    relay,
    reserves,
    set_points,
    tap_delivery,
    tap_trial,
    validation,
)
from .state import DsoState
from .studies import Watch

BEGIN = "monitoring/begin"
GRID = "grid"
DSO_REACTION = Reaction[DsoState]
STATEMENT_TOLERANCE = 0.02


@dataclass(frozen=True)
class Dso:
    """A distribution system operator with one grid."""

    profile: DsoProfile
    kind: str = "DSO"

    @property
    def name(self) -> str:
        """Its name in the run."""
        return self.profile.name

    def start(self) -> DsoState:
        """Nothing heard, nothing promised."""
        return DsoState()

    def react(self, state: DsoState, event: Event, now_us: int) -> Reaction[DsoState]:
        """Hand the event to where it belongs."""
        match event:
            case Started():
                return state, (Wake(BEGIN, self.profile.calendar.first.start_us),)
            case Heard():
                return self._hear(state, event, now_us)
            case Silence() | Rejected():
                return self._unanswered(state, event, now_us)
            case Woken(timer):
                return self._wake(state, timer, now_us)
            case Sampled(source, reading):
                return self._sampled(state, source, reading, now_us)
            case Computed():
                return self._computed(state, event, now_us)
            case _:
                return state, ()

    def overhear(self, state: DsoState, rows: Sequence[Row]) -> tuple[DsoState, int]:
        """Measurements of a whole cycle at once."""
        return hearing.overheard(self.profile, state, rows)

    def told(self, state: DsoState, cycle: Cycle) -> DsoState | None:
        """Measurements of a whole cycle as columns."""
        return hearing.told_of(self.profile, state, cycle)

    def _unanswered(self, state: DsoState, event: Silence | Rejected, now_us: int) -> Reaction[DsoState]:
        if event.conversation.protocol is activation.LIMIT:
            return monitoring.answered(state, event)
        if event.conversation.protocol.name in relay.PROTOCOLS:
            return relay.unanswered(self.profile, state, event, now_us)
        if event.conversation.protocol.name in set_points.PROTOCOLS:
            return set_points.unanswered(self.profile, state, event, now_us)
        if isinstance(event, Rejected):
            return tap_delivery.rejected(self.profile, state, event.conversation.id, now_us)
        return state, ()

    def _hear(self, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
        content = event.content
        if isinstance(content, Measurement):
            return hearing.told(self.profile, state, ((event.conversation.peer, content, now_us),)), ()
        if event.conversation.protocol is activation.LIMIT:
            return monitoring.answered(state, event)
        if event.conversation.protocol.name in relay.PROTOCOLS:
            return relay.hear(self.profile, state, event, now_us)
        if event.conversation.protocol.name in set_points.PROTOCOLS:
            return set_points.hear(self.profile, state, event, now_us)
        if isinstance(content, CapacityRequest | MeritOrderList | MeritOrderNotice | AcceptanceNotice | ReserveNotice):
            return self._hear_before_delivery(state, event, now_us)
        match content:
            case MeteredQuery():
                return archive.asked(self.profile, state, event)
            case ForecastQuery():
                return forecast.asked(self.profile, state, event, now_us)
            case _:
                return self._hear_as_participant(state, event, now_us)

    def _hear_before_delivery(self, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
        """What the TSO asks about capacity and offers in the DSO's grid."""
        match event.content:
            case CapacityRequest():
                return validation.capacity_requested(self.profile, state, event, now_us)
            case MeritOrderList():
                return merit_lists.list_received(self.profile, state, event, now_us)
            case MeritOrderNotice():
                return merit_lists.list_noticed(state, event)
            case ReserveNotice():
                return reserves.noticed(self.profile, state, event)
            case _:
                return merit_lists.accepted(self.profile, state, event, now_us)

    def _hear_as_participant(self, state: DsoState, event: Heard, now_us: int) -> Reaction[DsoState]:
        """Scenario II: what is said to the DSO as one more provider."""
        profile = self.profile
        match event.content:
            case Requirements():
                return demand_response.required(profile, state, event, now_us)
            case TestOrder():
                return tap_trial.begin_test(profile, state, event, now_us)
            case QualificationProposal():
                return demand_response.qualified(state, event)
            case CallForOffers():
                return demand_response.called(profile, state, event, now_us)
            case Acceptance():
                return demand_response.awarded(profile, state, event)
            case Activate() | ActivateWhen() | Cancel() | MeasurementSubscription():
                return tap_delivery.hear(profile, state, event, now_us)
            case Statement() as statement:
                book, conversation_id = state.demand.book, event.conversation.id
                return state, settlement.answer(book, conversation_id, statement, STATEMENT_TOLERANCE)
            case _:
                return state, ()

    def _wake(self, state: DsoState, timer: str, now_us: int) -> Reaction[DsoState]:
        profile = self.profile
        if timer == BEGIN:
            grid = Observe(GRID, profile.monitoring_us, profile.calendar.end_us)
            return state, (*own_units.begun(profile), grid)
        if timer == validation.JOINT:
            return validation.capacity_gathered(profile, state)
        if timer.startswith(merit_lists.WAIT):
            return merit_lists.waited(profile, state, timer.removeprefix(merit_lists.WAIT), now_us)
        if timer == TEST_END:
            return tap_trial.end_test(profile, state)
        if timer.startswith(TEST_STEP):
            return state, tap_trial.step_test(profile, state, int(timer.removeprefix(TEST_STEP)))
        if timer.startswith(SUBMIT):
            return state, demand_response.look(profile, state, timer.removeprefix(SUBMIT), now_us)
        if timer.startswith((START, END)):
            return tap_delivery.turned(profile, state, timer, now_us)
        record = settlement.record(state.demand.book, timer.removeprefix(RECORD), "short-term forecast (INFO 10)")
        return state, record

    def _sampled(self, state: DsoState, source: str, reading: object, now_us: int) -> Reaction[DsoState]:
        if isinstance(reading, ParticipantReading):
            return own_units.sampled(self.profile, state, source, reading)
        assert isinstance(reading, Readings)
        if source == TEST_METER:
            return tap_trial.sample_test(state, reading), ()
        return monitoring.read(self.profile, state, reading, now_us)

    def _computed(self, state: DsoState, event: Computed, now_us: int) -> Reaction[DsoState]:
        profile = self.profile
        if event.key == monitoring.WATCH:
            return self._watched(state, event, now_us)
        if event.key.startswith(demand_response.BLOCKS):
            return demand_response.offer(profile, state, event, now_us)
        if event.key.startswith(merit_lists.LIST):
            return merit_lists.list_computed(profile, state, event, now_us)
        return COMPUTED[event.key.partition("/")[0] + "/"](profile, state, event)

    def _watched(self, state: DsoState, event: Computed, now_us: int) -> Reaction[DsoState]:
        state, limits = monitoring.watched(self.profile, state, event, now_us)
        state, noted = own_units.limited(self.profile, state, limits, now_us)
        state, moves = tap_delivery.moved(self.profile, state, now_us) if noted else (state, ())
        state, lowered = set_points.limited(state, now_us)
        published: tuple[Action, ...] = ()
        if isinstance(event.result, Watch):
            state, published = tap_delivery.published(self.profile, state, event.result, now_us)
        return state, (*limits, *noted, *moves, *lowered, *published)

    def telemetry(self, state: DsoState) -> Mapping[str, float]:
        """Scenario II: the blocks in force, and what it has last published; its belief of the grid is in the events."""
        if self.profile.demand_response is None:
            return {}
        measured = state.demand.measured
        keys = ("p_mw", "q_mvar", "activated_mw", "baseline_mw")
        values = {key: getattr(measured, key) if measured else float("nan") for key in keys}
        units = {"units_mw": state.demand.units_mw} if self.profile.units else {}
        return {"applied_mw": state.demand.applied_mw, **values, **units}


Answer = Callable[[DsoProfile, DsoState, Computed], DSO_REACTION]
COMPUTED: Mapping[str, Answer] = {
    validation.CAPACITY: validation.capacity_computed,
    demand_response.TECHNICAL: demand_response.technical,
    forecast.FORECAST: forecast.computed,
}
