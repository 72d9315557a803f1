"""The rules of FIPA's interaction protocols, one by one, on the tables that negotiate."""

from collections.abc import Callable
from typing import Any

import pytest

from gridpact.protocols.envelope import Side
from gridpact.protocols.errors import LocalProtocolError
from gridpact.protocols.information.activation import Activate, Activated, ActivationEnded, Measurement
from gridpact.protocols.information.activation import MeasurementSubscription as Subscription
from gridpact.protocols.information.capacity import CapacityRequest, CapacityVerdict
from gridpact.protocols.information.offering import (
    Acceptance,
    CallForOffers,
    DeliveryRecord,
    NoOffer,
    Offers,
    Rejection,
    Withdrawal,
)
from gridpact.protocols.information.settlement import (
    MeteredEnergy,
    MeteredQuery,
    Statement,
    StatementAccepted,
    StatementDisputed,
)
from gridpact.protocols.messages import (
    Agree,
    Cancel,
    Cancelled,
    CancelTooLate,
    Failure,
    Message,
    NotUnderstood,
    Performative,
    Refuse,
)
from gridpact.protocols.stages import activation, offering, prequalification, settlement
from gridpact.protocols.stages.activation import ACTIVATION, MEASUREMENTS, SCHEDULED_ACTIVATION
from gridpact.protocols.stages.offering import OFFERING
from gridpact.protocols.stages.prequalification import CAPACITY_VALIDATION
from gridpact.protocols.stages.settlement import METERED_ENERGY, STATEMENT
from gridpact.protocols.tables import Protocol
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE

I, R = Side.INITIATOR, Side.RESPONDENT  # noqa: E741 - the letters of the message ids
Between = Callable[[Protocol], Any]
Said = tuple[Side, type[Message]]


def told(dialogue: Any, *said: Said) -> tuple[str, str]:
    """Say and hear one after the other; where both sides are then."""
    for side, message in said:
        assert dialogue.tell(side, message).step is not None
    return dialogue.states()


FLOWS: list[tuple[Protocol, tuple[Said, ...], str]] = [
    (CAPACITY_VALIDATION, ((I, CapacityRequest), (R, Refuse)), "refused"),
    (CAPACITY_VALIDATION, ((I, CapacityRequest), (R, Agree), (R, CapacityVerdict)), "done"),
    (CAPACITY_VALIDATION, ((I, CapacityRequest), (R, CapacityVerdict)), "done"),
    (CAPACITY_VALIDATION, ((I, CapacityRequest), (R, Agree), (R, Failure)), "failed"),
    (CAPACITY_VALIDATION, ((I, CapacityRequest), (R, Failure)), "failed"),
    (METERED_ENERGY, ((I, MeteredQuery), (R, Refuse)), "refused"),
    (METERED_ENERGY, ((I, MeteredQuery), (R, MeteredEnergy)), "done"),
    (METERED_ENERGY, ((I, MeteredQuery), (R, Agree), (R, Failure)), "failed"),
    (OFFERING, ((I, CallForOffers), (R, NoOffer)), "refused"),
    (OFFERING, ((I, CallForOffers), (R, Offers), (I, Rejection)), "rejected"),
    (OFFERING, ((I, CallForOffers), (R, Offers), (I, Acceptance), (R, DeliveryRecord)), "done"),
    (OFFERING, ((I, CallForOffers), (R, Offers), (I, Acceptance), (R, Withdrawal)), "failed"),
    (MEASUREMENTS, ((I, Subscription), (R, Refuse)), "refused"),
    (MEASUREMENTS, ((I, Subscription), (R, Agree), (R, Measurement), (R, Measurement)), "streaming"),
    (MEASUREMENTS, ((I, Subscription), (R, Measurement), (R, Failure)), "failed"),
    (MEASUREMENTS, ((I, Subscription), (R, Agree), (I, Cancel), (R, Cancelled)), "cancelled"),
    (STATEMENT, ((I, Statement), (R, StatementAccepted)), "accepted"),
    (STATEMENT, ((I, Statement), (R, StatementDisputed)), "rejected"),
    (ACTIVATION, ((I, Activate), (R, Activated), (R, ActivationEnded)), "done"),
    (ACTIVATION, ((I, Activate), (R, Activated), (I, Cancel), (R, Cancelled)), "cancelled"),
    (ACTIVATION, ((I, Activate), (R, Activated), (I, Cancel), (R, CancelTooLate)), "cancelled"),
]


