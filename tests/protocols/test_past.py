"""What is over takes next to no room, is known as well as before, and cannot begin anew once it is forgotten."""

import tracemalloc
from collections.abc import Callable
from random import Random

import pytest

from gridpact.protocols.desk import Desk, Hearing
from gridpact.protocols.envelope import Envelope, Side, Topic
from gridpact.protocols.information.offering import CallForOffers, NoOffer
from gridpact.protocols.messages import Cancel, Cancelled, Message
from gridpact.protocols.past import KEPT_US, LEAST_SWEPT, STEP_US, UNDATED_US
from gridpact.protocols.stages import offering
from gridpact.protocols.stages.activation import ACTIVATION, Activate, Activated
from gridpact.protocols.tables import Protocol
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE

Example = Callable[[type[Message]], Message]
Pair = dict[Side, Desk]
KINDS = {"tso": "TSO", "dso": "DSO", "bsp": "BSP", "agg": "AGGREGATOR"}
PARTY = {"TSO": "tso", "DSO": "dso", "BSP": "bsp"}


def pair(protocol: Protocol, *, tidy: bool) -> Pair:
    names = {Side.INITIATOR: PARTY[protocol.initiator], Side.RESPONDENT: PARTY[protocol.respondent]}
    return {side: Desk(name, KINDS, BUSINESS_USE_CASE, tidy=tidy) for side, name in names.items()}


def steps(protocol: Protocol, example: Example, pairs: tuple[Pair, Pair], seed: int) -> int:
    """Walk both pairs the same random way, with copies and silences; returns how often somebody heard something."""
    choice, on_the_way, heard = Random(seed), list[Envelope](), list[Envelope]()  # noqa: S311 - seeded
    parties = [desk.name for desk in pairs[0].values()]
    about = [Topic(parties[0], protocol.stage, "qh1", f"subject-{n}", parties[1]) for n in range(3)]
    for now_us in range(60):
        kind, side, topic = choice.choice("sshhcd"), choice.choice(list(Side)), choice.choice(about)
        if kind == "s":
            on_the_way += say(protocol, example, (pairs, side, topic), choice)
        elif kind == "h" and on_the_way:
            heard.append(on_the_way.pop(choice.randrange(len(on_the_way))))
            hear(pairs, heard[-1])
        elif kind == "c" and heard:
            hear(pairs, choice.choice(heard))
        elif kind == "d":
            silence(pairs, side, topic)
        for desk in pairs[1].values():
            desk.past.most = 0
            desk.tidy_up(now_us)
        assert [d.known() for d in pairs[0].values()] == [d.known() for d in pairs[1].values()]
    return len(heard)


def say(
    protocol: Protocol, example: Example, where: tuple[tuple[Pair, Pair], Side, Topic], choice: Random
) -> list[Envelope]:
    pairs, side, topic = where
    known = pairs[0][side].find(topic.conversation_id)
    may = protocol.may_say("start" if known is None else known.state, side)
    if not may or (known is None and side is Side.RESPONDENT):
        return []
    content = example(BUSINESS_USE_CASE.messages[choice.choice(may)])
    if known is None:
        said = [pairs[k][side].open(protocol, topic, content, reply_by_us=100) for k in (0, 1)]
    else:
        said = [pairs[k][side].say(topic.conversation_id, content, reply_by_us=100) for k in (0, 1)]
    assert said[0] == said[1]
    return said[:1]


def hear(pairs: tuple[Pair, Pair], envelope: Envelope) -> Hearing:
    first, second = (next(d for d in one.values() if d.name == envelope.receiver).hear(envelope) for one in pairs)
    assert first == second
    return first


def silence(pairs: tuple[Pair, Pair], side: Side, topic: Topic) -> None:
    first, second = (one[side].silence(topic.conversation_id, 100) for one in pairs)
    assert first == second


@pytest.mark.parametrize("name", sorted(BUSINESS_USE_CASE.protocols))
def test_a_tidy_desk_hears_and_says_what_one_does_that_keeps_everything(name: str, example: Example) -> None:
    protocol = BUSINESS_USE_CASE.protocols[name]
    taken = [
        steps(protocol, example, (pair(protocol, tidy=False), pair(protocol, tidy=True)), seed) for seed in range(4)
    ]
    assert sum(taken) > 4


def declined(tso: Desk, bsp: Desk, number: int, example: Example, now_us: int) -> Envelope:
    """A call that is answered at once; returns the call."""
    topic = Topic("tso", "offering", f"qh{number}", "mFRR-up", "bsp")
    call = tso.open(offering.OFFERING, topic, example(CallForOffers), reply_by_us=now_us + 100)
    bsp.hear(call)
    tso.hear(bsp.say(call.conversation_id, example(NoOffer)))
    for desk in (tso, bsp):
        desk.tidy_up(now_us)
    return call


