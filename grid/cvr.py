"""Conservation voltage reduction: the power that tap steps set free, as indivisible blocks.

Lower voltage draws less power from voltage-dependent loads, which is up-regulation; higher voltage is down-regulation.
The transformers step in turn; a step that would leave the limits or the tap range is refused and that transformer
steps no further. Each block's power is on top of the blocks before it, so blocks are activated in their order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Floats
from .constraints import Constraints
from .model import GridModel
from .operating_point import OperatingPoint
from .solver import Solution

SMALLEST_BLOCK_MW = 1e-4


@dataclass(frozen=True, slots=True)
class TapBlock:
    """One tap step: power at the interface on top of the blocks before (+ up = less import), and the state after it.

    `steps` is the signed change of the tap position; `taps` are all positions after the block.
    """

    transformer: str
    steps: int
    p_mw: float
    q_mvar: float
    vm_min_pu: float
    vm_max_pu: float
    worst_loading_percent: float
    taps: tuple[int, ...]


def options(model: GridModel, state: OperatingPoint) -> tuple[TapBlock, ...]:
    """Return the blocks that a state offers: all up blocks (voltage reduced) in order, then all down blocks.

    Without voltage-dependent loads or movable taps there are none. What the state already violates may not worsen.
    """
    return (*_sequence(model, state, up=True), *_sequence(model, state, up=False))


def block_power_mva(model: GridModel, state: OperatingPoint, taps: tuple[int, ...]) -> complex:
    """Return the reduction of import (MW + j Mvar) if the taps stood at `taps`; NaN where there is no power flow."""
    before, after = model.solve(state), model.solve(state.with_taps(taps))
    return complex(before.interface_mva[0].sum() - after.interface_mva[0].sum())


def _sequence(model: GridModel, state: OperatingPoint, *, up: bool) -> tuple[TapBlock, ...]:
    constraints = Constraints(model)
    here = model.solve(state)
    bounds = constraints.bounds(constraints.values(here)[0])
    blocks: list[TapBlock] = []
    movable = list(range(len(state.taps)))
    while movable:
        for position in tuple(movable):
            step = (-1 if up else 1) * model.tap_senses[position]
            following = _stepped(model, state.taps, position, step)
            after = None if following is None else model.solve(state.with_taps(following))
            if following is None or after is None or not _within(constraints.values(after)[0], bounds):
                movable.remove(position)
                continue
            block = _block(model, position, step, (here, after), following)
            if not block.p_mw * (1 if up else -1) > SMALLEST_BLOCK_MW:
                movable.remove(position)
                continue
            blocks.append(block)
            state, here = state.with_taps(following), after
    return tuple(blocks)


def _stepped(model: GridModel, taps: tuple[int, ...], position: int, step: int) -> tuple[int, ...] | None:
    """Return the taps after a step, or None where the range ends."""
    low, high = model.tap_ranges[position]
    wanted = taps[position] + step
    return (*taps[:position], wanted, *taps[position + 1 :]) if low <= wanted <= high else None


def _within(values: Floats, bounds: Floats) -> bool:
    return bool(np.isfinite(values).all() and (values <= bounds).all())


def _block(
    model: GridModel, position: int, step: int, solutions: tuple[Solution, Solution], taps: tuple[int, ...]
) -> TapBlock:
    before, after = solutions
    freed = before.interface_mva[0].sum() - after.interface_mva[0].sum()
    vm_pu = after.vm_pu[0, model.ratings.buses]
    return TapBlock(
        transformer=model.transformer_names[position],
        steps=step,
        p_mw=round(float(freed.real), 6),
        q_mvar=round(float(freed.imag), 6),
        vm_min_pu=round(float(vm_pu.min()), 6),
        vm_max_pu=round(float(vm_pu.max()), 6),
        worst_loading_percent=round(float(after.loading_percent[0].max()), 4),
        taps=taps,
    )
