"""Prequalification: the application, a test, and what comes of it (Fig. 4)."""

from __future__ import annotations

from ...protocols.information.capacity import (
    Application,
    Qualified,
    ResourceVerdict,
    TestOrder,
    TestReport,
    TestStep,
)
from ...protocols.information.quantities import US_PER_S, Direction
from ...protocols.messages import Agree, Failure, Refuse
from ...protocols.stages.prequalification import PREQUALIFICATION_TEST
from .play import Heard, Play

DIRECTIONS: tuple[Direction, ...] = ("up", "down")
STEP = "4.1 application"
TEST = "4.5 test"
REACHED, HOLD_S, SAMPLES = 0.8, 30.0, 15


async def qualify(play: Play) -> Application | None:
    """Wait for the application, test one resource and qualify all of it; None if there is nothing to go on with."""
    heard = await play.expect(lambda one: isinstance(one.content, Application), play.calendar.first.cfp_us)
    if heard is None:
        play.report.judge(STEP, "application", f"{play.participant} has not applied", "")
        return None
    application = heard.content
    assert isinstance(application, Application)
    play.report.judge(STEP, "application", _faults(play, heard, application), "applies for its resources")
    play.say(play.tso, heard.envelope.conversation_id, Agree())
    await _test(play, application)
    play.say(play.tso, heard.envelope.conversation_id, _qualified(play, application))
    return application


def _faults(play: Play, heard: Heard, application: Application) -> list[str]:
    found = []
    if application.applicant != play.participant:
        found.append(f"the applicant is {application.applicant}, not {play.participant}")
    if heard.at_us > play.calendar.applications_close_us:
        found.append("the window for applications had closed")
    if not any(resource.max_up_mw or resource.max_down_mw for resource in application.resources):
        found.append("no resource can change its power")
    own_s, most_s = application.dynamics.full_activation_s, play.scenario.market.full_activation_s(application.product)
    if own_s > most_s:
        found.append(f"is fully active after {own_s:g} s, but {application.product} must be after {most_s:g} s")
    return found


def _qualified(play: Play, application: Application) -> Qualified:
    verdicts = tuple(
        ResourceVerdict(resource=resource.id, direction=way, verdict="ok", max_mw=resource.maximum_mw(way))
        for resource in application.resources
        for way in DIRECTIONS
        if resource.maximum_mw(way) > 0
    )
    until_us = play.calendar.end_us
    return Qualified(applicant=play.participant, product=application.product, verdicts=verdicts, valid_until=until_us)


async def _test(play: Play, application: Application) -> None:
    """A set-point profile of one hump: up as quickly as the application says, held, and back."""
    order = _order(play, application)
    end_us = order.start + round(order.duration_s * US_PER_S)
    sent = play.open(play.tso, PREQUALIFICATION_TEST, ("test", order.resource), order, end_us + play.patience_us)
    heard = await play.answer(sent, TestReport, Failure, Refuse, by_us=end_us + play.patience_us)
    if heard is None or not isinstance(heard.content, TestReport):
        said = "no report" if heard is None else f"{heard.content.type_id} instead of a report"
        play.report.judge(TEST, "test", f"{said} of the test of {order.resource}", "")
        return
    early = ["the report comes before the test is over"] if heard.at_us < end_us - play.quiet_us else []
    faults = [*early, *_report_faults(order, application.dynamics.full_activation_s, heard.content)]
    play.report.judge(TEST, "test", faults, f"follows the test with {order.resource} and reports it")


def _order(play: Play, application: Application) -> TestOrder:
    resource, dynamics = application.resources[0], application.dynamics
    way: Direction = "up" if resource.max_up_mw > 0 else "down"
    power_mw = resource.maximum_mw(way) if way == "up" else -resource.maximum_mw(way)
    held_s = dynamics.full_activation_s + HOLD_S
    duration_s = held_s + dynamics.deactivation_s
    return TestOrder(
        product=application.product,
        resource=resource.id,
        steps=(TestStep(offset_s=0.0, p_mw=power_mw), TestStep(offset_s=held_s, p_mw=0.0)),
        start=play.now_us + play.quiet_us,
        sample_every_s=max(0.1, round(duration_s / SAMPLES, 1)),
        duration_s=duration_s,
    )


def _report_faults(order: TestOrder, declared_s: float, report: TestReport) -> list[str]:
    """`declared_s`: when it says that it is fully active; a sample later counts too."""
    found, wanted_mw = [], order.steps[0].p_mw
    in_time = [sample for sample in report.samples if sample.offset_s <= declared_s + order.sample_every_s]
    reached_mw = max((sample.p_mw / wanted_mw for sample in in_time), default=0.0) * abs(wanted_mw)
    if report.resource != order.resource:
        found.append(f"reports {report.resource}, not {order.resource}")
    if reached_mw < REACHED * abs(wanted_mw):
        found.append(f"reaches {reached_mw:g} of {abs(wanted_mw):g} MW in the {declared_s:g} s that it declares")
    if len(report.samples) < SAMPLES // 2:
        found.append(f"{len(report.samples)} samples, where one each {order.sample_every_s:g} s was asked for")
    return found
