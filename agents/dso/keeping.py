"""A margin in MW: what is asked of the grid is made larger, and what it allows is made smaller again.

wanted MW ─▶ / (1 − margin) ─▶ study (AC) ─▶ × (1 − margin) ─▶ allowed MW, so 1/(1 − margin) of it would be borne
"""

from __future__ import annotations

from dataclasses import replace

from ...grid.limits.allowing import Activation, Allowed


def enlarged(wanted: tuple[Activation, ...], margin: float) -> tuple[Activation, ...]:
    """What the grid has to bear so that `wanted` may be allowed; 0 ≤ margin < 1."""
    if margin == 0:
        return wanted
    kept = 1 - margin
    return tuple(replace(each, p_mw=each.p_mw / kept, min_mw=each.min_mw / kept) for each in wanted)


def reduced(found: tuple[Allowed, ...], wanted: tuple[Activation, ...], margin: float) -> tuple[Allowed, ...]:
    """What of `wanted` may be allowed, from what the grid can bear of it enlarged; the order is the same."""
    if margin == 0:
        return found
    return tuple(_smaller(each, ask, 1 - margin) for each, ask in zip(found, wanted, strict=True))


def _smaller(each: Allowed, ask: Activation, kept: float) -> Allowed:
    p_mw = ask.p_mw if each.binding is None else round(each.p_mw * kept, 6)
    return replace(each, p_mw=p_mw, interface_mw=tuple((name, round(mw * kept, 6)) for name, mw in each.interface_mw))
