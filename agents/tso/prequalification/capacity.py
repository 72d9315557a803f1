"""How the TSO has capacity validated: one applicant after the other, or everybody of a grid together.

first_come    the next is asked about when the one before has been qualified: order of submission counts
joint         all are asked about at once, and the DSO judges them together: order does not count
"""

from collections.abc import Sequence

from ....protocols.conversation import Conversation
from ....protocols.information.capacity import CapacityRequest, ResourceVerdict
from ....protocols.stages import prequalification as stage
from ...actions import Action, Open
from ...events import Heard, Rejected, Silence
from ...profiles import TsoProfile
from ..state import TsoState
from .applicants import DEMAND_RESPONSE, topic_of
from .qualifying import as_asked, rejected


def ask(profile: TsoProfile, state: TsoState, keys: Sequence[str], dso: str, now_us: int) -> tuple[Action, ...]:
    """Send a DSO the applications of its grid that are to be judged together."""
    actions = []
    for key in keys:
        applicant = state.prequalification.applicants[key]
        application = applicant.application
        assert application is not None
        request = CapacityRequest(
            applicant=application.applicant,
            product=application.product,
            submitted_at=application.submitted_at,
            resources=application.resources,
            dynamics=application.dynamics,
            judged_with=len(keys),
        )
        topic = topic_of(profile, "capacity", application.applicant, dso)
        until_us = now_us + profile.patience.validation_us
        actions.append(Open(stage.CAPACITY_VALIDATION, topic, request, until_us, applicant.message_id))
    return tuple(actions)


def together(profile: TsoProfile, lane: Sequence[str]) -> tuple[str, ...]:
    """The applications of a lane that are judged together from the start: all, or none if they come one by one."""
    joint = profile.coordination.applicant_order == "joint" and profile.coordination.dso_validates
    return tuple(key for key in lane if not key.startswith(DEMAND_RESPONSE)) if joint else ()


def applicant_of(state: TsoState, conversation: Conversation) -> str | None:
    """The applicant that a validation is about."""
    return state.prequalification.applied.get(conversation.topic.subject)


def without_verdict(
    profile: TsoProfile, state: TsoState, key: str, event: Heard | Silence | Rejected, reason: str
) -> tuple[ResourceVerdict, ...]:
    """What the declared policy says when the DSO gives no verdict; never a silent ok."""
    application = state.prequalification.applicants[key].application
    assert application is not None
    asked = as_asked(application.resources)
    if not isinstance(event, Silence):
        return tuple(rejected(verdict, f"{event.conversation.peer}: {reason}") for verdict in asked)
    policy = profile.coordination.silent_dso
    why = f"{event.conversation.peer}: {reason} (silent_dso: {policy})"
    return asked if policy == "accept" else tuple(rejected(verdict, why) for verdict in asked)
