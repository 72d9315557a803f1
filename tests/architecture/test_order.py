"""Long tests come first: the list of them names files that there are."""

from pathlib import Path

import order
import pytest

TESTS = Path(__file__).resolve().parents[1]


def test_every_long_file_is_there() -> None:
    assert [name for name in order.LONG if not (TESTS / f"{name}.py").is_file()] == []


def test_this_file_comes_after_the_long_ones(request: pytest.FixtureRequest) -> None:
    here = Path(__file__).relative_to(TESTS).as_posix()
    asked = [item.path.relative_to(TESTS).as_posix() for item in request.session.items]
    assert all(order.rank(name) <= order.rank(here) for name in asked[: asked.index(here)])
    assert order.rank(here) == len(order.LONG)
