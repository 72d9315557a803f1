"""What an agent takes from a network: limits, each with its answer (whatever else comes in: tests/fuzz)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gridpact.agents.runtime.mqtt.gate import Allowance, Gate
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Envelope, Topic
from gridpact.protocols.examples import example
from gridpact.protocols.messages import NotUnderstood, Refuse
from gridpact.protocols.past import KEPT_US
from gridpact.protocols.stages.prequalification import PREQUALIFICATION
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.protocols.wire import to_json

KINDS = {"tso": "TSO", "bsp-a": "BSP", "dso": "DSO"}
APPLICATION = example(PREQUALIFICATION.steps[0].message)


def gate(**most: float) -> Gate:
    return Gate(Desk("tso", KINDS, BUSINESS_USE_CASE), Allowance(**most))  # type: ignore[arg-type]


def application(subject: str = "mFRR", sender: str = "bsp-a") -> Envelope:
    topic = Topic("bsp-a", PREQUALIFICATION.stage, "application", subject, "tso")
    about = topic.conversation_id
    return Envelope(f"{about}#i0", sender, "tso", PREQUALIFICATION.name, about, APPLICATION, reply_by_us=10**15)


VALID = to_json(application()).encode()


def admit(at: Gate, envelope: Envelope | bytes, *, via: str = "bsp-a", waiting: int = 0, at_s: float = 0.0):  # type: ignore[no-untyped-def]
    payload = envelope if isinstance(envelope, bytes) else to_json(envelope).encode()
    return at.admit(payload, via, waiting=waiting, at_s=at_s)


def reason(answer: Envelope | None) -> str:
    assert answer is not None
    assert isinstance(answer.content, NotUnderstood)
    return answer.content.reason


def test_a_message_in_order_is_let_in() -> None:
    admission = admit(gate(), application())
    assert admission.envelope == application()
    assert admission.answer is None


def test_a_message_in_the_name_of_another_is_answered_on_the_channel_it_came_by() -> None:
    at = gate()
    admission = admit(at, application(sender="dso"))
    assert admission.envelope is None
    assert admission.answer.receiver == "bsp-a"
    assert "speaks in the name of dso" in reason(admission.answer)
    assert at.counts == {"forged": 1}


@pytest.mark.parametrize("receiver", ["dso", "bsp-a", "1970-01-01T00:00:00Z"])
def test_a_message_to_somebody_else_is_not_passed_on_to_it(receiver: str) -> None:
    at = gate()
    admission = admit(at, application()._replace(receiver=receiver))
    assert admission.envelope is None
    assert "misdirected" in reason(admission.answer)
    assert at.counts == {"misdirected": 1}


def test_who_takes_no_part_in_the_run_is_not_even_read() -> None:
    at = gate()
    assert admit(at, application(), via="bsp-x") == (None, None)
    assert at.counts == {"stranger": 1}


def test_a_message_that_is_too_large_is_not_even_read() -> None:
    at = gate(message_bytes=100)
    assert admit(at, application()) == (None, None)
    assert at.counts == {"oversized": 1}


def test_who_speaks_too_fast_is_told_so_and_heard_again_later() -> None:
    at = gate(messages_per_s=1)
    for _ in range(10):
        assert admit(at, application()).envelope is not None
    assert "too fast" in reason(admit(at, application()).answer)
    assert admit(at, application(), at_s=1.5).envelope is not None


def test_a_faster_run_may_say_more_in_a_second() -> None:
    at = gate(messages_per_s=1)
    at.turnstile.speed = 10.0
    assert all(admit(at, VALID).envelope is not None for _ in range(100))


def test_a_message_before_the_beginning_does_not_keep_its_sender_slow() -> None:
    at = gate(messages_per_s=1)
    assert admit(at, VALID).envelope is not None
    at.turnstile.speed = 10.0
    assert all(admit(at, VALID, at_s=20.0).envelope is not None for _ in range(100))


def test_a_full_inbox_takes_nothing_more() -> None:
    assert "inbox full" in reason(admit(gate(inbox=3), application(), waiting=3).answer)


def test_who_has_too_many_conversations_open_may_go_on_with_those_but_open_no_other() -> None:
    at = gate(open_conversations=2)
    for subject in ("one", "two"):
        assert at.desk.hear(application(subject)).fault is None
    assert "too many conversations" in reason(admit(at, application("three")).answer)
    assert admit(at, application("two")).envelope is not None


def test_conversations_that_wait_in_the_inbox_count_as_open() -> None:
    at = gate(open_conversations=2)
    taken = [admit(at, application(subject), waiting=number) for number, subject in enumerate(("one", "two", "three"))]
    assert [one.envelope is not None for one in taken] == [True, True, False]


def test_what_the_desk_has_refused_or_ended_leaves_room_for_others() -> None:
    at = gate(open_conversations=2)
    assert admit(at, application("one")).envelope is not None  # the desk never hears of it: refused, say
    assert admit(at, application("two")).envelope is not None
    assert admit(at, application("three")).envelope is not None


def test_how_many_conversations_of_one_party_are_remembered_is_limited() -> None:
    at = gate(known_conversations=2)
    taken = [admit(at, application(subject)) for subject in ("one", "two", "three", "three")]
    assert [one.envelope is not None for one in taken] == [True, True, False, False]


def finished(at: Gate, subject: str, now_us: int, *, at_s: float) -> bool:
    """Whether an application is let in; if it is, it is answered at once."""
    opening = application(subject)._replace(reply_by_us=now_us + 100)
    admission = admit(at, opening, at_s=at_s)
    if admission.envelope is None:
        assert "too many conversations" in reason(admission.answer)
    else:
        at.desk.hear(admission.envelope)
        at.desk.say(opening.conversation_id, Refuse(reason="enough of it"))
    at.desk.tidy_up(now_us)
    return admission.envelope is not None


def test_what_is_forgotten_leaves_room_so_that_a_party_may_go_on_for_weeks() -> None:
    at = gate(known_conversations=40)
    at.desk.tidy = True
    taken = [finished(at, f"n{number}", number * KEPT_US // 10, at_s=number * 360.0) for number in range(1000)]
    assert all(taken)
    assert len(at.desk.known()) < 40


def test_who_is_over_the_limit_is_heard_again_when_enough_has_been_forgotten() -> None:
    at = gate(known_conversations=40)
    at.desk.tidy = True
    burst = [finished(at, f"n{number}", number, at_s=0.0) for number in range(50)]
    assert burst == 40 * [True] + 10 * [False]
    assert not finished(at, "soon", KEPT_US // 2, at_s=1800.0)
    at.desk.tidy_up(2 * KEPT_US)
    assert finished(at, "later", 2 * KEPT_US, at_s=7200.0)


def test_who_never_ends_anything_is_never_heard_again() -> None:
    at = gate(known_conversations=40)
    at.desk.tidy = True
    for number in range(100):
        opening = admit(at, application(f"n{number}"), at_s=number * 3600.0).envelope
        if opening is not None:
            at.desk.hear(opening)
        at.desk.tidy_up(number * KEPT_US)
    assert len(at.desk.known()) == 40


def test_a_flood_at_the_limit_is_counted_once_a_second() -> None:
    at = gate(known_conversations=2)
    for subject in ("one", "two"):
        at.desk.hear(application(subject))
    for number in range(9):
        admit(at, application(f"n{number}"), at_s=10.0)
    at.desk.conversations = Unseen(at.desk.conversations)
    assert admit(at, application("once more"), at_s=10.9).envelope is None


def test_after_a_restart_the_desk_tells_what_is_open() -> None:
    at = gate(open_conversations=1)
    at.desk.hear(application("before"))
    assert "too many conversations" in reason(admit(at, application("after")).answer)


def test_a_flood_of_openings_is_judged_quickly() -> None:
    """Each message is judged without a look at all conversations."""
    at = gate(open_conversations=10_000, known_conversations=100_000, messages_per_s=1e9)
    openings = [to_json(application(f"n{number}")).encode() for number in range(3000)]
    for payload in openings:
        taken = admit(at, payload).envelope
        assert taken is not None
        at.desk.hear(taken)
    at.desk.conversations = Unseen(at.desk.conversations)
    assert admit(at, application("one more")).envelope is not None


class Unseen(dict[str, Any]):
    """Conversations that may be looked up but not gone through."""

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("somebody goes through all conversations")

    values = items = keys = __iter__  # type: ignore[assignment]


def test_answers_to_a_flood_are_few() -> None:
    at = gate()
    broken = json.dumps({"id": "x", "protocol": "p", "conversation_id": "c"}).encode()
    answers = [admit(at, broken).answer for _ in range(900)]
    assert sum(answer is not None for answer in answers) <= 50
    assert at.counts["unreadable"] == 900


def test_a_not_understood_is_never_answered() -> None:
    refusal = NotUnderstood(message_id="x", reason="y")
    envelope = Envelope("x!bsp-a", "bsp-a", "tso", PREQUALIFICATION.name, "c", refusal)
    assert admit(gate(inbox=0), envelope) == (None, None)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"id":1}', "\ufeff{}", "NaN", "[" * 20000])
def test_what_is_no_message_is_counted(text: str) -> None:
    at = gate()
    assert admit(at, text.encode()).envelope is None
    assert at.counts == {"unreadable": 1}
