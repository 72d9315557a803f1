"""What participants have delivered of aFRR, counted by the TSO from their measurements (INFO 7).

    set-point ─▶ channel (every control cycle) ─┐
    Measurement ─▶ the one before has lasted until now ─▶ metered, too much, missing ─▶ per offer, W·µs

A measurement counts until the next one (left rectangle), and is held against the channel of its own time. What is
delivered in a direction belongs to the offers of that direction in merit order, each up to what was accepted; the last
of them takes what is left, and answers for what is too much or missing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from immutables import Map

from ....protocols.information.activation import SetPoint
from ....protocols.information.quantities import Product
from ...calendar import MarketTimeUnit
from ...changes import INFINITY_US, derived, noted, replace
from ...cycle import Cycle
from ...market.channel import Bounds, ChannelRules, judged, moved
from ...market.merit_order import Position
from ...market.settlement import watt_us
from ...profiles import TsoProfile
from ..state import Activation, Counted, Lot, Meter, Regulation, TsoState

PRODUCT: Product = "aFRR"
FLOOR_MW = 1.0
MOVED = "~moved"


class Span(NamedTuple):
    """A measurement and how long it lasted in one period."""

    period: str
    lasts_us: int


def shelved(profile: TsoProfile, state: TsoState, period: MarketTimeUnit) -> Regulation:
    """The offers of a period by participant, and a meter for everybody who has some."""
    regulation = state.regulation
    lots: dict[str, tuple[Lot, ...]] = {}
    for need in profile.needs_of(PRODUCT):
        for position in state.offering.definitive.get(f"{period.id}/{need.subject}", ()):
            name = position.offer.participant
            lots[name] = (*lots.get(name, ()), _lot(position))
    past = _kept(profile, period)
    known = Map({key: own for key, own in sorted(regulation.lots.items()) if key >= past})
    meters = regulation.meters
    for name, own in sorted(lots.items()):
        known = known.set(f"{period.id}/{name}", own)
        meters = meters if name in meters else meters.set(name, Meter())
    return regulation._replace(lots=known, meters=meters)


def _kept(profile: TsoProfile, period: MarketTimeUnit) -> str:
    """The period before is still being delivered when the next one is prepared."""
    earlier = [one.id for one in profile.calendar.periods if one.end_us == period.start_us]
    return earlier[0] if earlier else period.id


def _lot(position: Position) -> Lot:
    return Lot(position.offer.offer_id, position.offer.direction == "up", position.accepted_mw)


def metered(state: TsoState) -> tuple[str, ...]:
    """Who has a meter, by name; meters are added together with lots."""
    regulation = state.regulation
    return derived(state, "~metered", (regulation.lots,), lambda: tuple(sorted(regulation.meters)))


def restless(state: TsoState, news: Iterable[str]) -> tuple[str, ...]:
    """Whose channels may move in this cycle: those that have moved in the last one, and who is told something else.

    All who have a meter, where that is not known: after a period has begun, or a subscription has come or gone.
    """
    known = state.regulation
    last = derived(state, MOVED, (known.lots, known.subscribers), lambda: metered(state))
    return tuple(sorted({*last, *(name for name in news if name in known.meters)}))


def moved_now(state: TsoState, changes: Mapping[str, Any]) -> None:
    """Remember beside the state whose channels have moved in this cycle; the others rest at what they were told."""
    known = state.regulation
    noted(state, MOVED, (known.lots, known.subscribers), changes.get("moving", ()))


def guided(
    regulation: Regulation, sent: Map[str, SetPoint], names: Iterable[str], rules: ChannelRules, *, now_us: int
) -> dict[str, Any]:
    """What changes of the regulation: the channels of these, who have meters, after the set-points of this cycle."""
    known, period, meters = regulation.meters, regulation.walk.period, dict[str, Meter]()
    for name in names:
        meter, content = known[name], sent.get(name)
        power_mw = content.power_mw if content is not None else 0.0
        if not meter.channel.rests_at(power_mw):
            floor_mw = _floor_mw(regulation.lots.get(f"{period}/{name}", ()))
            channel = moved(meter.channel, power_mw, now_us, floor_mw=floor_mw, rules=rules)
            meters[name] = Meter(channel, meter.at_us, meter.power_mw, meter.bounds)
    if not meters:
        return {}
    moving = tuple(meters) if not regulation.moving else tuple(sorted({*regulation.moving, *meters}))
    return {"meters": known.update(meters), "moving": moving}


def _floor_mw(lots: tuple[Lot, ...]) -> float:
    """1 MW, or the largest offer if that is smaller, so that small offers are tested too."""
    return min(FLOOR_MW, max(lot.most_mw for lot in lots)) if lots else FLOOR_MW


def measured(profile: TsoProfile, regulation: Regulation, known: Iterable[tuple[str, float, int]]) -> Regulation:
    """(participant, MW, time) of measurements that have come, in this order: the one before has lasted until now.

    One that says the same as the last, between the same bounds in the same period, goes on with it.
    """
    if profile.regulation is None:
        return regulation
    counted, news, period = regulation.counted, dict[str, Meter](), Since(-1, 0)
    for name, power_mw, at_us in known:
        meter = regulation.meters.get(name)
        if meter is None or at_us < meter.at_us:
            continue
        period = period if period.at_us == at_us else _begun(profile, at_us)
        bounds = meter.channel.at(at_us)
        if power_mw == meter.power_mw and period.begun_us <= meter.at_us and bounds == meter.bounds:
            continue
        counted = _lasted(profile, regulation, counted, name, at_us)
        news[name] = Meter(meter.channel, at_us, power_mw, bounds)
    return regulation._replace(meters=regulation.meters.update(news), counted=counted) if news else regulation


def together(profile: TsoProfile, regulation: Regulation, activation: Activation, before: Cycle | None) -> Regulation:
    """The same of a cycle that has just been heard: who says something else, or whose bounds have moved, is looked at.

    In the first cycle of a period it is everybody.
    """
    cycle = activation.cycle
    if cycle is None or profile.regulation is None:
        return regulation
    names: Iterable[str] = cycle.names
    if before is not None and before.names is names and _begun(profile, cycle.at_us).begun_us <= before.at_us:
        turned = [name for name, _ in cycle.news(before)]
        names = [*turned, *(name for name in regulation.moving if name not in turned)]
    known = activation.known
    looked = [(name, known[name].activated_mw, cycle.at_us) for name in names if name in known]
    return measured(profile, regulation._replace(moving=()) if regulation.moving else regulation, looked)


class Since(NamedTuple):
    """An instant, and when the period began that it is in; for ever after the last one."""

    at_us: int
    begun_us: int


def _begun(profile: TsoProfile, at_us: int) -> Since:
    period = profile.calendar.at(at_us)
    return Since(at_us, INFINITY_US if period is None else period.start_us)


def caught_up(profile: TsoProfile, state: TsoState, names: Iterable[str] | None = None) -> TsoState:
    """Count what goes on up to the last measurement of these participants, or of everybody."""
    regulation = state.regulation
    for name in sorted(regulation.meters if names is None else {*names} & {*regulation.meters}):
        meter, last = regulation.meters[name], state.activation.last(name)
        if last is not None and last.measured_us > meter.at_us:
            counted = _lasted(profile, regulation, regulation.counted, name, last.measured_us)
            meters = regulation.meters.set(name, meter._replace(at_us=last.measured_us))
            regulation = regulation._replace(meters=meters, counted=counted)
    return replace(state, regulation=regulation)


def _lasted(
    profile: TsoProfile, regulation: Regulation, counted: Map[str, Counted], name: str, until_us: int
) -> Map[str, Counted]:
    """The energy counted when a participant's last measurement has lasted until now."""
    meter = regulation.meters[name]
    if profile.regulation is None or not (meter.power_mw or _asked(meter.bounds)):
        return counted
    for span in _spans(profile, meter.at_us, until_us):
        lots = regulation.lots.get(f"{span.period}/{name}", ())
        counted = _counted(counted, lots, meter, span.lasts_us, profile.regulation.channel.tolerance)
    return counted


