"""Limits in the order in which a TSO activates: every prefix of the list, and every part of its last offer, passes AC.

    block of offers ─▶ all of each, one on top of the other; of hopeless ones the least that counts  ─▶ one batch
                  └─▶ up to the first surprise they are settled; that offer is looked at closely, and on it goes

Offers that cannot be allowed anything are found out in batches too: once a grid is congested they are most of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Booleans, Complexes, Floats, Integers
from .activation import Activation, kept, smallest
from .judging import Judge, Verdict
from .legs import Legs
from .marginal import RUNGS, Gaps, crossing

BLOCK, SMALLEST_BLOCK, LARGER_BLOCK, AHEAD = 512, 16, 128, 256
FINE_MW = 1e-6
# Within a step that moves voltages less than this, currents and voltages run so straight that its ends speak for it.
STRAIGHT_PU = 0.04


@dataclass(slots=True)
class Settled:
    """What a walk has found, one entry an activation: signed MW, states for naming what binds, import changes."""

    p_mw: Floats
    limited: list[int]
    beyond_mva: list[Complexes]
    asked_mva: list[Complexes]
    interface_mva: Complexes


class Walk:
    """Walks along activations, keeping what is allowed switched on; `weights` (patterns × legs) as in `Legs`."""

    def __init__(self, judge: Judge, activations: Sequence[Activation], legs: Legs, weights: Complexes) -> None:
        self._judge, self._activations, self._legs, self._weights = judge, activations, legs, weights
        self._on = np.zeros((len(weights), legs.width), dtype=complex)
        self._import_mva = judge.base_interface_mva
        self._least = np.array([smallest(each) for each in activations])
        self._hopeless = np.zeros(len(activations), dtype=np.bool_)

    def settle(self, asked_mw: Floats) -> Settled:
        """Return what fits of every activation in turn, at most `asked_mw` (signed)."""
        count = len(asked_mw)
        interfaces = np.zeros((count, len(self._import_mva)), dtype=complex)
        settled = Settled(np.zeros(count), [], [], [], interfaces)
        position, size = 0, BLOCK
        while position < count:
            block = np.arange(position, min(position + size, count))
            done = self._block(block, asked_mw, settled)
            position += done
            size = min(BLOCK, 2 * size)
            if done < len(block):
                self._closely(position, asked_mw[position], settled)
                position, size = position + 1, min(max(SMALLEST_BLOCK, done), LARGER_BLOCK)
                self._expect(np.arange(position, min(position + AHEAD, count)), asked_mw)
        return settled

    def _expect(self, ahead: Integers, asked_mw: Floats) -> None:
        """Find out which of the next cannot be allowed the least that counts, as things stand."""
        open_ = ahead[~self._hopeless[ahead] & (asked_mw[ahead] != 0)]
        if len(open_):
            probes = self._on[:, None, :] + self._single(open_, self._probe_mw(open_, asked_mw))
            verdict = self._judge.judge(np.concatenate([*probes]))
            self._hopeless[open_] = ~verdict.allowed.reshape(len(probes), -1).all(axis=0)

    def _block(self, block: Integers, asked_mw: Floats, settled: Settled) -> int:
        """Settle the activations of a block as expected, up to the first that is not; return how many."""
        hopeless = self._hopeless[block] | (np.abs(asked_mw[block]) < self._least[block])
        wanted = np.zeros(len(asked_mw))
        wanted[block[~hopeless]] = asked_mw[block[~hopeless]]
        path, before, at = self._path(block, wanted)
        probed = block[hopeless & (asked_mw[block] != 0)]
        probes = before[:, probed - block[0]] + self._single(probed, self._probe_mw(probed, asked_mw))
        width = path.shape[1]
        verdict = self._judge.judge(np.concatenate([*path, *probes]))
        states = len(path) * width
        allowed: Booleans = np.asarray(verdict.allowed[:states].reshape(len(path), width).all(axis=0))
        straight = (verdict.jump_pu[:states].reshape(len(path), width)[:, 1:] < STRAIGHT_PU).all(axis=0)
        fine: Booleans = np.logical_and.reduceat(allowed[1:] & straight, at[:-1]) | (wanted[block] == 0)
        refused: Booleans = np.asarray(~verdict.allowed[states:].reshape(len(path), -1).all(axis=0))
        fine[np.isin(block, probed)] = refused
        done = len(block) if fine.all() else int(np.argmin(fine))
        self._hopeless[block[done:]] &= ~np.isin(block[done:], probed[~refused])
        self._keep(block[:done], wanted, (path, verdict.interface_mva[:width], at), settled)
        self._refuse(block[:done], probed, (before, probes), asked_mw, settled)
        return done

    def _path(self, block: Integers, wanted: Floats) -> tuple[Complexes, Complexes, Integers]:
        """Return states (patterns × (1 + legs) × columns), those before each activation, and their first legs."""
        legs = slice(int(self._legs.first[block[0]]), int(self._legs.last[block[-1]]))
        amounts = self._legs.amounts(wanted)[legs]
        own, rows = np.arange(legs.start, legs.stop), np.arange(len(amounts))
        path = np.empty((len(self._weights), 1 + len(amounts), self._legs.width), dtype=complex)
        for pattern, weights in enumerate(self._weights[:, legs]):
            steps = self._legs.spread(own, amounts * weights, rows, len(rows))
            path[pattern, 0] = self._on[pattern]
            np.cumsum(steps, axis=0, out=path[pattern, 1:])
            path[pattern, 1:] += self._on[pattern]
        at = np.append(self._legs.first[block], legs.stop) - legs.start
        return path, path[:, at[:-1]], at

    def _probe_mw(self, which: Integers, asked_mw: Floats) -> Floats:
        return np.asarray(np.sign(asked_mw[which]) * np.minimum(self._least[which], np.abs(asked_mw[which])))

    def _single(self, which: Integers, p_mw: Floats) -> Complexes:
        """Return the change that each of some activations makes alone (patterns × activations × columns)."""
        return singly(self._legs, self._weights, which, p_mw)

    def _keep(
        self, block: Integers, wanted: Floats, found: tuple[Complexes, Complexes, Integers], settled: Settled
    ) -> None:
        if not len(block):
            return
        path, interface, at = found
        settled.p_mw[block] = wanted[block]
        ends = at[: len(block) + 1]
        settled.interface_mva[block] = -np.diff(interface[ends], axis=0)
        self._on, self._import_mva = path[:, ends[-1]].copy(), interface[ends[-1]]

    def _refuse(
        self,
        block: Integers,
        probed: Integers,
        states: tuple[Complexes, Complexes],
        asked_mw: Floats,
        settled: Settled,
    ) -> None:
        """Remember of what was refused the state that shows why, and the one that was asked for."""
        before, probes = states
        here = probed[np.isin(probed, block)]
        if not len(here):
            return
        asked = before[:, here - block[0]] + self._single(here, asked_mw[here])
        settled.limited += here.tolist()
        worst = self._worst_pattern(probes[:, : len(here)])
        settled.beyond_mva += [probes[p, k] for k, p in enumerate(worst)]
        settled.asked_mva += [asked[p, k] for k, p in enumerate(worst)]

    def _worst_pattern(self, states: Complexes) -> Integers:
        if len(states) == 1:
            return np.zeros(states.shape[1], dtype=np.int64)
        excess = self._judge.judge(np.concatenate([*states])).excess.reshape(len(states), -1)
        return np.asarray(np.argmax(excess, axis=0))

    def _over_patterns(self, verdict: Verdict) -> Floats:
        """Return the gaps of all patterns side by side (states × constraints)."""
        return np.concatenate(np.split(verdict.gaps, len(self._on)), axis=1)

    def _closely(self, which: int, asked_mw: float, settled: Settled) -> None:
        """Settle one activation by itself, and switch on what is allowed of it."""
        index = np.array([which])
        self._judge.approach(self._on[0])

        def states(fractions: Floats) -> Complexes:
            return self._on[:, None, :] + self._single(np.repeat(index, len(fractions)), fractions * asked_mw)

        def gaps(fractions: Floats) -> Floats:
            return self._over_patterns(self._judge.judge(np.concatenate([*states(fractions)])))

        least = min(self._least[which], abs(asked_mw)) / abs(asked_mw)
        tried = self._judge.judge(np.concatenate([*states(np.array([least, 0.0, 1.0]))]))
        found = self._over_patterns(tried)
        if (found[0] > 0).any():
            part, high = 0.0, least  # not even the least that counts, as of those that are expected to be hopeless
        else:
            straight = tried.jump_pu.reshape(len(self._on), -1)[:, 2].max() < STRAIGHT_PU
            part, high = self._boundary(gaps, FINE_MW / abs(asked_mw), found[1:] if straight else None)
        if part < 1.0:
            at_high, at_asked = states(np.array([high])), states(np.ones(1))
            worst = self._worst_pattern(at_high)[0]
            settled.limited.append(which)
            settled.beyond_mva.append(at_high[worst, 0])
            settled.asked_mva.append(at_asked[worst, 0])
        settled.p_mw[which] = asked_mw if part == 1.0 else kept(self._activations[which], asked_mw * part)
        self._on = self._on + self._single(index, settled.p_mw[index])[:, 0]
        imported = self._judge.judge(self._on[:1]).interface_mva[0]
        settled.interface_mva[which] = self._import_mva - imported
        self._import_mva = imported

    @staticmethod
    def _boundary(gaps: Gaps, tolerance: float, ends: Floats | None) -> tuple[float, float]:
        """Return (allowed, not allowed), both 1 if all of it is; `ends`: the gaps at 0 and 1, if it runs straight."""
        rungs = np.linspace(0, 1, RUNGS + 1 if ends is None else 2)
        found = gaps(rungs) if ends is None else ends
        over = (found[1:] > 0).any(axis=1)
        if not over.any():
            return 1.0, 1.0
        first = int(np.argmax(over))
        return crossing(gaps, rungs[first], rungs[first + 1], tolerance, found[first : first + 2])


def singly(legs: Legs, weights: Complexes, which: Integers, p_mw: Floats) -> Complexes:
    """Return the change that each of some activations makes alone (patterns × activations × columns)."""
    counts = legs.last[which] - legs.first[which]
    rows = np.repeat(np.arange(len(which)), counts)
    own = np.repeat(legs.first[which] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    filled = np.clip(np.abs(p_mw)[rows] - legs.start_mw[own], 0.0, legs.size_mw[own]) * legs.sign[own]
    return np.array([legs.spread(own, filled * weight, rows, len(which)) for weight in weights[:, own]])
