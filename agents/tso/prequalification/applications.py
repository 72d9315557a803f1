"""The TSO's prequalification: applications wait until the window closes, then go one by one in each grid.

    Application ─▶ agree … window closes ─▶ DSO validates ─▶ test per resource and direction ─▶ qualified
    (scenario II)  Requirements ─▶ TechnicalData ─▶ test ─▶ corrected, if it failed ─▶ acknowledgement

Applications are taken in the order in which they were submitted, not in which they arrived. One test at a
time in each grid, so that a test finds the grid as the DSO validated it.
"""

from immutables import Map

from ....protocols.information.capacity import (
    Application,
    CapacityVerdict,
    QualificationDeclined,
    ResourceVerdict,
    TechnicalData,
    TestReport,
)
from ....protocols.messages import Agree, Failure, Refuse
from ....protocols.stages import prequalification as stage
from ...actions import Action, Note, Open, Say, Wake
from ...agent import Reaction
from ...events import Event, Heard, Rejected, Silence, Started, Woken
from ...profiles import TsoProfile
from ..state import Applicant, TsoState
from . import capacity
from .applicants import (
    DEMAND_RESPONSE,
    dealt,
    entered,
    fault,
    grid_of,
    has_turn,
    head_of,
    keep,
    left,
    participant,
    split,
    submitted,
    tell_applicant,
    topic_of,
    trial_of,
)
from .demand_response import MAX_ATTEMPTS, require, tell
from .qualifying import as_asked, tested, too_small, untested, within
from .trial import judge

CLOSE = "prequalification/close"


def react(profile: TsoProfile, state: TsoState, event: Event, now_us: int) -> Reaction[TsoState]:
    """React to what concerns prequalification."""
    match event:
        case Started():
            return state, (Wake(CLOSE, profile.calendar.applications_close_us),)
        case Woken():
            return _close(profile, state, now_us)
        case Heard():
            return _hear(profile, state, event, now_us)
        case Silence() | Rejected():
            return _unanswered(profile, state, event, now_us)
        case _:
            return state, ()


def _hear(profile: TsoProfile, state: TsoState, event: Heard, now_us: int) -> Reaction[TsoState]:
    match event.content:
        case Application():
            return _apply(profile, state, event, now_us)
        case _ if event.late:
            return state, ()
        case CapacityVerdict() as verdict:
            return _validated(profile, state, event, verdict.verdicts, now_us)
        case TestReport() as report:
            return _tested(profile, state, event, report, now_us)
        case TechnicalData() as technical:
            return _technical(profile, state, event, technical, now_us)
        case QualificationDeclined():
            qualified, peer = state.prequalification.qualified, event.conversation.peer
            left_over = qualified.delete(peer) if peer in qualified else qualified
            return state.with_prequalification(qualified=left_over), ()
        case Refuse(reason=reason) | Failure(reason=reason):
            return _no_result(profile, state, event, reason, now_us)
        case _:
            return state, ()


def _apply(profile: TsoProfile, state: TsoState, event: Heard, now_us: int) -> Reaction[TsoState]:
    application = event.content
    assert isinstance(application, Application)
    wrong = fault(profile, state, application, event.envelope.sender, now_us)
    if wrong is not None:
        return state, (Say(event.conversation.id, Refuse(reason=wrong)),)
    applicant = Applicant(application, event.envelope.id)
    return entered(state, event.conversation.id, applicant, application), (Say(event.conversation.id, Agree()),)


def _close(profile: TsoProfile, state: TsoState, now_us: int) -> Reaction[TsoState]:
    """The window has closed: sort into lanes, one a grid or several, and begin each."""
    grids: dict[str, list[str]] = {}
    for key, applicant in sorted(state.prequalification.applicants.items(), key=submitted):
        assert applicant.application is not None
        grid = applicant.application.resources[0].grid
        grids.setdefault(grid, []).append(key)
    if profile.coordination.dso_is_participant:
        for grid, dso in sorted(profile.dso_of_grid.items()):
            grids.setdefault(grid, []).append(DEMAND_RESPONSE + dso)
    actions: list[Action] = []
    for grid, waiting in sorted(grids.items()):
        lanes = split(grid, waiting, profile.test.at_once)
        state = dealt(state, lanes)
        if grid in profile.dso_of_grid:
            jointly = capacity.together(profile, waiting)
            actions += capacity.ask(profile, state, jointly, profile.dso_of_grid[grid], now_us)
        for lane in lanes:
            state, begun = _begin(profile, state, lane, now_us)
            actions += begun
    return state, tuple(actions)


