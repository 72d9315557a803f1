"""A state with some values changed: what `dataclasses.replace` does, four times as fast.

States are frozen and have no slots, so that a new one is a copied dictionary. They change at every message; the
general function, which looks at every field, was the dearest single thing in a run.
"""

from typing import Any, TypeVar

S = TypeVar("S")
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
