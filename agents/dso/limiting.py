"""Which limits a DSO asks for, and until when: tightened at once, held, lifted with care, renewed while needed.

    too much is on, or would be ─▶ tightened at once                            security comes first
    room again in every look of the last `hold_us` ─▶ lifted to the least room seen, at most once in that time
    a third of the validity is left ─▶ renewed as it is
    not confirmed ─▶ asked for again every minute

A limit binds a resource in one direction, whatever offer uses it. Because a lift needs room that has lasted, and the
next lift as much again, a limit is reversed (lifted and imposed anew) at most once in `hold_us`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...grid.limits.allowing import Allowed
from ...protocols.information.activation import Ground, Limit
from ...protocols.information.capacity import BindingConstraint
from ...protocols.information.offering import AcceptedOffer
from ..market.merit_order import floor_to_step
from ..profiles import DsoProfile
from . import reserves
from .hearing import current, unit_of, units
from .state import DsoState, InForce, limit_key
from .studies import Watch
from .validation import binding_of

STEP_MW = 0.01
LIFT_MW = 0.05
LOOK_US = 60_000_000


class Bound(NamedTuple):
    """What limits a resource, to how many MW, and on which ground."""

    binding: BindingConstraint | None
    max_mw: float
    ground: Ground | None = None


def due(profile: DsoProfile, state: DsoState, watch: Watch, now_us: int) -> tuple[tuple[str, Limit], ...]:
    """(key, limit) of everything to be asked for now: one limit a resource, in the name of the first of its offers.

    A request names an offer once; where two units give it, the second limit follows in the next cycle.
    """
    together: dict[str, list[Allowed]] = {}
    for allowed in watch.allowed or ():
        together.setdefault(limit_key(*unit_of(state, allowed.id)), []).append(allowed)
    found: dict[str, tuple[str, Limit]] = {}
    for key, parts in together.items():
        limit = _news(profile, state, watch, (key, parts), now_us)
        if limit is not None:
            found.setdefault(limit.offer_id, (key, limit))
    told = {key for key, _ in found.values()}
    for key, known in sorted(state.limits.items()):
        if key not in told and _runs_out(profile, known, now_us):
            limit = _renewed(profile, state, key, known, now_us)
            if limit is not None:
                found.setdefault(limit.offer_id, (key, limit))
    return tuple(found.values())


def looked(profile: DsoProfile, state: DsoState, watch: Watch, now_us: int) -> Mapping[str, InForce]:
    """The limits in force with what this look has shown of the room that they would have."""
    room: dict[str, float] = {}
    for allowed in watch.allowed or ():
        key = limit_key(*unit_of(state, allowed.id))
        room[key] = room.get(key, 0.0) + abs(allowed.p_mw)
    return {
        key: known._replace(looks=(*_kept(profile, known, now_us), (now_us, round(room[key], 6))))
        for key, known in sorted(state.limits.items())
        if key in room
    }


def _kept(profile: DsoProfile, known: InForce, now_us: int) -> tuple[tuple[int, float], ...]:
    return tuple(look for look in known.looks if look[0] > now_us - profile.hold_limit_us)


def asked(limit: Limit, before: InForce | None, request: str, now_us: int) -> InForce:
    """What is kept of a limit that is asked for now."""
    same = before is not None and abs(before.max_mw - limit.max_mw) < STEP_MW / 2 and limit.binding is not None
    since_us, looks = (before.since_us, before.looks) if before is not None and same else (now_us, ())
    return InForce(
        limit.max_mw,
        since_us,
        request,
        asked_us=now_us,
        until_us=limit.valid_until,
        offer_id=limit.offer_id,
        binding=limit.binding,
        ground=limit.ground,
        looks=looks,
    )


def _news(
    profile: DsoProfile, state: DsoState, watch: Watch, allowed_of: tuple[str, Sequence[Allowed]], now_us: int
) -> Limit | None:
    """A limit on a resource if it is new, tighter, to be lifted, or has not been confirmed."""
    key, parts = allowed_of
    (offer, resource), known = unit_of(state, parts[0].id), state.limits.get(key)
    room_mw = round(abs(sum(allowed.p_mw for allowed in parts)), 6)
    binding = next((allowed for allowed in parts if allowed.binding is not None), parts[0])
    max_mw = _usable(offer, room_mw)
    tighter = binding.binding is not None and not state.looking
    if tighter and (known is None or max_mw < known.max_mw - STEP_MW / 2):
        return _limit(profile, offer, resource, _bound(binding_of(binding), max_mw, watch), now_us)
    if known is None:
        return None
    if known.status == "unconfirmed" and now_us - known.asked_us >= LOOK_US:
        return _renewed(profile, state, key, known, now_us)
    lifted_mw = _usable(offer, _lasting_room_mw(profile, known, now_us))
    if state.looking and now_us - known.since_us >= profile.hold_limit_us and lifted_mw > known.max_mw + LIFT_MW:
        whole_mw = sum(unit_of(state, allowed.id)[0].quantity_mw for allowed in parts)
        bound = None if lifted_mw >= whole_mw - STEP_MW else binding_of(binding) or known.binding
        return _limit(profile, offer, resource, _bound(bound, lifted_mw, watch), now_us)
    return None


def _bound(binding: BindingConstraint | None, max_mw: float, watch: Watch) -> Bound:
    """What limits, and whether that element is beyond its limit now, or would be."""
    if binding is None:
        return Bound(None, max_mw)
    violated = {(one.element, one.kind) for one in watch.now.violations}
    return Bound(binding, max_mw, "measured" if (binding.element, binding.kind) in violated else "expected")


def _usable(offer: AcceptedOffer, room_mw: float) -> float:
    max_mw = floor_to_step(room_mw, STEP_MW)
    return max_mw if max_mw >= max(offer.min_quantity_mw, STEP_MW) else 0.0


def _lasting_room_mw(profile: DsoProfile, known: InForce, now_us: int) -> float:
    """The least room of all looks in the hold time; none, if the looks do not go back that far."""
    looks = _kept(profile, known, now_us)
    lasts = looks and now_us - looks[0][0] >= profile.hold_limit_us - 2 * LOOK_US
    return min(mw for _, mw in looks) if lasts else 0.0


def _limit(profile: DsoProfile, offer: AcceptedOffer, resource: str, bound: Bound, now_us: int) -> Limit:
    """A limit with what binds and the MW; without a binding constraint it lifts the one before it wholly."""
    binding, max_mw, ground = bound
    return Limit(
        offer_id=offer.offer_id,
        resource=resource,
        direction=offer.direction,
        kind="cap" if max_mw > 0 else "terminate",
        max_mw=max_mw,
        binding=binding,
        ground=ground,
        valid_until=min(now_us + profile.limit_validity_us, max(now_us + 1, profile.calendar.end_us)),
    )


def _runs_out(profile: DsoProfile, known: InForce, now_us: int) -> bool:
    """Whether a limit is to be renewed, or repeated because nobody has confirmed it."""
    if known.status == "unconfirmed":
        return now_us - known.asked_us >= LOOK_US
    if known.lifted or known.until_us >= profile.calendar.end_us:
        return False
    return known.until_us - now_us <= profile.limit_validity_us // 3


def _renewed(profile: DsoProfile, state: DsoState, key: str, known: InForce, now_us: int) -> Limit | None:
    """The same limit for as long again, in the name of an offer that is being delivered, if there is one.

    None where nothing is delivered and the last offer is forgotten: it lapses until the resource delivers again.
    """
    kept, accepted = reserves.offers(state), current(state, now_us)
    present = (*accepted, *(one for one in kept.values() if one.delivery_start <= now_us < one.delivery_end))
    own = [offer for offer in present if key in {limit_key(offer, unit) for unit in units(state, offer)}]
    last = state.accepted.get(known.offer_id) or kept.get(f"{known.offer_id}|{key.rpartition('|')[2]}")
    offer = min(own, key=lambda one: (one.rank, one.offer_id), default=last)
    if offer is None:
        return None
    return _limit(profile, offer, key.split("|")[1], Bound(known.binding, known.max_mw, known.ground), now_us)
