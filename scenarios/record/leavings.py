"""Memory that large blocks of numbers have left behind goes back to the system.

    a block written ─▶ freed, but kept by the allocator, in pieces between what stays ─▶ OFTEN numbers ─▶ given back

A swarm writes hundreds of megabytes at a time; in between a third of what the process has would lie idle.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import pyarrow as pa

OFTEN = 2**22  # numbers: 32 MB written; what is given back is asked for again, a page at a time


class Leavings:
    """How many numbers have been written since memory was last given back."""

    def __init__(self) -> None:
        self._numbers = 0

    def add(self, numbers: int) -> None:
        """So many more have been written, and are not needed any more."""
        self._numbers += numbers
        if self._numbers >= OFTEN:
            self._numbers = 0
            pa.default_memory_pool().release_unused()
            trim = _trim()
            if trim is not None:
                trim(0)


LEAVINGS = Leavings()  # of the process, as its memory is


@cache
def _trim() -> Any:
    """That of the GNU C library; None where there is another one, which has its own ways."""
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):
        return None
