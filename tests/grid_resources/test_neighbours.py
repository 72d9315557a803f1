"""Areas joined by tie lines behave as two-area load-frequency control does in the textbooks."""

import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from gridpact.grid.area.area import Area, AreaReading
from gridpact.grid.area.description import AreaDescription

SECOND = 1_000_000
NOON = 12 * 3600 * SECOND
SOUTH = {"load_mw": 2000, "self_regulation_mw_per_hz": 30, "fcr": {"droop_mw_per_hz": 200, "limit_mw": 100}}
IDLE = {"beta": 0, "limit_mw": 0}


def joined(*, own_mw: float = 0.0, south_mw: float = 0.0, **south: Any) -> Area:
    steps = {"own": own_mw, "south": south_mw}
    given = {name: [{"at": "12:00:00", "mw": mw}] for name, mw in steps.items() if mw}
    neighbour = {**SOUTH, "ties": {"own": 300}, "disturbances": given.get("south", []), **south}
    area = {"fcr": {"limit_mw": 50}, "disturbances": given.get("own", []), "neighbours": {"south": neighbour}}
    return Area(AreaDescription.model_validate(area), NOON, 0)


def follow(area: Area, seconds: int, tick_s: float = 1.0) -> list[tuple[AreaReading, AreaReading]]:
    found = []
    for k in range(1, round(seconds / tick_s) + 1):
        own = area.advance(NOON + round(k * tick_s * SECOND), 0.0)
        found.append((own, area.neighbours()["south"]))
    return found


def test_both_areas_contain_a_disturbance_together_and_the_tie_carries_the_neighbours_share() -> None:
    own, south = follow(joined(own_mw=-17.0, secondary=IDLE), 300)[-1]
    offset_hz = -17.0 / (110 + 230)
    assert own.frequency_hz - 50 == pytest.approx(offset_hz, abs=1e-5)
    assert south.frequency_hz == pytest.approx(own.frequency_hz, abs=1e-5)
    assert own.tie_mw == pytest.approx(230 * offset_hz, abs=1e-3)
    assert own.tie_mw + south.tie_mw == 0.0


def test_the_area_control_error_is_that_of_the_own_disturbance_alone() -> None:
    """Non-interaction: K · Δf and the tie deviation cancel where the disturbance is another's."""
    own, south = follow(joined(own_mw=-17.0, secondary=IDLE), 300)[-1]
    assert own.ace_mw == pytest.approx(-17.0, abs=1e-3)
    assert south.ace_mw == pytest.approx(0.0, abs=1e-3)
    own, south = follow(joined(south_mw=-17.0, secondary=IDLE), 300)[-1]
    assert own.ace_mw == pytest.approx(0.0, abs=1e-3)
    assert south.ace_mw == pytest.approx(-17.0, abs=1e-3)


def test_a_neighbour_restores_its_own_balance_and_the_tie_flow_returns() -> None:
    seen = follow(joined(south_mw=-17.0), 1800)
    assert max(own.tie_mw for own, _ in seen) > 4
    own, south = seen[-1]
    assert own.frequency_hz == pytest.approx(50.0, abs=1e-4)
    assert own.tie_mw == pytest.approx(0.0, abs=0.01)
    assert (own.ace_mw, south.ace_mw) == pytest.approx((0.0, 0.0), abs=0.02)


def test_a_neighbour_leaves_anothers_disturbance_to_it() -> None:
    own, south = follow(joined(own_mw=-17.0), 1800)[-1]
    assert own.ace_mw == pytest.approx(-17.0, abs=0.05)
    assert south.ace_mw == pytest.approx(0.0, abs=0.05)


def test_the_areas_swing_against_each_other_at_the_frequency_of_theory() -> None:
    """ω² = 2π · T · f0 · (1/(T_a1 · P_1) + 1/(T_a2 · P_2)) for undamped areas."""
    loose = {"self_regulation_mw_per_hz": 0, "fcr": {"droop_mw_per_hz": 0}}
    area = AreaDescription.model_validate(
        {
            **loose,
            "disturbances": [{"at": "12:00", "mw": -5}],
            "neighbours": {"south": {**loose, "ties": {"own": 50}, "secondary": IDLE}},
        }
    )
    seen = follow(Area(area, NOON, 0), 60, tick_s=0.05)
    apart = np.array([own.frequency_hz - south.frequency_hz for own, south in seen])
    turns = np.flatnonzero(np.diff(np.sign(apart)))
    period_s = 2 * 0.05 * float(np.diff(turns).mean())
    omega = math.sqrt(2 * math.pi * 50 * 50 * 2 / (10 * 1000))
    assert period_s == pytest.approx(2 * math.pi / omega, rel=0.01)
    assert np.abs(apart[-400:]).max() == pytest.approx(np.abs(apart[:400]).max(), rel=0.01)


def test_the_common_frequency_falls_with_the_inertia_of_both() -> None:
    area = joined(own_mw=-15.0, secondary=IDLE)
    own, south = follow(area, 1, tick_s=0.1)[0]
    mean_hz = (1000 * own.frequency_hz + 2000 * south.frequency_hz) / 3000
    assert 50 - mean_hz == pytest.approx(0.1 * 50 * 15 / (10 * 3000), rel=0.02)


@pytest.mark.parametrize("tick_s", [0.1, 2.0, 4.0])
def test_the_neighbours_do_not_depend_on_the_tick(tick_s: float) -> None:
    fine, coarse = joined(own_mw=-17.0), joined(own_mw=-17.0)
    assert follow(fine, 120, 1.0)[-1] == follow(coarse, 120, tick_s)[-1]


def test_three_areas_in_a_row_pass_power_through() -> None:
    chain = {"south": {**SOUTH, "ties": {"own": 300}}, "far": {**SOUTH, "ties": {"south": 300}}}
    chain = {name: {**one, "secondary": IDLE} for name, one in chain.items()}
    steps = [{"at": "12:00", "mw": -19}]
    area = Area(AreaDescription.model_validate({"disturbances": steps, "neighbours": chain}), NOON, 0)
    for k in range(1, 301):
        own = area.advance(NOON + k * SECOND, 0.0)
    others = area.neighbours()
    assert own.tie_mw == pytest.approx(2 * 230 * (own.frequency_hz - 50), abs=1e-2)
    assert others["far"].tie_mw == pytest.approx(-230 * (own.frequency_hz - 50), abs=1e-2)
    assert own.tie_mw + others["south"].tie_mw + others["far"].tie_mw == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize(
    ("neighbours", "sentence"),
    [
        ({"south": {"ties": {}}}, "ties is empty, but a neighbour has at least 1 tie line"),
        ({"south": {"ties": {"east": 1}}}, 'south is tied to "east", but the areas that it can be tied to are: own'),
        ({"own": {"ties": {"own": 1}}}, 'a neighbour cannot be called "own"'),
        ({"a": {"ties": {"b": 1}}, "b": {"ties": {"a": 1}}}, "a, b: no chain of ties leads from here to own"),
        ({"south": {"ties": {"own": 0}}}, "must be above 0"),
    ],
)
def test_a_neighbour_that_hangs_nowhere_is_refused(neighbours: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        AreaDescription.model_validate({"neighbours": neighbours})
