"""A participant applies to be qualified, and follows the TSO's test with its real resources."""

from ...protocols.envelope import Topic
from ...protocols.information.capacity import (
    Application,
    NotQualified,
    Qualified,
    TestOrder,
    TestReport,
    TestSample,
)
from ...protocols.information.quantities import US_PER_S, iso
from ...protocols.messages import Agree, Failure, Refuse, kept
from ...protocols.stages import prequalification as stage
from ..actions import RESERVE_TEST, Action, Actuate, Note, Observe, Open, Say, Wake
from ..agent import Reaction
from ..changes import replace
from ..events import Event, Heard, Rejected, Sampled, Silence, Started, Woken
from ..profiles import BspProfile
from .reading import ParticipantReading
from .state import BspState, RunningTest

APPLY, TEST_STEP, TEST_END = "prequalification/apply", "prequalification/step/", "prequalification/end"
TEST_METER = "test"


def react(profile: BspProfile, state: BspState, event: Event, now_us: int) -> Reaction[BspState]:
    """React to what concerns qualification."""
    match event:
        case Started():
            return state, (Wake(APPLY, profile.applies_us),)
        case Woken(timer) if timer == APPLY:
            return state, (_apply(profile, now_us),)
        case Woken(timer) if timer == TEST_END:
            return _report(state)
        case Woken(timer):
            return state, _step(state, int(timer.removeprefix(TEST_STEP)))
        case Sampled(reading=reading):
            return _sampled(state, reading), ()
        case Heard():
            return _hear(profile, state, event, now_us)
        case Silence() | Rejected():
            return state, (_unqualified("no answer in time" if isinstance(event, Silence) else "not understood"),)
        case _:
            return state, ()


def _apply(profile: BspProfile, now_us: int) -> Open:
    application = Application(
        applicant=profile.name,
        product=profile.product,
        submitted_at=profile.applies_us,
        resources=profile.resources,
        dynamics=profile.dynamics,
    )
    topic = Topic(profile.name, stage.STAGE, "application", profile.product, profile.tso)
    return Open(stage.PREQUALIFICATION, topic, kept(application), profile.calendar.first.cfp_us)


def _hear(profile: BspProfile, state: BspState, event: Heard, now_us: int) -> Reaction[BspState]:
    match event.content:
        case Qualified() as result if not event.late:
            return _qualified(state, result)
        case NotQualified(reason=reason) | Refuse(reason=reason) | Failure(reason=reason):
            return state, (_unqualified(reason),)
        case TestOrder() as order:
            return _begin_test(profile, state, event.conversation.id, order, now_us)
        case _:
            return state, ()


def _qualified(state: BspState, result: Qualified) -> Reaction[BspState]:
    allowed = {f"{v.resource}|{v.direction}": v.max_mw for v in result.verdicts if v.max_mw > 0}
    shown = [{"resource": v.resource, "direction": v.direction, "max_mw": v.max_mw} for v in result.verdicts]
    note = Note(stage.STAGE, "4.6", {"name": "qualification received", "qualified": shown})
    return replace(state, qualified=state.qualified.update(allowed)), (note,)


def _unqualified(reason: str) -> Note:
    return Note(stage.STAGE, "4.6", {"name": "not qualified", "reason": reason, "qualified": []})


def _begin_test(
    profile: BspProfile, state: BspState, conversation_id: str, order: TestOrder, now_us: int
) -> Reaction[BspState]:
    if not profile.owns(order.resource):
        return state, (Say(conversation_id, Refuse(reason=f"{order.resource} is no resource of ours")),)
    if state.test is not None:
        return state, (Say(conversation_id, Refuse(reason="another test is running")),)
    if too_late(order, now_us):
        return state, (Say(conversation_id, Refuse(reason=too_late(order, now_us))),)
    end_us = order.start + round(order.duration_s * US_PER_S)
    steps = [
        Wake(f"{TEST_STEP}{index}", order.start + round(step.offset_s * US_PER_S))
        for index, step in enumerate(order.steps)
    ]
    meter = Observe(TEST_METER, round(order.sample_every_s * US_PER_S), end_us)
    actions: tuple[Action, ...] = (Say(conversation_id, Agree()), *steps, meter, Wake(TEST_END, end_us))
    return replace(state, test=RunningTest(conversation_id, order)), actions


def too_late(order: TestOrder, now_us: int) -> str:
    """Why a test cannot be followed any more, or nothing: what comes after its first set-point is due already."""
    offsets_s = (*(step.offset_s for step in order.steps), order.duration_s)
    if now_us < order.start + round(offsets_s[1] * US_PER_S):
        return ""
    return f"the test was to begin at {iso(order.start)}, and it is {iso(now_us)}"


def _step(state: BspState, index: int) -> tuple[Action, ...]:
    if state.test is None:
        return ()
    return (_moved(state.test.order, state.test.order.steps[index].p_mw),)


def _moved(order: TestOrder, p_mw: float) -> Actuate:
    """Containment reserve is moved by a synthetic frequency, anything else by a set-point."""
    return Actuate(RESERVE_TEST + order.resource if order.product == "FCR" else order.resource, p_mw, announced=True)


def _sampled(state: BspState, reading: object) -> BspState:
    """A reading counts for the moment at which it was taken, however late it comes."""
    assert isinstance(reading, ParticipantReading)
    test = state.test
    if test is None or reading.at_us < test.order.start:
        return state
    measured = [r.activated_mw for r in reading.resources if r.resource == test.order.resource]
    sample = TestSample(offset_s=(reading.at_us - test.order.start) / US_PER_S, p_mw=sum(measured))
    return replace(state, test=test._replace(samples=(*test.samples, sample)))


def _report(state: BspState) -> Reaction[BspState]:
    test = state.test
    if test is None:
        return state, ()
    report = TestReport(resource=test.order.resource, samples=test.samples)
    return replace(state, test=None), (
        _moved(test.order, 0.0),
        Say(test.conversation_id, report),
    )
