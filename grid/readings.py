"""What is measured in a distribution grid, and what a DSO makes of it.

Readings come from the plant and carry only what the scenario says is metered; an assessment is what the DSO computes
from them, its forecast and the activations that it has been told of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .limits.constraints import Binding


@dataclass(frozen=True, slots=True)
class Readings:
    """Measurements at an instant.

    `p_mw`: (element, MW, Mvar) as drawn or injected, in the element's own sign (loads and storages + = consumption) ·
    `taps`: a position per transformer · `interface`: (name, MW, Mvar), + = import; empty if it is not metered ·
    `out`: the lines and transformers that are out of service, as their breakers signal.
    """

    at_us: int
    p_mw: tuple[tuple[str, float, float], ...]
    taps: tuple[int, ...]
    interface: tuple[tuple[str, float, float], ...] = ()
    out: tuple[str, ...] = ()


Figures = Callable[[], tuple[str | float, ...]]


class Later:
    """What is filled in when it is asked for first."""

    __slots__ = ("_figures",)


@dataclass(frozen=True, slots=True)
class Assessment(Later):
    """What a DSO believes of its grid at an instant.

    Interface powers are those of the computed state, + = import; `interface_gap_mw` is metered less computed (0 if the
    interface is not metered). `near`: within 5 % of loading or 0.005 pu of voltage of a limit, or beyond one.
    """

    at_us: int
    worst_element: str
    worst_loading_percent: float
    vm_min_pu: float
    vm_max_pu: float
    interface_p_mw: float
    interface_q_mvar: float
    interface_gap_mw: float
    violations: tuple[Binding, ...]
    near: bool

    @classmethod
    def pending(cls, *, at_us: int, violations: tuple[Binding, ...], near: bool, figures: Figures) -> Assessment:
        """Return one whose other fields, in their order, are computed when one of them is asked for first."""
        made = object.__new__(cls)
        for name, value in (("at_us", at_us), ("violations", violations), ("near", near), ("_figures", figures)):
            object.__setattr__(made, name, value)
        return made

    def __getattr__(self, name: str) -> Any:
        """Fill in what is still open."""
        if name not in OPEN:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        for field, value in zip(OPEN, self._figures(), strict=True):
            object.__setattr__(self, field, value)
        return object.__getattribute__(self, name)


OPEN = (
    "worst_element",
    "worst_loading_percent",
    "vm_min_pu",
    "vm_max_pu",
    "interface_p_mw",
    "interface_q_mvar",
    "interface_gap_mw",
)
