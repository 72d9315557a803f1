"""Who reads at a tick is whoever's span covers it, whatever the order of joining and leaving."""

from hypothesis import given
from hypothesis import strategies as st

from gridpact.agents.runtime.happenings.rounds import Circle, Member, Span

SPANS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 6), st.integers(0, 8)).map(
        lambda one: Member(one[0], Span("area", one[1], max(one[1:])), lambda source, at_us: None)
    ),
    min_size=1,
    max_size=6,
)


@given(joining=st.lists(SPANS, min_size=1, max_size=3))
def test_whoever_has_joined_reads_from_the_beginning_to_the_end_of_its_span(joining: list[list[Member]]) -> None:
    circle, everybody = Circle(), list[Member]()
    for at_us in range(10):
        for member in joining[at_us] if at_us < len(joining) else ():
            circle.join(member)
            everybody.append(member)
        expected = [one for one in everybody if one.span.from_us <= at_us <= one.span.until_us]
        assert circle.reading(at_us) == sorted(expected, key=lambda one: one.agent)
        circle.leave(at_us + 1)
    assert circle.members == []
