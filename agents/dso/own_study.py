"""The question of a DSO that operates units itself: what it may offer of them and of its taps, by its own forecast.

AskOwn ─▶ taps as ever (AskTaps), units as a merit order list (Validate) ─▶ OwnOptions
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ...grid.limits.activation import Allowed
from .studies import AskTaps, TapOptions, UnknownPoint, Validate

if TYPE_CHECKING:
    from ...grid.studies.studies import GridStudies


class OwnOptions(NamedTuple):
    """What the taps could free, and what of the DSO's own units may be on, in their order."""

    taps: TapOptions
    allowed: tuple[Allowed, ...]


@dataclass(frozen=True, slots=True)
class AskOwn:
    """What a DSO that operates units itself may offer in a period."""

    taps: AskTaps
    units: Validate

    @property
    def grid(self) -> str:
        """The grid that it is about."""
        return self.taps.grid

    def run(self, studies: GridStudies) -> OwnOptions | UnknownPoint:
        """Answer it."""
        allowed = self.units.run(studies)
        return allowed if isinstance(allowed, UnknownPoint) else OwnOptions(self.taps.run(studies), allowed)
