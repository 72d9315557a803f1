"""The TSO looks in every control cycle whether awarded containment reserve follows the frequency.

    |Δf|·slope of the last 30 s: the least and the most of it  ±  tolerance  ∋  measured MW         else: not kept

The reserve may lag behind the frequency by its full activation time, so what it gives must lie between the least and
the most that the frequencies of that time ask for. A measurement that is missing or old counts as not kept, from the
first one after the beginning on, or when that should have come. Its MW are
no part of the known activation: the area's K (ACE = K · Δf) counts them already.
"""

from collections.abc import Iterable

from immutables import Map

from ....grid.area.area import AreaReading
from ...changes import Span, derived_now, span
from ...market.reserve import Award
from ...profiles import ReserveRules, TsoProfile
from ..prequalification.applicants import source_of
from ..state import Kept, TsoState
from .containment import held


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
    kept, awards = state.reserve.kept, [a for a in _in_force(state, now_us) if _begun(profile, state, a, now_us)]
    keeps = held(state, awards)
    for participant, own in _by_participant(awards).items():
        known = state.reserve.known.get(participant)
        fresh = known is not None and now_us - known.measured_us <= profile.stale_after_us
        sizes = sum(award.awarded_mw for award in own), sum(keeps[award.offer.offer_id] for award in own)
        follows = known is not None and fresh and _follows(rules, sizes, offsets_hz, known.activated_mw)
        for offer, awarded_mw in own:
            before = kept.get(offer.offer_id, Kept())
            part = keeps[offer.offer_id] / awarded_mw if follows else 0
            kept = kept.set(offer.offer_id, Kept(before.followed + part, before.cycles + 1))
    return state.with_reserve(offsets_hz=offsets_hz, kept=kept)


def _by_participant(awards: Iterable[Award]) -> dict[str, list[Award]]:
    """A participant has one measurement for all that it keeps."""
    found: dict[str, list[Award]] = {}
    for award in awards:
        found.setdefault(award.offer.participant, []).append(award)
    return found


def _begun(profile: TsoProfile, state: TsoState, award: Award, now_us: int) -> bool:
    """Whether, from the second cycle on, something that was measured after its beginning is known, or should be."""
    begins_us, known = award.offer.delivery_start, state.reserve.known.get(award.offer.participant)
    passed_us = now_us - begins_us
    measured = known is not None and known.measured_us > begins_us
    return passed_us > profile.stale_after_us or (measured and passed_us >= 2 * profile.control_us)


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


def _follows(
    rules: ReserveRules, sizes_mw: tuple[float, float], offsets_hz: tuple[float, ...], activated_mw: float
) -> bool:
    """Whether what is measured lies between what is asked of the whole award and of what limits leave of it."""
    asked = [
        min(max(-offset * size_mw / rules.full_deviation_hz, -size_mw), size_mw)
        for size_mw in sizes_mw
        for offset in offsets_hz
    ]
    within_mw = rules.tolerance * sizes_mw[0]
    return min(asked) - within_mw <= activated_mw <= max(asked) + within_mw
