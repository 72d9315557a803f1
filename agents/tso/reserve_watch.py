"""The TSO looks in every control cycle whether awarded containment reserve follows the frequency.

    |Δf|·slope of the last 30 s: the least and the most of it  ±  tolerance  ∋  measured MW         else: not kept

The reserve may lag behind the frequency by its full activation time, so what it gives must lie between the least and
the most that the frequencies of that time ask for. A measurement that is missing or old counts as not kept. Its MW are
no part of the known activation: the area's K (ACE = K · Δf) counts them already.
"""

from ...grid.area.area import AreaReading
from ...protocols.information.quantities import US_PER_S
from ..market.reserve import Award
from ..profiles import ReserveRules, TsoProfile
from .applicants import source_of
from .containment import held
from .state import Kept, TsoState


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
    kept, awards = state.reserve.kept, _in_force(state, now_us)
    keeps = held(state, awards)
    for participant, own in _by_participant(awards).items():
        known = state.reserve.known.get(participant)
        fresh = known is not None and now_us - known.measured_us <= 3 * profile.control_us + US_PER_S
        sizes = sum(award.awarded_mw for award in own), sum(keeps[award.offer.offer_id] for award in own)
        follows = known is not None and fresh and _follows(rules, sizes, offsets_hz, known.activated_mw)
        for offer, awarded_mw in own:
            before = kept.get(offer.offer_id, Kept())
            part = keeps[offer.offer_id] / awarded_mw if follows else 0
            kept = kept.set(offer.offer_id, Kept(before.followed + part, before.cycles + 1))
    return state.with_reserve(offsets_hz=offsets_hz, kept=kept)


def _by_participant(awards: list[Award]) -> dict[str, list[Award]]:
    """A participant has one measurement for all that it keeps."""
    found: dict[str, list[Award]] = {}
    for award in awards:
        found.setdefault(award.offer.participant, []).append(award)
    return found


def _in_force(state: TsoState, now_us: int) -> list[Award]:
    """Awards whose time it is, from the second cycle on: before, nothing can have been measured."""
    awards = [award for _, own in sorted(state.reserve.awards.items()) for award in own]
    return [a for a in awards if a.offer.delivery_start + 5 * US_PER_S <= now_us < a.offer.delivery_end]


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
