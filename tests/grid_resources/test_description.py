"""A scenario that describes an impossible unit or pool is told so in a sentence."""

from typing import Any

import pytest
from pydantic import ValidationError

from gridpact.grid.resources.description import PoolDescription, Response, UnitDescription

UNIT: dict[str, Any] = {"id": "a1", "bus": 9, "up_mw": 2.5}
POOL: dict[str, Any] = {"id": "p", "buses": [12, 13], "up_mw": 1.0, "down_mw": 1.0}


def test_a_unit_on_the_transmission_grid_has_no_bus() -> None:
    assert UnitDescription(id="t", bus=None, up_mw=20).bus is None


def test_buses_may_be_names() -> None:
    assert PoolDescription(id="p", buses=("Bus 12", 13), up_mw=1.0).buses == ("Bus 12", 13)


def test_full_activation_time_is_the_sum_of_its_parts() -> None:
    assert Response(preparation_s=150, ramping_s=600, reaction_s=10).full_activation_s == 760


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"up_mw": -1.0}, "up_mw is -1, but it is a size: a finite number, 0 or more"),
        ({"up_mw": float("nan")}, "up_mw is nan, but it is a size"),
        ({"up_mw": 0.0}, "unit a1: up_mw and down_mw are both 0, so it could never offer anything"),
        ({"up_mw": "2.5 kW"}, "valid number"),
        ({"up_kw": 2.5}, "up_kw"),
        ({"baseline_mw": float("inf")}, "finite number"),
        ({"kind": "wind"}, "'generator', 'load' or 'storage'"),
        ({"id": ""}, "at least 1 character"),
    ],
)
def test_a_unit_that_cannot_be_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        UnitDescription.model_validate(UNIT | changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"dfrs": 0}, "dfrs is 0, but a pool has at least 1 resource"),
        ({"dfrs": True}, "valid integer"),
        ({"buses": []}, "buses is empty, but a pool is connected to at least 1 bus"),
        ({"buses": [12, 12]}, "buses names one bus twice: 12, 12"),
        ({"kinds": {"storage": 0.5}}, "the fractions of kinds sum to 0.5, but they must sum to 1"),
        ({"kinds": {"storage": 1.5, "load": -0.5}}, "-0.5, but it is a size"),
        ({"ramp_s": [120, 20]}, r"ramp_s is \[120, 20\], but the smaller number comes first"),
        ({"delay_s": [-1, 20]}, "-1, but it is a size"),
        ({"up_mw": 0.0, "down_mw": 0.0}, "pool p: up_mw and down_mw are both 0"),
        ({"storage_hours": 0.0}, "pool p: storage_hours is 0, but its storages need room for energy"),
    ],
)
def test_a_pool_that_cannot_be_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        PoolDescription.model_validate(POOL | changes)


def test_a_negative_time_is_refused() -> None:
    with pytest.raises(ValidationError, match="ramping_s is -240, but it is a size"):
        Response(ramping_s=-240.0)
