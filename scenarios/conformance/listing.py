"""Validation of a merit order list: what a DSO allows of it, by itself and when it is asked twice (Fig. 6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ...agents.market.merit_order import floor_to_step
from ...grid.limits.activation import Activation
from ...protocols.envelope import Envelope
from ...protocols.information.activation import MeasurementSubscription
from ...protocols.information.offering import (
    AcceptanceNotice,
    AcceptedOffer,
    MeritOrderList,
    MeritOrderVerdict,
    MolEntry,
    OfferVerdict,
)
from ...protocols.messages import Agree, Done, Failure, Refuse
from ...protocols.stages.offering import ACCEPTANCE_NOTICE_WITH_DSO, MOL_VALIDATION
from ...protocols.wire import to_json
from .play import Heard, Play
from .published import Answered, needless, unbearable, unsaid
from .scene import Scene

STEP, NOTICE, LISTEN = "6.5 merit order", "6.8 acceptance", "7.6 measurements"
UNKNOWN = "offer-of-nobody"


@dataclass(frozen=True)
class Agreed:
    """What is delivered: MW by BSP, and the conversations in which their measurements are told."""

    accepted: dict[str, AcceptedOffer]
    told: dict[str, str]


async def validate_list(play: Play, scene: Scene) -> Agreed | None:
    """One list in full, with an offer of an unknown resource at its end; what is allowed is accepted."""
    mol, asked_us = _list(play, scene), play.now_us
    sent = play.open(play.tso, MOL_VALIDATION, (_period(play), "mol-up"), mol, play.soon_us())
    heard = await play.answer(sent, MeritOrderVerdict, Refuse, Failure)
    if heard is None or not isinstance(heard.content, MeritOrderVerdict):
        said = "no answer in time" if heard is None else heard.content.type_id
        play.report.judge(STEP, "deadline" if heard is None else "merit order", f"{said} to a merit order list", "")
        return None
    verdicts = {one.offer_id: one for one in heard.content.verdicts}
    await _copied(play, sent)
    if not play.report.judge(STEP, "merit order", _unnamed(mol, verdicts), "gives a verdict on every offer"):
        return None
    play.after.append(partial(_judge, play, scene, mol, verdicts, asked_us))
    accepted = _accepted(play, mol, verdicts)
    await _noticed(play, tuple(accepted.values()))
    return Agreed(accepted, await _subscribed(play, tuple(accepted)))


def _period(play: Play) -> str:
    return play.calendar.first.id


def _list(play: Play, scene: Scene) -> MeritOrderList:
    period = play.calendar.first
    entries = [
        MolEntry(rank=rank, offer_id=f"{name}.1", quantity_mw=_most_mw(scene, name), min_quantity_mw=0.0, resource=unit)
        for rank, (name, unit) in enumerate(((n, u.resource.id) for n, u in scene.units.items()), start=1)
    ]
    stray = {"rank": len(entries) + 1, "offer_id": UNKNOWN, "quantity_mw": 1.0, "min_quantity_mw": 0.0}
    entries.append(MolEntry(**stray, resource="unit-of-nobody"))
    span = {"delivery_start": period.start_us, "delivery_end": period.end_us}
    return MeritOrderList(product="mFRR", direction="up", **span, entries=tuple(entries))


def _most_mw(scene: Scene, name: str) -> float:
    return scene.units[name].resource.state().available_up_mw


def _unnamed(mol: MeritOrderList, verdicts: dict[str, OfferVerdict]) -> list[str]:
    asked = [entry.offer_id for entry in mol.entries]
    missing = [f"no verdict on {name}" for name in asked if name not in verdicts]
    foreign = [f"a verdict on {name}, which is not in the list" for name in verdicts if name not in asked]
    stray = verdicts.get(UNKNOWN)
    allowed = [f"allows {stray.max_mw:g} MW of an unknown resource"] if stray and stray.max_mw > 0 else []
    return missing + foreign + allowed


async def _copied(play: Play, sent: Envelope) -> None:
    before = len(play.arrived)
    play.throw(play.tso, to_json(sent))
    await play.quiet()
    again = any(one.conversation_id == sent.conversation_id for one in play.arrived[before:])
    play.report.judge(STEP, "duplicate", "a copy of the list is answered again" if again else None, "drops a copy")


def _judge(play: Play, scene: Scene, mol: MeritOrderList, verdicts: dict[str, OfferVerdict], asked_us: int) -> None:
    """Afterwards, when nothing waits for the clock: at the begin, in the middle and at the end of the delivery."""
    known = {unit.resource.id: unit.points() for unit in scene.units.values()}
    answers = [
        Answered(
            Activation(entry.offer_id, known[entry.resource], entry.quantity_mw),
            verdicts[entry.offer_id].max_mw,
            verdicts[entry.offer_id].binding,
        )
        for entry in mol.entries
        if entry.resource in known
    ]
    instants_us = (mol.delivery_start, (mol.delivery_start + mol.delivery_end) // 2, mol.delivery_end - 1)
    on = play.scenario.coordination
    study = partial(
        scene.studies.validate, at_us=instants_us, scope=on.limit_scope, split=on.limit_split, made_us=asked_us
    )
    play.report.judge(STEP, "binding", list(unsaid(answers)), "says what it does with every offer")
    play.report.judge(STEP, "merit order", list(unbearable(answers, study)), "the grid bears what it allows")
    play.report.judge(STEP, "room", list(needless(answers, study)), "it allows what the grid bears")


def _accepted(play: Play, mol: MeritOrderList, verdicts: dict[str, OfferVerdict]) -> dict[str, AcceptedOffer]:
    """What is allowed, in steps, by BSP."""
    step_mw, found = play.scenario.market.bid_step_mw, {}
    for entry in mol.entries:
        mw = floor_to_step(min(entry.quantity_mw, verdicts[entry.offer_id].max_mw), step_mw)
        if mw > 0 and entry.offer_id != UNKNOWN:
            name = entry.offer_id.rpartition(".")[0]
            told = {**entry.model_dump(exclude={"quantity_mw"}), "participant": name, "quantity_mw": mw}
            span = {"delivery_start": mol.delivery_start, "delivery_end": mol.delivery_end}
            found[name] = AcceptedOffer(**told, **span, product=mol.product, direction=mol.direction)
    return found


async def _noticed(play: Play, offers: tuple[AcceptedOffer, ...]) -> None:
    notice = AcceptanceNotice(offers=offers)
    about = (_period(play), "accepted-mFRR-up")
    sent = play.open(play.tso, ACCEPTANCE_NOTICE_WITH_DSO, about, notice, play.soon_us())
    heard = await play.answer(sent, Done, Refuse, Failure)
    taken = heard is not None and isinstance(heard.content, Done)
    play.report.judge(NOTICE, "notice", None if taken else "the notice is not confirmed", "takes what was accepted")


async def _subscribed(play: Play, names: tuple[str, ...]) -> dict[str, str]:
    """The DSO asks the BSPs that are accepted for their measurements; conversations by BSP."""
    told = {}
    by_us = min(play.soon_us(), play.calendar.first.start_us)
    for name in names:
        heard = await play.expect(partial(_asks, name), by_us)
        fault = None if heard else f"does not ask {name} for its measurements"
        play.report.judge(LISTEN, "measurements", fault, f"asks {name} for its measurements")
        if heard is not None:
            play.say(name, heard.envelope.conversation_id, Agree())
            told[name] = heard.envelope.conversation_id
    return told


def _asks(name: str, one: Heard) -> bool:
    return one.envelope.receiver == name and isinstance(one.content, MeasurementSubscription)
