"""One prequalification test: the profile to follow, and the judgement of what was measured.

    mw ┤      ┌──── hold ────┐
       │   ramp              ramp         ordered at 0, full by the full activation time (FAT),
     0 ┼───┘                  └────       held, then back; sustained = the least MW during the hold

Full is when the applicant has declared to be, and no later than the product demands.
aFRR is tested twice, with a pause between ("double hump"): the lower of both counts.
Of containment reserve (FCR) the order is the answer to a synthetic step of frequency by its full deviation; half of it
must be there after half the time, so what is sustained is at most twice that.

Passed if the report is complete enough and the sustained MW are within the tolerance of what was ordered
((EU) 2017/1485 leaves the test to the TSO; the numbers are parameters of the scenario).
"""

import math
from dataclasses import dataclass

from ....protocols.information.capacity import TestOrder, TestReport, TestStep
from ....protocols.information.quantities import US_PER_S, Direction, Product
from ...profiles import TestRules


@dataclass(frozen=True, slots=True)
class Trial:
    """What is ordered of one resource in one direction: full after `full_s`, and back after `back_s`."""

    product: Product
    resource: str
    direction: Direction
    ordered_mw: float
    full_s: float
    back_s: float
    rules: TestRules
    start_us: int

    @property
    def sign(self) -> int:
        """+1 for up."""
        return 1 if self.direction == "up" else -1

    @property
    def hold_s(self) -> float:
        """Seconds at full delivery."""
        return self.rules.hold_us / US_PER_S

    @property
    def humps_s(self) -> tuple[float, ...]:
        """When each hump is ordered, in seconds from the start."""
        again_s = self.full_s + self.hold_s + self.back_s + self.rules.pause_us / US_PER_S
        return (0.0, again_s) if self.product == "aFRR" else (0.0,)

    @property
    def duration_s(self) -> float:
        """Seconds until the resource is back."""
        return self.humps_s[-1] + self.full_s + self.hold_s + self.back_s + 10.0

    @property
    def end_us(self) -> int:
        """When the test is over."""
        return self.start_us + round(self.duration_s * US_PER_S)

    @property
    def held_until_us(self) -> int:
        """When the last hold is over, so that there is nothing left to be shown."""
        return self.start_us + round((self.humps_s[-1] + self.full_s + self.hold_s) * US_PER_S)

    def fault(self, report: TestReport, now_us: int) -> str | None:
        """Why what is heard now is no report of this test, or None."""
        if report.resource != self.resource:
            return f"the report is about {report.resource}"
        return "the report came before the test was over" if now_us < self.held_until_us else None

    def is_held(self, offset_s: float) -> bool:
        """Whether full power is to be delivered at this time."""
        return any(self.full_s <= offset_s - hump_s <= self.full_s + self.hold_s for hump_s in self.humps_s)

    def order(self) -> TestOrder:
        """The message that orders it."""
        steps = tuple(
            TestStep(offset_s=offset_s, p_mw=p_mw)
            for hump_s in self.humps_s
            for offset_s, p_mw in (
                (hump_s, self.sign * self.ordered_mw),
                (hump_s + self.full_s + self.hold_s, 0.0),
            )
        )
        return TestOrder(
            product=self.product,
            resource=self.resource,
            steps=steps,
            start=self.start_us,
            sample_every_s=self.rules.sample_us / US_PER_S,
            duration_s=self.duration_s,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a test has shown."""

    sustained_mw: float
    completeness: float
    passed: bool
    qualified_mw: float

    def evidence(self, trial: Trial) -> dict[str, object]:
        """The evidence for the record."""
        return {
            "resource": trial.resource,
            "direction": trial.direction,
            "ordered_mw": trial.ordered_mw,
            "sustained_mw": self.sustained_mw,
            "completeness_percent": round(100 * self.completeness, 3),
            "passed": self.passed,
        }

    def shortfall(self, trial: Trial) -> str:
        """In words, what was missing."""
        needed, sustained_mw = trial.rules.completeness, f"{self.sustained_mw:g} of {trial.ordered_mw:g} MW"
        if self.completeness < needed:
            return f"test failed: {100 * self.completeness:.3g} % of the samples reported, {100 * needed:.3g} % needed"
        return f"test failed: {sustained_mw} sustained from {trial.full_s:g} s after the order on"


def judge(trial: Trial, report: TestReport) -> Outcome:
    """Judge a report: the least MW from full activation to the end of each hold, and how complete it is."""
    expected = math.floor(trial.duration_s / (trial.rules.sample_us / US_PER_S))
    completeness = min(1.0, len(report.samples) / max(1, expected))
    held = [s.p_mw * trial.sign for s in report.samples if trial.is_held(s.offset_s)]
    if trial.product == "FCR":
        held += [2 * s.p_mw * trial.sign for s in report.samples if trial.full_s / 2 <= s.offset_s < trial.full_s]
    sustained_mw = round(max(0.0, min(held, default=0.0)), 6)
    complete = completeness >= trial.rules.completeness
    within = sustained_mw >= trial.ordered_mw * (1 - trial.rules.tolerance)
    passed = complete and within
    qualified_mw = trial.ordered_mw if passed else (sustained_mw if complete else 0.0)
    return Outcome(sustained_mw, completeness, passed, qualified_mw)
