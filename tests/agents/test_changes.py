"""States are copied with changes, and what is derived from their parts is made anew when the parts are others."""

from dataclasses import dataclass

import pytest

from gridpact.agents.changes import Span, derived, derived_now, replace


@dataclass(frozen=True)
class Known:
    one: int = 1
    lists: tuple[tuple[str, ...], ...] = ()


def test_a_copy_differs_in_what_is_changed_and_refuses_what_is_no_field() -> None:
    assert replace(Known(), one=2) == Known(2)
    with pytest.raises(TypeError, match="Known has no two"):
        replace(Known(), two=2)


def test_what_is_derived_is_kept_as_long_as_its_sources_are_the_same() -> None:
    made: list[int] = []
    state, source = Known(), ("a",)
    for _ in range(2):
        derived(state, "~count", (source,), lambda: made.append(1))
    derived(replace(state, one=3), "~count", (source,), lambda: made.append(1))
    assert len(made) == 1


def test_what_was_derived_from_nothing_is_not_taken_for_what_follows_from_something() -> None:
    state = Known()
    assert derived(state, "~all", (), lambda: "nothing") == "nothing"
    later = replace(state, lists=(("a",),))
    assert derived(later, "~all", later.lists, lambda: "something") == "something"
    assert derived(later, "~all", (), lambda: "nothing again") == "nothing again"


def test_what_holds_for_a_time_is_made_anew_after_it() -> None:
    state = Known()
    assert derived_now(state, "~now", (state.lists,), 5, lambda: Span(0, 10, "early")) == "early"
    assert derived_now(state, "~now", (state.lists,), 9, lambda: Span(0, 10, "never")) == "early"
    assert derived_now(state, "~now", (state.lists,), 10, lambda: Span(10, 20, "late")) == "late"
    assert derived_now(state, "~now", (), 11, lambda: Span(10, 20, "of nothing")) == "of nothing"
