"""Breadth-first exploration of a system of states and moves, and of what can still end.

    starts ─▶ moves ─▶ new states … until there are none         a move may be *wrong*: noted, not followed
    backwards from the ends: a state that is not met has no way to an end

States are hashable and small; what they stand for is interned by the system (`Interning`). The first
counterexample of each rule is kept, which is a shortest one. Labels of moves are not stored: a way is told
by asking for the moves of its states again.
"""

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from .story import Finding, Moment, Report, Wrong

S = TypeVar("S", bound=Hashable)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Tell = Callable[[], Moment]
STUCK = "no way to an end"


class System(Protocol[S]):
    """What can be explored."""

    @property
    def name(self) -> str:
        """What it is called in the report."""

    @property
    def bounds(self) -> tuple[str, ...]:
        """What it is bounded by."""

    def starts(self) -> Iterable[S]:
        """The states it may begin in."""

    def moves(self, state: S) -> Iterable[tuple[object, S | Wrong]]:
        """Every move from a state: its label, and where it leads or what is wrong with it."""

    def is_end(self, state: S) -> bool:
        """Whether nothing is owed any more."""

    def wrong(self, state: S) -> Wrong | None:
        """What is wrong with a state by itself."""

    def tell(self, state: S, label: object) -> Moment:
        """A move in words."""

    def describe(self, state: S) -> str:
        """A state in words."""


class Interning(Generic[K, V]):
    """Values by small number; equal keys get the same one."""

    def __init__(self) -> None:
        """Begin without any."""
        self._number: dict[K, int] = {}
        self.values: list[V] = []

    def number(self, key: K, value: V) -> int:
        """The number of a key; the value of its first use is kept."""
        found = self._number.setdefault(key, len(self.values))
        if found == len(self.values):
            self.values.append(value)
        return found

    def __getitem__(self, number: int) -> V:
        """The value with a number."""
        return self.values[number]


@dataclass
class Search(Generic[S]):
    """One exploration; `max_states` cuts it off, which the report then says."""

    system: System[S]
    max_states: int = 5_000_000
    order: list[S] = field(default_factory=list)
    _index: dict[S, int] = field(default_factory=dict)
    _parent: "array[int]" = field(default_factory=lambda: array("q"))
    _target: "array[int]" = field(default_factory=lambda: array("q"))
    _offset: "array[int]" = field(default_factory=lambda: array("q", [0]))
    _wrong: dict[str, tuple[int, Wrong, object]] = field(default_factory=dict)
    _broken: set[int] = field(default_factory=set)

    def run(self) -> Report:
        """Explore everything, then look for what cannot end."""
        for start in self.system.starts():
            self._reach(start, -1)
        at = 0
        while at < len(self.order) <= self.max_states:
            self._expand(at)
            at += 1
        complete = at == len(self.order)
        ends = self._look_for_stuck() if complete else 0
        findings = tuple(self._finding(*self._wrong[rule]) for rule in sorted(self._wrong))
        counts = (len(self.order), len(self._target), ends)
        return Report(self.system.name, self.system.bounds, *counts, findings, complete)

    def _reach(self, state: S, parent: int) -> int:
        found = self._index.get(state)
        if found is None:
            found = self._index[state] = len(self.order)
            self.order.append(state)
            self._parent.append(parent)
            wrong = self.system.wrong(state)
            if wrong is not None:
                self._note(found, wrong, None)
        return found

    def _expand(self, at: int) -> None:
        target = self._target
        for label, then in self.system.moves(self.order[at]):
            if isinstance(then, Wrong):
                self._note(at, then, label)
            else:
                target.append(self._reach(then, at))
        self._offset.append(len(target))

    def _note(self, at: int, wrong: Wrong, label: object) -> None:
        self._broken.add(at)
        self._wrong.setdefault(wrong.rule, (at, wrong, label))

    def _look_for_stuck(self) -> int:
        """Count the ends; note the first state from which none can be reached (and nothing wrong follows)."""
        is_end = self.system.is_end
        can_end = bytearray(is_end(state) for state in self.order)
        ends = sum(can_end)
        for at in self._broken:
            can_end[at] = 1
        changed = True
        while changed:
            changed = False
            for at in range(len(can_end) - 1, -1, -1):
                if not can_end[at] and any(can_end[t] for t in self._target[self._offset[at] : self._offset[at + 1]]):
                    can_end[at] = changed = True
        stuck = can_end.find(0)
        if stuck >= 0:
            deepest = self._deepest(stuck, can_end)
            self._note(deepest, Wrong(STUCK, self.system.describe(self.order[deepest])), None)
        return ends

    def _deepest(self, at: int, can_end: bytearray) -> int:
        """From a state that cannot end, on to where nothing more can happen, if there is such a state."""
        seen = {at}
        while True:
            onward = [t for t in self._target[self._offset[at] : self._offset[at + 1]] if t not in seen]
            if not onward:
                return at
            at = onward[0]
            seen.add(at)

    def _finding(self, at: int, wrong: Wrong, label: object) -> Finding:
        way = self._way(at)
        moments = [self._told(self.order[a], self.order[b]) for a, b in zip(way, way[1:], strict=False)]
        if label is not None:
            moments.append(self.system.tell(self.order[at], label))
        return Finding(wrong, tuple(moments))

    def _way(self, at: int) -> list[int]:
        def back() -> Iterator[int]:
            here = at
            while here >= 0:
                yield here
                here = self._parent[here]

        return list(back())[::-1]

    def _told(self, state: S, then: S) -> Moment:
        label = next(label for label, target in self.system.moves(state) if target == then)
        return self.system.tell(state, label)


def explore(system: System[S], max_states: int = 5_000_000) -> Report:
    """Explore a system; the report says if it was cut off at `max_states`."""
    return Search(system, max_states).run()