def flow_name(value: object) -> str:
    if isinstance(value, Protocol):
        return value.fipa
    return value if isinstance(value, str) else "-".join(message.__name__ for _, message in value)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("protocol", "said", "end"), FLOWS, ids=flow_name)
def test_a_fipa_flow_leads_both_sides_to_its_end(
    protocol: Protocol, said: tuple[Said, ...], end: str, dialogue: Between
) -> None:
    talk = dialogue(protocol)
    assert told(talk, *said) == (end, end)
    assert talk.of(I).ended == talk.of(R).ended == (end != "streaming")


# Envelope: conversation-id, in-reply-to, reply-by.


def test_the_initiator_names_the_conversation_and_every_message_carries_the_name(dialogue: Between) -> None:
    talk = dialogue(OFFERING)
    call = talk.say(I, CallForOffers, 100)
    talk.hear(call)
    offers = talk.say(R, Offers, 200)
    talk.hear(offers)
    acceptance = talk.say(I, Acceptance, 300)
    assert {e.conversation_id for e in (call, offers, acceptance)} == {"tso/offering/qh1/mFRR-up/bsp"}
    assert [e.in_reply_to for e in (call, offers, acceptance)] == [None, call.id, offers.id]
    assert [e.reply_by_us for e in (call, offers, acceptance)] == [100, 200, 300]


def test_performatives_are_fipas() -> None:
    assert {message.performative for message in BUSINESS_USE_CASE.messages.values()} == set(Performative)


# Deadlines: a timeout is no message.


def test_a_timeout_is_no_message_and_a_later_answer_is_late(dialogue: Between) -> None:
    talk = dialogue(CAPACITY_VALIDATION)
    talk.tell(I, CapacityRequest, 100)
    silent = talk.silence(I)
    assert (silent.waited_in, silent.conversation.state) == ("asked", "expired")
    late = talk.tell(R, CapacityVerdict)
    assert late.step.late
    assert late.reply is None
    assert talk.states() == ("expired", "done")


def test_silence_after_an_answer_is_stale(dialogue: Between) -> None:
    talk = dialogue(CAPACITY_VALIDATION)
    told(talk, (I, CapacityRequest), (R, CapacityVerdict))
    assert talk.silence(I) is None
    assert talk.sides[I].silence(talk.topic.conversation_id, 100) is None
    assert talk.states() == ("done", "done")


def test_a_deadline_passes_once(dialogue: Between) -> None:
    talk = dialogue(CAPACITY_VALIDATION)
    talk.tell(I, CapacityRequest, 100)
    assert talk.silence(I) is not None
    assert talk.sides[I].silence(talk.topic.conversation_id, 100) is None


@pytest.mark.parametrize("promised_us", [None, 500, 50])
def test_agree_keeps_the_deadline_of_who_has_asked(dialogue: Between, promised_us: int | None) -> None:
    kept = dialogue(CAPACITY_VALIDATION)
    kept.tell(I, CapacityRequest, 100)
    kept.tell(R, Agree, promised_us)
    assert kept.of(I).deadline_us == 100


def test_an_agree_of_a_protocols_own_may_put_the_deadline_off(dialogue: Between) -> None:
    moved = dialogue(ACTIVATION)
    moved.tell(I, Activate, 100)
    moved.tell(R, Activated, 500)
    assert moved.of(I).deadline_us == 500
    assert moved.sides[I].silence(moved.topic.conversation_id, 100) is None


def test_the_epoch_is_a_deadline_too(dialogue: Between) -> None:
    talk = dialogue(ACTIVATION)
    talk.tell(I, Activate, 100)
    talk.tell(R, Activated, 0)
    assert talk.of(I).deadline_us == 0


