"""Who may say what to whom: the desk blames the right side, and what is wrong changes nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Envelope, Side, Topic, index_of, message_id
from gridpact.protocols.errors import LocalProtocolError
from gridpact.protocols.information.activation import Activate, Activated, ActivationEnded
from gridpact.protocols.information.offering import CallForOffers, NoOffer, Offers
from gridpact.protocols.messages import Cancel, Done, Message, NotUnderstood, Refuse
from gridpact.protocols.stages import activation, offering, prequalification
from gridpact.protocols.tables import Protocol
from gridpact.protocols.vocabulary import Vocabulary
from gridpact.protocols.wire import LONGEST

I, R = Side.INITIATOR, Side.RESPONDENT  # noqa: E741 - the letters of the message ids
Example = Callable[[type[Message]], Message]
TOPIC = Topic("tso", "offering", "qh1", "mFRR-up", "bsp")
CALL = "tso/offering/qh1/mFRR-up/bsp"


def call(
    desks: dict[str, Desk], example: Example, topic: Topic = TOPIC, protocol: Protocol = offering.OFFERING
) -> Envelope:
    return desks["tso"].open(protocol, topic, example(CallForOffers), reply_by_us=100)


def refused(desk: Desk, envelope: Envelope) -> str:
    """The reason for which a desk does not understand an envelope; the desk has not changed."""
    before = (dict(desk.conversations), {name: set(ids) for name, ids in desk.rounds.items()})
    hearing = desk.hear(envelope)
    assert (desk.conversations, desk.rounds) == before
    assert (hearing.conversation, hearing.step, hearing.closed_round) == (None, None, None)
    assert hearing.reply is not None
    assert isinstance(hearing.reply.content, NotUnderstood)
    assert hearing.reply.content.reason == hearing.fault
    return hearing.reply.content.reason


# What we may not do: our own fault, raised, and nothing is sent.


def test_a_role_that_we_may_not_take_is_our_fault(desks: dict[str, Desk], example: Example) -> None:
    topic = replace(TOPIC, initiator="dso")
    with pytest.raises(LocalProtocolError, match=r"dso \(DSO\) may not take the role TSO"):
        desks["dso"].open(offering.OFFERING, topic, example(CallForOffers), reply_by_us=100)


def test_a_peer_that_may_not_take_its_role_is_our_fault(desks: dict[str, Desk], example: Example) -> None:
    with pytest.raises(LocalProtocolError, match=r"dso \(DSO\) may not take the role BSP"):
        call(desks, example, replace(TOPIC, peer="dso"))
    with pytest.raises(LocalProtocolError, match="unknown agent 'nobody'"):
        call(desks, example, replace(TOPIC, peer="nobody"))


@pytest.mark.parametrize(
    "topic",
    [
        replace(TOPIC, initiator="dso"),
        replace(TOPIC, peer="tso"),
        replace(TOPIC, stage="activation"),
    ],
    ids=["in another's name", "with ourselves", "in another stage"],
)
def test_a_conversation_that_is_not_ours_to_open_is_our_fault(
    topic: Topic, desks: dict[str, Desk], example: Example
) -> None:
    with pytest.raises(LocalProtocolError, match="tso cannot open"):
        call(desks, example, topic)


@pytest.mark.parametrize("subject", ["a/b", "a#b", ""])
def test_a_topic_that_cannot_be_read_back_is_our_fault(subject: str, desks: dict[str, Desk], example: Example) -> None:
    with pytest.raises(LocalProtocolError, match="should read initiator/stage/period/subject/peer"):
        call(desks, example, replace(TOPIC, subject=subject))


def test_a_conversation_is_opened_once(desks: dict[str, Desk], example: Example) -> None:
    call(desks, example)
    with pytest.raises(LocalProtocolError, match=f"conversation {CALL} is open already"):
        call(desks, example)


def test_waiting_without_a_deadline_is_our_fault(desks: dict[str, Desk], example: Example) -> None:
    with pytest.raises(LocalProtocolError, match=r"we wait for an answer to .* without reply-by"):
        desks["tso"].open(offering.OFFERING, TOPIC, example(CallForOffers))
    assert desks["tso"].conversations == {}


def test_a_protocol_outside_the_vocabulary_is_our_fault(example: Example) -> None:
    desk = Desk("tso", {"tso": "TSO", "bsp": "BSP"}, Vocabulary.of([activation.ACTIVATION]))
    with pytest.raises(LocalProtocolError, match="offering is not in the vocabulary of this run"):
        desk.open(offering.OFFERING, TOPIC, example(CallForOffers), reply_by_us=100)


def test_going_on_where_nothing_was_begun_is_our_fault(desks: dict[str, Desk], example: Example) -> None:
    with pytest.raises(LocalProtocolError, match="which we do not know"):
        desks["bsp"].say(CALL, example(Offers))


# What they may not do: answered with not-understood.


def test_an_aggregator_may_take_the_part_of_a_bsp(desks: dict[str, Desk], example: Example) -> None:
    hearing = desks["agg"].hear(call(desks, example, replace(TOPIC, peer="agg")))
    assert hearing.step is not None


def test_a_bsp_cannot_speak_as_the_dso(desks: dict[str, Desk], example: Example) -> None:
    opening = call(desks, example)._replace(sender="bsp", receiver="gen")
    forged = opening._replace(id="bsp/offering/qh1/mFRR-up/gen#i0", conversation_id="bsp/offering/qh1/mFRR-up/gen")
    assert refused(desks["gen"], forged) == "bsp (BSP) may not take the role TSO"


def test_who_is_asked_must_be_able_to_take_the_role(desks: dict[str, Desk], example: Example) -> None:
    about = "tso/offering/qh1/mFRR-up/dso"
    wrong = call(desks, example)._replace(id=f"{about}#i0", receiver="dso", conversation_id=about)
    assert refused(desks["dso"], wrong) == "dso (DSO) may not take the role BSP"


def test_an_unknown_agent_is_not_understood(desks: dict[str, Desk], example: Example) -> None:
    about = "ghost/offering/qh1/mFRR-up/bsp"
    wrong = call(desks, example)._replace(id=f"{about}#i0", sender="ghost", conversation_id=about)
    assert refused(desks["bsp"], wrong) == "unknown agent 'ghost'"


def test_a_message_for_somebody_else_is_not_understood(desks: dict[str, Desk], example: Example) -> None:
    assert refused(desks["gen"], call(desks, example)) == "addressed to bsp, heard by gen"


def test_a_forged_sender_is_no_party_of_the_conversation(desks: dict[str, Desk], example: Example) -> None:
    desks["bsp"].hear(call(desks, example))
    offers = desks["bsp"].say(CALL, example(Offers), reply_by_us=200)
    assert refused(desks["tso"], offers._replace(sender="gen")) == f"gen is no party of {CALL}"
    assert desks["tso"].hear(offers).step is not None


def test_another_protocol_than_the_conversations_is_not_understood(desks: dict[str, Desk], example: Example) -> None:
    desks["bsp"].hear(call(desks, example))
    offers = desks["bsp"].say(CALL, example(Offers), reply_by_us=200)
    wrong = offers._replace(protocol="offering-with-dso")
    assert refused(desks["tso"], wrong) == f"{CALL} follows offering, not offering-with-dso"


def test_an_unknown_conversation_is_not_understood(desks: dict[str, Desk], example: Example) -> None:
    desks["bsp"].hear(call(desks, example))
    offers = desks["bsp"].say(CALL, example(Offers), reply_by_us=200)
    reason = refused(Desk("tso", desks["tso"].kinds, desks["tso"].vocabulary), offers)
    assert reason == f"conversation id '{CALL}' does not name its parties and stage"
    cancel = call(desks, example, replace(TOPIC, period="qh2"))._replace(content=example(Cancel))
    assert refused(desks["bsp"], cancel) == "unknown conversation 'tso/offering/qh2/mFRR-up/bsp'"


def test_an_unknown_protocol_is_not_understood(desks: dict[str, Desk], example: Example) -> None:
    wrong = call(desks, example)._replace(protocol="fipa-english-auction")
    assert refused(desks["bsp"], wrong) == "unknown protocol 'fipa-english-auction'"


@pytest.mark.parametrize(
    "about",
    [
        "tso/offering/qh1/bsp",
        "tso/offering/qh1//bsp",
        "tso/offering/qh1/a#b/bsp",
        "dso/offering/qh1/mFRR-up/bsp",
        "tso/offering/qh1/mFRR-up/gen",
        "tso/activation/qh1/mFRR-up/bsp",
        "",
    ],
)
def test_a_conversation_id_that_does_not_name_its_parties_is_not_understood(
    about: str, desks: dict[str, Desk], example: Example
) -> None:
    wrong = call(desks, example)._replace(id=f"{about}#i0", conversation_id=about)
    assert about in refused(desks["bsp"], wrong)


@pytest.mark.parametrize(
    "tail",
    ["#r0", "#x0", "#i", "#i-1", "#i00", "#i01", "#i٣", "#i0 ", "#i0\n", "#i1", "#i" + "9" * 5000, "", "!bsp"],
)
def test_a_message_id_that_is_none_of_theirs_is_not_understood(
    tail: str, desks: dict[str, Desk], example: Example
) -> None:
    wrong = call(desks, example)._replace(id=f"{CALL}{tail}")
    assert refused(desks["bsp"], wrong).startswith(f"message id '{CALL}{tail}'"[:LONGEST])


@pytest.mark.parametrize("reference", [f"{CALL}#i1", f"{CALL}#r0", "tso/offering/qh2/mFRR-up/bsp#i0", "what you said"])
def test_an_answer_to_what_was_never_said_is_not_understood(
    reference: str, desks: dict[str, Desk], example: Example
) -> None:
    desks["bsp"].hear(call(desks, example))
    offers = desks["bsp"].say(CALL, example(Offers), reply_by_us=200)
    assert refused(desks["tso"], offers._replace(in_reply_to=reference)) == (
        f"in_reply_to '{reference}' is nothing that tso has said"
    )


# Copies, late comers, ids.


def test_a_copy_has_no_second_effect(desks: dict[str, Desk], example: Example) -> None:
    opening = call(desks, example)
    first, second = desks["bsp"].hear(opening), desks["bsp"].hear(opening)
    assert (second.copy, second.step, second.reply) == (True, None, None)
    assert second.conversation is first.conversation


def test_an_answer_given_twice_is_out_of_turn(desks: dict[str, Desk], example: Example) -> None:
    desks["bsp"].hear(call(desks, example))
    refusal = desks["bsp"].say(CALL, example(NoOffer))
    desks["tso"].hear(refusal)
    again = refusal._replace(id=message_id(CALL, R, 1))
    assert (
        refused(desks["tso"], again)
        == "gridpact.no-offer/1 is out of turn in 'refused' of offering; understood: nothing"
    )


def test_what_has_been_overtaken_is_dropped(desks: dict[str, Desk], example: Example) -> None:
    order = replace(TOPIC, stage="activation")
    desks["bsp"].hear(desks["tso"].open(activation.ACTIVATION, order, example(Activate), reply_by_us=100))
    agreed = desks["bsp"].say(order.conversation_id, example(Activated))
    ended = desks["bsp"].say(order.conversation_id, example(ActivationEnded))
    assert desks["tso"].hear(ended).step is not None
    assert desks["tso"].hear(agreed).copy
    assert desks["tso"].conversations[order.conversation_id].state == "done"


def test_ids_do_not_depend_on_the_order_of_arrival(desks: dict[str, Desk], example: Example) -> None:
    topics = [replace(TOPIC, peer=name) for name in ("bsp", "agg", "gen")]
    calls = [call(desks, example, topic) for topic in topics]
    assert [envelope.id for envelope in calls] == [f"tso/offering/qh1/mFRR-up/{n}#i0" for n in ("bsp", "agg", "gen")]
    for envelope in reversed(calls):
        desk = desks[envelope.receiver]
        desk.hear(envelope)
        answer = desk.say(envelope.conversation_id, example(Offers), reply_by_us=200)
        assert (answer.id, answer.in_reply_to) == (f"{envelope.conversation_id}#r0", envelope.id)


def test_the_same_words_carry_the_same_ids_again(desks: dict[str, Desk], example: Example) -> None:
    again = Desk("tso", desks["tso"].kinds, desks["tso"].vocabulary)
    replayed = again.open(offering.OFFERING, TOPIC, example(CallForOffers), reply_by_us=100)
    assert replayed == call(desks, example)


def test_a_message_id_can_be_read_back() -> None:
    for side in Side:
        assert index_of(message_id(CALL, side, 120)) == (side, 120)
    assert Topic.parse(CALL) == TOPIC


def test_a_cause_in_another_conversation_is_passed_on(desks: dict[str, Desk], example: Example) -> None:
    topic = Topic("tso", "prequalification", "test", "a-up", "bsp")
    order = desks["tso"].open(
        prequalification.PREQUALIFICATION_TEST,
        topic,
        example(prequalification.TestOrder),
        reply_by_us=100,
        caused_by="bsp/prequalification/application/mFRR/tso#i0",
    )
    assert (order.caused_by, order.in_reply_to) == ("bsp/prequalification/application/mFRR/tso#i0", None)


# Not-understood.


def test_a_not_understood_names_the_message_and_is_said_again_with_the_same_id(
    desks: dict[str, Desk], example: Example
) -> None:
    wrong = call(desks, example)._replace(content=example(Done))
    replies = [desks["bsp"].hear(wrong).reply for _ in range(2)]
    assert replies[0] == replies[1]
    assert replies[0] is not None
    assert (replies[0].id, replies[0].in_reply_to, replies[0].receiver) == (f"{wrong.id}!bsp", wrong.id, "tso")
    assert replies[0].conversation_id == CALL


def answered(desks: dict[str, Desk], example: Example) -> Envelope:
    """The TSO's call has come with a content that the BSP does not understand."""
    reply = desks["bsp"].hear(call(desks, example)._replace(content=example(Done))).reply
    assert reply is not None
    return reply


