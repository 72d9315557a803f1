"""The scripts: against a BSP or an aggregator from its application to its statement, against a DSO from its studies to
what it has metered, one step after the other.
"""

from __future__ import annotations

from ...protocols.envelope import Envelope
from ...protocols.messages import NotUnderstood
from .delivering import deliver, subscribe, unsubscribe
from .findings import Verdict
from .listing import validate_list
from .manners import of_bsp, of_dso, try_manners
from .offering import accepted_offer, rejected_offer
from .play import DURING, Play
from .qualifying import qualify
from .scene import Scene
from .settling import settle
from .studying import study_capacities
from .watching import watch_delivery


def _about(answer: Envelope) -> str:
    return answer.content.message_id if isinstance(answer.content, NotUnderstood) else ""


def _why(answer: Envelope) -> str:
    return answer.content.reason if isinstance(answer.content, NotUnderstood) else ""


LATE_OFFER = ("late offer", "no offer comes after the gate closure")
THROUGHOUT: tuple[tuple[str, str], ...] = (
    ("schema", "every message is as its schema says"),
    ("order", "every message is in turn"),
    ("identity", "every message is in its own name"),
    ("duplicate", "no two messages have one id"),
    ("deadline", "no answer comes after its deadline"),
)


async def play_against_bsp(play: Play) -> None:
    """All steps; what cannot be tried because an earlier one failed is said to be so."""
    application = await qualify(play)
    if application is None:
        play.report.skip("6 and 7", "all", "nothing can be tried with who does not apply")
        return
    told = await subscribe(play)
    await try_manners(play, of_bsp(play))
    offer = await accepted_offer(play, application)
    rejected = await rejected_offer(play, application)
    if offer is None:
        play.report.skip("7", "all", "nothing can be ordered of who does not offer")
    else:
        await deliver(play, offer, rejected, told)
        await settle(play, offer)
    await unsubscribe(play, told)
    _throughout(play, (*THROUGHOUT, LATE_OFFER))


async def play_against_dso(play: Play, scene: Scene) -> None:
    """All steps; its answers are studied afterwards, because a power flow must not make anybody late."""
    await study_capacities(play, scene)
    await try_manners(play, of_dso(play))
    agreed = await validate_list(play, scene)
    if agreed is None:
        play.report.skip("7", "all", "nothing can be delivered of a list without a verdict")
    else:
        await watch_delivery(play, scene, agreed)
    for judge in play.after:
        judge()
    _throughout(play, THROUGHOUT)


def _throughout(play: Play, looked_at: tuple[tuple[str, str], ...]) -> None:
    """What was looked at with every message, and where nothing was wrong."""
    wrong: Verdict = "wrong"
    found = {one.subject for one in play.report.findings if (one.step, one.verdict) == (DURING, wrong)}
    proper = [one for one in play.misunderstood if _about(one) in play.said]
    faults = [f"does not understand {_about(one)}: {_why(one)}" for one in proper]
    play.report.judge(DURING, "not-understood", faults, "understands every message in order")
    for subject, right in looked_at:
        if subject not in found:
            play.report.judge(DURING, subject, None, right)