@pytest.fixture
def tidy() -> tuple[Desk, Desk]:
    tso, bsp = (Desk(name, KINDS, BUSINESS_USE_CASE, tidy=True) for name in ("tso", "bsp"))
    return tso, bsp


def test_what_is_over_is_forgotten_an_hour_later_and_its_copy_is_too_old(
    tidy: tuple[Desk, Desk], example: Example
) -> None:
    tso, bsp = tidy
    calls = [declined(tso, bsp, number, example, now_us=1000 * number) for number in range(200)]
    assert bsp.hear(calls[0]).copy
    late_us = KEPT_US + 2 * STEP_US
    for number in range(200, 200 + 10 * LEAST_SWEPT):
        declined(tso, bsp, number, example, now_us=late_us + number)
    assert calls[0].conversation_id not in bsp.known()
    fault = bsp.hear(calls[0]).fault
    assert fault is not None
    assert "too old to begin" in fault
    assert calls[0].conversation_id not in bsp.known()
    declined(tso, bsp, 10_000, example, now_us=late_us)


def test_few_that_are_over_are_forgotten_in_time_too(tidy: tuple[Desk, Desk], example: Example) -> None:
    tso, bsp = tidy
    call = declined(tso, bsp, 1, example, now_us=0)
    for number, now_us in enumerate((KEPT_US // 2, 2 * KEPT_US, 4 * KEPT_US), start=2):
        declined(tso, bsp, number, example, now_us)
    assert call.conversation_id not in {**tso.known(), **bsp.known()}
    assert "too old to begin" in str(bsp.hear(call).fault)


def test_what_was_begun_without_reply_by_is_forgotten_a_day_after_its_end(
    tidy: tuple[Desk, Desk], example: Example
) -> None:
    tso, bsp = tidy
    topic = Topic("tso", "offering", "qh1", "mFRR-up", "bsp")
    call = tso.open(offering.OFFERING, topic, example(CallForOffers), reply_by_us=100)._replace(reply_by_us=None)
    bsp.hear(call)
    bsp.say(call.conversation_id, example(NoOffer))
    for now_us in (0, UNDATED_US - 1):
        bsp.tidy_up(now_us)
        assert bsp.hear(call).copy
    bsp.tidy_up(UNDATED_US + KEPT_US)
    assert bsp.known() == {}


def test_a_round_is_remembered_as_long_as_one_of_its_conversations(tidy: tuple[Desk, Desk], example: Example) -> None:
    tso, bsp = tidy
    for number in range(100):
        now_us, topic = number * KEPT_US, Topic("tso", "offering", f"qh{number}", "mFRR-up", "bsp")
        content, closes = example(CallForOffers), f"called/{number}"
        call = tso.open(offering.OFFERING, topic, content, reply_by_us=now_us + 100, round_id=closes)
        bsp.hear(call)
        assert tso.hear(bsp.say(call.conversation_id, example(NoOffer))).closed_round == closes
        tso.tidy_up(now_us)
        assert {one.round for one in tso.known().values()} <= tso.closed_rounds
        assert len(tso.closed_rounds) <= 4


def test_what_was_cancelled_is_over_and_a_repeated_cancel_is_answered_again(
    tidy: tuple[Desk, Desk], example: Example
) -> None:
    tso, bsp = tidy
    order = tso.open(ACTIVATION, Topic("tso", "activation", "qh1", "offer", "bsp"), example(Activate), reply_by_us=100)
    about = order.conversation_id
    bsp.hear(order)
    tso.hear(bsp.say(about, example(Activated), reply_by_us=900))
    bsp.hear(tso.say(about, example(Cancel), reply_by_us=200))
    bsp.say(about, example(Cancelled))  # is lost
    bsp.tidy_up(150)
    assert about not in bsp.conversations
    assert tso.silence(about, 200) is not None
    assert bsp.hear(tso.say(about, example(Cancel), reply_by_us=300)).step is not None
    assert tso.hear(bsp.say(about, example(Cancelled))).step is not None
    for desk in tidy:
        desk.tidy_up(2 * KEPT_US)
        desk.tidy_up(4 * KEPT_US)
        assert desk.known() == {}


def test_a_conversation_that_is_over_takes_a_few_hundred_bytes(tidy: tuple[Desk, Desk], example: Example) -> None:
    tso, bsp = tidy
    tracemalloc.start(1)
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(1000):
            declined(tso, bsp, number, example, now_us=number)
        each = (tracemalloc.get_traced_memory()[0] - before) / 2000
    finally:
        tracemalloc.stop()
    assert len(tso.known()) == 1000
    assert each < 160
