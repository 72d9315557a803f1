"""A state with some values changed – what `dataclasses.replace` does, four times as fast – and what follows from it.

States are frozen and have no slots, so that a new one is a copied dictionary. They change at every message; the
general function, which looks at every field, was the dearest single thing in a run. What is derived from a part of a
state – who is concerned in this period, of all periods so far – is kept as long as that part is the same object, so
that a cycle costs the same at the end of a day as at its beginning.
"""

from collections.abc import Callable, Iterable
from operator import is_
from typing import Any, NamedTuple, TypeVar

from immutables import Map

S = TypeVar("S")
V = TypeVar("V")
INFINITY_US = 1 << 62
_new = object.__new__


def replace(state: S, **changes: Any) -> S:
    """A copy of a frozen data class without slots; TypeError for a field that it has not.

    Its `__post_init__` is not called, so it is for classes that have none.
    """
    changed = _new(type(state))
    values = changed.__dict__
    values.update(state.__dict__)
    fields = len(values)
    values.update(changes)
    if len(values) != fields:
        unknown = ", ".join(sorted(changes.keys() - state.__dict__.keys()))
        raise TypeError(f"{type(state).__name__} has no {unknown}")
    return changed


def derived(state: Any, name: str, sources: tuple[object, ...], make: Callable[[], V]) -> V:
    """What follows from parts of a state, made anew only when one of these parts is another object.

    `name` begins with ~, so that it is no attribute: it stays beside the fields, is handed on by `replace`, and counts
    neither when states are compared nor when they are recorded.
    """
    kept = state.__dict__.get(name)
    if kept is not None and _are_the_same(kept[0], sources):
        found: V = kept[1]
        return found
    value = make()
    state.__dict__[name] = (sources, value)
    return value


def noted(state: Any, name: str, sources: tuple[object, ...], value: object) -> None:
    """Say what `derived` is to find from now on, where it is known already from how the state has been made."""
    state.__dict__[name] = (sources, value)


def _are_the_same(kept: tuple[object, ...], sources: tuple[object, ...]) -> bool:
    """Whether these are the same objects, and as many."""
    return len(kept) == len(sources) and all(map(is_, kept, sources))


def without(known: Map[str, V], keys: Iterable[str]) -> Map[str, V]:
    """A map without some of its keys; the same object if it has none of them."""
    over = [key for key in keys if key in known]
    if not over:
        return known
    left = known.mutate()
    for key in over:
        del left[key]
    return left.finish()


class Span(NamedTuple):
    """Something that holds from one instant until another."""

    from_us: int
    until_us: int
    value: Any


def span(now_us: int, intervals: Iterable[tuple[int, int]], value: Any) -> Span:
    """A value that depends on which intervals `now_us` lies in holds from the last of their ends to the next."""
    from_us, until_us = -INFINITY_US, INFINITY_US
    for interval in intervals:
        for at_us in interval:
            if at_us <= now_us:
                from_us = max(from_us, at_us)
            else:
                until_us = min(until_us, at_us)
    return Span(from_us, until_us, value)


def derived_now(state: Any, name: str, sources: tuple[object, ...], now_us: int, make: Callable[[], Span]) -> Any:
    """What follows from parts of a state and from the time, made anew only when a part or the span is another."""
    return derived_span(state, name, sources, now_us, make).value


def derived_span(state: Any, name: str, sources: tuple[object, ...], now_us: int, make: Callable[[], Span]) -> Span:
    """The same, with the span in which it holds."""
    kept = state.__dict__.get(name)
    if kept is not None and _are_the_same(kept[0], sources):
        found: Span = kept[1]
        if found.from_us <= now_us < found.until_us:
            return found
    found = make()
    state.__dict__[name] = (sources, found)
    return found