def test_who_has_asked_never_waits_without_a_deadline(dialogue: Between) -> None:
    talk = dialogue(MEASUREMENTS)
    told(talk, (I, Subscription), (R, Agree), (R, Measurement))
    with pytest.raises(LocalProtocolError, match="without reply-by"):
        talk.sides[I].say(talk.topic.conversation_id, Cancel(reason="over"))


def test_only_who_waits_has_a_deadline(dialogue: Between) -> None:
    talk = dialogue(OFFERING)
    talk.tell(I, CallForOffers, 100)
    assert (talk.of(I).deadline_us, talk.of(R).deadline_us) == (100, None)
    talk.tell(R, Offers, 200)
    assert (talk.of(I).deadline_us, talk.of(R).deadline_us) == (None, 200)


def test_a_lost_agree_does_no_harm(dialogue: Between) -> None:
    talk = dialogue(CAPACITY_VALIDATION)
    talk.tell(I, CapacityRequest, 100)
    talk.say(R, Agree)
    assert talk.tell(R, CapacityVerdict).step is not None
    assert talk.states() == ("done", "done")


def test_refuse_after_agree_is_not_understood(dialogue: Between) -> None:
    talk = dialogue(CAPACITY_VALIDATION)
    told(talk, (I, CapacityRequest), (R, Agree))
    with pytest.raises(LocalProtocolError, match="where we may say"):
        talk.say(R, Refuse)


# Contract net.


def test_a_late_proposal_is_heard_as_late_and_gets_a_reject(dialogue: Between) -> None:
    talk = dialogue(OFFERING)
    talk.tell(I, CallForOffers, 100)
    talk.silence(I)
    assert talk.tell(R, Offers, 200).step.late
    with pytest.raises(LocalProtocolError):
        talk.say(I, Acceptance, 300)
    assert talk.tell(I, Rejection).step is not None
    assert talk.states() == ("rejected", "rejected")


def test_a_proposal_binds_until_its_own_deadline_only(dialogue: Between) -> None:
    talk = dialogue(OFFERING)
    told(talk, (I, CallForOffers), (R, Offers))
    assert talk.silence(R) is None, "an offer without validity binds until it is answered"
    bounded = dialogue(offering.OFFERING_BY_DSO)
    bounded.tell(I, CallForOffers, 100)
    bounded.tell(R, Offers, 200)
    assert bounded.silence(R).conversation.state == "lapsed"
    assert bounded.tell(I, Acceptance, 300).step.late
    assert bounded.tell(R, Withdrawal).step is not None
    assert bounded.states() == ("failed", "failed")


def test_a_participant_is_not_bound_by_a_late_award(dialogue: Between) -> None:
    talk = dialogue(OFFERING)
    talk.tell(I, CallForOffers, 100)
    talk.tell(R, Offers, 200)
    talk.silence(R)
    talk.tell(I, Acceptance, 300)
    with pytest.raises(LocalProtocolError):
        talk.say(R, DeliveryRecord)


def test_a_reject_after_the_offer_has_lapsed_is_understood(dialogue: Between) -> None:
    talk = dialogue(OFFERING)
    talk.tell(I, CallForOffers, 100)
    talk.tell(R, Offers, 200)
    talk.silence(R)
    assert talk.tell(I, Rejection).step.late
    assert talk.states() == ("rejected", "rejected")


def test_nobody_proposes_twice_or_accepts_what_was_not_proposed(dialogue: Between) -> None:
    talk = dialogue(OFFERING)
    talk.tell(I, CallForOffers, 100)
    with pytest.raises(LocalProtocolError):
        talk.say(I, Acceptance, 300)
    talk.tell(R, Offers, 200)
    with pytest.raises(LocalProtocolError):
        talk.say(R, Offers, 200)


def test_a_missing_record_expires_and_a_later_one_is_late(dialogue: Between) -> None:
    talk = dialogue(OFFERING)
    told(talk, (I, CallForOffers), (R, Offers))
    talk.tell(I, Acceptance, 300)
    assert talk.silence(I).conversation.state == "unreported"
    assert talk.tell(R, DeliveryRecord).step.late


# Cancel.


