"""Whatever bytes come in on a channel: no crash, nothing changes but by a message in order, and it is counted."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mischief import encoded, spoilt_value
from payloads import Range, bombardment, lawful, valid_messages

VALID = valid_messages()


def test_no_spoilt_payload_does_anything_but_what_is_declared() -> None:
    counted = bombardment(seed=1, count=8000)
    assert counted.total() == 8000
    assert {"unreadable", "stranger", "forged", "oversized", "refused at the desk", "taken"} <= {*counted}


@settings(max_examples=150)
@given(value=st.sampled_from(VALID), choice=st.randoms(use_true_random=False), via=st.sampled_from(["bsp-a", "tso"]))
def test_no_changed_member_does_either(value: dict[str, Any], choice: Random, via: str) -> None:
    Range().fire(encoded(spoilt_value(choice, value)), via)


@settings(max_examples=150)
@given(
    text=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(VALID[0])) | st.text(), inner),
    ).map(encoded)
)
def test_nor_anything_else(text: bytes) -> None:
    Range().fire(text, "bsp-a")


@pytest.mark.parametrize("member", ["id", "protocol", "conversation_id", "type", "x" * 60_000])
def test_an_answer_is_never_longer_than_others_read(member: str) -> None:
    """A long name in what cannot be read must not make an answer that no host may send."""
    at = Range()
    at.fire(encoded({**VALID[0], "sender": "bsp-a", member: "y" * 60_000, "content": None}), "bsp-a")
    assert at.gate.counts["unreadable"] + at.gate.counts["oversized"] == 1


def test_the_document_knows_what_is_in_order() -> None:
    opening = {**VALID[0]}
    assert lawful(json.dumps(opening).encode(), "bsp-a", "tso") is None
    assert lawful(json.dumps(opening).encode(), "bsp-b", "tso") == "sender"
    assert lawful(json.dumps(opening | {"in_reply_to": "x"}).encode(), "bsp-a", "tso") == "reply"
