"""Conservation voltage reduction: the power that tap steps set free, as indivisible blocks.

Lower voltage draws less power from voltage-dependent loads, which is up-regulation; higher voltage is down-regulation.
The transformers step in turn; a step that would leave the limits or the tap range is refused and that transformer
steps no further. Each block's power is on top of the blocks before it, so blocks are activated in their order. Where
voltage regulators are at work, a block is the set-point that makes its transformer step. What a block frees at once is
not what it frees for long: loads recover (`plant/recovery.py`), so `lasting_mw` stands beside `p_mw`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from ..description.uncertainty import Regulator
from ..limits.constraints import Constraints
from ..model import GridModel
from ..powerflow.operating_point import OperatingPoint
from ..powerflow.solution import Solution
from .regulation import voltage_after

SMALLEST_BLOCK_MW = 1e-4


@dataclass(frozen=True, slots=True)
class TapBlock:
    """One tap step: power at the interface on top of the blocks before (+ up = less import), and the state after it.

    `steps` is the signed change of the tap position; `taps` are all positions after the block · `step_s`: how long the
    step takes · `lasting_mw`: what is left when loads have recovered · `vm_set_pu`: a regulator's set-point, if any.
    """

    transformer: str
    steps: int
    p_mw: float
    q_mvar: float
    vm_min_pu: float
    vm_max_pu: float
    worst_loading_percent: float
    taps: tuple[int, ...]
    step_s: float = 0.0
    lasting_mw: float = 0.0
    vm_set_pu: float | None = None


@dataclass(frozen=True, slots=True)
class TapPosition:
    """One combination of tap positions against a state's own: power freed at the interface (+ up), and the state there.

    `step_s`: how long the taps take to get there · `allowed`: within limits and band; what was violated may not worsen.
    """

    taps: tuple[int, ...]
    p_mw: float
    q_mvar: float
    vm_min_pu: float
    vm_max_pu: float
    worst_loading_percent: float
    step_s: float
    allowed: bool


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What is known of drives, loads and regulators beyond one state."""

    seconds_per_step: float = 0.0
    recovered_share: float = 0.0
    regulator: Regulator | None = None


def options(model: GridModel, state: OperatingPoint, behaviour: Behaviour = Behaviour()) -> tuple[TapBlock, ...]:
    """Return the blocks that a state offers: all up blocks (voltage reduced) in order, then all down blocks.

    Without voltage-dependent loads or movable taps there are none. What the state already violates may not worsen.
    """
    return (*_sequence(model, state, behaviour, up=True), *_sequence(model, state, behaviour, up=False))


def positions(
    model: GridModel, state: OperatingPoint, transformer: int | None = None, behaviour: Behaviour = Behaviour()
) -> tuple[TapPosition, ...]:
    """Return what every position of one transformer would do, the others as they stand; None: of all in step together.

    Positions without a power flow are left out.
    """
    constraints, here = Constraints(model), model.solve(state)
    bounds = constraints.bounds(constraints.values(here)[0])
    moved = range(len(state.taps)) if transformer is None else (transformer,)
    reach = [(low - tap, high - tap) for (low, high), tap in zip(model.tap_ranges, state.taps, strict=True)]
    moves = range(max((reach[k][0] for k in moved), default=0), min((reach[k][1] for k in moved), default=0) + 1)
    found = []
    for move in moves:
        taps = tuple(tap + (move if k in moved else 0) for k, tap in enumerate(state.taps))
        after = model.solve(state.with_taps(taps))
        if after.converged[0]:
            allowed = _within(constraints.values(after)[0], bounds)
            found.append(_position(model, taps, (here, after), abs(move) * behaviour.seconds_per_step, allowed=allowed))
    return tuple(found)


def _position(
    model: GridModel, taps: tuple[int, ...], solutions: tuple[Solution, Solution], step_s: float, *, allowed: bool
) -> TapPosition:
    freed, vm_pu, loading = _effect(model, *solutions)
    return TapPosition(
        taps=taps,
        p_mw=round(freed.real, 6) + 0.0,
        q_mvar=round(freed.imag, 6) + 0.0,
        vm_min_pu=round(float(vm_pu.min()), 6),
        vm_max_pu=round(float(vm_pu.max()), 6),
        worst_loading_percent=loading,
        step_s=step_s,
        allowed=allowed,
    )


def _effect(model: GridModel, before: Solution, after: Solution) -> tuple[complex, Floats, float]:
    """Return the power freed (MVA), the voltages (pu) and the worst loading (%) after a change of taps."""
    freed = complex(before.interface_mva[0].sum() - after.interface_mva[0].sum())
    worst = round(float(after.loading_percent[0].max(initial=0.0)), 4)
    return freed, after.vm_pu[0, model.ratings.buses], worst


def _sequence(model: GridModel, state: OperatingPoint, behaviour: Behaviour, *, up: bool) -> tuple[TapBlock, ...]:
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
            block = _block(model, (position, step), (here, after), following, behaviour)
            set_pu = block.vm_set_pu
            reachable = behaviour.regulator is None or set_pu is None or behaviour.regulator.reaches(set_pu)
            if not (block.p_mw * (1 if up else -1) > SMALLEST_BLOCK_MW and reachable):
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
    model: GridModel,
    moved: tuple[int, int],
    solutions: tuple[Solution, Solution],
    taps: tuple[int, ...],
    behaviour: Behaviour,
) -> TapBlock:
    (position, steps), after = moved, solutions[1]
    freed, vm_pu, loading = _effect(model, *solutions)
    held = behaviour.regulator is not None
    return TapBlock(
        transformer=model.transformer_names[position],
        steps=steps,
        p_mw=round(freed.real, 6),
        q_mvar=round(freed.imag, 6),
        vm_min_pu=round(float(vm_pu.min()), 6),
        vm_max_pu=round(float(vm_pu.max()), 6),
        worst_loading_percent=loading,
        taps=taps,
        step_s=behaviour.seconds_per_step,
        lasting_mw=round(freed.real * (1 - behaviour.recovered_share), 6),
        vm_set_pu=voltage_after(model, after.vm_pu[0], position) if held else None,
    )