@pytest.mark.parametrize("protocol", [ACTIVATION, MEASUREMENTS], ids=lambda protocol: protocol.name)
def test_only_the_initiator_may_cancel(protocol: Protocol, dialogue: Between) -> None:
    talk = dialogue(protocol)
    opening = protocol.messages[0]
    told(talk, (I, opening))
    with pytest.raises(LocalProtocolError):
        talk.say(R, Cancel)


def test_a_result_that_meets_a_cancel_ends_in_too_late_in_both_orders(dialogue: Between) -> None:
    talk = dialogue(ACTIVATION)
    told(talk, (I, Activate), (R, Activated))
    cancel, ended = talk.say(I, Cancel, 200), talk.say(R, ActivationEnded)
    assert talk.hear(ended).reply is None
    assert talk.hear(cancel).reply is None
    assert talk.states() == ("over_cancelling", "over_cancelling")
    with pytest.raises(LocalProtocolError):
        talk.say(R, Cancelled)
    assert told(talk, (R, CancelTooLate)) == ("cancelled", "cancelled")


@pytest.mark.parametrize("answer", [Refuse, Failure, ActivationEnded])
def test_any_last_answer_may_meet_a_cancel(answer: type[Message], dialogue: Between) -> None:
    talk = dialogue(ACTIVATION)
    told(talk, (I, Activate))
    cancel, last = talk.say(I, Cancel, 200), talk.say(R, answer)
    talk.hear(cancel)
    talk.hear(last)
    assert talk.states() == ("over_cancelling", "over_cancelling")


def test_an_agree_that_meets_a_cancel_is_understood(dialogue: Between) -> None:
    talk = dialogue(ACTIVATION)
    told(talk, (I, Activate))
    cancel, agreed = talk.say(I, Cancel, 200), talk.say(R, Activated)
    talk.hear(agreed)
    talk.hear(cancel)
    assert told(talk, (R, Cancelled)) == ("cancelled", "cancelled")


@pytest.mark.parametrize("last", [Refuse, ActivationEnded, Failure])
def test_what_is_known_to_be_over_cannot_be_cancelled(last: type[Message], dialogue: Between) -> None:
    talk = dialogue(ACTIVATION)
    told(talk, (I, Activate), (R, last))
    with pytest.raises(LocalProtocolError, match="where we may say nothing"):
        talk.say(I, Cancel, 200)


def test_after_a_cancel_only_the_cancel_is_answered(dialogue: Between) -> None:
    talk = dialogue(ACTIVATION)
    told(talk, (I, Activate), (R, Activated), (I, Cancel))
    for message in (Activated, ActivationEnded, Failure, Refuse):
        with pytest.raises(LocalProtocolError):
            talk.say(R, message)


def test_an_order_that_nobody_confirmed_can_still_be_cancelled(dialogue: Between) -> None:
    talk = dialogue(ACTIVATION)
    talk.tell(I, Activate, 100)
    talk.silence(I)
    agreed = talk.say(R, Activated)
    cancel = talk.say(I, Cancel, 200)
    talk.hear(cancel)
    assert talk.hear(agreed).reply is None
    assert told(talk, (R, Cancelled)) == ("cancelled", "cancelled")


@pytest.mark.parametrize("before", [(), (ActivationEnded,)], ids=["running", "over"])
def test_an_answer_to_a_cancel_may_come_late(before: tuple[type[Message], ...], dialogue: Between) -> None:
    talk = dialogue(ACTIVATION)
    told(talk, (I, Activate), (R, Activated))
    cancel = talk.say(I, Cancel, 200)
    for message in before:
        talk.tell(R, message)
    assert talk.silence(I).conversation.state == "cancel_expired"
    talk.hear(cancel)
    late = talk.tell(R, CancelTooLate)
    assert (late.step.late, late.reply) == (True, None)


@pytest.mark.parametrize("answer", [Cancelled, CancelTooLate])
def test_a_cancel_whose_answer_was_lost_is_said_again_and_answered_again(
    dialogue: Between, answer: type[Message]
) -> None:
    talk = dialogue(ACTIVATION)
    told(talk, (I, Activate), (R, Activated), (I, Cancel))
    talk.say(R, Cancelled)
    assert talk.silence(I).conversation.state == "cancel_expired"
    assert told(talk, (I, Cancel), (R, answer)) == ("cancelled", "cancelled")


