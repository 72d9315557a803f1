"""The TSO watches the quality of service: is the data fresh, and is what was requested delivered in time?

    breach lasts ─▶ warned ─▶ lasts ─▶ order lowered to what is delivered ─▶ lasts ─▶ terminated, replaced

Steps 7.5 (BSPs) and 10.4 (the DSO as participant) of the paper. An order counts as due when its resource has
had its full activation time, or that of the product if that is shorter, and a margin. What lowering and terminating
take away, the next control cycle orders from the rest of the merit order list.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ....protocols.information.offering import Offer
from ....protocols.information.quantities import US_PER_S
from ....protocols.stages import activation as stage
from ...actions import Action, Note
from ...agent import Reaction
from ...calendar import MarketTimeUnit
from ...changes import Span, derived_now, replace, span, without
from ...cycle import heard_us
from ...market.settlement import megawatt_hours, watt_us
from ...profiles import TsoProfile
from ..afrr.metering import caught_up
from ..measurements import one_by_one
from ..prequalification.applicants import source_of
from ..state import Service, TsoState
from .caps import offers_at
from .orders import by_offer

TOLERANCE = 0.1
MARGIN_US = 60 * US_PER_S
STAGES = ("ok", "warned", "lowered", "terminated")


class Look(NamedTuple):
    """One participant in one cycle, MW without sign; `due` if its orders have had the time they need."""

    requested_mw: float
    delivered_mw: float
    fresh: bool
    due: bool

    @property
    def breach(self) -> bool:
        """Whether the service is not what was agreed."""
        return not self.fresh or (self.due and self.delivered_mw < (1 - TOLERANCE) * self.requested_mw)


class Asked(NamedTuple):
    """A participant's offers with orders in force, signed MW of these together, and when that should be delivered."""

    offer_ids: list[str]
    net_mw: float
    ready_us: int


def watch(profile: TsoProfile, state: TsoState, now_us: int) -> Reaction[TsoState]:
    """Look at everybody who has orders; count, and act on a breach that lasts."""
    state, actions = _given_up(profile, state, now_us)
    services = dict[str, Service]()
    for participant, asked in _ordered(profile, state, now_us):
        look = _look(profile, state, participant, asked, now_us)
        before = state.activation.services.get(participant, Service())
        service = _counted(before, look, profile.control_us)
        service, action = _judged(service, look, now_us, profile.quality_patience_us)
        if action is not None:
            state = _act(state, asked.offer_ids, look, STAGES[service.level])
        if action is not None or service.level < before.level:
            actions.append(_note(profile, participant, look, service))
        services[participant] = service
    if services:
        state = state.with_activation(services=state.activation.services.update(services))
    return state, tuple(actions)


def _given_up(profile: TsoProfile, state: TsoState, now_us: int) -> tuple[TsoState, list[Action]]:
    """The last measurement is held while a breach goes all its steps; then the participant counts as delivering 0.

    By then its orders have been terminated, so what it does no longer enters the need either.
    """
    held_us = profile.stale_after_us + (len(STAGES) - 1) * profile.quality_patience_us
    known, notes = state.activation.known, list[Action]()
    cycle = state.activation.cycle
    if cycle is not None and now_us - cycle.at_us <= held_us and len(known) == len(cycle.names):
        return state, notes
    heard = ((name, heard_us(cycle, name, last.measured_us)) for name, last in sorted(known.items()))
    silent = [name for name, at_us in heard if now_us - at_us > held_us]
    for name in silent:
        evidence = {"name": "measurement given up", "participant": name, "activated_mw": known[name].activated_mw}
        notes.append(Note(stage.STAGE, _step(profile, name), evidence))
    return (_without(profile, state, silent) if silent else state), notes


def _without(profile: TsoProfile, state: TsoState, silent: list[str]) -> TsoState:
    """Nothing is known of these any more, but their energy up to the last measurement; who speaks again is news."""
    state = caught_up(profile, state, silent)
    activation = one_by_one(state.activation)
    return replace(state, activation=replace(activation, known=without(activation.known, silent)))


def _ordered(profile: TsoProfile, state: TsoState, now_us: int) -> list[tuple[str, Asked]]:
    """What is asked of each participant who has orders in force now, by name."""
    activation, known = state.activation, state.prequalification
    sources = activation.orders, state.offering.definitive, known.applicants, known.applied
    found: list[tuple[str, Asked]] = derived_now(
        state, "~asked", sources, now_us, lambda: _now_ordered(profile, state, now_us)
    )
    return found


