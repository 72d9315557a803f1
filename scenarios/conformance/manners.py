"""Manners: what must be answered with not-understood, what must not be answered, and whom not to believe."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ...protocols.envelope import Envelope, Topic
from ...protocols.information.offering import CallForOffers
from ...protocols.information.settlement import MeteredQuery
from ...protocols.messages import Message, NotUnderstood, Refuse
from ...protocols.stages.offering import OFFERING
from ...protocols.stages.settlement import METERED_ENERGY
from ...protocols.tables import Protocol
from ...protocols.wire import to_json
from .play import Play

STEP = "manners"


@dataclass(frozen=True)
class Ask:
    """What the TSO may ask and nobody else: the message, what breaks its schema, and who is to ask it all the same."""

    protocol: Protocol
    content: Message
    broken: dict[str, object]
    stranger: str | None


async def try_manners(play: Play, ask: Ask) -> None:
    """Say what no party should say, and look at what comes of it."""
    unknown, broken, nothing = (dict(json.loads(to_json(_asked(play, ask, f"odd-{n}")))) for n in range(3))
    unknown["type"] = "gridpact.nonsense/1"
    broken["content"] |= ask.broken
    nothing |= {"id": nothing["id"].replace("#i0", "#i1"), "in_reply_to": "x"}
    await _not_understood(play, unknown, "an unknown type")
    await _not_understood(play, broken, "a content against its schema")
    await _not_understood(play, nothing, "an answer to nothing")
    if ask.stranger is not None:
        await _role(play, ask, ask.stranger)
        await _forged(play, ask, ask.stranger)
    await _stray(play, ask)


def _about(play: Play, ask: Ask, subject: str, who: str | None = None) -> str:
    return Topic(who or play.tso, ask.protocol.stage, "manners", subject, play.participant).conversation_id


def _asked(play: Play, ask: Ask, subject: str, who: str | None = None) -> Envelope:
    about = _about(play, ask, subject, who)
    names = (f"{about}#i0", who or play.tso, play.participant, ask.protocol.name, about)
    return Envelope(*names, ask.content, reply_by_us=play.soon_us())


def of_bsp(play: Play) -> Ask:
    """A call for offers for a period that nobody has agreed on; a DSO may not call."""
    market, period = play.scenario.market, play.calendar.first
    content = CallForOffers(
        product="mFRR",
        direction="up",
        need_mw=1.0,
        min_quantity_mw=market.min_bid_mw,
        quantity_step_mw=market.bid_step_mw,
        delivery_start=period.start_us,
        delivery_end=period.end_us,
    )
    return Ask(OFFERING, content, {"need_mw": -1.0}, play.dso)


def of_dso(play: Play) -> Ask:
    """A question for metered energy; a BSP may not ask it."""
    period, stranger = play.calendar.first, sorted(set(play.desks) - {play.tso})[0]
    content = MeteredQuery(start=period.start_us, end=period.end_us, participants=(stranger,))
    return Ask(METERED_ENERGY, content, {"participants": []}, stranger)


async def _not_understood(play: Play, plain: dict[str, Any], what: str) -> None:
    play.throw(play.tso, json.dumps(plain))
    answer = await play.refusal(plain["id"])
    fault = None if answer else f"{what} is not answered with not-understood"
    play.report.judge(STEP, "not-understood", fault, f"does not understand {what}, and says so")


async def _role(play: Play, ask: Ask, stranger: str) -> None:
    """Who has another role may not ask this."""
    asked, kind = _asked(play, ask, "in-another-role", stranger), play.desks[stranger].kinds[stranger]
    play.throw(stranger, to_json(asked))
    answer = await play.refusal(asked.id)
    what = f"{ask.content.type_id} by a {kind}"
    fault = f"answers {what}, which may not ask it" if _answered(play, asked) else None
    fault = fault or (None if answer else f"{what} is not refused")
    play.report.judge(STEP, "roles", fault, f"does not understand {what}")


async def _forged(play: Play, ask: Ask, stranger: str) -> None:
    """On another's channel in the TSO's name: the sender in the envelope must be that of the channel."""
    asked = _asked(play, ask, "forged")
    play.throw(stranger, to_json(asked))
    await play.quiet()
    fault = "believes a message in another's name" if _answered(play, asked) else None
    play.report.judge(STEP, "identity", fault, "believes the channel, not the envelope")


def _answered(play: Play, asked: Envelope) -> bool:
    """Whether something has come of it, to whomever, other than a refusal."""
    about = asked.conversation_id
    said = [one.content for one in play.arrived if one.conversation_id == about]
    return any(not isinstance(one, NotUnderstood | Refuse) for one in said)


async def _stray(play: Play, ask: Ask) -> None:
    """A not-understood is never answered, not even one about nothing."""
    about = _about(play, ask, "stray")
    content = NotUnderstood(message_id=f"{about}#r0", reason="never said")
    names = (f"{about}#r0!{play.tso}", play.tso, play.participant, ask.protocol.name, about)
    before = len(play.misunderstood)
    play.throw(play.tso, to_json(Envelope(*names, content, f"{about}#r0")))
    await play.quiet()
    answered = any(one.conversation_id == about for one in play.misunderstood[before:])
    fault = "answers a not-understood with another one" if answered else None
    play.report.judge(STEP, "not-understood", fault, "does not answer a not-understood")
