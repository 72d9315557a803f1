"""Scenario II at the TSO: the DSO's demand response is qualified as a provider's resource is, by test and correction.

Requirements ─▶ TechnicalData ─▶ tests ─▶ passed: QualificationProposal
     ▲                              └▶ failed: asked again, with the shortfall, a bounded number of times
"""

from ....protocols.information.capacity import QualificationProposal, Requirements
from ....protocols.information.quantities import US_PER_S
from ....protocols.stages import prequalification as stage
from ...actions import Action, Open
from ...agent import Reaction
from ...profiles import TsoProfile
from ..state import Applicant, TsoState
from .applicants import DEMAND_RESPONSE, keep, participant, topic_of

MAX_ATTEMPTS = 3


def require(
    profile: TsoProfile, state: TsoState, key: str, *, shortfall: str | None, now_us: int
) -> Reaction[TsoState]:
    """Scenario II: ask the DSO for its technical data, again if the last did not pass the test."""
    known = state.prequalification.applicants.get(key)
    attempt = known.attempt + 1 if known is not None else 1
    dso = key.removeprefix(DEMAND_RESPONSE)
    applicant = Applicant(None, known.message_id if known else "", attempt=attempt)
    content = Requirements(
        product="mFRR",
        full_activation_s=profile.full_activation_us["mFRR"] / US_PER_S,
        hold_s=profile.test.hold_us / US_PER_S,
        tolerance_percent=100 * profile.test.tolerance,
        attempt=attempt,
        shortfall=shortfall,
    )
    topic = topic_of(profile, "technical-data", f"attempt.{attempt}", dso)
    opening = Open(stage.TECHNICAL_DATA, topic, content, now_us + profile.patience.validation_us)
    return keep(state, key, applicant), (opening,)


def tell(profile: TsoProfile, applicant: Applicant, key: str, now_us: int, reason: str | None) -> tuple[Action, ...]:
    """Scenario II's qualification acknowledgement; without any verdicts it says the reason."""
    dso = participant(applicant, key)
    proposal = QualificationProposal(
        applicant=dso,
        product="mFRR",
        verdicts=applicant.verdicts,
        valid_until=profile.calendar.end_us,
        reason=None if applicant.verdicts else reason or "no resources are offered",
    )
    topic = topic_of(profile, "acknowledgement", "demand-response", dso)
    cause = applicant.message_id or None
    until_us = now_us + profile.patience.answer_us
    return (Open(stage.QUALIFICATION_ACKNOWLEDGEMENT, topic, proposal, until_us, cause),)
