"""What a power flow of many states at once has found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..arrays import Booleans, Complexes, Floats


class Solution(Protocol):
    """Results of a batch, one row per state; rows that are not converged hold NaN."""

    @property
    def vm_pu(self) -> Floats:
        """Voltages (n × buses), NaN without supply."""

    @property
    def loading_percent(self) -> Floats:
        """Loadings (n × branches: lines, transformers, three-winding)."""

    @property
    def interface_mva(self) -> Complexes:
        """Powers from the overlying grid (n × interfaces), + = import."""

    @property
    def load_factor(self) -> Complexes:
        """What each load draws per nominal (n × loads), real part for P, imaginary part for Q."""

    @property
    def converged(self) -> Booleans:
        """Which states have been solved (n)."""

    @property
    def voltage(self) -> Complexes | None:
        """Complex voltages (n × internal buses), for `BatchSolver.sensitivity`; None where there are none to be had."""


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """A solution of which all is known but `load_factor`, which few ask for."""

    vm_pu: Floats
    loading_percent: Floats
    interface_mva: Complexes
    factor: Callable[[], Complexes]
    converged: Booleans
    voltage: Complexes | None = None

    @property
    def load_factor(self) -> Complexes:
        """What each load draws per nominal (n × loads), real part for P, imaginary part for Q."""
        return self.factor()