def test_a_cancel_that_was_lost_is_said_again_and_answered(dialogue: Between) -> None:
    talk = dialogue(ACTIVATION)
    told(talk, (I, Activate), (R, Activated))
    talk.say(I, Cancel, 200)
    assert talk.silence(I).conversation.state == "cancel_expired"
    assert told(talk, (I, Cancel), (R, Cancelled)) == ("cancelled", "cancelled")


# Subscribe.


def test_a_stream_goes_on_until_the_cancel_arrives(dialogue: Between) -> None:
    talk = dialogue(MEASUREMENTS)
    told(talk, (I, Subscription), (R, Agree), (R, Measurement))
    cancel = talk.say(I, Cancel, 200)
    assert talk.tell(R, Measurement).reply is None
    talk.hear(cancel)
    with pytest.raises(LocalProtocolError):
        talk.say(R, Measurement)
    assert told(talk, (R, Cancelled)) == ("cancelled", "cancelled")


def test_a_stream_that_fails_while_it_is_cancelled_is_over(dialogue: Between) -> None:
    talk = dialogue(MEASUREMENTS)
    told(talk, (I, Subscription), (R, Agree))
    cancel, failure = talk.say(I, Cancel, 200), talk.say(R, Failure)
    talk.hear(failure)
    talk.hear(cancel)
    assert told(talk, (R, CancelTooLate)) == ("cancelled", "cancelled")


@pytest.mark.parametrize("message", [Measurement, Failure, Cancelled, CancelTooLate])
def test_what_a_cancelled_stream_still_says_after_the_deadline_is_understood(
    message: type[Message], dialogue: Between
) -> None:
    talk = dialogue(MEASUREMENTS)
    told(talk, (I, Subscription), (R, Agree))
    cancel = talk.say(I, Cancel, 200)
    talk.silence(I)
    if message in {Cancelled, CancelTooLate}:
        talk.hear(cancel)
    assert talk.tell(R, message).reply is None


@pytest.mark.parametrize(
    ("answer", "state"), [(Agree, "streaming"), (Measurement, "streaming"), (Refuse, "refused"), (Failure, "failed")]
)
def test_a_late_answer_to_a_subscription_is_understood(answer: type[Message], state: str, dialogue: Between) -> None:
    talk = dialogue(MEASUREMENTS)
    talk.tell(I, Subscription, 100)
    talk.silence(I)
    assert talk.tell(R, answer).step.late
    assert talk.states() == (state, state)


def test_a_subscription_can_be_cancelled_before_it_is_answered(dialogue: Between) -> None:
    talk = dialogue(MEASUREMENTS)
    told(talk, (I, Subscription))
    assert told(talk, (I, Cancel), (R, Cancelled)) == ("cancelled", "cancelled")


# Which protocol is used for what.


def test_scheduled_orders_are_request_when_and_the_rest_is_as_the_use_case_says() -> None:
    assert SCHEDULED_ACTIVATION.fipa == activation.DSO_SCHEDULED_ACTIVATION.fipa == "fipa-request-when"
    assert {p.fipa for p in (offering.OFFERING, offering.OFFERING_WITH_DSO, offering.OFFERING_BY_DSO)} == {
        "fipa-contract-net"
    }
    assert offering.FORECAST.fipa == settlement.METERED_ENERGY.fipa == "fipa-query"
    assert settlement.STATEMENT.fipa == prequalification.QUALIFICATION_ACKNOWLEDGEMENT.fipa == "fipa-propose"
    assert {p.fipa for p in (activation.MEASUREMENTS, activation.MEASUREMENTS_FOR_DSO)} == {"fipa-subscribe"}


def test_not_understood_stands_outside_every_table() -> None:
    assert NotUnderstood in BUSINESS_USE_CASE.messages.values()
    assert all(NotUnderstood not in protocol.messages for protocol in BUSINESS_USE_CASE.protocols.values())
