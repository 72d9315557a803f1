"""A lookup finds exactly the rows that going through all of them would find, in the same order."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gridpact.scenarios.audit.lookup import Lookup

WORDS = st.sampled_from(["a", "b", "c"])
VALUES = st.one_of(WORDS, st.none(), st.integers(0, 2), st.lists(WORDS, max_size=2))
PARTS = st.dictionaries(st.sampled_from(["offer_id", "product", "ids"]), VALUES, max_size=3)
ROWS = st.lists(st.fixed_dictionaries({"receiver": WORDS, "content": PARTS}), max_size=12)


@given(ROWS, st.lists(st.tuples(st.one_of(st.none(), WORDS), PARTS), max_size=4))
def test_a_lookup_finds_what_a_walk_through_all_rows_finds(
    rows: list[dict[str, Any]], asked: list[tuple[str | None, dict[str, Any]]]
) -> None:
    lookup = Lookup(rows, part="content", head="receiver")
    for head, values in asked:
        found = lookup.find(head, values)
        assert found == [
            row
            for row in rows
            if head in (None, row["receiver"])
            and all(row["content"].get(key) == value for key, value in values.items())
        ]
