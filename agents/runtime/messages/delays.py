"""How long messages of streams take: lognormal, drawn by subscription and number, many at once.

    seed, subscription ─▶ key (hash)     key + number · golden ratio ─▶ mixed bits ─▶ 0…1 ─▶ normal quantile ─▶ µs

A draw depends on nothing but the seed, the subscription and the message's number, like a hash of its id, but whole
blocks of numbers cost one call (the generator is SplitMix64: G. Steele et al., Fast splittable pseudorandom number
generators, 2014).
"""

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...identity import ByIdentity

Bits = NDArray[np.uint64]
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST_FACTOR, SECOND_FACTOR = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
MOST_CELLS, MOST_AHEAD, ALONE = 1 << 15, 32, 32
FEW_AHEAD = 4  # as long as it is not known whether the same go on, together or alone
MOST_KEPT = 4096
NOTHING = (0, array("q"))


@cache
def _normal_quantile() -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Imported when the first is drawn: it takes longer than to list what there is."""
    from scipy.special import ndtri

    return cast("Callable[[NDArray[np.float64]], NDArray[np.float64]]", ndtri)


@dataclass(slots=True)
class Together:
    """Flows that speak at the same instants: by how much their numbers grow, and what is drawn already, the next last.

    Of each volley ahead: its messages' numbers and their delays. `most`: how many are drawn next.
    """

    keys: Bits
    steps: Bits
    ahead: list[tuple[list[int], list[int]]] = field(default_factory=list)
    most: int = FEW_AHEAD


class Delays:
    """The delays of all streams of a run, in microseconds."""

    def __init__(self, seed: int, median_s: float, sigma: float) -> None:
        """`sigma` is the spread of the logarithm."""
        self._seed, self._median_us, self._sigma = seed, median_s * 1e6, sigma
        self._alone: dict[str, tuple[int, array[int]]] = {}  # by subscription: the first number drawn, and delays
        self._together = ByIdentity(self._of)

    def of(self, message_id: str) -> int:
        """The delay of one message, by its id."""
        prefix = message_id.rstrip("0123456789")
        number = int(message_id[len(prefix) :] or 0)
        first, drawn_us = self._alone.get(prefix, NOTHING)
        if not 0 <= number - first < len(drawn_us):
            if len(self._alone) >= MOST_KEPT:
                self._alone.clear()
            numbers = np.arange(number, number + (ALONE if drawn_us else FEW_AHEAD), dtype=np.uint64)
            first, drawn_us = number, array("q", self._drawn(self._keys([prefix]), numbers).tobytes())
            self._alone[prefix] = first, drawn_us
        return drawn_us[number - first]

    def of_all(self, flows: Sequence[Any], numbers: list[int]) -> list[int]:
        """The delays of the messages of these numbers of flows, which are the same object as long as possible."""
        known = self._together.of(flows)
        if known.ahead and known.ahead[-1][0] != numbers:
            known.ahead, known.most = [], FEW_AHEAD
        if not known.ahead:
            self._draw_ahead(known, numbers)
        return known.ahead.pop()[1]

    def _of(self, flows: Sequence[Any]) -> Together:
        """A flow that speaks several times in a volley is as many numbers further at the next one."""
        often = Counter(flows)
        steps = np.array([often[flow] for flow in flows], dtype=np.uint64)
        return Together(self._keys([flow.prefix for flow in flows]), steps)

    def _draw_ahead(self, known: Together, numbers: list[int]) -> None:
        """Keep the delays of these messages, and of those expected after them."""
        count = max(1, min(known.most, MOST_CELLS // len(known.keys)))
        of_next = np.array(numbers, dtype=np.uint64) + np.arange(count, dtype=np.uint64)[:, None] * known.steps
        drawn = self._drawn(known.keys, of_next)
        known.ahead = list(zip(of_next[::-1].tolist(), drawn[::-1].tolist(), strict=True))
        known.most = MOST_AHEAD

    def _keys(self, prefixes: Sequence[str]) -> Bits:
        digests = (blake2b(f"{self._seed}/delay/{prefix}".encode(), digest_size=8).digest() for prefix in prefixes)
        return np.array([int.from_bytes(digest) for digest in digests], dtype=np.uint64)

    def _drawn(self, keys: Bits, numbers: Bits) -> NDArray[np.int64]:
        """Microseconds of each (key, number), which are broadcast."""
        bits = keys + (numbers + np.uint64(1)) * GOLDEN
        bits = (bits ^ (bits >> np.uint64(30))) * FIRST_FACTOR
        bits = (bits ^ (bits >> np.uint64(27))) * SECOND_FACTOR
        between = ((bits ^ (bits >> np.uint64(31))) >> np.uint64(11)).astype(np.float64)
        quantiles = _normal_quantile()((between + 0.5) / 2**53)
        drawn: NDArray[np.int64] = np.rint(self._median_us * np.exp(self._sigma * quantiles)).astype(np.int64)
        return drawn
