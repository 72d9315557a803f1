"""The points of a sweep are every combination of its values and seeds; slips of the pen are told at once."""

import pytest

from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.sweep.points import Point, axes_of, points_of, split


def test_every_combination_is_a_point_the_seed_first_in_turn() -> None:
    points = points_of(axes_of(["links.loss=0,0.1", "bsps=10"], "1..2"))
    assert [str(point) for point in points] == [
        "links.loss=0, bsps=10, seed=1",
        "links.loss=0, bsps=10, seed=2",
        "links.loss=0.1, bsps=10, seed=1",
        "links.loss=0.1, bsps=10, seed=2",
    ]


def test_without_axes_there_is_one_point() -> None:
    assert points_of(axes_of([], None)) == (Point(()),)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2,3", ("1", "2", "3")),
        (" a , b ", ("a", "b")),
        ("[1, 2],[3]", ("[1, 2]", "[3]")),
        ('{z: 40, i: 60},"a,b"', ("{z: 40, i: 60}", '"a,b"')),
        ("2026-03-02T12:00:00+01:00", ("2026-03-02T12:00:00+01:00",)),
    ],
)
def test_commas_within_brackets_or_quotes_belong_to_a_value(text: str, values: tuple[str, ...]) -> None:
    assert split(text) == values


@pytest.mark.parametrize(
    ("seeds", "values"), [("1..3", ("1", "2", "3")), ("5", ("5",)), ("1,4..6,9", ("1", "4", "5", "6", "9"))]
)
def test_seeds_are_ranges_and_lists(seeds: str, values: tuple[str, ...]) -> None:
    assert axes_of([], seeds)["seed"] == values


@pytest.mark.parametrize(
    ("settings", "seeds", "wanted"),
    [
        (["links.loss"], None, "write PATH=A,B,C"),
        (["=1"], None, "write PATH=A,B,C"),
        (["links.loss=0,"], None, "a value is empty"),
        (["links.loss=0,0"], None, "0 is given twice"),
        (["links.loss=0,0.1,0.0"], None, "0.0 is given twice, as 0 too"),
        (["links={loss: 1e-1},{loss: 0.1}"], None, "{loss: 0.1} is given twice, as {loss: 1e-1} too"),
        (["links.loss=0", "links.loss=1"], None, "given twice; list all its values in one option"),
        (["seed=1"], "1..3", "seed is already set"),
        ([], "3..1", "smallest first"),
        ([], "1..9999999", "at most 1000000 seeds"),
        ([], "1...3", "write 1..30"),
        ([], "a..b", "write 1..30"),
        ([], "1..3,2", "2 is given twice"),
    ],
)
def test_a_slip_of_the_pen_names_its_option(settings: list[str], seeds: str | None, wanted: str) -> None:
    with pytest.raises(ScenarioError, match=wanted) as told:
        axes_of(settings, seeds)
    assert str(told.value).startswith("--se")


def test_a_point_is_known_by_its_settings_whatever_their_order_and_by_its_base() -> None:
    one = Point((("a", "1"), ("b", "2")))
    assert one.key("base") == Point((("b", "2"), ("a", "1"))).key("base")
    assert one.key("base") == Point((("a", "0x1"), ("b", " 2 "))).key("base")
    assert one.key("base") != one.key("other")
    assert one.key("base") != Point((("a", "1"), ("b", "3"))).key("base")
