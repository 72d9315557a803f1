"""A DSO's answers against an AC study of the published grid: nothing too much, and nothing cut that it would bear.

what was allowed ─▶ studied again ─▶ cut? then the grid does not bear it
what was asked ───▶ studied ───────▶ more than was allowed? then it was cut without need
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from ...grid.limits.activation import Activation, Allowed

Study = Callable[[Sequence[Activation]], tuple[Allowed, ...]]
TOLERANCE_MW, NEEDLESS_MW, NEEDLESS_SHARE = 2e-3, 0.05, 0.1


class Answered(NamedTuple):
    """What was asked, what of it was allowed, and what was said to bind."""

    asked: Activation
    max_mw: float
    binding: object | None


def unbearable(answers: Sequence[Answered], study: Study) -> Iterator[str]:
    """What was allowed although the grid does not bear it."""
    given = [replace(one.asked, p_mw=_signed(one), min_mw=0.0) for one in answers if one.max_mw > 0]
    for each, found in zip(given, study(given) if given else (), strict=True):
        if abs(found.p_mw) < abs(each.p_mw) - TOLERANCE_MW and found.binding is not None:
            bound = found.binding
            yield f"{abs(each.p_mw):g} MW of {each.id} are allowed, but {bound.element} bears {abs(found.p_mw):g} MW"


def needless(answers: Sequence[Answered], study: Study) -> Iterator[str]:
    """What was cut although the grid bears it, with some room for a DSO's own margin."""
    for one, found in zip(answers, study([one.asked for one in answers]), strict=True):
        room_mw = max(NEEDLESS_MW, NEEDLESS_SHARE * abs(found.p_mw))
        if one.max_mw < abs(found.p_mw) - room_mw:
            yield f"{one.asked.id} is cut to {one.max_mw:g} MW, but the grid bears {abs(found.p_mw):g} MW"


def unsaid(answers: Sequence[Answered]) -> Iterator[str]:
    """What was cut, or allowed beyond what was asked, without a word."""
    for one in answers:
        asked_mw = abs(one.asked.p_mw)
        if one.max_mw > asked_mw + TOLERANCE_MW:
            yield f"{one.max_mw:g} MW of {one.asked.id} are allowed, {asked_mw:g} MW were asked for"
        elif one.max_mw < asked_mw - TOLERANCE_MW and one.binding is None:
            yield f"{one.asked.id} is cut, and no element is named that binds it"


def _signed(one: Answered) -> float:
    return one.max_mw if one.asked.p_mw > 0 else -one.max_mw
