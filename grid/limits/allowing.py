"""How much of each offer the grid can bear: offers in, allowed MW and the binding constraint out.

    single   each offer alone
    all      each alone, and everything in the given order together: never less strict than alone
    prefix   in the given (merit) order, on top of what was allowed before
    subset   whatever may be picked of the list, each in full, in part or not at all

Exact by AC power flow in every case, down to 1 W: every prefix (or, by worst patterns, every subset) that is allowed
has passed. For single, all and prefix, up and down are walked separately: they do not relieve each other, because
nobody promises that both are activated. A subset may mix them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np

from ..arrays import Floats
from ..errors import GridError
from ..model import GridModel
from .activation import Activation, Allowed, Spread
from .cases import Case, CaseLike, Hearing, hearings
from .constraints import Binding, Rating
from .judging import Judge
from .legs import Legs, legs_of
from .separately import Apart
from .subsets import SubsetWalk, legs_on, walk_safely
from .walking import Settled, singly

__all__ = [
    "Activation",
    "Allowed",
    "Binding",
    "Case",
    "CaseLike",
    "Rating",
    "Scope",
    "Split",
    "Spread",
    "check",
    "limit",
]

Scope = Literal["single", "all", "prefix", "subset"]
Split = Literal["merit_order", "pro_rata"]


def check(
    model: GridModel, cases: Sequence[CaseLike], activations: Sequence[Activation], *, rating: Rating = "continuous"
) -> Binding | None:
    """Return the worst violation of plain limits with all activations on, over the cases; None if there is none.

    A base state that is itself in violation is reported too. With ranges of reactive power both ends count.
    Raises NetworkError for an unknown connection point.
    """
    legs = legs_of(model, activations)
    batch = legs.change(legs.amounts(np.array([each.p_mw for each in activations])), legs_on(legs))
    worst: tuple[float, Binding] | None = None
    for each in hearings(model, cases, rating):
        solver = each.model.solver(each.state.taps, each.state.out)
        for values in each.constraints.values(solver.solve(each.state, batch, at=model.columns.points)):
            for found in each.constraints.beyond(values, each.name)[:1]:
                excess = np.inf if found.kind == "no_solution" else abs(found.value / found.limit - 1)
                if worst is None or excess > worst[0]:
                    worst = (excess, found)
    return None if worst is None else worst[1]


def limit(
    model: GridModel,
    cases: Sequence[CaseLike],
    activations: Sequence[Activation],
    scope: Scope = "prefix",
    *,
    fixed: Sequence[Activation] = (),
    split: Split = "merit_order",
    rating: Rating = "continuous",
    spent: Collection[str] = (),
) -> tuple[Allowed, ...]:
    """Return what is allowed of every activation, in their order; the strictest case counts.

    `fixed` is on throughout and not judged: scopes prefix and subset keep all of it on, "all" what has the direction
    of the activation in question, "single" nothing. `split`: what several would use of a scarce cap goes to the first,
    or to all in proportion to what they asked for. `rating`: which loading limit counts, but for the branches that are
    `spent` always the continuous one. What a base state already
    violates may stay as bad as it is. Raises NetworkError for an unknown connection point, GridError for a case whose
    model does not fit.
    """
    court = _Court(model, hearings(model, cases, rating, spent), split)
    if scope == "subset":
        return court.limit(list(activations), scope, fixed)
    results: dict[int, Allowed] = {}
    for up in (True, False):
        direction = [k for k, activation in enumerate(activations) if (activation.p_mw >= 0) == up]
        chosen = [activations[k] for k in direction]
        results |= dict(zip(direction, court.limit(chosen, scope, fixed), strict=True))
    return tuple(results[k] for k in range(len(activations)))


class _Court:
    """Everything that the questions about one list have in common."""

    def __init__(self, model: GridModel, heard: tuple[Hearing, ...], split: Split) -> None:
        self._model, self._hearings, self._split = model, heard, split
        if not self._hearings:
            raise GridError("a limit needs at least one case to hold in")

    def limit(self, chosen: list[Activation], scope: Scope, fixed: Sequence[Activation]) -> tuple[Allowed, ...]:
        if not chosen:
            return ()
        legs = legs_of(self._model, chosen)
        asked_mw = np.array([each.p_mw for each in chosen])
        alone = self._alone(chosen, legs, asked_mw) if scope in ("single", "all") else None
        if scope == "single" and alone is not None:
            return alone
        up = chosen[0].p_mw >= 0
        judge = self._judge([each for each in fixed if scope != "all" or (each.p_mw >= 0) == up])
        start_mw = np.array([each.p_mw for each in alone]) if alone else asked_mw
        together = self._together(judge, chosen, legs, start_mw, scope)
        return tuple(
            Allowed(t.id, t.p_mw, a.binding, t.interface_mw) if a.p_mw == t.p_mw and a.binding else t
            for a, t in zip(alone or together, together, strict=True)
        )

    def _judge(self, fixed: Sequence[Activation]) -> Judge:
        if not fixed:
            return Judge(self._hearings, np.zeros(len(self._model.columns.points), dtype=complex))
        legs = legs_of(self._model, fixed)
        change = legs.change(legs.amounts(np.array([each.p_mw for each in fixed], dtype=float)), legs.plain)
        return Judge(self._hearings, change[0])

    def _alone(self, chosen: list[Activation], legs: Legs, asked_mw: Floats) -> tuple[Allowed, ...]:
        judge = self._judge(())
        return self._verdicts(judge, chosen, Apart(judge, chosen, legs, legs_on(legs)).settle(asked_mw))

    def _together(
        self, judge: Judge, chosen: list[Activation], legs: Legs, start_mw: Floats, scope: Scope
    ) -> tuple[Allowed, ...]:
        if scope == "subset":
            subsets = SubsetWalk(judge, chosen, legs)
            settled = subsets.settle(start_mw, pro_rata=self._split == "pro_rata")
            alone = singly(legs, legs.plain, np.arange(len(chosen)), settled.p_mw)[0]
            settled.interface_mva = judge.base_interface_mva - judge.judge(alone, path=False).interface_mva
        else:
            settled = walk_safely(judge, chosen, legs, start_mw, pro_rata=self._split == "pro_rata")
        return self._verdicts(judge, chosen, settled)

    def _verdicts(self, judge: Judge, chosen: list[Activation], settled: Settled) -> tuple[Allowed, ...]:
        bindings: dict[int, Binding] = {}
        if settled.limited:
            found = judge.bindings(np.array(settled.beyond_mva), np.array(settled.asked_mva))
            for which, binding in zip(settled.limited, found, strict=True):
                bindings.setdefault(which, binding)
        names = self._hearings[0].model.ratings.interfaces
        rounded = np.round(settled.interface_mva.real, 6) + 0.0
        return tuple(
            Allowed(each.id, float(p_mw), bindings.get(k), tuple(zip(names, rounded[k].tolist(), strict=True)))
            for k, (each, p_mw) in enumerate(zip(chosen, settled.p_mw, strict=True))
        )
