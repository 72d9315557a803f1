"""The states that a limit must hold in: a name and an operating point, and what is particular to it.

A case may come with another model of the same grid (an outage: N-1), with other limits (after an outage more may be
borne), or with another rating than the question's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from ..description.grid import GridLimits
from ..errors import GridError
from ..model import GridModel
from ..powerflow.operating_point import OperatingPoint
from ..powerflow.solution import Solution
from .constraints import Constraints, Rating


class Case(NamedTuple):
    """A state by name; `model`, `limits` and `rating` where they are not those of the question.

    `model` must have the same connection points and transformers; of `limits` counts what is given.
    """

    name: str
    state: OperatingPoint
    model: GridModel | None = None
    limits: GridLimits | None = None
    rating: Rating | None = None


@dataclass(frozen=True, eq=False)
class Hearing:
    """A case, ready to be judged: its model and its constraints."""

    name: str
    state: OperatingPoint
    model: GridModel
    constraints: Constraints

    @cached_property
    def at_rest(self) -> Solution:
        """The solved state of the case itself; once, because many lists are held against the same states."""
        return _at_rest(self.model, self.state)


@lru_cache(maxsize=16)
def _at_rest(model: GridModel, state: OperatingPoint) -> Solution:
    return model.solver(state.taps, state.out).solve(state)


@lru_cache(maxsize=32)
def _constraints(model: GridModel, rating: Rating, spent: tuple[str, ...]) -> Constraints:
    """The constraints of a model with limits of its own."""
    return Constraints(model, rating, spent=spent)


CaseLike = Case | tuple[str, OperatingPoint] | Hearing


def hearings(
    model: GridModel, cases: Sequence[CaseLike], rating: Rating, spent: Collection[str] = ()
) -> tuple[Hearing, ...]:
    """Return the cases with their models and constraints; what has been made ready before stands as it is.

    Raises GridError if a model has other points.
    """
    found = []
    for given in cases:
        if isinstance(given, Hearing):
            found.append(given)
            continue
        case = Case(*given)
        own = case.model or model
        if own.point_names != model.point_names or not np.array_equal(own.point_buses, model.point_buses):
            raise GridError(f'case "{case.name}": its model must have the same connection points as the question')
        if case.limits is None:
            constraints = _constraints(own, case.rating or rating, tuple(spent))
        else:
            constraints = Constraints(own, case.rating or rating, case.limits, spent=spent)
        found.append(Hearing(case.name, own.energised(case.state), own, constraints))
    return tuple(found)
