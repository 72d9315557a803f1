"""When things happen: market time units, gate closures, deadlines. Pure arithmetic on microseconds.

cfp ──▶ gate closure ──▶ MOL, validation ──▶ acceptance ──▶ │ delivery │ ──▶ settlement
"""

from dataclasses import dataclass
from datetime import timedelta

from ..protocols.information.quantities import EPOCH, US_PER_S

US_PER_MIN = 60 * US_PER_S


@dataclass(frozen=True, slots=True)
class MarketTimeUnit:
    """One delivery period and the deadlines before it."""

    id: str
    cfp_us: int
    gate_closure_us: int
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """The periods of a run and its ticks."""

    start_us: int
    applications_close_us: int
    periods: tuple[MarketTimeUnit, ...]
    end_us: int

    def period(self, period_id: str) -> MarketTimeUnit:
        """The period with this id; KeyError if there is none."""
        for period in self.periods:
            if period.id == period_id:
                return period
        raise KeyError(f"no market time unit '{period_id}'")

    def has(self, period_id: str) -> bool:
        """Whether there is a period with this id."""
        return any(period.id == period_id for period in self.periods)

    def at(self, now_us: int) -> MarketTimeUnit | None:
        """The period being delivered, or None."""
        return next((p for p in self.periods if p.start_us <= now_us < p.end_us), None)

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