def _now_ordered(profile: TsoProfile, state: TsoState, now_us: int) -> Span:
    offers, orders = offers_at(profile, state, now_us), by_offer(state)
    found: dict[str, list[str]] = {}
    for offer_id, order in orders:
        if order.start_us <= now_us < order.end_us:
            found.setdefault(offers[offer_id].participant, []).append(offer_id)
    period = profile.calendar.at(now_us)
    times = [(order.start_us, order.end_us) for _, order in orders]
    times += [(period.start_us, period.end_us)] if period is not None else []
    return span(
        now_us, times, [(name, _asked(profile, state, offers, name, own)) for name, own in sorted(found.items())]
    )


def _asked(
    profile: TsoProfile, state: TsoState, offers: Mapping[str, Offer], participant: str, own: list[str]
) -> Asked:
    orders = state.activation.orders
    net_mw = sum(orders[one].power_mw * (1 if offers[one].direction == "up" else -1) for one in own)
    last_us = max(orders[one].start_us for one in own)
    return Asked(own, net_mw, last_us + _activation_us(profile, state, participant) + MARGIN_US)


def _look(profile: TsoProfile, state: TsoState, participant: str, asked: Asked, now_us: int) -> Look:
    """What goes the wrong way is not delivered."""
    _, net_mw, ready_us = asked
    known = state.activation.last(participant)
    activated_mw = known.activated_mw if known else 0.0
    return Look(
        requested_mw=abs(net_mw),
        delivered_mw=max(0.0, activated_mw if net_mw >= 0 else -activated_mw),
        fresh=known is not None and now_us - known.measured_us <= profile.stale_after_us,
        due=now_us >= ready_us,
    )


def _activation_us(profile: TsoProfile, state: TsoState, participant: str) -> int:
    source, most_us = source_of(state, participant), profile.full_activation_us["mFRR"]
    return min(round(source.dynamics.full_activation_s * US_PER_S), most_us) if source else most_us


def _counted(service: Service, look: Look, lasts_us: int) -> Service:
    return Service(
        service.level,
        service.since_us,
        service.cycles + 1,
        service.fresh + look.fresh,
        service.requested + watt_us(look.requested_mw, lasts_us),
        service.delivered + watt_us(look.delivered_mw, lasts_us),
    )


def _judged(service: Service, look: Look, now_us: int, patience_us: int) -> tuple[Service, str | None]:
    """One step further each time a breach has lasted; back to the start when it is over."""
    if not look.breach:
        return (service._replace(level=0, since_us=None) if service[:2] != (0, None) else service), None
    if service.since_us is None:
        return service._replace(since_us=now_us), None
    if now_us - service.since_us < patience_us or service.level == len(STAGES) - 1:
        return service, None
    return service._replace(level=service.level + 1, since_us=now_us), STAGES[service.level + 1]


def _act(state: TsoState, offer_ids: list[str], look: Look, measure: str) -> TsoState:
    """Lowered: no more is ordered than is delivered. Terminated: nothing is."""
    if measure == "terminated":
        return state.with_activation(failed=state.activation.failed | frozenset(offer_ids), changed=True)
    if measure == "lowered":
        derated, left_mw = state.activation.derated, look.delivered_mw
        for offer_id in offer_ids:
            part_mw = min(left_mw, state.activation.orders[offer_id].power_mw)
            derated, left_mw = derated.set(offer_id, round(part_mw, 3)), left_mw - part_mw
        return state.with_activation(derated=derated, changed=True)
    return state


def _step(profile: TsoProfile, participant: str) -> str:
    return "10.4" if participant in profile.dsos else "7.5"


def _note(profile: TsoProfile, participant: str, look: Look, service: Service) -> Note:
    evidence = {
        "name": f"service {STAGES[service.level]}",
        "participant": participant,
        "requested_mw": round(look.requested_mw, 6),
        "delivered_mw": round(look.delivered_mw, 6),
        "data": "fresh" if look.fresh else "stale",
    }
    return Note(stage.STAGE, _step(profile, participant), evidence)


def summary(profile: TsoProfile, state: TsoState, period: MarketTimeUnit) -> Reaction[TsoState]:
    """At the end of a period: completeness of data, requested and delivered energy of everybody; then count anew."""
    notes = tuple(
        Note(
            stage.STAGE,
            _step(profile, participant),
            {
                "name": "service quality",
                "period": period.id,
                "participant": participant,
                "completeness_percent": round(100 * service.fresh / max(1, service.cycles), 3),
                "requested_mwh": megawatt_hours(service.requested),
                "delivered_mwh": megawatt_hours(service.delivered),
            },
        )
        for participant, service in sorted(state.activation.services.items())
        if service.cycles
    )
    services = state.activation.services
    for participant, service in sorted(services.items()):
        services = services.set(participant, Service(level=service.level, since_us=service.since_us))
    return state.with_activation(services=services), notes
