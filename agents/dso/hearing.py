"""What a DSO is told of the participants in its grid (INFO 7), and what it assumes when it is not told.

    INFO 7 comes in    ─▶ archived; set-point and power at the connection points as told
    INFO 7 stays away  ─▶ own readings only: a declared share of all that was accepted counts as on

A DSO that knows nothing must not assume that nothing happens: what was accepted may be on at any time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from operator import itemgetter
from typing import Any

from ...grid.limits.allowing import Activation
from ...protocols.flow import Row
from ...protocols.information.activation import FollowedLimit, Measurement
from ...protocols.information.offering import AcceptedOffer
from ...protocols.stages import activation as stage
from ..actions import Action, Note
from ..agent import Reaction
from ..changes import Span, derived, derived_now, replace, span
from ..cycle import Cycle, covers, heard_us, taken_us
from ..profiles import DsoProfile
from . import archive, reserves
from .state import DsoState, Told, limit_key
from .validation import signed

BY = " by "
Placed = tuple[float, list[tuple[tuple[int, int], Activation]]]


def told(profile: DsoProfile, state: DsoState, measured: Iterable[tuple[str, Measurement, int]]) -> DsoState:
    """(participant, measurement, when it was heard) have come in; each speaks for its own connection points only.

    What is dated too far ahead counts for nothing, so that its sender is missing before long.
    """
    most_us, state = profile.stale_after_us, _one_by_one(state)
    dated = ((name, content, taken_us(content.measured_at, at_us, most_us)) for name, content, at_us in measured)
    found = [(name, content, at_us) for name, content, at_us in dated if at_us is not None]
    state = replace(state, heard_us=state.heard_us.update({name: at_us for name, _, at_us in found}))
    known = derived(state, "~points", (state.connected,), lambda: _points(state))
    return news(profile, state, {name: _told(known, name, content) for name, content, _ in found})


def told_of(profile: DsoProfile, state: DsoState, cycle: Cycle) -> DsoState:
    """Measurements of a whole cycle as columns."""
    known = derived(state, "~points", (state.connected,), lambda: _points(state))
    found = {name: _told(known, name, one) for name, one in cycle.news(state.cycle)}
    if state.cycle is not None and state.cycle.names is not cycle.names:
        state = _one_by_one(state)
    return news(profile, state, found, cycle=cycle)


def _one_by_one(state: DsoState) -> DsoState:
    """Whoever was last heard in a cycle counts as heard by itself from now on."""
    cycle, known = state.cycle, state.heard_us
    if cycle is None:
        return state
    times = {name: heard_us(cycle, name, known.get(name, 0)) for name in cycle.names}
    return replace(state, heard_us=known.update(times), cycle=None)


def news(profile: DsoProfile, state: DsoState, found: Mapping[str, Told], **changes: Any) -> DsoState:
    """What is told of somebody from now on; what was told until now is archived where it was another power.

    The state with other `changes` too.
    """
    told = state.told
    if not found:
        return replace(state, **changes) if changes else state
    turned = [name for name, now in found.items() if name not in told or told[name].activated_mw != now.activated_mw]
    return archive.settled(profile, state, turned, told=told.update(found), **changes)


def _told(known: Mapping[str, Set[str]], name: str, measurement: Measurement) -> Told:
    own = known.get(name, frozenset())
    points = tuple([(point.point, point.power_mva) for point in measurement.points if point.point in own])
    return Told(measurement.set_point_mw, measurement.activated_mw, points)


def overheard(profile: DsoProfile, state: DsoState, rows: Sequence[Row]) -> tuple[DsoState, int]:
    """Measurements of a whole cycle at once, up to a set-point, which is to be passed on."""
    measured = []
    for row in rows:
        if not isinstance(row.content, Measurement):
            break
        measured.append((row.flow.link[0], row.content, row.heard_us))
    return (told(profile, state, measured) if measured else state), len(measured)


def _points(state: DsoState) -> dict[str, set[str]]:
    """The connection points of every participant."""
    found: dict[str, set[str]] = {}
    for _, one in sorted(state.connected.items()):
        found.setdefault(one.participant, set()).update(point for point, _ in one.points)
    return found


def missed(profile: DsoProfile, state: DsoState, now_us: int) -> Reaction[DsoState]:
    """Take note of participants with accepted offers whose INFO 7 has begun or ceased to stay away."""
    begun_us = profile.calendar.first.start_us
    offers, since_us = current(state, now_us), now_us - profile.stale_after_us
    expected = derived(state, "~expected", (offers,), lambda: tuple(sorted({offer.participant for offer in offers})))
    late = []
    if begun_us < since_us and not covers(state.cycle, expected, since_us):
        last = state.heard_us
        late = [name for name in expected if heard_us(state.cycle, name, last.get(name, begun_us)) < since_us]
    missing = frozenset(late)
    if missing == state.missing:
        return state, ()
    notes: list[Action] = []
    for name in sorted(missing ^ state.missing):
        what = "measurements missing" if name in missing else "measurements no longer missing"
        evidence = {"name": what, "participant": name, "assumed_share": profile.assumed_share}
        notes.append(Note(stage.STAGE, None, evidence))
    return replace(archive.settled(profile, state, missing ^ state.missing), missing=missing), tuple(notes)


def measured(profile: DsoProfile, state: DsoState, now_us: int) -> tuple[tuple[str, complex], ...]:
    """(connection point, MVA): as told; of those whose INFO 7 is missing as assumed, with the Mvar per MW declared."""
    told = [pair for name, known in sorted(state.told.items()) if name not in state.missing for pair in known.points]
    assumed = (
        (point, share * _activation(state, offer, offer.resource, signed(mw, offer.direction)).power_mva)
        for offer, mw in _assumed(profile, state, now_us)
        for point, share in state.connected[offer.resource].points
    )
    return (*told, *assumed)


def _assumed(profile: DsoProfile, state: DsoState, now_us: int) -> Iterator[tuple[AcceptedOffer, float]]:
    """Offers of the missing with the MW that count: a share of what was accepted, within a limit that was confirmed."""
    for offer in current(state, now_us) if state.missing else ():
        if offer.participant in state.missing:
            limit = state.limits.get(limit_key(offer))
            most_mw = limit.max_mw if limit is not None and limit.status == "confirmed" else offer.quantity_mw
            yield offer, min(profile.assumed_share * offer.quantity_mw, most_mw)


def ordered(profile: DsoProfile, state: DsoState, now_us: int, *, lift: bool) -> tuple[Activation, ...]:
    """Offers being activated, in merit order, at the MW that participants have been asked for, or may have been.

    A participant's set-point is shared by its offers in merit order. When it is time to see whether limits
    can be lifted, limited offers count with all that was accepted.
    """
    if lift or state.missing:
        assumed = {offer.offer_id: mw for offer, mw in _assumed(profile, state, now_us)}
        left = {name: known.set_point_mw for name, known in sorted(state.told.items())}
        return tuple(_shared(state, current(state, now_us), left, assumed, lift=lift))
    found = _as_told(state, current(state, now_us))
    found.sort(key=itemgetter(0))
    return tuple([each for _, each in found])


def _as_told(state: DsoState, offers: list[AcceptedOffer]) -> list[tuple[tuple[int, int], Activation]]:
    """The same by participant, each with its place: what is asked of most is what was asked in the cycle before."""
    sources = offers, state.accepted, state.connected, state.moved, state.limits
    own, kept = derived(state, "~shares", sources, lambda: (_by_participant(offers), dict[str, Placed]()))
    asked = {name: known.set_point_mw for name, known in state.told.items() if known.set_point_mw and name in own}
    found = []
    for name, set_point_mw in asked.items():
        placed = kept.get(name)
        if placed is None or placed[0] != set_point_mw:
            placed = kept[name] = _placed(state, name, own[name], set_point_mw)
        found += placed[1]
    return found


def _placed(state: DsoState, name: str, own: list[tuple[int, AcceptedOffer]], set_point_mw: float) -> Placed:
    """A participant's set-point and activations, with the place of the offer in the list and of the unit in it."""
    left, found = {name: set_point_mw}, list[tuple[tuple[int, int], Activation]]()
    for place, offer in own:
        found += [((place, k), each) for k, each in enumerate(_shared(state, [offer], left, {}, lift=False))]
    return set_point_mw, found


