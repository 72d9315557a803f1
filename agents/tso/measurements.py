"""What the TSO hears of its participants (INFO 7): one measurement, or those of a whole cycle at once.

    Heard ────────▶ one ──┐
    overheard rows ▶ many ┴─▶ known activation, meters of aFRR        or: what keeps containment reserve

The first measurement of a participant is evidence, so it is looked at by itself. So is one from the future, which
counts for nothing: else its sender would be believed until then, whatever happens.
"""

from collections.abc import Sequence

from ...protocols.flow import Row
from ...protocols.information.activation import Measurement
from ...protocols.information.quantities import US_PER_S
from ...protocols.stages import activation as stage
from ..actions import Note
from ..agent import Reaction
from ..changes import derived, replace
from ..cycle import Cycle, taken_us
from ..events import Heard
from ..profiles import TsoProfile
from .afrr import metering
from .reserve import watch as reserve_watch
from .state import Activation, Known, TsoState

Measured = tuple[str, float, int]


def heard(
    profile: TsoProfile, state: TsoState, event: Heard, measurement: Measurement, now_us: int
) -> Reaction[TsoState]:
    """A measurement has come in."""
    name = event.conversation.peer
    at_us = taken_us(measurement.measured_at, now_us, profile.stale_after_us)
    state, notes = _dated(state, name, ahead_us=measurement.measured_at - now_us if at_us is None else None)
    if at_us is None:
        return state, notes
    state = _taken(profile, state, ((name, measurement.activated_mw, at_us),))
    if name in state.activation.subscribed or reserve_watch.keeps(state, name):
        return state, notes
    state = state.with_activation(subscribed=state.activation.subscribed.set(name, True))
    step = None if name in profile.dsos else "7.4"
    return state, (*notes, Note(stage.STAGE, step, {"name": "first measurement received", "participant": name}))


def _dated(state: TsoState, name: str, ahead_us: int | None) -> Reaction[TsoState]:
    """Take note of it when a participant begins to date its measurements too far ahead, and when it ceases to."""
    ahead = state.activation.ahead
    if (ahead_us is not None) == (name in ahead):
        return state, ()
    what = "measurements dated right again" if ahead_us is None else "measurements from the future not taken"
    evidence: dict[str, object] = {"name": what, "participant": name}
    if ahead_us is not None:
        evidence["ahead_s"] = round(ahead_us / US_PER_S, 3)
    return state.with_activation(ahead=ahead ^ {name}), (Note(stage.STAGE, None, evidence),)


def overheard(profile: TsoProfile, state: TsoState, rows: Sequence[Row]) -> tuple[TsoState, int]:
    """Measurements have come in, one after the other; returns how many were taken, up to a participant's first."""
    measured: list[Measured] = []
    subscribed, keepers, ahead = state.activation.subscribed, _keepers(state), state.activation.ahead
    for row in rows:
        content, name = row.content, row.flow.link[0]
        if not (name in subscribed or name in keepers) or name in ahead or not isinstance(content, Measurement):
            break
        at_us = taken_us(content.measured_at, row.heard_us, profile.stale_after_us)
        if at_us is None:
            break
        measured.append((name, content.activated_mw, at_us))
    return (_taken(profile, state, measured) if measured else state), len(measured)


def told(profile: TsoProfile, state: TsoState, cycle: Cycle) -> TsoState | None:
    """The same as columns; None if it is somebody's first, or of somebody who keeps containment reserve."""
    names, before = cycle.names, state.activation.cycle
    if not state.activation.ahead.isdisjoint(names):
        return None
    subscribed, keepers = state.activation.subscribed, _keepers(state)
    sources = subscribed, keepers, names
    if not derived(state, "~energy only", sources, lambda: all(n in subscribed and n not in keepers for n in names)):
        return None
    news = {name: Known(one.activated_mw, cycle.at_us) for name, one in cycle.news(before)}
    same = before is None or before.names is names
    activation = state.activation if same else one_by_one(state.activation)
    activation = replace(activation, known=activation.known.update(news), cycle=cycle)
    regulation = metering.together(profile, state.regulation, activation, before)
    return replace(state, activation=activation, regulation=regulation)


def _keepers(state: TsoState) -> frozenset[str]:
    """Participants that keep containment reserve: their first measurement is no evidence."""
    sources = state.prequalification.applied, state.prequalification.applicants
    return derived(state, "~keepers", sources, lambda: _all_keepers(state))


def _all_keepers(state: TsoState) -> frozenset[str]:
    return frozenset(name for name in sorted(state.prequalification.applied) if reserve_watch.keeps(state, name))


def _in_order(state: TsoState, measured: Sequence[Measured]) -> list[Measured]:
    """Without what was measured earlier than what is known of the same participant: it was overtaken on its way."""
    latest_us: dict[str, int] = {}
    kept = []
    for name, activated_mw, at_us in measured:
        if name not in latest_us:
            known = state.activation.last(name) or state.reserve.known.get(name)
            latest_us[name] = known.measured_us if known is not None else at_us
        if at_us >= latest_us[name]:
            latest_us[name] = at_us
            kept.append((name, activated_mw, at_us))
    return kept


def _taken(profile: TsoProfile, state: TsoState, measured: Sequence[Measured]) -> TsoState:
    """What counts of each participant now."""
    keepers, measured = _keepers(state), _in_order(state, measured)
    last = {name: Known(activated_mw, at_us) for name, activated_mw, at_us in measured}
    if keepers:
        kept = {name: known for name, known in last.items() if name in keepers}
        state = state.with_reserve(known=state.reserve.known.update(kept))
        last = {name: known for name, known in last.items() if name not in keepers}
    activation = one_by_one(state.activation)
    activation = replace(activation, known=activation.known.update(last))
    regulation = metering.measured(profile, state.regulation, [one for one in measured if one[0] in last])
    return replace(state, activation=activation, regulation=regulation)


def one_by_one(activation: Activation) -> Activation:
    """Whoever was last heard in a cycle counts as heard by itself from now on."""
    if activation.cycle is None:
        return activation
    known = {name: last for name in activation.cycle.names if (last := activation.last(name)) is not None}
    return replace(activation, known=activation.known.update(known), cycle=None)
