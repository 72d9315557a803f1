"""FIPA's iterated contract net (SC00030) and request-when (SC00028), which no stage needs yet but a plugin may."""

from collections.abc import Callable

import pytest

from gridpact.protocols.conversation import Conversation
from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Envelope, Side, Topic, message_id
from gridpact.protocols.errors import LocalProtocolError, TableError
from gridpact.protocols.information.activation import Activate, Activated, ActivateWhen, ActivationEnded
from gridpact.protocols.information.offering import (
    Acceptance,
    CallForOffers,
    DeliveryRecord,
    NoOffer,
    Offers,
    Rejection,
    Withdrawal,
)
from gridpact.protocols.messages import Agree, Cancel, Cancelled, Failure, Message, NotUnderstood, Refuse
from gridpact.protocols.stages.activation import SCHEDULED_ACTIVATION
from gridpact.protocols.stages.offering import OFFERING
from gridpact.protocols.tables import START, Protocol
from gridpact.protocols.templates import contract_net, request_when
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE, Vocabulary

I, R = Side.INITIATOR, Side.RESPONDENT  # noqa: E741 - the letters of the message ids
Example = Callable[[type[Message]], Message]
Said = tuple[Side, type[Message]]
MESSAGES = [message for message in BUSINESS_USE_CASE.messages.values() if message is not NotUnderstood]


def iterated(rounds: int) -> Protocol:
    return contract_net(
        "iterated",
        stage="offering",
        by="TSO",
        of="BSP",
        cfp=CallForOffers,
        propose=Offers,
        refuse=NoOffer,
        accept=Acceptance,
        reject=Rejection,
        result=DeliveryRecord,
        failure=Withdrawal,
        rounds=rounds,
    )


ITERATED = iterated(3)
WHEN = request_when(
    "when", stage="activation", ask=ActivateWhen, by="TSO", of="BSP", results=(ActivationEnded,), agree=Activated
)
CALL, BID = (I, CallForOffers), (R, Offers)
AWARD, TURN_DOWN = (I, Acceptance), (I, Rejection)


class Pair:
    """Two desks and what they say to each other; `now_us` counts up, a deadline is always one later."""

    def __init__(self, protocol: Protocol, example: Example) -> None:
        self.protocol, self.example = protocol, example
        self.topic = Topic("tso", protocol.stage, "qh1", "it", "bsp")
        known = Vocabulary.of((protocol,))
        self.desks = {side: Desk(name, {"tso": "TSO", "bsp": "BSP"}, known) for side, name in ((I, "tso"), (R, "bsp"))}

    def say(self, side: Side, message: type[Message]) -> Envelope:
        about, content = self.topic.conversation_id, self.example(message)
        if about not in self.desks[side].conversations:
            return self.desks[side].open(self.protocol, self.topic, content, reply_by_us=1)
        return self.desks[side].say(about, content, reply_by_us=1)

    def tell(self, *said: Said) -> tuple[str, str]:
        for side, message in said:
            assert self.desks[side.other].hear(self.say(side, message)).reply is None
        return self.states()

    def silence(self, side: Side) -> None:
        assert self.desks[side].silence(self.topic.conversation_id, 1) is not None

    def states(self) -> tuple[str, str]:
        about = self.topic.conversation_id
        return self.desks[I].conversations[about].state, self.desks[R].conversations[about].state


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ((CALL, (R, NoOffer)), "refused"),
        ((CALL, BID, TURN_DOWN), "rejected"),
        ((CALL, BID, AWARD, (R, DeliveryRecord)), "done"),
        ((CALL, BID, CALL, BID, AWARD, (R, DeliveryRecord)), "done"),
        ((CALL, BID, CALL, (R, NoOffer)), "refused"),
        ((CALL, BID, CALL, BID, TURN_DOWN), "rejected"),
        ((CALL, BID, CALL, BID, CALL, BID, AWARD, (R, Withdrawal)), "failed"),
    ],
)
def test_whoever_proposed_is_accepted_rejected_or_called_again(
    said: tuple[Said, ...], end: str, example: Example
) -> None:
    assert Pair(ITERATED, example).tell(*said) == (end, end)
    assert end in ITERATED.final


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_the_rounds_are_bounded(rounds: int, example: Example) -> None:
    pair = Pair(iterated(rounds), example)
    pair.tell(*(CALL, BID) * rounds)
    with pytest.raises(
        LocalProtocolError, match=r"call-for-offers.* where we may say gridpact.acceptance/1, gridpact.rej"
    ):
        pair.say(*CALL)