def _begin(profile: TsoProfile, state: TsoState, name: str, now_us: int) -> Reaction[TsoState]:
    """Begin with the first of a lane, if one is left."""
    lane, grid = state.prequalification.lanes.get(name, ()), grid_of(name)
    if not lane:
        return state, ()
    key = lane[0]
    if key.startswith(DEMAND_RESPONSE):
        return require(profile, state, key, shortfall=None, now_us=now_us)
    applicant = state.prequalification.applicants[key]
    assert applicant.application is not None
    dso = profile.dso_of_grid.get(grid)
    if dso is None or not profile.coordination.dso_validates:
        return _to_test(profile, state, key, as_asked(applicant.application.resources), now_us)
    if applicant.validated is not None:
        return _to_test(profile, state, key, applicant.validated, now_us)
    waiting = bool(capacity.together(profile, lane))
    return state, () if waiting else capacity.ask(profile, state, (key,), dso, now_us)


def _validated(
    profile: TsoProfile,
    state: TsoState,
    event: Heard | Silence | Rejected,
    verdicts: tuple[ResourceVerdict, ...] | str,
    now_us: int,
) -> Reaction[TsoState]:
    """The DSO has given verdicts, or a reason why not; whose turn it is goes on to be tested."""
    key = capacity.applicant_of(state, event.conversation)
    if key is None:
        return state, ()
    if isinstance(verdicts, str):
        verdicts = capacity.without_verdict(profile, state, key, event, verdicts)
    application = state.prequalification.applicants[key].application
    assert application is not None
    verdicts = within(as_asked(application.resources), verdicts)
    state = keep(state, key, state.prequalification.applicants[key]._replace(validated=verdicts))
    if not has_turn(state, key):
        return state, ()
    return _to_test(profile, state, key, verdicts, now_us)


def _to_test(
    profile: TsoProfile, state: TsoState, key: str, verdicts: tuple[ResourceVerdict, ...], now_us: int
) -> Reaction[TsoState]:
    """What may be used is tested next; what may not is settled already."""
    least_mw = profile.rules.min_bid_mw
    tests = tuple(verdict for verdict in verdicts if verdict.max_mw >= least_mw - 1e-9)
    settled = tuple(too_small(verdict, least_mw) for verdict in verdicts if verdict not in tests)
    applicant = state.prequalification.applicants[key]._replace(verdicts=settled, tests=tests)
    return _next_test(profile, keep(state, key, applicant), key, now_us)


def _next_test(profile: TsoProfile, state: TsoState, key: str, now_us: int) -> Reaction[TsoState]:
    applicant = state.prequalification.applicants[key]
    if not applicant.tests:
        return _conclude(profile, state, key, now_us)
    trial = trial_of(profile, applicant, applicant.tests[0], now_us)
    by_dso = applicant.application is None
    protocol = stage.DEMAND_RESPONSE_TEST if by_dso else stage.PREQUALIFICATION_TEST
    subject = f"{trial.resource}-{trial.direction}" + (f".{applicant.attempt}" if by_dso else "")
    opening = Open(
        protocol,
        topic_of(profile, "test", subject, participant(applicant, key)),
        trial.order(),
        trial.end_us + profile.patience.answer_us,
        applicant.message_id,
    )
    return keep(state, key, applicant._replace(trial=trial)), (opening,)


