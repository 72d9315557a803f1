"""The worked example that many tests share: CIGRE MV with DER, units A, B, C of 2.5 MW at buses 9, 11, 8."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import single_threaded
from gridpact.grid.limits.allowing import Activation
from gridpact.grid.model import GridModel, load_model
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.plant.plant import GridPlant
from gridpact.grid.series.profiles import Profiles
from gridpact.grid.studies.studies import GridStudies

HOUR_US = 3_600_000_000
WORKED_EXAMPLE: dict[str, Any] = {
    "network": "cigre_mv_der",
    "load_scaling": 0.8,
    "storage_scaling": 0.0,
    "source_vm_pu": 1.03,
    "taps": {"side": "hv", "min": -9, "max": 9, "step_percent": 1.5, "position": 0, "seconds_per_step": 10},
    "zip_percent": {"z": 40, "i": 30, "p": 30},
    "planning_cases": [{"name": "windy", "load": 0.8, "wind": 1.0}, {"name": "windy, light", "load": 0.4, "wind": 1.0}],
    "profiles": {"load": {"forecast": 0.8}, "wind": {"forecast": 0.2, "actual": {"12:35:00": 1.0}}},
    "metered": ["interface", "wind"],
}
POINTS = (
    ConnectionPoint("A", 9),
    ConnectionPoint("B", 11),
    ConnectionPoint("C", "Bus 8"),
    ConnectionPoint("L6", 6, "load"),
    ConnectionPoint("L10", 10, "load"),
    ConnectionPoint("L3", 3, "load"),
)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Run every grid test with one BLAS thread, as a run does: workers share the cores."""
    with single_threaded():
        yield


@pytest.fixture(scope="session")
def worked_example() -> GridDescription:
    return GridDescription.model_validate(WORKED_EXAMPLE)


@pytest.fixture(scope="session")
def vary(worked_example: GridDescription) -> Callable[..., GridDescription]:
    """Return a maker of descriptions that differ from the worked example in some fields."""
    return lambda **changes: GridDescription.model_validate(WORKED_EXAMPLE | changes)


@pytest.fixture(scope="session")
def model(worked_example: GridDescription) -> GridModel:
    return load_model(worked_example, POINTS)


@pytest.fixture(scope="session")
def profiles(model: GridModel, worked_example: GridDescription) -> Profiles:
    return Profiles(model, worked_example)


@pytest.fixture
def studies(worked_example: GridDescription, model: GridModel) -> GridStudies:
    return GridStudies("dso", worked_example, POINTS)


@pytest.fixture
def plant(worked_example: GridDescription, model: GridModel) -> GridPlant:
    return GridPlant("dso", worked_example, POINTS)


@pytest.fixture(scope="session")
def abc() -> tuple[Activation, ...]:
    return tuple(Activation(name, ((name, 1.0),), 2.5) for name in "ABC")
