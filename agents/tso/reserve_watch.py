"""The TSO looks in every control cycle whether awarded containment reserve follows the frequency.

    |Δf|·slope of the last 30 s: the least and the most of it  ±  tolerance  ∋  measured MW         else: not kept

The reserve may lag behind the frequency by its full activation time, so what it gives must lie between the least and
the most that the frequencies of that time ask for. A measurement that is missing or old counts as not kept, from the
first one after the beginning on, or when that should have come. Its MW are
no part of the known activation: the area's K (ACE = K · Δf) counts them already.
"""

from immutables import Map

from ...grid.area import AreaReading
from ..changes import Span, derived_now, span
from ..market.reserve import Award
from ..profiles import ReserveRules, TsoProfile
from .applicants import source_of
from .state import Kept, Known, TsoState


def keeps(state: TsoState, participant: str) -> bool:
    """Whether a participant is one that keeps containment reserve."""
    source = source_of(state, participant)
    return source is not None and source.product == "FCR"


def looked(profile: TsoProfile, state: TsoState, reading: object, now_us: int) -> TsoState:
    """Look at every award in force."""
    rules = profile.reserve
    if rules is None:
        return state
    assert isinstance(reading, AreaReading)
    window = 2 + rules.full_activation_us // profile.control_us
    offsets_hz = (*state.reserve.offsets_hz, round(reading.frequency_hz - rules.nominal_hz, 6))[-window:]
    kept = state.reserve.kept
    for award in _in_force(state, now_us):
        offer_id, known = award.offer.offer_id, state.reserve.known.get(award.offer.participant)
        if not _begun(profile, award, known, now_us):
            continue
        before = kept.get(offer_id, Kept())
        fresh = known is not None and now_us - known.measured_us <= profile.stale_after_us
        follows = known is not None and fresh and _follows(rules, award, offsets_hz, known.activated_mw)
        kept = kept.set(offer_id, Kept(before.followed + follows, before.cycles + 1))
    return state.with_reserve(offsets_hz=offsets_hz, kept=kept)


def _begun(profile: TsoProfile, award: Award, known: Known | None, now_us: int) -> bool:
    """Whether something that was measured after its beginning is known, or should be."""
    begins_us = award.offer.delivery_start
    return now_us - begins_us > profile.stale_after_us or (known is not None and known.measured_us > begins_us)


def _in_force(state: TsoState, now_us: int) -> tuple[Award, ...]:
    """Awards whose time it is."""
    awards = state.reserve.awards
    found: tuple[Award, ...] = derived_now(
        state.reserve, "~in force", (awards,), now_us, lambda: _now_in_force(awards, now_us)
    )
    return found


def _now_in_force(awards: Map[str, tuple[Award, ...]], now_us: int) -> Span:
    known = [award for _, own in sorted(awards.items()) for award in own]
    times = [(award.offer.delivery_start, award.offer.delivery_end) for award in known]
    present = tuple(a for a, (start_us, end_us) in zip(known, times, strict=True) if start_us <= now_us < end_us)
    return span(now_us, times, present)


def _follows(rules: ReserveRules, award: Award, offsets_hz: tuple[float, ...], activated_mw: float) -> bool:
    slope = award.awarded_mw / rules.full_deviation_hz
    asked = [min(max(-offset * slope, -award.awarded_mw), award.awarded_mw) for offset in offsets_hz]
    within_mw = rules.tolerance * award.awarded_mw
    return min(asked) - within_mw <= activated_mw <= max(asked) + within_mw
