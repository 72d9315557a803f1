"""Loops are compiled when their module is imported, for what they are written for, wherever that may be kept."""

import math

import numpy as np
import pytest

from gridpact.grid.compiled import compiled
from gridpact.grid.limits.constraints import all_below

NOWHERE = """
@compiled("f8(f8[::1], f8)")
def total(given, by):
    found = 0.0
    for each in given:
        found += each / by
    return found
"""


def test_a_loop_that_can_be_kept_nowhere_is_compiled_all_the_same_and_divides_as_numpy_does() -> None:
    names = {"compiled": compiled}
    exec(NOWHERE, names)  # noqa: S102 – a loop whose source is in no file
    assert names["total"](np.array([1.0, 2.0]), 2.0) == 1.5  # type: ignore[operator,arg-type]
    assert math.isinf(names["total"](np.array([1.0, 2.0]), 0.0))  # type: ignore[operator,arg-type]


def test_nothing_is_compiled_in_the_middle_of_a_run() -> None:
    with pytest.raises(TypeError, match="No matching definition"):
        all_below(1, 2, 3, 4, 5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("loading", "vm_pu", "below"),
    [(90.0, 1.0, True), (95.0, 1.0, False), (math.nan, 1.0, False), (90.0, 1.06, False), (90.0, math.nan, False)],
)
def test_what_is_no_number_is_below_nothing(loading: float, vm_pu: float, below: bool) -> None:
    watched, factor, edge = np.array([1]), np.array([1.0, 100.0, -100.0]), np.array([95.0, 105.0, -95.0])
    assert all_below(np.array([[loading]]), np.array([[0.0, vm_pu]]), watched, factor, edge) == below
