"""What is unusual but legal is taken as it is meant; what cannot be meant ends with one sentence."""

from pathlib import Path

import pytest

from gridpact.scenarios.commands.starting import write_start
from gridpact.scenarios.description.times import Times
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.reading.loading import load_scenario

BLIND = "extends: blind\nname: mine\n"


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("150", "forecast: it should be less than or equal to 100, but it is 150"),
        ('{"12:00:00": 150}', "forecast.12:00:00: it should be less than or equal to 100, but it is 150"),
        ('{"12:00:00": [1]}', "forecast.12:00:00: input should be a valid number"),
    ],
)
def test_of_what_may_be_a_number_or_a_course_only_what_was_meant_is_judged(
    given: str, right: str, tmp_path: Path
) -> None:
    file = tmp_path / "scaled.yaml"
    profile = f"grids: {{north: {{profiles: {{load: {{forecast: {given}}}}}}}}}"
    file.write_text(f"gridpact: 1\nname: scaled\nextends: scenario-1-dso\n{profile}\n")
    with pytest.raises(ScenarioError) as raised:
        load_scenario(file)
    assert raised.value.complaints == (f"{file}:4: grids.north.profiles.load.{right}",)


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def test_a_file_that_declares_an_older_yaml_may_say_no_instead_of_false(tmp_path: Path) -> None:
    assert not load_scenario(written(tmp_path, f"%YAML 1.1\n---\n{BLIND}journal: no\n")).journal


def test_a_value_that_is_tagged_as_what_it_is_not_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"mine\.yaml:3: journal: it should be a valid boolean.* 'maybe'"):
        load_scenario(written(tmp_path, f"{BLIND}journal: !!bool maybe\n"))


@pytest.mark.parametrize("depth", [150, 350, 600])
def test_brackets_without_end_are_told_in_one_sentence(depth: int, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"mine\.yaml:\d: this is nested deeper than any scenario"):
        load_scenario(written(tmp_path, f"{BLIND}title: {'[' * depth}{']' * depth}\n"))


def test_an_empty_list_has_no_index_to_be_set() -> None:
    with pytest.raises(ScenarioError, match=r"market\.needs is an empty list"):
        load_scenario("blind", {"market.needs": "[]", "market.needs.0.quantity_mw": "3"})


@pytest.mark.parametrize(
    ("start", "minutes", "first"),
    [
        ("2026-03-02T12:00:00+05:30", 60, "2026-03-02T14:00:00+05:30"),
        ("2026-03-02T12:10:00+05:45", 30, "2026-03-02T14:30:00+05:45"),
        ("2026-03-02T23:50:00-03:30", 60, "2026-03-03T02:00:00-03:30"),
        ("2026-03-02T12:01:00+01:00", 15, "2026-03-02T14:15:00+01:00"),
    ],
)
def test_the_first_period_is_a_whole_one_by_the_clock_of_the_start(start: str, minutes: int, first: str) -> None:
    times = Times.model_validate({"start": start, "market_time_unit_min": minutes})
    given = Times.model_validate({"start": start, "market_time_unit_min": minutes, "first_delivery": first})
    assert times.first_delivery_us == given.first_delivery_us
    assert (times.first_delivery_us - times.midnight_us) % times.period_us == 0


@pytest.mark.parametrize("year", ["0001", "1969", "2200", "9999"])
def test_a_year_that_no_table_could_hold_is_refused(year: str) -> None:
    with pytest.raises(ScenarioError, match=rf"time\.start: the year {int(year)} is out of range.* 1970 and 2199"):
        load_scenario("blind", {"time.start": f"{year}-12-31T10:00:00+01:00", "time.first_delivery": "null"})


@pytest.mark.parametrize("name", ["über-uns", "наш", f"{'long' * 30}", "a b (2)"])
def test_a_new_scenario_passes_its_check_whatever_its_file_is_called(name: str, tmp_path: Path) -> None:
    assert load_scenario(write_start(tmp_path / f"{name}.yaml")).time.periods
