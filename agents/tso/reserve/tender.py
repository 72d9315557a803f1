"""A tender of containment reserve: what is called for, until when, and for which time."""

from typing import NamedTuple


class Tender(NamedTuple):
    """A call for reserve, of a period or (`number` from 2 on) of what is left of it, its gate and its delivery."""

    period: str
    need_mw: float
    closure_us: int
    start_us: int
    end_us: int
    number: int = 1

    @property
    def key(self) -> str:
        """Its name among all tenders."""
        return self.period if self.number == 1 else f"{self.period}.{self.number}"

    @property
    def subject(self) -> str:
        """The subject of the conversations about it."""
        return "FCR" if self.number == 1 else f"FCR.{self.number}"
