"""A round of conversations closes, once, when all have answered or run into their deadlines."""

from collections.abc import Callable

import pytest

from gridpact.protocols.desk import Desk
from gridpact.protocols.envelope import Envelope, Side, Topic, message_id
from gridpact.protocols.errors import LocalProtocolError
from gridpact.protocols.information.activation import Measurement, MeasurementSubscription
from gridpact.protocols.information.offering import Acceptance, CallForOffers, NoOffer, Offers
from gridpact.protocols.messages import Agree, Cancel, Cancelled, Done, Message
from gridpact.protocols.stages.activation import ACTIVATION, MEASUREMENTS, Activate, Activated, ActivationEnded
from gridpact.protocols.stages.offering import OFFERING
from gridpact.protocols.tables import Protocol

Example = Callable[[type[Message]], Message]
ROUND = "offers/qh1"


def topic(name: str, stage: str = "offering") -> Topic:
    return Topic("tso", stage, "qh1", "mFRR-up", name)


class Round:
    """The TSO asks several participants in one round."""

    def __init__(self, desks: dict[str, Desk], example: Example, names: tuple[str, ...], protocol: Protocol = OFFERING):
        self.desks, self.example, self.protocol = desks, example, protocol
        self.asked = {name: self.ask(name) for name in names}

    def ask(self, name: str) -> Envelope:
        content = self.example(self.protocol.messages[0])
        about = topic(name, self.protocol.stage)
        return self.desks["tso"].open(self.protocol, about, content, reply_by_us=100, round_id=ROUND)

    def answer(self, name: str, message: type[Message]) -> str | None:
        """Let a participant answer; the round that this closes."""
        desk, about = self.desks[name], self.asked[name].conversation_id
        if about not in desk.conversations:
            desk.hear(self.asked[name])
        return self.desks["tso"].hear(desk.say(about, self.example(message), reply_by_us=200)).closed_round

    def silence(self, name: str) -> str | None:
        silent = self.desks["tso"].silence(self.asked[name].conversation_id, 100)
        assert silent is not None
        return silent.closed_round


@pytest.fixture
def asked(desks: dict[str, Desk], example: Example) -> Round:
    return Round(desks, example, ("bsp", "agg", "gen"))


def test_a_round_closes_when_all_have_answered(asked: Round) -> None:
    assert [asked.answer(name, Offers) for name in ("gen", "bsp", "agg")] == [None, None, ROUND]
    assert asked.desks["tso"].rounds == {}


def test_a_refusal_is_an_answer(asked: Round) -> None:
    assert [asked.answer(name, NoOffer) for name in ("bsp", "agg", "gen")] == [None, None, ROUND]


def test_the_deadline_closes_a_round_of_silent_parties(asked: Round) -> None:
    assert [asked.silence(name) for name in ("bsp", "agg", "gen")] == [None, None, ROUND]


def test_answers_and_silence_close_a_round_together(asked: Round) -> None:
    assert asked.answer("agg", Offers) is None
    assert asked.silence("bsp") is None
    assert asked.answer("gen", NoOffer) == ROUND


def test_not_understood_is_an_answer(asked: Round) -> None:
    assert asked.answer("bsp", Offers) is None
    assert asked.answer("agg", Offers) is None
    reply = asked.desks["gen"].hear(asked.asked["gen"]._replace(content=asked.example(Done))).reply
    assert reply is not None
    assert asked.desks["tso"].hear(reply).closed_round == ROUND


def test_what_we_do_not_understand_is_no_answer(asked: Round) -> None:
    for name in ("bsp", "agg"):
        asked.answer(name, Offers)
    asked.desks["gen"].hear(asked.asked["gen"])
    offers = asked.desks["gen"].say(asked.asked["gen"].conversation_id, asked.example(Offers), reply_by_us=200)
    hearing = asked.desks["tso"].hear(offers._replace(content=asked.example(Done)))
    assert (hearing.fault is not None, hearing.closed_round) == (True, None)
    assert asked.silence("gen") == ROUND


def test_an_answer_given_twice_counts_once(asked: Round) -> None:
    asked.answer("bsp", Offers)
    tso, about = asked.desks["tso"], asked.asked["bsp"].conversation_id
    again = Envelope(message_id(about, Side.RESPONDENT, 1), "bsp", "tso", "offering", about, asked.example(Offers))
    assert tso.hear(again).closed_round is None
    assert len(tso.rounds[ROUND]) == 2


def test_a_late_answer_does_not_close_a_round_again(asked: Round) -> None:
    for name in ("bsp", "agg", "gen"):
        asked.silence(name)
    assert asked.answer("bsp", Offers) is None


def test_going_on_after_the_answer_does_not_touch_the_round(asked: Round) -> None:
    asked.answer("bsp", Offers)
    about = asked.asked["bsp"].conversation_id
    asked.desks["tso"].say(about, asked.example(Acceptance), reply_by_us=300)
    assert [asked.silence("agg"), asked.silence("gen")] == [None, ROUND]


def test_nobody_joins_a_round_that_has_closed(desks: dict[str, Desk], example: Example) -> None:
    asked = Round(desks, example, ("bsp",))
    assert asked.answer("bsp", Offers) == ROUND
    with pytest.raises(LocalProtocolError, match="round offers/qh1 has closed"):
        asked.ask("agg")


def test_conversations_outside_the_round_do_not_hold_it_up(desks: dict[str, Desk], example: Example) -> None:
    asked = Round(desks, example, ("bsp",))
    desks["tso"].open(OFFERING, topic("gen"), example(CallForOffers), reply_by_us=100)
    assert asked.answer("bsp", Offers) == ROUND


def test_agree_is_no_result_so_a_request_stays_in_its_round(desks: dict[str, Desk], example: Example) -> None:
    asked = Round(desks, example, ("bsp",), ACTIVATION)
    assert asked.protocol.messages[0] is Activate
    assert [asked.answer("bsp", Activated), asked.answer("bsp", ActivationEnded)] == [None, ROUND]


def test_a_request_that_is_cancelled_leaves_its_round_when_the_cancel_is_answered(
    desks: dict[str, Desk], example: Example
) -> None:
    asked = Round(desks, example, ("bsp",), ACTIVATION)
    asked.answer("bsp", Activated)
    cancel = desks["tso"].say(asked.asked["bsp"].conversation_id, example(Cancel), reply_by_us=300)
    desks["bsp"].hear(cancel)
    assert asked.answer("bsp", Cancelled) == ROUND


@pytest.mark.parametrize("answer", [Agree, Measurement])
def test_a_subscription_has_answered_when_it_streams(
    answer: type[Message], desks: dict[str, Desk], example: Example
) -> None:
    asked = Round(desks, example, ("bsp",), MEASUREMENTS)
    assert asked.protocol.messages[0] is MeasurementSubscription
    assert asked.answer("bsp", answer) == ROUND
