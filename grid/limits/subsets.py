"""Limits for whatever a TSO may pick: every subset of what is allowed, and every part of each, stays feasible.

    base state ─▶ slopes ─▶ worst patterns of every constraint            (patterns.py)
    list ─▶ as much of it, in order, as every pattern bears               one secant along the list, AC
        ─▶ slopes at the binding state: a worse pattern? then with it again
        ─▶ the offer at which it stops is cut, those that push the same way get nothing, on with the rest
    gate ─▶ worst patterns at the stressed states, random subsets and parts: a violation is a pattern more, once again

More allowed means a larger box of what may be picked, so feasibility along the list is lost only once, and what could
not be allowed anything never can. Nothing leaves here that some pattern forbids under AC.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ..arrays import Booleans, Complexes, Floats, Integers
from ..errors import GridError
from .activation import Activation, kept, smallest
from .judging import Judge
from .legs import Legs
from .marginal import crossing
from .patterns import Groups, groups_of, patterns, pushes, worst_patterns
from .sharing import Sharing
from .slopes import Slopes, slopes_at
from .walking import FINE_MW, Settled, Walk, singly

CRITICAL = 6
NARROWING = 3
GATE_RANDOM = 96
GATE_STRESSED = 6
STRESSED = -0.03
MAX_ROUNDS = 40


class SubsetWalk:
    """Settles activations so that any part of any of them may be picked."""

    def __init__(self, judge: Judge, activations: Sequence[Activation], legs: Legs) -> None:
        self._judge, self._activations, self._legs = judge, activations, legs
        self._groups: Groups = groups_of(legs)
        self._reactive = bool(legs.q_low.any() or legs.q_high.any())
        self._least = np.array([smallest(each) for each in activations])
        self._weights: Complexes = np.empty((0, len(legs.owner)), dtype=complex)

    def settle(self, asked_mw: Floats, *, pro_rata: bool) -> Settled:
        """Return what may be allowed of every activation, in order or pro rata, at most `asked_mw` (signed)."""
        self._weights = legs_on(self._legs)
        for case in range(len(self._judge.hearings)):
            found = self._worst_at(case, np.zeros(self._legs.width, dtype=complex), asked_mw)
            self._weights = np.unique(np.concatenate([self._weights, found]), axis=0)
        for _ in range(MAX_ROUNDS):
            settled = self._shared(asked_mw) if pro_rata else self._walk(asked_mw)
            worse = self._weights[:0] if settled is None else self._gate(settled.p_mw)
            if settled is not None and not len(worse):
                return settled
            self._weights = np.concatenate([self._weights, worse])
        raise GridError(f"no safe subset limits after {MAX_ROUNDS} rounds of worse patterns")

    def _shared(self, asked_mw: Floats) -> Settled:
        states = partial(self._changes, self._weights)
        return Sharing(self._judge, self._activations, self._legs, states).settle(asked_mw)

    def _worst_at(self, case: int, change_mva: Complexes, p_mw: Floats) -> Complexes:
        """Return the worst patterns of all constraints, by slopes at a state."""
        slopes = self._slopes(case, change_mva)
        if slopes is None:
            return self._weights[:0]
        bounds, amounts = self._judge.bounds(case), self._legs.amounts(p_mw)
        return worst_patterns(slopes, self._groups, amounts, bounds, pick=True)

    def _slopes(self, case: int, change_mva: Complexes) -> Slopes | None:
        total = change_mva + self._judge.fixed_mva
        return slopes_at(self._judge.hearings[case], total, reactive=self._reactive)

    def _walk(self, asked_mw: Floats) -> Settled | None:
        """Return what fits, or None if it has to be done again with the patterns that have turned up."""
        count = len(asked_mw)
        settled = Settled(np.zeros(count), [], [], [], np.zeros((count, 0), dtype=complex))
        left = np.flatnonzero(np.abs(asked_mw) >= self._least)
        while len(left):
            reached = self._reach(left, asked_mw, settled.p_mw)
            if reached is None:
                return None
            stop, part, critical = reached
            settled.p_mw[left[:stop]] = asked_mw[left[:stop]]
            if stop == len(left):
                break
            which = int(left[stop])
            self._cut(which, (part, asked_mw[which]), critical, settled)
            left = left[stop + 1 :]
            left = left[~self._hopeless(left, asked_mw, critical, settled)]
        return settled

    def _reach(self, left: Integers, asked_mw: Floats, on_mw: Floats) -> tuple[int, float, Complexes] | None:
        """Return how many of the list fit in full, the part of the next that does, and the patterns that stop it.

        None if a pattern has turned up that what is on already violates.
        """
        ends = np.concatenate([[0.0], np.cumsum(np.abs(asked_mw[left]))])
        here = partial(self._along, ends=ends, left=left, asked_mw=asked_mw, on_mw=on_mw)
        critical = self._beyond(self._weights, here(ends[-1:]))
        if not len(critical):
            return len(left), 0.0, critical
        self._judge.scatter()
        low, high, working = self._narrowed(critical, 0.0, ends[-1], here)
        while True:
            low, high = self._bracket(working, low, high, here)
            worse = self._beyond(critical, here(np.array([low])))
            if not len(worse):
                worse = self._refined(here(np.array([high]))[0], here(np.array([low]))[0])
            if not len(worse):
                stopping = self._beyond(working, here(np.array([high])))
                stopping = stopping if len(stopping) else working[:1]
                stop = min(int(np.searchsorted(ends, low, "right")) - 1, len(left) - 1)
                return stop, (low - ends[stop]) / (ends[stop + 1] - ends[stop]), stopping
            if len(self._beyond(worse, on_mw[None, :])):
                return None
            low, high, working = self._narrowed(np.concatenate([worse, working]), 0.0, low, here)

    def _narrowed(
        self, weights: Complexes, low: float, high: float, here: Callable[[Floats], Floats]
    ) -> tuple[float, float, Complexes]:
        """Return a narrower part of the list in which it stops fitting, and the patterns that stop it there."""
        filled = low + (high - low) * np.arange(1, NARROWING + 1) / NARROWING
        states = np.concatenate([self._changes(weights, row) for row in here(filled)])
        excess = self._judge.judge(states, path=False).excess.reshape(len(filled), len(weights))
        over = excess.max(axis=1) > 0
        first = int(np.argmax(over)) if over.any() else len(over) - 1  # the end is over, if only by a rounding
        order = np.argsort(-excess[first], kind="stable")[:CRITICAL]
        count = max(1, int((excess[first][order] > 0).sum()))
        beyond = weights[order[:count]]
        return (float(filled[first - 1]) if first else low), float(filled[first]), beyond

    def _along(self, filled: Floats, ends: Floats, left: Integers, asked_mw: Floats, on_mw: Floats) -> Floats:
        """Return all amounts (rows × activations) when the list is filled up to some MW on top of what is on."""
        rows = np.repeat(on_mw[None, :], len(filled), axis=0)
        taken = np.clip(filled[:, None] - ends[None, :-1], 0.0, np.abs(asked_mw[left])[None, :])
        rows[:, left] += taken * np.sign(asked_mw[left])
        return rows

    def _changes(self, weights: Complexes, p_mw: Floats) -> Complexes:
        return self._legs.change(self._legs.amounts(p_mw), weights)

    def _beyond(self, weights: Complexes, p_mw: Floats) -> Complexes:
        """Return the patterns that amounts (1 × activations) violate, the worst first."""
        excess = self._judge.judge(self._changes(weights, p_mw[0]), path=False).excess
        order = np.argsort(-excess, kind="stable")
        return weights[order[excess[order] > 0]]

    def _bracket(
        self, working: Complexes, low: float, high: float, here: Callable[[Floats], Floats]
    ) -> tuple[float, float]:
        def gaps(filled: Floats) -> Floats:
            states = [self._changes(working, row) for row in here(filled)]
            return self._judge.judge(np.concatenate(states), path=False).gaps.reshape(len(filled), -1)

        return crossing(gaps, low, high, FINE_MW)

    def _refined(self, beyond_mw: Floats, within_mw: Floats) -> Complexes:
        """Return patterns that slopes at the binding state call worse, as far as AC finds them so just within."""
        states = self._changes(self._weights, beyond_mw)
        verdict = self._judge.judge(states, path=False)
        worst = int(np.argmax(np.where(np.isfinite(verdict.excess), verdict.excess, -np.inf)))
        if not np.isfinite(verdict.excess[worst]):
            return self._weights[:0]
        case = int(np.argmax(verdict.by_case[:, worst]))
        found = self._worst_at(case, states[worst], within_mw)
        worse = self._beyond(found, within_mw[None, :]) if len(found) else found
        self._weights = np.concatenate([self._weights, worse])
        return worse

    def _at_stressed(self, case: int, state_mva: Complexes, p_mw: Floats) -> Complexes:
        """Return the worst pattern, by slopes at a state, of the constraint that is most stressed there."""
        slopes = self._slopes(case, state_mva)
        if slopes is None:
            return self._weights[:0]
        index, _ = self._judge.worst(case, state_mva)
        _, derivatives = slopes.at_state()
        push = pushes(self._groups, derivatives[index : index + 1], reactive=self._reactive)
        return patterns(self._groups, push, self._legs.amounts(p_mw), pick=True)

    def _cut(self, which: int, part: tuple[float, float], critical: Complexes, settled: Settled) -> None:
        fraction, asked_mw = part
        settled.p_mw[which] = kept(self._activations[which], asked_mw * fraction)
        just_mw = np.sign(asked_mw) * (abs(asked_mw * fraction) + max(2 * FINE_MW, self._least[which] * (not fraction)))
        for p_mw, states in ((just_mw, settled.beyond_mva), (asked_mw, settled.asked_mva)):
            row = settled.p_mw.copy()
            row[which] = p_mw
            states.append(self._changes(critical[:1], row)[0])
        settled.limited.append(which)

    def _hopeless(self, left: Integers, asked_mw: Floats, critical: Complexes, settled: Settled) -> Booleans:
        """Return which of the rest cannot be allowed the least that counts, and remember why."""
        refused = np.zeros(len(left), dtype=np.bool_)
        if not len(left):
            return refused
        least_mw = np.sign(asked_mw[left]) * np.minimum(self._least[left], np.abs(asked_mw[left]))
        for number in range(len(critical)):
            weights = critical[number : number + 1]
            pushing = np.bincount(self._legs.owner, np.abs(weights[0]), len(asked_mw))[left] > 0
            chosen = np.flatnonzero(pushing & ~refused)
            if not len(chosen):
                continue
            on = self._changes(weights, settled.p_mw)
            probes = on + singly(self._legs, weights, left[chosen], least_mw[chosen])[0]
            bad = ~self._judge.judge(probes, path=False).allowed
            asked = on + singly(self._legs, weights, left[chosen[bad]], asked_mw[left[chosen[bad]]])[0]
            refused[chosen[bad]] = True
            settled.limited += left[chosen[bad]].tolist()
            settled.beyond_mva += list(probes[bad])
            settled.asked_mva += list(asked)
        return refused

    def _gate(self, p_mw: Floats) -> Complexes:
        """Return patterns that what is allowed would violate: at stressed states, and random ones."""
        states = self._changes(self._weights, p_mw)
        verdict = self._judge.judge(states, path=False)
        found = [self._weights[verdict.excess > 0]]
        first = np.argsort(-verdict.excess, kind="stable")[:GATE_STRESSED]
        for k in first[verdict.excess[first] > STRESSED]:
            found += [self._at_stressed(int(np.argmax(verdict.by_case[:, k])), states[k], p_mw)]
        for case in range(len(self._judge.hearings)):
            worst = int(np.argmax(verdict.by_case[case]))
            found.append(self._worst_at(case, states[worst], p_mw))
        random = np.concatenate([*found, self._random(np.flatnonzero(p_mw))])
        return self._beyond(random, p_mw[None, :])

    def _random(self, on: Integers) -> Complexes:
        """Return random patterns: some of the list, in part or in full, at any reactive power; always the same."""
        generator = np.random.default_rng(len(on))
        count, legs = GATE_RANDOM, len(self._legs.owner)
        share = generator.uniform(0.05, 0.95, (count, 1))
        picked = generator.uniform(size=(count, len(self._activations))) < share
        parts = np.where(generator.uniform(size=(count, 1)) < 0.5, 1.0, generator.uniform(size=picked.shape))
        rate = np.where(generator.uniform(size=(count, legs)) < 0.5, self._legs.q_low, self._legs.q_high)
        on_legs = (picked * parts)[:, self._legs.owner]
        return np.asarray(on_legs * (1 + 1j * rate))


def legs_on(legs: Legs) -> Complexes:
    """Return the pattern with everything on, at the lowest and, if that differs, the highest reactive power."""
    high = (1 + 1j * legs.q_high)[None, :]
    return np.concatenate([legs.plain, high]) if legs.flexible else legs.plain


def walk_safely(
    judge: Judge, activations: Sequence[Activation], legs: Legs, asked_mw: Floats, *, pro_rata: bool
) -> Settled:
    """Return what fits in order (see `Walk`), at whatever reactive power within the ranges is worst.

    With `pro_rata`, what is scarce is shared first, and the walk confirms every prefix of it.
    """
    weights = legs_on(legs)
    here = np.zeros(legs.width, dtype=complex)
    for _ in range(MAX_ROUNDS):
        if legs.flexible:
            weights = np.unique(np.concatenate([weights, _worst_reactive(judge, legs, asked_mw, here)]), axis=0)
        settled = Settled(asked_mw, [], [], [], np.zeros((0, 0), dtype=complex))
        if pro_rata:
            states = partial(prefixes, legs, weights)
            settled = Sharing(judge, activations, legs, states).settle(asked_mw)
        walked = Walk(judge, activations, legs, weights).settle(settled.p_mw)
        walked.limited[:0], walked.beyond_mva[:0] = settled.limited, settled.beyond_mva
        walked.asked_mva[:0] = settled.asked_mva
        if not legs.flexible:
            return walked
        here = legs.change(legs.amounts(walked.p_mw), legs.plain)[0]
        worse = _worst_reactive(judge, legs, walked.p_mw, here)
        if not len(worse) or judge.judge(prefixes(legs, worse, walked.p_mw), path=False).allowed.all():
            return walked
    raise GridError(f"no safe limits after {MAX_ROUNDS} rounds of worse reactive power")


def prefixes(legs: Legs, weights: Complexes, p_mw: Floats) -> Complexes:
    """Return every prefix of amounts, leg by leg, in every pattern (states × columns)."""
    amounts = legs.amounts(p_mw)
    every = np.arange(len(amounts))
    steps = [legs.spread(every, amounts * row, every, len(every)) for row in weights]
    return np.concatenate([np.cumsum(each, axis=0) for each in steps])


def _worst_reactive(judge: Judge, legs: Legs, asked_mw: Floats, here_mva: Complexes) -> Complexes:
    found = [np.empty((0, len(legs.owner)), dtype=complex)]
    for case, hearing in enumerate(judge.hearings):
        slopes = slopes_at(hearing, here_mva + judge.fixed_mva, reactive=True)
        if slopes is not None:
            groups, amounts = groups_of(legs), legs.amounts(asked_mw)
            found.append(worst_patterns(slopes, groups, amounts, judge.bounds(case), pick=False))
    return np.concatenate(found)