def _by_participant(offers: list[AcceptedOffer]) -> dict[str, list[tuple[int, AcceptedOffer]]]:
    found: dict[str, list[tuple[int, AcceptedOffer]]] = {}
    for place, offer in enumerate(offers):
        found.setdefault(offer.participant, []).append((place, offer))
    return found


def _shared(
    state: DsoState, offers: list[AcceptedOffer], left: dict[str, float], assumed: Mapping[str, float], *, lift: bool
) -> Iterator[Activation]:
    """What is asked of these offers, in merit order; what is taken of a participant's set-point is not `left`."""
    for offer in offers:
        if not (lift or left.get(offer.participant) or offer.offer_id in assumed):
            continue
        asked_mw = max(0.0, signed(left.get(offer.participant, 0.0), offer.direction))
        taken_mw = assumed.get(offer.offer_id, min(asked_mw, offer.quantity_mw))
        left[offer.participant] = left.get(offer.participant, 0.0) - signed(taken_mw, offer.direction)
        if lift and any(limit_key(offer, unit) in state.limits for unit in units(state, offer)):
            taken_mw = offer.quantity_mw
        if taken_mw <= 0:
            continue
        for resource, part_mw in _by_unit(state, offer, taken_mw, lift=lift):
            if part_mw > 0 and resource in state.connected:
                yield _activation(state, offer, resource, signed(part_mw, offer.direction))


