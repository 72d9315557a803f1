"""Loops over numbers that numba compiles: where what is computed is so small that asking numpy for it costs more.

A loop is compiled for the one signature that it is written for, when its module is imported: never in the middle of a
run by the clock. numba keeps what it has made beside the module, or in the user's folder for such things, so only the
first process waits for it, a second a loop. Nothing is reordered, so the result is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(signature: str) -> Callable[[Loop], Loop]:
    """Return a decorator that compiles a function for a signature of numba; x / 0 is infinite, as in numpy."""

    def of(loop: Loop) -> Loop:
        try:
            return cast("Loop", njit(signature, error_model="numpy", cache=True)(loop))
        except RuntimeError:  # neither folder can be written: compiled anew in each process
            return cast("Loop", njit(signature, error_model="numpy")(loop))

    return of
