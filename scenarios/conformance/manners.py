"""Manners: what must be answered with not-understood, what must not be answered, and whom not to believe."""

from __future__ import annotations

import json
from typing import Any

from ...protocols.envelope import Envelope, Topic
from ...protocols.information.offering import CallForOffers, NoOffer, Offers
from ...protocols.messages import NotUnderstood
from ...protocols.stages.offering import OFFERING
from ...protocols.wire import to_json
from .play import Play

STEP = "manners"


async def try_manners(play: Play) -> None:
    """Say what no party should say, and look at what comes of it."""
    unknown, broken, nothing = (_plain(play, f"odd-{number}") for number in range(3))
    unknown["type"] = "gridpact.nonsense/1"
    broken["content"]["need_mw"] = -1.0
    nothing |= {"id": nothing["id"].replace("#i0", "#i1"), "in_reply_to": "x"}
    await _not_understood(play, unknown, "an unknown type")
    await _not_understood(play, broken, "a content against its schema")
    await _not_understood(play, nothing, "an answer to nothing")
    if play.dso:
        await _role(play, play.dso)
        await _forged(play, play.dso)
    await _stray(play)


def _about(play: Play, subject: str, who: str | None = None) -> str:
    return Topic(who or play.tso, OFFERING.stage, "manners", subject, play.participant).conversation_id


def _call(play: Play, subject: str, who: str | None = None) -> Envelope:
    """A call for offers for a period that nobody has agreed on."""
    about, market, period = _about(play, subject, who), play.scenario.market, play.calendar.periods[0]
    content = CallForOffers(
        product="mFRR",
        direction="up",
        need_mw=1.0,
        min_quantity_mw=market.min_bid_mw,
        quantity_step_mw=market.bid_step_mw,
        delivery_start=period.start_us,
        delivery_end=period.end_us,
    )
    names = (f"{about}#i0", who or play.tso, play.participant, OFFERING.name, about)
    return Envelope(*names, content, reply_by_us=play.soon_us())


def _plain(play: Play, subject: str) -> dict[str, Any]:
    return dict(json.loads(to_json(_call(play, subject))))


async def _not_understood(play: Play, plain: dict[str, Any], what: str) -> None:
    play.throw(play.tso, json.dumps(plain))
    answer = await play.refusal(plain["id"])
    fault = None if answer else f"{what} is not answered with not-understood"
    play.report.judge(STEP, "not-understood", fault, f"does not understand {what}, and says so")


async def _role(play: Play, dso: str) -> None:
    """A DSO may not call for offers."""
    call = _call(play, "in-another-role", dso)
    play.throw(dso, to_json(call))
    answer = await play.refusal(call.id)
    offered = _offered(play, call)
    fault = "offers to a DSO, which may not call" if offered else None if answer else "a call by a DSO is not refused"
    play.report.judge(STEP, "roles", fault, "does not understand a call by a DSO")


async def _forged(play: Play, dso: str) -> None:
    """On the DSO's channel in the TSO's name: the sender in the envelope must be that of the channel."""
    call = _call(play, "forged")
    before = len(play.heard)
    play.throw(dso, to_json(call))
    await play.quiet()
    answered = any(one.envelope.conversation_id == call.conversation_id for one in play.heard[before:])
    fault = "believes a message in another's name" if answered or _offered(play, call) else None
    play.report.judge(STEP, "identity", fault, "believes the channel, not the envelope")


def _offered(play: Play, call: Envelope) -> bool:
    about = call.conversation_id
    kinds = (Offers, NoOffer)
    return any(one.envelope.conversation_id == about and isinstance(one.content, kinds) for one in play.heard)


async def _stray(play: Play) -> None:
    """A not-understood is never answered, not even one about nothing."""
    about = _about(play, "stray")
    content = NotUnderstood(message_id=f"{about}#r0", reason="never said")
    names = (f"{about}#r0!{play.tso}", play.tso, play.participant, OFFERING.name, about)
    before = len(play.misunderstood)
    play.throw(play.tso, to_json(Envelope(*names, content, f"{about}#r0")))
    await play.quiet()
    answered = any(one.conversation_id == about for one in play.misunderstood[before:])
    fault = "answers a not-understood with another one" if answered else None
    play.report.judge(STEP, "not-understood", fault, "does not answer a not-understood")
