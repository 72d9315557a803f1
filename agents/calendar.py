"""When things happen: market time units, gate closures, deadlines. Pure arithmetic on microseconds.

cfp ──▶ gate closure ──▶ MOL, validation ──▶ acceptance ──▶ │ delivery │ ──▶ settlement ──▶ gone
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from ..protocols.information.quantities import EPOCH, US_PER_S

US_PER_MIN = 60 * US_PER_S
# Statements, disputes and records of a period are done with some minutes after its end, and strategies look back at a
# few periods: what is older than both is asked for by nobody.
KEPT_US, KEPT_PERIODS = 30 * US_PER_MIN, 5


@dataclass(frozen=True, slots=True)
class MarketTimeUnit:
    """One delivery period and the deadlines before it."""

    id: str
    cfp_us: int
    gate_closure_us: int
    start_us: int
    end_us: int


@dataclass(frozen=True)
class Calendar:
    """The periods of a run, in their order, and its ticks."""

    start_us: int
    applications_close_us: int
    periods: tuple[MarketTimeUnit, ...]
    end_us: int

    @cached_property
    def _by_id(self) -> dict[str, MarketTimeUnit]:
        return {period.id: period for period in self.periods}

    @cached_property
    def _starts_us(self) -> tuple[int, ...]:
        return tuple(period.start_us for period in self.periods)

    def period(self, period_id: str) -> MarketTimeUnit:
        """The period with this id; KeyError if there is none."""
        if not self.has(period_id):
            raise KeyError(f"no market time unit '{period_id}'")
        return self._by_id[period_id]

    def has(self, period_id: str) -> bool:
        """Whether there is a period with this id."""
        return period_id in self._by_id

    @cached_property
    def _ends_us(self) -> tuple[int, ...]:
        return tuple(period.end_us for period in self.periods)

    @cached_property
    def _gone(self) -> dict[int, frozenset[str]]:
        return {}

    def gone(self, now_us: int) -> frozenset[str]:
        """The ids of periods that nobody can be asked about any more, so that agents forget them."""
        ended, begun = bisect_right(self._ends_us, now_us - KEPT_US), bisect_right(self._starts_us, now_us)
        number = max(0, min(ended, begun - KEPT_PERIODS))
        if number not in self._gone:
            self._gone.clear()
            self._gone[number] = frozenset(period.id for period in self.periods[:number])
        return self._gone[number]

    def at(self, now_us: int) -> MarketTimeUnit | None:
        """The period being delivered, or None."""
        starts_us = self._starts_us
        number = bisect_right(starts_us, now_us) - 1
        if number < 0:
            return None
        period = self.periods[number]
        return period if now_us < period.end_us else None

    def coming(self, now_us: int, lead_us: int) -> tuple[MarketTimeUnit, ...]:
        """The periods that begin after now, but not more than `lead_us` after it."""
        starts_us = self._starts_us
        return self.periods[bisect_right(starts_us, now_us) : bisect_right(starts_us, now_us + lead_us)]

    @property
    def first(self) -> MarketTimeUnit:
        """The first period."""
        return self.periods[0]

    @property
    def last(self) -> MarketTimeUnit:
        """The last period."""
        return self.periods[-1]


def period_id(start_us: int) -> str:
    """A period's id: its start in UTC, as 20260302T1100Z."""
    return (EPOCH + timedelta(microseconds=start_us)).strftime("%Y%m%dT%H%MZ")
