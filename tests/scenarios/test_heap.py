"""Rows that wait in half the room come to what they come to as they are, and what they leave behind is given back."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from held import resident_kb
from hypothesis import given, settings
from hypothesis import strategies as st

from gridpact.scenarios.record.heap import Few, Packed
from gridpact.scenarios.record.leavings import OFTEN, Leavings

NUMBERS = st.one_of(
    st.floats(-2200, 2200), st.floats(-1e12, 1e12), st.sampled_from([-1e-9, -0.0, 5e-7, np.nan, np.inf, -np.inf])
)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda many: st.lists(st.lists(NUMBERS, min_size=many, max_size=many), min_size=1, max_size=6)
    )
)
def test_packed_rows_are_the_same_numbers(rows: list[list[float]]) -> None:
    few, packed = Few(), Packed(len(rows), len(rows[0]))
    for row in rows:
        few.add(np.array(row))
        packed.add(np.array(row))
    assert len(packed) == len(few) == len(rows)
    expected, found = few.columns(), packed.columns()
    assert [array.to_pylist() for array in found] == [array.to_pylist() for array in expected]
    assert not any(str(value) == "-0.0" for array in found for value in array.to_pylist())
    assert (len(packed), len(few)) == (0, 0)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads /proc, and other systems give back by themselves"
)
def test_what_large_blocks_leave_between_what_stays_is_given_back() -> None:
    leavings, blocks = Leavings(), [bytes(60_000) for _ in range(1000)]
    staying = blocks[::50]
    full_kb = resident_kb()
    del blocks
    leavings.add(OFTEN - 1)
    leavings.add(1)
    assert len(staying) == 20
    assert resident_kb() < full_kb - 30_000
