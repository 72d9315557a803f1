"""The script against a BSP or an aggregator: from its application to its statement, one step after the other."""

from __future__ import annotations

from ...protocols.envelope import Envelope
from ...protocols.messages import NotUnderstood
from .delivering import deliver, subscribe, unsubscribe
from .findings import Verdict
from .manners import try_manners
from .offering import accepted_offer, rejected_offer
from .play import DURING, Play
from .qualifying import qualify
from .settling import settle


def _about(answer: Envelope) -> str:
    return answer.content.message_id if isinstance(answer.content, NotUnderstood) else ""


def _why(answer: Envelope) -> str:
    return answer.content.reason if isinstance(answer.content, NotUnderstood) else ""


THROUGHOUT: tuple[tuple[str, str], ...] = (
    ("schema", "every message is as its schema says"),
    ("order", "every message is in turn"),
    ("identity", "every message is in its own name"),
    ("duplicate", "no two messages have one id"),
    ("deadline", "no answer comes after its deadline"),
    ("late offer", "no offer comes after the gate closure"),
)


async def play_against_bsp(play: Play) -> None:
    """All steps; what cannot be tried because an earlier one failed is said to be so."""
    application = await qualify(play)
    if application is None:
        play.report.skip("6 and 7", "all", "nothing can be tried with who does not apply")
        return
    told = await subscribe(play)
    await try_manners(play)
    offer = await accepted_offer(play, application)
    rejected = await rejected_offer(play, application)
    if offer is None:
        play.report.skip("7", "all", "nothing can be ordered of who does not offer")
    else:
        await deliver(play, offer, rejected, told)
        await settle(play, offer)
    await unsubscribe(play, told)
    _throughout(play)


def _throughout(play: Play) -> None:
    """What was looked at with every message, and where nothing was wrong."""
    wrong: Verdict = "wrong"
    found = {one.subject for one in play.report.findings if (one.step, one.verdict) == (DURING, wrong)}
    proper = [one for one in play.misunderstood if _about(one) in play.said]
    faults = [f"does not understand {_about(one)}: {_why(one)}" for one in proper]
    play.report.judge(DURING, "not-understood", faults, "understands every message in order")
    for subject, right in THROUGHOUT:
        if subject not in found:
            play.report.judge(DURING, subject, None, right)