def test_a_not_understood_ends_the_conversation_and_is_never_answered(desks: dict[str, Desk], example: Example) -> None:
    hearing = desks["tso"].hear(answered(desks, example))
    assert hearing.reply is None
    assert hearing.conversation is not None
    assert (hearing.conversation.state, hearing.conversation.ended) == ("not_understood", True)
    assert hearing.conversation.deadline_us is None
    with pytest.raises(LocalProtocolError, match="where we may say nothing"):
        desks["tso"].say(CALL, example(Cancel))


def test_a_not_understood_heard_twice_has_no_second_effect(desks: dict[str, Desk], example: Example) -> None:
    reply = answered(desks, example)
    desks["tso"].hear(reply)
    assert desks["tso"].hear(reply).copy


def test_a_not_understood_about_an_older_message_changes_nothing(desks: dict[str, Desk], example: Example) -> None:
    order = replace(TOPIC, stage="activation")
    desks["bsp"].hear(desks["tso"].open(activation.ACTIVATION, order, example(Activate), reply_by_us=100))
    agreed = desks["bsp"].say(order.conversation_id, example(Activated))
    desks["bsp"].say(order.conversation_id, example(ActivationEnded))
    about = NotUnderstood(message_id=agreed.id, reason="unknown product")
    reply = Envelope(f"{agreed.id}!tso", "tso", "bsp", agreed.protocol, agreed.conversation_id, about, agreed.id)
    hearing = desks["bsp"].hear(reply)
    assert (hearing.conversation, hearing.reply) == (None, None)
    assert hearing.fault == f"tso has not understood {agreed.id}, which is past"
    assert desks["bsp"].conversations[order.conversation_id].state == "done"