def _activation(state: DsoState, offer: AcceptedOffer, resource: str, p_mw: float) -> Activation:
    """What a unit gives of an offer, as a study knows it; the same object as long as it is the same power."""
    kept: dict[tuple[str, str], Activation] = derived(state, "~activations", (state.accepted, state.connected), dict)
    found = kept.get((offer.offer_id, resource))
    if found is None or found.p_mw != p_mw:
        found = state.connected[resource].activation(activation_id(offer, resource), p_mw)
        kept[offer.offer_id, resource] = found
    return found


def _by_unit(state: DsoState, offer: AcceptedOffer, taken_mw: float, *, lift: bool) -> Iterator[tuple[str, float]]:
    """What is given by the offer's own unit, within its limit, and by those that the rest was moved to."""
    moved, limit = state.moved.get(offer.offer_id, ()), state.limits.get(limit_key(offer))
    own_mw = min(taken_mw, limit.max_mw) if moved and limit is not None and not lift else taken_mw
    yield offer.resource, own_mw
    left_mw = round(taken_mw - own_mw, 6)
    for resource, most_mw in moved:
        yield resource, min(left_mw, most_mw)
        left_mw = max(0.0, left_mw - most_mw)


def units(state: DsoState, offer: AcceptedOffer) -> tuple[str, ...]:
    """The units that give an offer."""
    return (offer.resource, *(resource for resource, _ in state.moved.get(offer.offer_id, ())))


def activation_id(offer: AcceptedOffer, resource: str) -> str:
    """An offer as a study knows it; what another unit gives of it is named after that unit too."""
    return offer.offer_id if resource == offer.resource else f"{offer.offer_id}{BY}{resource}"


def unit_of(state: DsoState, activation: str) -> tuple[AcceptedOffer, str]:
    """The offer, or the reserve in one direction, and the unit that an activation of a study stands for."""
    offer_id, _, resource = activation.partition(BY)
    offer = state.accepted.get(offer_id) or reserves.offers(state)[offer_id]
    return offer, resource or offer.resource


def moved(state: DsoState, followed: Iterable[FollowedLimit]) -> DsoState:
    """What the TSO says that other units give of limited offers from now on."""
    known = state.moved
    for one in followed:
        shares = tuple((unit.resource, unit.max_mw) for unit in one.moved)
        known = known.set(one.offer_id, shares)
        known = known if shares else known.delete(one.offer_id)
    return replace(state, moved=known)


def current(state: DsoState, now_us: int) -> list[AcceptedOffer]:
    """Offers whose delivery period it is, in merit order, up before down."""
    sources = state.accepted, state.connected
    found: list[AcceptedOffer] = derived_now(state, "~current", sources, now_us, lambda: _current(state, now_us))
    return found


def _current(state: DsoState, now_us: int) -> Span:
    known = [offer for _, offer in sorted(state.accepted.items())]
    offers = [
        offer
        for offer in known
        if offer.delivery_start <= now_us < offer.delivery_end and offer.resource in state.connected
    ]
    offers.sort(key=lambda offer: (offer.direction != "up", offer.rank, offer.offer_id))
    return span(now_us, ((offer.delivery_start, offer.delivery_end) for offer in known), offers)