def _tested(profile: TsoProfile, state: TsoState, event: Heard, report: TestReport, now_us: int) -> Reaction[TsoState]:
    """A test has been reported; what is no report of it counts as none."""
    key = head_of(state, event.envelope.sender)
    trial = state.prequalification.applicants[key].trial if key is not None else None
    if key is None or trial is None:
        return state, ()
    wrong = trial.fault(report, now_us)
    if wrong is not None:
        return _no_result(profile, state, event, wrong, now_us)
    applicant = state.prequalification.applicants[key]
    asked, *later = applicant.tests
    outcome = judge(trial, report)
    verdict = tested(asked, trial, outcome, profile.rules.min_bid_mw)
    step = "8.2" if applicant.application is None else "4.5"
    evidence = {"name": "test judged", "applicant": participant(applicant, key), **outcome.evidence(trial)}
    note = Note(stage.STAGE, step, evidence)
    if applicant.application is None and not outcome.passed and applicant.attempt < MAX_ATTEMPTS:
        shortfall = f"{trial.resource}: {outcome.shortfall(trial)}"
        again, actions = require(profile, state, key, shortfall=shortfall, now_us=now_us)
        return again, (note, *actions)
    done = applicant._replace(tests=tuple(later), verdicts=(*applicant.verdicts, verdict), trial=None)
    state, actions = _next_test(profile, keep(state, key, done), key, now_us)
    return state, (note, *actions)


def _conclude(
    profile: TsoProfile, state: TsoState, key: str, now_us: int, reason: str | None = None
) -> Reaction[TsoState]:
    """All tests are done, or there were none (`reason`): tell the applicant, and go on in its lane."""
    applicant = state.prequalification.applicants[key]
    usable = any(verdict.max_mw > 0 for verdict in applicant.verdicts)
    qualified = state.prequalification.qualified
    if usable:
        qualified = qualified.set(participant(applicant, key), applicant.verdicts)
    state = state.with_prequalification(qualified=qualified)
    telling = (
        tell(profile, applicant, key, now_us, reason)
        if applicant.application is None
        else tell_applicant(profile, applicant, key)
    )
    lane = state.prequalification.lane_of[key]
    lanes = state.prequalification.lanes.set(lane, state.prequalification.lanes[lane][1:])
    state, actions = _begin(profile, state.with_prequalification(lanes=lanes), lane, now_us)
    return state, (*telling, *actions)


def _technical(
    profile: TsoProfile, state: TsoState, event: Heard, technical: TechnicalData, now_us: int
) -> Reaction[TsoState]:
    key = DEMAND_RESPONSE + event.envelope.sender
    applicant = state.prequalification.applicants.get(key)
    if applicant is None or not has_turn(state, key):
        return state, ()
    known = applicant._replace(technical=technical, message_id=event.envelope.id)
    return _to_test(profile, keep(state, key, known), key, as_asked(technical.resources), now_us)


def _unanswered(profile: TsoProfile, state: TsoState, event: Silence | Rejected, now_us: int) -> Reaction[TsoState]:
    reason = "no answer in time" if isinstance(event, Silence) else "not understood"
    return _no_result(profile, state, event, reason, now_us)


def _no_result(
    profile: TsoProfile, state: TsoState, event: Heard | Silence | Rejected, reason: str, now_us: int
) -> Reaction[TsoState]:
    """A DSO or a tested participant gave no result: never a silent ok, but the declared policy."""
    conversation = event.conversation
    note = Note(stage.STAGE, None, {"name": "no result", "conversation_id": conversation.id, "reason": reason})
    if conversation.protocol is stage.CAPACITY_VALIDATION:
        state, actions = _validated(profile, state, event, reason, now_us)
        return state, (note, *actions)
    if conversation.protocol is stage.PREQUALIFICATION:
        state, actions = _left(profile, state, conversation.id, now_us)
        return state, (note, *actions)
    key = head_of(state, conversation.peer)
    if key is None:
        return state, (note,)
    applicant = state.prequalification.applicants[key]
    failed = untested(applicant.tests, reason) if applicant.tests else ()
    ended = applicant._replace(verdicts=(*applicant.verdicts, *failed), tests=(), trial=None)
    state, actions = _conclude(profile, keep(state, key, ended), key, now_us, reason)
    return state, (note, *actions)


def _left(profile: TsoProfile, state: TsoState, key: str, now_us: int) -> Reaction[TsoState]:
    """An applicant does not understand us: it leaves its lane, and the next one begins if it was its turn."""
    known = state.prequalification.lanes
    lanes = Map({grid: tuple(one for one in lane if one != key) for grid, lane in known.items()})
    heads = [grid for grid, lane in sorted(known.items()) if lane[:1] == (key,)]
    state = left(state, key).with_prequalification(lanes=lanes)
    return _begin(profile, state, heads[0], now_us) if heads else (state, ())