def _asked(bounds: Bounds) -> bool:
    return bounds.low_mw > 0 or bounds.high_mw < 0


def _spans(profile: TsoProfile, from_us: int, to_us: int) -> Iterator[Span]:
    """The periods in which a measurement lasted."""
    while from_us < to_us:
        period = profile.calendar.at(from_us)
        if period is None:
            return
        until_us = min(to_us, period.end_us)
        yield Span(period.id, until_us - from_us)
        from_us = until_us


def _counted(
    counted: Map[str, Counted], lots: tuple[Lot, ...], meter: Meter, lasts_us: int, tolerance: float
) -> Map[str, Counted]:
    """Add one measurement to the offers it belongs to."""
    power_mw, worth = meter.power_mw, judged(meter.power_mw, meter.bounds, tolerance)
    up = power_mw > 0 or (power_mw == 0 and meter.bounds.low_mw > 0)
    own = [lot for lot in lots if lot.up == up]
    left_mw = abs(power_mw)
    for lot in own:
        last = lot is own[-1]
        part_mw = left_mw if last else min(left_mw, lot.most_mw)
        left_mw -= part_mw
        before = counted.get(lot.offer_id, Counted())
        added = Counted(
            before.metered + watt_us(part_mw, lasts_us),
            before.unpaid + (watt_us(worth.unpaid_mw, lasts_us) if last else 0),
            before.missing + (watt_us(worth.missing_mw, lasts_us) if last else 0),
        )
        counted = counted.set(lot.offer_id, added) if added != before else counted
    return counted
