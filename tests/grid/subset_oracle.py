"""An independent, slow judge of subset limits: every corner of what may be picked, one by one, by AC power flow."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.limits.allowing import Activation
from gridpact.grid.limits.constraints import Constraints
from gridpact.grid.model import GridModel, load_model
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.powerflow.operating_point import OperatingPoint
from gridpact.grid.series.profiles import Profiles

Floats = NDArray[np.float64]
GRIDS: dict[str, dict[str, object]] = {
    "cigre_mv_der": {"storage_scaling": 0.0, "load_scaling": 0.7, "source_vm_pu": 1.02},
    "oberrhein": {},
    "case33bw": {"load_scaling": 0.6, "limits": {"vm_min_pu": 0.93, "vm_max_pu": 1.05}},
    "cigre_lv": {"load_scaling": 0.5, "source_vm_pu": 1.01},
}
# What a grid is asked for in all, MW: enough to be congested more often than not.
ASKED_MW = {"cigre_mv_der": 18.0, "oberrhein": 60.0, "case33bw": 8.0, "cigre_lv": 0.9}
DIRECTIONS = ("up", "down", "mixed")


@dataclass(frozen=True, slots=True)
class Trial:
    """One list on one grid, and the state that it is asked in."""

    model: GridModel
    state: OperatingPoint
    activations: tuple[Activation, ...]


def trial(grid: str, direction: str, count: int, seed: int) -> Trial:
    """Return a random list: buses, sizes and power factors drawn from the seed."""
    generator = np.random.default_rng((seed, count, sorted(GRIDS).index(grid), DIRECTIONS.index(direction)))
    description = GridDescription.model_validate(
        {"network": grid, "zip_percent": {"z": 40, "i": 30, "p": 30}} | GRIDS[grid]
    )
    bare = load_model(description)
    buses = [int(name.removeprefix("bus ")) for name in bare.ratings.bus_names]
    model = load_model(description, tuple(ConnectionPoint(f"at {bus}", bus) for bus in buses))
    sizes = generator.uniform(0.3, 1.7, count)
    sizes *= ASKED_MW[grid] * generator.uniform(0.3, 1.6) / sizes.sum()
    signs = {"up": np.ones(count), "down": -np.ones(count), "mixed": generator.choice([-1.0, 1.0], count)}[direction]
    activations = []
    for k in range(count):
        name = f"at {int(generator.choice(buses))}"
        q_per_p = float(generator.choice([0.0, 0.0, -0.33, 0.33]))
        activations.append(Activation(f"o{k}", ((name, 1.0),), float(round(signs[k] * sizes[k], 4)), q_per_p=q_per_p))
    return Trial(model, Profiles(model, description).forecast(0), tuple(activations))


def corners(count: int) -> Floats:
    """Return every subset of a list (2ⁿ × n)."""
    return np.array(list(product((0.0, 1.0), repeat=count)))


def excess(given: Trial, p_mw: Floats, picked: Floats, *, margin: bool) -> Floats:
    """Return, per subset (rows of `picked`, or parts), how far the worst constraint is beyond its bound, relatively.

    `margin`: the bounds that limits keep, else the plain ones; a violated base may stay as it is.
    """
    constraints = Constraints(given.model)
    solver = given.model.solver(given.state.taps)
    base = constraints.values(solver.solve(given.state))[0]
    bounds = constraints.bounds(base) if margin else np.maximum(constraints.nominal, base) + 1e-5
    change = np.zeros((len(picked), len(given.model.point_names)), dtype=complex)
    for k, each in enumerate(given.activations):
        change[:, given.model.point(each.points[0][0])] += picked[:, k] * p_mw[k] * (1 + 1j * each.q_per_p)
    values = constraints.values(solver.solve(given.state, change))
    return constraints.excess(values, bounds)


def greedy_mw(given: Trial) -> Floats:
    """Return what each may have at most, in order, whatever is picked of the earlier ones: bisection, all corners."""
    p_mw = np.zeros(len(given.activations))
    for k, each in enumerate(given.activations):
        picked = np.hstack([corners(k), np.ones((2**k, 1)), np.zeros((2**k, len(p_mw) - k - 1))])
        low, high = 0.0, 1.0
        for part in (1.0, *[None] * 20):
            here = part or (low + high) / 2
            p_mw[k] = here * each.p_mw
            if excess(given, p_mw, picked, margin=True).max() <= 0:
                low = here
            else:
                high = here
            if low == 1.0:
                break
        p_mw[k] = low * each.p_mw if abs(low * each.p_mw) >= 1e-3 else 0.0
    return p_mw


def prefix_greedy_mw(given: Trial) -> Floats:
    """Return what each may have at most with everything before it on: bisection along each, all by AC power flow."""
    constraints, solver = Constraints(given.model), given.model.solver(given.state.taps)
    bounds = constraints.bounds(constraints.values(solver.solve(given.state))[0])
    on, found = np.zeros(len(given.model.point_names), dtype=complex), []
    for each in given.activations:
        change = np.zeros_like(on)
        change[given.model.point(each.points[0][0])] = each.p_mw * (1 + 1j * each.q_per_p)
        parts, part = np.linspace(0, 1, 9), 0.0
        for _ in range(7):
            values = constraints.values(solver.solve(given.state, on + parts[:, None] * change))
            over = np.flatnonzero(constraints.excess(values, bounds) > 0)
            if not len(over) or not over[0]:
                part = part if len(over) else float(parts[-1])
                break
            part = float(parts[over[0] - 1])
            parts = np.linspace(part, parts[over[0]], 9)
        found.append(part * each.p_mw if abs(part * each.p_mw) >= 1e-3 else 0.0)
        on = on + found[-1] / each.p_mw * change
    return np.array(found)
