"""Real time: units deliver, the wind rises, and the DSO limits them in time, by enough (Fig. 7); then what it metered.

12:00 delivery ─▶ measurements each tick ─▶ 12:06 front ─▶ violation ─▶ INFO 8 ─▶ followed ─▶ no violation any more
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from ...protocols.information.activation import (
    FollowedLimit,
    Limit,
    LimitFollowed,
    LimitRequest,
    Measurement,
)
from ...protocols.information.settlement import MeteredEnergy, MeteredQuery
from ...protocols.messages import Agree, Failure, Refuse
from ...protocols.stages.settlement import METERED_ENERGY
from ..operation.assembly import us
from .listing import Agreed
from .play import Play
from .scene import US_PER_H, Scene

LIMIT, METERED = "7.7 limit", "settlement"
LOOKS = 3  # ticks that a DSO has for seeing, and units for following
TOLERANCE_SHARE, TOLERANCE_MWH = 0.05, 0.01


async def watch_delivery(play: Play, scene: Scene, agreed: Agreed) -> None:
    """Deliver what was accepted, and see what the DSO does about the grid."""
    period = play.calendar.first
    await play.wait_until(period.start_us)
    for name, offer in agreed.accepted.items():
        scene.move(name, offer.quantity_mw, play.now_us)
    following = asyncio.create_task(_follow(play, scene, agreed))
    await _tell(play, scene, agreed, period.end_us)
    for name in agreed.accepted:
        scene.move(name, 0.0, play.now_us)
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    play.report.judge(LIMIT, "limit", list(_foreign(play, agreed)), "limits nothing that was not accepted")
    _judge(play, scene)
    if agreed.told:
        await _metered(play, scene, tuple(agreed.told))


async def _tell(play: Play, scene: Scene, agreed: Agreed, end_us: int) -> None:
    """Measurements of everybody who was asked for them, at every tick until the end."""
    tick_us = us(play.scenario.ticks.measurement_s)
    for at_us in range((play.now_us // tick_us + 1) * tick_us, end_us + 1, tick_us):
        await play.wait_until(at_us)
        for name, conversation_id in agreed.told.items():
            p_mw = scene.activated_mw(name, at_us)
            scene.units[name].told_mwh += p_mw * tick_us / US_PER_H
            power = {"p_mw": p_mw, "q_mvar": 0.0, "activated_mw": p_mw, "baseline_mw": 0.0}
            told = Measurement(participant=name, measured_at=at_us, **power, set_point_mw=scene.units[name].p_mw)
            play.stream(name, conversation_id, told)


async def _follow(play: Play, scene: Scene, agreed: Agreed) -> None:
    """Every limit is followed at once, and confirmed."""
    done: set[str] = set()
    while True:
        heard = await play.expect(
            lambda one: isinstance(one.content, LimitRequest) and one.envelope.id not in done, play.calendar.end_us
        )
        if heard is None:
            return
        done.add(heard.envelope.id)
        assert isinstance(heard.content, LimitRequest)
        play.say(play.tso, heard.envelope.conversation_id, Agree())
        followed = tuple(_followed(play, scene, agreed, limit) for limit in heard.content.limits)
        play.say(play.tso, heard.envelope.conversation_id, LimitFollowed(followed=followed))


def _followed(play: Play, scene: Scene, agreed: Agreed, limit: Limit) -> FollowedLimit:
    name = limit.offer_id.rpartition(".")[0]
    if name in agreed.accepted:
        scene.move(name, min(agreed.accepted[name].quantity_mw, limit.max_mw), play.now_us)
    return FollowedLimit(offer_id=limit.offer_id, confirmed_mw=limit.max_mw)


def _foreign(play: Play, agreed: Agreed) -> Iterator[str]:
    known = {offer.offer_id for offer in agreed.accepted.values()}
    for one in play.heard:
        for limit in one.content.limits if isinstance(one.content, LimitRequest) else ():
            if limit.offer_id not in known:
                yield f"limits {limit.offer_id}, which was not accepted"


def _judge(play: Play, scene: Scene) -> None:
    """The first violation must be followed by a limit in time, and the last limit by a grid without violations."""
    span = play.calendar.first
    looks = [look for look in scene.looks if span.start_us < look.at_us <= span.end_us]
    first = next((look for look in looks if look.violated), None)
    asked = [one.at_us for one in play.heard if isinstance(one.content, LimitRequest)]
    if first is None:
        _unviolated(play, asked)
        return
    grace_us = LOOKS * us(play.scenario.ticks.monitoring_s) + play.patience_us
    element, _, value, most = first.violated[0]
    about = f"{element} ({value:.4g}, limit {most:g})"
    if not asked:
        play.report.judge(LIMIT, "limit", f"no limit is asked for, although {about} is violated", "")
        return
    late_us = min(asked) - first.at_us
    late = f"a limit is asked for {late_us / 1e6:g} s after {about} is violated" if late_us > grace_us else None
    play.report.judge(LIMIT, "late limit", late, "asks for a limit in time")
    left = [look for look in looks if look.at_us > max(first.at_us, min(asked)) + grace_us and look.violated]
    faults = [f"{left[-1].violated[0][0]} stays at {left[-1].violated[0][2]:.4g}"] if left else []
    play.report.judge(LIMIT, "relief", faults, "what it asks for relieves the grid")


def _unviolated(play: Play, asked_us: list[int]) -> None:
    if asked_us:
        play.report.judge(LIMIT, "late limit", None, "asks for a limit before anything is violated")
    else:
        play.report.skip(LIMIT, "limit", "nothing was violated, because so little was allowed")


async def _metered(play: Play, scene: Scene, names: tuple[str, ...]) -> None:
    """What the DSO has metered is what it was told."""
    period = play.calendar.first
    await play.wait_until(period.end_us + us(play.scenario.ticks.measurement_s))
    query = MeteredQuery(start=period.start_us, end=period.end_us, participants=names)
    sent = play.open(play.tso, METERED_ENERGY, (period.id, "metered"), query, play.soon_us())
    heard = await play.answer(sent, MeteredEnergy, Refuse, Failure)
    if heard is None or not isinstance(heard.content, MeteredEnergy):
        said = "no answer in time" if heard is None else heard.content.type_id
        play.report.judge(METERED, "metered", f"{said} to a question for metered energy", "")
        return
    known = {entry.participant: entry.up_mwh for entry in heard.content.entries}
    faults = []
    for name in names:
        told_mwh = scene.units[name].told_mwh
        if abs(known.get(name, 0.0) - told_mwh) > max(TOLERANCE_MWH, TOLERANCE_SHARE * told_mwh):
            faults.append(f"{known.get(name, 0.0):g} MWh of {name}, which has told {told_mwh:.4g} MWh")
    play.report.judge(METERED, "metered", faults, "has metered what it was told")
