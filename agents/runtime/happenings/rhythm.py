"""When ticks come: at whole multiples of their length since the epoch, each series on its own.

    control      2 s   |     |     |     |         a plant ticks whenever any of them does, so that what an
    measurement  3 s   |        |        |         agent reads at its tick stands in the telemetry too
    plant, telemetry   |     |  |  |     |

Series of other lengths do not shift one another: nobody's tick depends on who else ticks, or when the run began.
"""

from collections.abc import Iterable


def next_tick(after_us: int, every_us: int) -> int:
    """The first whole multiple of `every_us` after an instant; microseconds since the epoch."""
    return (after_us // every_us + 1) * every_us


def next_of(after_us: int, ticks_us: Iterable[int]) -> int:
    """The first tick of any of several series after an instant."""
    return min(next_tick(after_us, every_us) for every_us in ticks_us)


class Rhythm:
    """Simulated time: no tick is ever late, so none is left out."""

    def passed_us(self, at_us: int) -> int:
        """Up to when ticks are over, once the one at `at_us` has been taken: the next one comes after it."""
        return at_us