@pytest.mark.parametrize(
    "change",
    [
        {"sender": "gen"},
        {"receiver": "gen"},
        {"conversation_id": "tso/offering/qh1/mFRR-up/gen"},
        {"in_reply_to": None},
        {"content": NotUnderstood(message_id=f"{CALL}#i1", reason="made up")},
    ],
    ids=["sender", "receiver", "conversation", "reference", "content"],
)
def test_a_forged_not_understood_changes_nothing(
    change: dict[str, str], desks: dict[str, Desk], example: Example
) -> None:
    forged = answered(desks, example)._replace(**change)
    hearing = desks["tso"].hear(forged)
    assert (hearing.conversation, hearing.reply) == (None, None)
    assert hearing.fault
    assert desks["tso"].conversations[CALL].state == "called"


def test_a_cancel_of_what_never_arrived_is_not_understood_and_ends_it(desks: dict[str, Desk], example: Example) -> None:
    order = replace(TOPIC, stage="activation")
    desks["tso"].open(activation.ACTIVATION, order, example(Activate), reply_by_us=100)
    cancel = desks["tso"].say(order.conversation_id, example(Cancel), reply_by_us=200)
    reply = desks["bsp"].hear(cancel).reply
    assert reply is not None
    hearing = desks["tso"].hear(reply)
    assert hearing.conversation is not None
    assert hearing.conversation.ended
    assert desks["bsp"].conversations == {}


def test_a_refusal_is_no_not_understood(desks: dict[str, Desk], example: Example) -> None:
    order = replace(TOPIC, stage="activation")
    desks["bsp"].hear(desks["tso"].open(activation.ACTIVATION, order, example(Activate), reply_by_us=100))
    hearing = desks["tso"].hear(desks["bsp"].say(order.conversation_id, example(Refuse)))
    assert hearing.step is not None
    assert (hearing.step.then, hearing.fault) == ("refused", None)
