"""Nobody waits longer for an answer than it is remembered that it was asked for."""

import pytest

from gridpact.agents.calendar import KEPT_US
from gridpact.agents.profiles import Patience


@pytest.mark.parametrize("kind", ["answer_us", "validation_us", "follow_us"])
@pytest.mark.parametrize("patience_us", [0, KEPT_US])
def test_a_patience_that_outlasts_what_is_remembered_is_refused(kind: str, patience_us: int) -> None:
    with pytest.raises(ValueError, match=f"patience: {kind} is {patience_us}, .* older than 30 minutes is forgotten"):
        Patience(**{kind: patience_us})


def test_the_usual_patience_is_within_it() -> None:
    assert max(Patience().answer_us, Patience().validation_us, Patience().follow_us) < KEPT_US
