"""The grid's table: states, batches, limits, a tick of the loop, voltage reduction – each against `runpp`.

The yardstick of n states is n calls of `runpp`; of limits, one call per state that a check of the answer alone needs
(every prefix once), which no exact method with `runpp` could do with less.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
from measuring import Row, measured, timed

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import run_power_flow
from gridpact.grid.errors import NetworkError
from gridpact.grid.limits.allowing import Activation, Scope, limit
from gridpact.grid.limits.cases import Hearing
from gridpact.grid.limits.constraints import Constraints
from gridpact.grid.limits.headroom import headroom
from gridpact.grid.model import GridModel, load_model
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.network.source import simbench_package
from gridpact.grid.powerflow.operating_point import OperatingPoint
from gridpact.grid.series.profiles import Profiles
from gridpact.grid.voltage import cvr

SIMBENCH = "1-MV-rural--0-sw"
TAPS = {"side": "hv", "min": -9, "max": 9, "step_percent": 1.5, "position": 0}
SUBJECTS: dict[str, dict[str, Any]] = {
    "cigre_mv_der": {"load_scaling": 0.8, "storage_scaling": 0.0, "source_vm_pu": 1.03, "taps": TAPS},
    "oberrhein": {},
    "case118": {},
    SIMBENCH: {},
}
# The figures are for two networks; the others show generators that hold a voltage, and SimBench.
REACH_MS = {"cigre_mv_der": (0.15, 1.0), "oberrhein": (0.2, 4.0)}
UNITS = {"cigre_mv_der": 30, "oberrhein": 200, "case118": 100, SIMBENCH: 100}
# MW asked for in all: a little, and far more than fits.
ASKED_MW = {"uncongested": (5.0, 5.0, 20.0, 5.0), "congested": (100.0, 200.0, 4000.0, 100.0)}
SCOPES: tuple[Scope, ...] = ("single", "prefix", "all", "subset")


def rows() -> Iterator[Row]:
    """Yield every row of the table."""
    for number, subject in enumerate(SUBJECTS):
        if subject == SIMBENCH and not _installed():
            yield Row("grid", subject, "simbench is not installed: pip install gridpact[simbench]", 0.0, 0.0, 0.0, 0)
            continue
        runpp_ms = _runpp_ms(_model(subject, 0)[0])
        yield from _states(subject, runpp_ms)
        yield from _tick(subject, runpp_ms)
        for count in (10, 100, 1000):
            for state, asked in ASKED_MW.items():
                yield from _limits(subject, count, state, asked[number], runpp_ms)
        yield from _reduction(subject, runpp_ms)


def _installed() -> bool:
    try:
        simbench_package()
    except NetworkError:
        return False
    return True


def _model(subject: str, count: int) -> tuple[GridModel, OperatingPoint]:
    zip_percent = {"z": 40, "i": 30, "p": 30}
    source = "simbench" if subject == SIMBENCH else "network"
    given = {source: subject, "zip_percent": zip_percent} | SUBJECTS[subject]
    description = GridDescription.model_validate(given)
    buses = [int(name.removeprefix("bus ")) for name in load_model(description).ratings.bus_names]
    chosen = np.random.default_rng(1).choice(buses, count)
    model = load_model(description, tuple(ConnectionPoint(f"u{k}", int(bus)) for k, bus in enumerate(chosen)))
    return model, Profiles(model, description).forecast(0)


def _activations(model: GridModel, total_mw: float) -> list[Activation]:
    sizes = np.random.default_rng(2).uniform(0.5, 1.5, len(model.point_names))
    sizes *= total_mw / sizes.sum()
    return [Activation(name, ((name, 1.0),), float(size)) for name, size in zip(model.point_names, sizes, strict=True)]


def _runpp_ms(model: GridModel) -> float:
    net = deepcopy(model.net)
    return timed(lambda: run_power_flow(net), repeats=7)[0]


def _states(subject: str, runpp_ms: float) -> Iterator[Row]:
    model, state = _model(subject, UNITS[subject])
    solver = model.solver(state.taps)
    batch = np.random.default_rng(3).uniform(0, 0.05, (1000, len(model.point_names))).astype(complex)
    copies = iter(lambda: state.with_change_mva(np.zeros(len(model.point_names), dtype=complex)), None)
    fresh = [next(copies) for _ in range(64)]
    turn = iter(range(10**9))
    place = ("grid", subject)
    one = measured((*place, "one state"), lambda: solver.solve(fresh[next(turn) % 64]), against_ms=runpp_ms)
    yield one
    yield measured((*place, "batch of 1000 states"), lambda: solver.solve(state, batch), against_ms=1000 * runpp_ms)


def _tick(subject: str, runpp_ms: float) -> Iterator[Row]:
    model, state = _model(subject, UNITS[subject])
    constraints = Constraints(model)
    units = _activations(model, 0.1 * UNITS[subject])
    count = len(model.point_names)
    fresh = [state.with_change_mva(np.full(count, 1e-6 * k, dtype=complex)) for k in range(64)]
    turn = iter(range(10**9))

    def state_only() -> object:
        return constraints.values(model.solve(fresh[next(turn) % 64]))

    def with_headroom() -> object:
        return headroom(Hearing("now", fresh[next(turn) % 64], model, constraints), units)

    reach = REACH_MS.get(subject, (None, None))
    place = ("grid", subject)
    yield measured((*place, "tick: state"), state_only, against_ms=runpp_ms, reach_ms=reach[0])
    words = f"tick: state and headroom of {count}"
    yield measured((*place, words), with_headroom, against_ms=(1 + 2 * count) * runpp_ms, reach_ms=reach[1])


def _limits(subject: str, count: int, state: str, asked_mw: float, runpp_ms: float) -> Iterator[Row]:
    model, point = _model(subject, count)
    activations = _activations(model, asked_mw)
    for scope in SCOPES:
        words = f"limit {scope}, {count} offers, {state}"
        reach = {"uncongested": 100.0, "congested": 1000.0}[state] if count == 1000 and subject in REACH_MS else None
        yield measured(
            ("grid", subject, words),
            lambda scope=scope: limit(model, [("now", point)], activations, scope),
            repeats=3,
            against_ms=count * runpp_ms,
            reach_ms=reach,
        )


def _reduction(subject: str, runpp_ms: float) -> Iterator[Row]:
    model, state = _model(subject, 0)
    blocks = len(cvr.options(model, state))
    if blocks:
        words = f"voltage reduction, {blocks} blocks"
        against = (blocks + 1) * runpp_ms
        yield measured(("grid", subject, words), lambda: cvr.options(model, state), repeats=5, against_ms=against)
