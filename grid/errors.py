"""What can be wrong with a grid, as one small tree.

    GridError (a ValueError)
    ├── NetworkError      the source, the file or an element of the network is not usable
    ├── ProfileError      a profile, planning case or clock time does not fit the network
    └── SolverError       the fast solver cannot represent this network, or disagrees with pandapower
        └── BlackoutError outages leave nothing with supply

Every text names the thing, the rule and the value.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class GridError(ValueError):
    """Anything that is wrong with a grid."""


class NetworkError(GridError):
    """The network's source or one of its elements is not usable."""


class ProfileError(GridError):
    """A profile, a planning case or a clock time does not fit the network."""


class SolverError(GridError):
    """The fast solver cannot represent this network faithfully."""


class BlackoutError(SolverError):
    """Nothing of a network but its source has supply."""

    def __init__(self, text: str = "nothing of the network but its source has supply") -> None:
        """There is but one way to say it."""
        super().__init__(text)


def near_names(wanted: object, known: Iterable[object]) -> str:
    """Return `; near: a, b` or, without anything near, `; there are: a, b, … (n in all)`, for an error text."""
    names = list(dict.fromkeys(str(name) for name in known))
    close = get_close_matches(str(wanted), names, n=3, cutoff=0.5)
    if close:
        return f"; near: {', '.join(map(_listed, close))}"
    shown = ", ".join(map(_listed, names[:6]))
    return f"; there are: {shown}{f', … ({len(names)} in all)' if len(names) > 6 else ''}"


def _listed(name: str) -> str:
    return f'"{name}"' if "," in name else name
