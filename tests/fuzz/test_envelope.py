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


def changed_member(value: dict[str, Any], choice: Random) -> bytes:
    return encoded(spoilt_value(choice, value))


def changed_byte(value: dict[str, Any], at: int, byte: int) -> bytes:
    text = encoded(value)
    return text[: at % len(text)] + bytes([byte]) + text[at % len(text) + 1 :]


@settings(max_examples=200)
@given(
    via=st.sampled_from(["bsp-a", "tso"]),
    text=st.binary(max_size=200)
    | st.builds(changed_member, st.sampled_from(VALID), st.randoms(use_true_random=False))
    | st.builds(changed_byte, st.sampled_from(VALID), st.integers(0, 5000), st.integers(0, 255))
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(VALID[0])) | st.text(), inner),
    ).map(encoded),
)
def test_nor_does_anything_else(text: bytes, via: str) -> None:
    """With hypothesis: any bytes, any JSON, and messages with a member or a byte changed."""
    Range().fire(text, via)


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