def test_a_bid_after_the_deadline_of_its_round_is_late_and_rejected(example: Example) -> None:
    pair = Pair(ITERATED, example)
    pair.tell(CALL, BID, CALL)
    bid = pair.say(*BID)
    pair.silence(I)
    hearing = pair.desks[I].hear(bid)
    assert hearing.step is not None
    assert hearing.step.late
    assert pair.tell(TURN_DOWN) == ("rejected", "rejected")


def test_a_bid_of_an_earlier_round_that_has_lapsed_can_be_made_anew(example: Example) -> None:
    pair = Pair(ITERATED, example)
    pair.tell(CALL, BID)
    pair.silence(R)
    assert pair.tell(CALL, BID, AWARD) == ("accepted", "accepted")


def test_an_award_of_a_lapsed_bid_binds_nobody(example: Example) -> None:
    pair = Pair(ITERATED, example)
    pair.tell(CALL, BID, CALL, BID)
    pair.silence(R)
    assert pair.tell(AWARD, (R, Withdrawal)) == ("failed", "failed")


def test_with_one_round_it_is_the_contract_net() -> None:
    once = iterated(1)
    assert (once.fipa, once.steps, once.silences) == ("fipa-contract-net", OFFERING.steps, OFFERING.silences)
    assert ITERATED.fipa == "fipa-iterated-contract-net"


def test_less_than_one_round_is_no_contract_net() -> None:
    with pytest.raises(TableError, match="at least 1 round, not 0"):
        iterated(0)


def test_request_when_opens_with_its_own_act_only() -> None:
    with pytest.raises(TableError, match="fipa-request-when opens with request-when, not with request"):
        request_when("wrong", stage="activation", ask=Activate, by="TSO", of="BSP", results=(ActivationEnded,))


@pytest.mark.parametrize(
    ("said", "states"),
    [
        (((I, ActivateWhen), (R, Refuse)), "refused"),
        (((I, ActivateWhen), (R, Activated), (R, ActivationEnded)), "done"),
        (((I, ActivateWhen), (R, Activated), (R, Failure)), "failed"),
        (((I, ActivateWhen), (R, ActivationEnded)), "done"),
        (((I, ActivateWhen), (R, Activated), (I, Cancel), (R, Cancelled)), "cancelled"),
    ],
)
def test_request_when_is_refused_or_agreed_and_then_done_failed_or_cancelled(
    said: tuple[Said, ...], states: str, example: Example
) -> None:
    assert Pair(WHEN, example).tell(*said) == (states, states)


def test_request_when_is_the_table_that_schedules_activations() -> None:
    assert (WHEN.steps, WHEN.silences, WHEN.fipa) == (
        SCHEDULED_ACTIVATION.steps,
        SCHEDULED_ACTIVATION.silences,
        SCHEDULED_ACTIVATION.fipa,
    )


@pytest.mark.parametrize(
    ("protocol", "state"),
    [(protocol, state) for protocol in (ITERATED, WHEN) for state in sorted(protocol.states)],
    ids=lambda value: getattr(value, "name", value),
)
def test_every_illegal_step_is_refused_and_changes_nothing(protocol: Protocol, state: str, example: Example) -> None:
    for side in Side:
        pair = Pair(protocol, example)
        number = 0 if state == START else 1
        here = Conversation(protocol, pair.topic, side, state, said=number, heard=number)
        desk = pair.desks[side]
        for message in MESSAGES:
            desk.conversations[here.id] = here
            if message.type_id not in protocol.may_say(state, side):
                with pytest.raises(LocalProtocolError):
                    desk.say(here.id, example(message), reply_by_us=1)
            if message.type_id not in protocol.understood(state, side.other):
                said = message_id(here.id, side.other, number)
                hearing = desk.hear(Envelope(said, here.peer, here.me, protocol.name, here.id, example(message)))
                assert hearing.reply is not None
            assert desk.conversations[here.id] is here


def test_a_skipped_agree_is_fine_but_agreeing_twice_is_not(example: Example) -> None:
    pair = Pair(WHEN, example)
    pair.tell((I, ActivateWhen), (R, Activated))
    with pytest.raises(LocalProtocolError):
        pair.say(R, Activated)
    with pytest.raises(LocalProtocolError):
        pair.say(R, Agree)
