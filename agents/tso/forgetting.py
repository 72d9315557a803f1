"""What the TSO forgets: periods that nobody can ask about any more, so that a day costs no more memory than an hour.

    a period is over ─▶ its settlement begins ─▶ what is left of periods long over goes

Statements of such a period stand, or have been escalated; what became of them is in the record.
"""

from collections.abc import Set
from typing import Any

from immutables import Map

from ..changes import without
from ..profiles import TsoProfile
from .state import TsoState

OF_OFFERS = {"energy", "derated", "moved", "withheld"}


def forgotten(profile: TsoProfile, state: TsoState, now_us: int) -> TsoState:
    """The state without offers, lists, energy and statements of periods that are gone."""
    gone = profile.calendar.gone(now_us)
    over = _offers(state, gone) if gone else ()
    if not over:
        return state
    return _settled(_ordered(_offered(state, gone, over), over), gone, over)


def _offers(state: TsoState, gone: Set[str]) -> tuple[str, ...]:
    """The ids of all offers of these periods, as they were made and as they were accepted."""
    known = state.offering
    made = [o.offer_id for key, offers in known.offers.items() if key.split("/")[2] in gone for o in offers]
    lists = (*_of(known.lists, gone).values(), *_of(known.definitive, gone).values())
    listed = [position.offer.offer_id for positions in lists for position in positions]
    return tuple(sorted({*made, *listed}))


def _of(known: Map[str, Any], gone: Set[str]) -> dict[str, Any]:
    """What is known by `period/…` of these periods."""
    return {key: value for key, value in known.items() if key.partition("/")[0] in gone}


def _offered(state: TsoState, gone: Set[str], over: tuple[str, ...]) -> TsoState:
    known = state.offering
    return state.with_offering(
        offers=without(known.offers, [key for key in known.offers if key.split("/")[2] in gone]),
        unfit=without(known.unfit, [key for key in known.unfit if key.split("/")[2] in gone]),
        lists=without(known.lists, _of(known.lists, gone)),
        definitive=without(known.definitive, _of(known.definitive, gone)),
        verdicts=without(known.verdicts, over),
    )


def _ordered(state: TsoState, over: tuple[str, ...]) -> TsoState:
    known = state.activation
    ordered = {name for name in over if name in known.orders or name in state.regulation.controls}
    left = [name for name in over if name not in ordered]
    maps = {name: without(getattr(known, name), left) for name in sorted(OF_OFFERS)}
    state = state.with_activation(failed=known.failed - frozenset(left), **maps)
    return state.with_regulation(counted=without(state.regulation.counted, left))


def _settled(state: TsoState, gone: Set[str], over: tuple[str, ...]) -> TsoState:
    known = state.settlement
    return state.with_settlement(
        metered=without(known.metered, _of(known.metered, gone)),
        recorded=without(known.recorded, over),
        unsettled=without(known.unsettled, gone),
        agreed=without(known.agreed, gone),
        payments=tuple(one for one in known.payments if one.period not in gone),
    )
