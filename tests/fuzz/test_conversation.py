"""Whatever comes into a conversation out of order, in a wrong name or again: nothing changes, and it is counted."""

from random import Random

import pytest
from attacks import ATTACKS, Attack, Standing, standings, storm, strike
from hypothesis import given, settings
from hypothesis import strategies as st

STANDINGS = standings()


def test_no_attack_on_any_state_of_any_protocol_changes_anything() -> None:
    counted = storm(seed=1, count=6000)
    assert counted.total() == 6000
    assert {*counted} == {*ATTACKS}


@pytest.mark.parametrize("name", ATTACKS)
@settings(max_examples=30)
@given(standing=st.sampled_from(STANDINGS), choice=st.randoms(use_true_random=False))
def test_each_kind_of_attack_is_answered_as_declared(name: str, standing: Standing, choice: Random) -> None:
    make, answered = ATTACKS[name]
    strike(standing, Attack(name, make(choice, standing.conversation), answered))
