"""What disturbs the balance: steps and ramps at their time, seeded quarter-hours and noise, a user's file."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from gridpact.grid.area.area import Area
from gridpact.grid.area.description import AreaDescription
from gridpact.grid.area.disturbance import STEP_US, Course, Piece, RecordingError, Total
from gridpact.grid.errors import GridError

SECOND = 1_000_000
NOON = 12 * 3600 * SECOND


def area(seed: int = 1, **given: Any) -> Area:
    return Area(AreaDescription.model_validate(given), NOON, 0, seed=seed)


def course(one: Area, seconds: int, every_s: int = 1) -> list[float]:
    return [one.disturbance_mw(NOON + k * SECOND) for k in range(0, seconds, every_s)]


def test_a_ramp_rises_in_a_straight_line_over_its_time() -> None:
    one = area(disturbances=[{"at": "12:01:00", "mw": -6.0, "over_s": 60}])
    assert [one.disturbance_mw(NOON + s * SECOND) for s in (59, 60, 90, 120, 600)] == [0.0, 0.0, -3.0, -6.0, -6.0]


def test_ramps_and_steps_overlap() -> None:
    given = [{"at": "12:00:10", "mw": 2.0, "over_s": 20}, {"at": "12:00:20", "mw": -5.0}, {"at": "12:00:15", "mw": 1}]
    one = area(disturbances=given)
    seen = [one.disturbance_mw(NOON + s * SECOND) for s in (14, 15, 19, 20, 30, 31)]
    assert seen == pytest.approx([0.4, 1.5, 1.9, -3.0, -2.0, -2.0], abs=1e-6)


@pytest.mark.parametrize("tick_s", [0.1, 2.0, 4.0])
def test_every_kind_of_disturbance_acts_alike_at_every_tick(tick_s: float) -> None:
    given = {
        "disturbances": [{"at": "12:00:10", "mw": -3, "over_s": 25}, {"at": "12:00:31", "mw": 2}],
        "variation": {"noise_mw": 2.0, "quarter_hour_mw": 3.0, "begins": "12:00:05"},
    }
    fine, coarse = area(**given), area(**given)
    for k in range(1, 61):
        last = fine.advance(NOON + k * SECOND, 0.0)
    for k in range(1, round(60 / tick_s) + 1):
        other = coarse.advance(NOON + round(k * tick_s * SECOND), 0.0)
    assert other.frequency_hz == pytest.approx(last.frequency_hz, abs=2e-6)
    assert fine.extremes_hz() == pytest.approx(coarse.extremes_hz(), abs=2e-6)


def test_a_sub_step_takes_a_step_from_its_start_and_a_ramp_at_its_middle() -> None:
    one = Course([Piece(STEP_US * 3, 5.0), Piece(STEP_US * 6, 5.0, 1.0 / STEP_US)])
    assert one.sample(0, 9).tolist() == pytest.approx([0, 0, 0, 5, 5, 5, 5.5, 6.5, 7.5])
    late = Course([Piece(STEP_US * 3 + 1, 5.0)])
    assert late.sample(2, 3).tolist() == [0, 0, 5]


def test_what_is_over_is_forgotten_and_what_comes_is_the_same() -> None:
    pieces = [Piece(STEP_US * 7 * k, float(k), 1e-6) for k in range(5000)]
    at_once, by_the_way = Course(pieces).sample(0, 30_000), Course(pieces)
    found = [by_the_way.sample(first, 100) for first in range(0, 30_000, 100)]
    assert np.concatenate(found).tolist() == at_once.tolist()
    with pytest.raises(GridError, match="has been forgotten"):
        by_the_way.at(STEP_US)
    ticks, total = (70, 33, 4801, 5000, 80), Total([Course(pieces), Course(pieces[:20])])
    firsts = [sum(ticks[:k]) for k in range(len(ticks))]
    seen = np.concatenate([total.sample(first, count) for first, count in zip(firsts, ticks, strict=True)])
    assert seen.tolist() == Total([Course(pieces), Course(pieces[:20])]).sample(0, sum(ticks)).tolist()


def test_noise_is_stationary_correlated_and_hangs_on_the_seed_alone() -> None:
    given = {"variation": {"noise_mw": 3.0, "noise_time_s": 20.0}}
    noise = np.array(course(area(**given), 20_000))
    assert noise.std() == pytest.approx(3.0, rel=0.1)
    assert np.corrcoef(noise[:-20], noise[20:])[0, 1] == pytest.approx(math.exp(-1), abs=0.05)
    assert course(area(**given), 2000, 7) == [noise[k] for k in range(0, 2000, 7)]
    assert course(area(seed=2, **given), 100) != noise[:100].tolist()


def test_quarter_hours_have_a_level_each_from_the_first_whole_one_on() -> None:
    one = area(variation={"quarter_hour_mw": 4.0, "begins": "12:10:00"})
    levels = [one.disturbance_mw(NOON + minute * 60 * SECOND) for minute in (0, 14, 15, 29, 30, 44, 45)]
    assert levels[:2] == [0.0, 0.0]
    assert levels[2] == levels[3] != levels[4] == levels[5] != levels[6]


def test_quarter_hours_change_evenly_about_the_boundary() -> None:
    given = {"quarter_hour_mw": 4.0}
    step, ramp = area(variation=given), area(variation={**given, "over_s": 300})
    first, second = (step.disturbance_mw(NOON + minute * 60 * SECOND) for minute in (10, 20))
    seen = [ramp.disturbance_mw(NOON + round(minute * 60 * SECOND)) for minute in (12.5, 15, 17.5)]
    assert seen == pytest.approx([first, (first + second) / 2, second], abs=1e-6)


def test_a_users_file_is_followed_in_steps_or_lines(tmp_path: Path) -> None:
    file = tmp_path / "imbalance.csv"
    file.write_text("at,mw,remark\n12:00:10,-4,trip\n12:00:20,0,back\n")
    steps = area(recorded={"file": str(file)})
    lines = area(recorded={"file": str(file), "between": "lines"})
    instants = [NOON + s * SECOND for s in (9, 10, 15, 20, 99)]
    assert [steps.disturbance_mw(at_us) for at_us in instants] == [0.0, -4.0, -4.0, 0.0, 0.0]
    assert [lines.disturbance_mw(at_us) for at_us in instants] == [0.0, -4.0, -2.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("at,power\n", "line 1: the columns are"),
        ("at,mw\n12:00,x\n", "line 2: could not convert"),
        ("at,mw\nnoon,1\n", 'line 2: clock time "noon" must read HH:MM'),
        ("at,mw\n12:00,inf\n", "line 2: mw is inf"),
        ("at,mw\n12:00,1\n12:00,2\n", "line 3: its time does not come after"),
        ("at,mw\n", "has no rows"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_says_nothing_sensible_is_refused_with_its_line(
    text: str | None, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "imbalance.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(RecordingError, match=sentence):
        area(recorded={"file": str(file)})


def test_a_ramp_longer_than_a_quarter_hour_is_refused() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 900"):
        AreaDescription.model_validate({"variation": {"over_s": 901}})
