"""A table that contradicts itself cannot be made, and the error says why."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from gridpact.protocols.envelope import Side
from gridpact.protocols.errors import TableError
from gridpact.protocols.information.offering import Offers
from gridpact.protocols.messages import (
    Agree,
    Cancel,
    Cancelled,
    Done,
    Failure,
    Message,
    NotUnderstood,
    Performative,
    Refuse,
)
from gridpact.protocols.stages import PROTOCOLS
from gridpact.protocols.tables import START, Protocol, Silence, Step
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE, Vocabulary

I, R = Side.INITIATOR, Side.RESPONDENT  # noqa: E741 - the letters of the message ids


class Ask(Message):
    """A question."""

    type_id: ClassVar[str] = "test.ask/1"
    performative: ClassVar[Performative] = Performative.REQUEST


ASKED = Step(START, I, Ask, "asked")
DONE = Step("asked", R, Done, "done")
CANCEL = Step("asked", I, Cancel, "cancelling")
SOUND = {"steps": (ASKED, DONE), "silences": (Silence("asked", "expired"),)}


def table(**parts: Any) -> Protocol:
    return Protocol(
        "test", **{"fipa": "fipa-request", "stage": "test", "initiator": "TSO", "respondent": "DSO", **parts}
    )


def test_a_sound_table_can_be_made_and_tells_its_ends() -> None:
    protocol = table(**SOUND)
    assert protocol.final == {"done", "expired"}
    assert protocol.messages == (Ask, Done)
    assert (protocol.role_of(I), protocol.role_of(R)) == ("TSO", "DSO")
    assert protocol.waits("asked", I)
    assert not protocol.waits("asked", R)


BROKEN: Mapping[str, tuple[dict[str, Any], str]] = {
    "the same step twice": (
        {"steps": (ASKED, DONE, Step("asked", R, Done, "other"))},
        "respondent says gridpact.done/1 twice in 'asked'",
    ),
    "two silences in a state": (
        {**SOUND, "silences": (Silence("asked", "expired"), Silence("asked", "lost"))},
        "two silences in 'asked'",
    ),
    "not-understood as a step": (
        {"steps": (ASKED, Step("asked", R, NotUnderstood, "done"))},
        "not-understood may come at any time, it is no step",
    ),
    "no opening": ({"steps": ()}, "the initiator opens a conversation, nobody else"),
    "the respondent opens": ({"steps": (Step(START, R, Ask, "done"),)}, "the initiator opens a conversation"),
    "back to the start": ({"steps": (ASKED, Step("asked", R, Done, START))}, "nothing leads back to 'start'"),
    "an unknown FIPA protocol": ({**SOUND, "fipa": "fipa-auction"}, "unknown protocol 'fipa-auction'; known: fipa-"),
    "the wrong opening act": ({**SOUND, "fipa": "fipa-query"}, "fipa-query opens with query-ref, not with request"),
    "an act that is another protocol's": (
        {"steps": (ASKED, Step("asked", R, Offers, "done"))},
        "gridpact.offers/1 in 'asked' is propose, but in fipa-request the respondent says one of agree, failure, ",
    ),
    "an act of the other side": (
        {"steps": (ASKED, Step("asked", R, Cancel, "done"))},
        "gridpact.cancel/1 in 'asked' is cancel, but in fipa-request the respondent says one of agree, failure, ",
    ),
    "a proposal that is answered by the fact": (
        {"steps": (Step(START, I, Offers, "asked"), DONE), "fipa": "fipa-propose"},
        "is inform, but in fipa-propose the respondent says one of accept-proposal, reject-proposal",
    ),
    "an end that is in no step": ({**SOUND, "ends": frozenset({"over"})}, "declared, but in no step: 'over'"),
    "a crossing that is in no step": ({**SOUND, "crossings": frozenset({"over"})}, "declared, but in no step: 'over'"),
    "two speakers": (
        {"steps": (ASKED, DONE, CANCEL)},
        "both sides speak in 'asked', which is not declared a crossing",
    ),
    "a crossing with one speaker": (
        {**SOUND, "crossings": frozenset({"asked"})},
        "'asked' is declared a crossing, but only one side speaks there",
    ),
    "a crossing with one order only": (
        {"steps": (ASKED, DONE, CANCEL, Step("done", I, Cancel, "over")), "crossings": frozenset({"asked"})},
        "gridpact.cancel/1 and gridpact.done/1 cross in 'asked' and do not lead to the same state",
    ),
    "a crossing with the other order only": (
        {"steps": (ASKED, DONE, CANCEL, Step("cancelling", R, Done, "over")), "crossings": frozenset({"asked"})},
        "cross in 'asked' and do not lead to the same state",
    ),
    "a crossing whose orders part": (
        {
            "steps": (ASKED, DONE, CANCEL, Step("done", I, Cancel, "over"), Step("cancelling", R, Done, "elsewhere")),
            "crossings": frozenset({"asked"}),
        },
        "cross in 'asked' and do not lead to the same state",
    ),
    "waiting for nobody": (
        {**SOUND, "silences": (Silence("asked", "expired", waits=R),)},
        "the respondent waits in 'asked', where nobody else may speak",
    ),
    "waiting without end": (
        {
            "steps": (ASKED, DONE, Step("again", R, Done, "done")),
            "silences": (Silence("asked", "again"), Silence("again", "done")),
        },
        "after silence in 'asked' the initiator would wait again",
    ),
    "a state that nothing reaches": (
        {"steps": (ASKED, DONE, Step("island", R, Refuse, "done"))},
        "no way leads to 'island'",
    ),
    "a state without a way out": (
        {"steps": (ASKED, DONE, Step("asked", R, Agree, "agreed"), Step("agreed", R, Agree, "agreed"))},
        "no way out of 'agreed'",
    ),
    "a paper step for an unknown message": (
        {**SOUND, "paper": {Failure: "4.1"}},
        "the paper's step 4.1 names gridpact.failure/1",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_table_cannot_be_made(fault: str) -> None:
    parts, reason = BROKEN[fault]
    with pytest.raises(TableError) as caught:
        table(**parts)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("test: ")


def test_a_crossing_that_closes_can_be_made() -> None:
    closing = (
        Step("done", I, Cancel, "over", crossed=True),
        Step("cancelling", R, Done, "over", crossed=True),
        Step("cancelling", R, Cancelled, "over"),
    )
    protocol = table(steps=(ASKED, DONE, CANCEL, *closing), crossings=frozenset({"asked"}), ends=frozenset({"done"}))
    assert protocol.may_say("done", I) == ()
    assert protocol.understood("done", I) == ("gridpact.cancel/1",)


def test_a_table_cannot_be_changed() -> None:
    protocol = table(**SOUND)
    with pytest.raises(AttributeError):
        protocol.steps = ()  # type: ignore[misc]
    with pytest.raises(TypeError):
        protocol.paper[Ask] = "4.1"  # type: ignore[index]


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_only_the_initiator_cancels(protocol: Protocol) -> None:
    assert {step.speaker for step in protocol.steps if step.message is Cancel} <= {I}


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_whoever_must_answer_first_is_given_a_deadline(protocol: Protocol) -> None:
    opened = {step.then for step in protocol.steps if step.state == START}
    assert all(protocol.waits(state, I) for state in opened)


def test_two_protocols_of_one_name_are_refused() -> None:
    with pytest.raises(TableError, match="two protocols are called 'offering'"):
        Vocabulary.of([*PROTOCOLS, BUSINESS_USE_CASE.protocols["offering"]])


def test_two_types_of_one_id_are_refused() -> None:
    class Impostor(Message):
        type_id: ClassVar[str] = "gridpact.done/1"
        performative: ClassVar[Performative] = Performative.REQUEST

    with pytest.raises(TableError, match="two message types are called 'gridpact"):
        Vocabulary.of([table(steps=(Step(START, I, Impostor, "asked"), DONE))])


@pytest.mark.parametrize("wrong", ["Offer", "gridpact.offer", "gridpact.offer/0", "gridpact.offer/one", "a offer/1"])
def test_a_type_id_names_a_type_and_its_version(wrong: str) -> None:
    class Odd(Message):
        type_id: ClassVar[str] = wrong
        performative: ClassVar[Performative] = Performative.REQUEST

    with pytest.raises(TableError, match="needs a type_id of its own like 'gridpact"):
        Vocabulary.of([table(steps=(Step(START, I, Odd, "asked"), DONE))])


def test_a_type_id_is_not_inherited() -> None:
    class Heir(Ask):
        """Has none of its own."""

    with pytest.raises(TableError, match="Heir needs a type_id of its own"):
        Vocabulary.of([table(steps=(Step(START, I, Heir, "asked"), DONE))])


def test_a_role_that_nobody_may_take_is_refused() -> None:
    with pytest.raises(TableError, match="test: no kind of agent may take the role REGULATOR"):
        Vocabulary.of([table(**SOUND, respondent="REGULATOR")])
    roles = {"TSO": frozenset({"TSO"}), "AGENCY": frozenset({"REGULATOR"})}
    assert Vocabulary.of([table(**SOUND, respondent="REGULATOR")], roles).roles is roles
