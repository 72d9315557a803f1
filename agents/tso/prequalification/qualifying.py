"""What of a resource is qualified in the end, and why it is not more.

    as asked ─▶ within the DSO's verdict ─▶ tested ─▶ told (INFO 2)
                 └▶ binding, or reason       └▶ reason

Whatever is less than was asked says why: by the constraint that binds, or in words.
"""

from collections.abc import Iterable, Sequence

from ....protocols.information.capacity import Application, NotQualified, Qualified, ResourceData, ResourceVerdict
from ....protocols.information.quantities import Direction
from ....protocols.messages import Message, kept
from ....protocols.wire import LONGEST
from ...market.merit_order import floor_to_step
from .trial import Outcome, Trial

DIRECTIONS: tuple[Direction, ...] = ("up", "down")
KILOWATT = 1e-3
NOTHING = "nothing of what was applied for may be used"


def as_asked(resources: Sequence[ResourceData]) -> tuple[ResourceVerdict, ...]:
    """Verdicts that allow everything applied for."""
    return tuple(
        ResourceVerdict(resource=resource.id, direction=direction, verdict="ok", max_mw=resource.maximum_mw(direction))
        for resource in resources
        for direction in DIRECTIONS
        if resource.maximum_mw(direction) > 0
    )


def within(asked: Sequence[ResourceVerdict], verdicts: Sequence[ResourceVerdict]) -> tuple[ResourceVerdict, ...]:
    """A DSO's verdicts on what was asked: never more than asked, and nothing of what it does not mention."""
    given = {(verdict.resource, verdict.direction): verdict for verdict in verdicts}
    found = []
    for most in asked:
        verdict = given.get((most.resource, most.direction))
        if verdict is None:
            verdict = rejected(most, "the DSO says nothing about it")
        elif verdict.max_mw > most.max_mw:
            verdict = verdict.model_copy(update={"max_mw": most.max_mw})
        elif verdict.max_mw < most.max_mw and not (verdict.binding or verdict.reason):
            verdict = verdict.model_copy(update={"reason": "the DSO does not say why"})
        found.append(verdict)
    return tuple(found)


def rejected(verdict: ResourceVerdict, reason: str | None) -> ResourceVerdict:
    """The same verdict, with nothing left of it; the reason, if there is another one than before."""
    told = verdict.reason if reason is None else reason[:LONGEST]
    return verdict.model_copy(update={"verdict": "rejected", "max_mw": 0.0, "reason": told})


def too_small(verdict: ResourceVerdict, least_mw: float) -> ResourceVerdict:
    """Rejected, because the rest is less than anybody may bid; or because nothing was left of it before."""
    reason = f"{verdict.max_mw:g} MW, where the least bid is {least_mw:g} MW" if verdict.max_mw > 0 else None
    return rejected(verdict, reason)


def tested(asked: ResourceVerdict, trial: Trial, outcome: Outcome, least_mw: float) -> ResourceVerdict:
    """What is qualified after a test."""
    qualified_mw = floor_to_step(outcome.qualified_mw, KILOWATT)
    reason = None if outcome.passed else outcome.shortfall(trial)
    if qualified_mw < least_mw or qualified_mw <= 0:
        return kept(rejected(asked, reason) if reason else too_small(asked, least_mw))
    told = {} if outcome.passed else {"verdict": "limited", "reason": reason}
    return kept(asked.model_copy(update={"max_mw": qualified_mw, **told}))


def untested(tests: Sequence[ResourceVerdict], reason: str) -> tuple[ResourceVerdict, ...]:
    """The first test had no result, and so the others are not made."""
    first, *others = tests
    later = f"not tested, as the test of {first.resource} {first.direction} had no result"
    return (rejected(first, f"no result of the test: {reason}"), *(rejected(verdict, later) for verdict in others))


def told(application: Application, verdicts: tuple[ResourceVerdict, ...], valid_until_us: int) -> Message:
    """What an applicant is told: qualified, or not at all and why."""
    about = {"applicant": application.applicant, "product": application.product, "verdicts": verdicts}
    if any(verdict.max_mw > 0 for verdict in verdicts):
        return Qualified(**about, valid_until=valid_until_us)
    return NotQualified(**about, reason=_in_all(verdicts))


def _in_all(verdicts: Iterable[ResourceVerdict]) -> str:
    """The reason of all, if they have one; else the verdicts say it."""
    reasons = {verdict.reason for verdict in verdicts}
    return f"{NOTHING}: {reasons.pop()}"[:LONGEST] if len(reasons) == 1 and None not in reasons else NOTHING
