"""Every protocol holds in every order of delivery; and each way of breaking a table is caught for its own reason."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from gridpact.protocols.errors import TableError
from gridpact.protocols.information.activation import Activated, ActivationEnded
from gridpact.protocols.messages import Agree, Cancel, Cancelled, CancelTooLate, Failure, Refuse
from gridpact.protocols.stages import PROTOCOLS
from gridpact.protocols.stages.activation import ACTIVATION, LIMIT, MEASUREMENTS
from gridpact.protocols.stages.offering import OFFERING
from gridpact.protocols.stages.settlement import STATEMENT
from gridpact.protocols.tables import Protocol, Step
from gridpact.protocols.verification.search import explore
from gridpact.protocols.verification.two_party import TwoParty
from gridpact.scenarios.commands.verifying import told

Keep = Callable[[Step], bool]


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_every_protocol_holds_with_one_message_lost_or_doubled(protocol: Protocol) -> None:
    report = explore(TwoParty(protocol, faults=1))
    assert report.passed, [line for finding in report.findings for line in finding.lines()]
    assert report.complete
    assert report.states > 20


def without(protocol: Protocol, drop: Keep) -> Protocol:
    """The protocol with some steps missing; TableError if it cannot even be made."""
    kept = tuple(step for step in protocol.steps if not drop(step))
    assert len(kept) < len(protocol.steps)
    return replace(protocol, steps=kept, paper={})


def late(state: str, *messages: type) -> Keep:
    return lambda step: step.state == state and (not messages or step.message in messages)


# What the search finds: the message that nobody can take, and where.
FOUND: dict[str, tuple[Protocol, Keep, str]] = {
    "a late answer": (LIMIT, late("expired"), "refuse/1 is out of turn in 'expired'"),
    "a late refuse": (LIMIT, late("expired", Refuse), "refuse/1 is out of turn in 'expired'"),
    "a late failure": (LIMIT, late("expired", Failure), "failure/1 is out of turn in 'expired'"),
    "a result without an agree": (
        LIMIT,
        lambda step: step.state == "asked" and step.then == "done",
        "limit-followed/1 is out of turn in 'asked'",
    ),
    "a late refusal of a call": (
        OFFERING,
        lambda step: step.state == "closed" and step.then == "refused",
        "no-offer/1 is out of turn in 'closed'",
    ),
    "a late record": (OFFERING, late("unreported"), "delivery-record/1 is out of turn in 'unreported'"),
    "a late answer to a statement": (STATEMENT, late("expired"), "statement-accepted/1 is out of turn in 'expired'"),
    "a late confirmation of a cancel": (
        ACTIVATION,
        late("cancel_expired", Cancelled, CancelTooLate),
        "cancelled/1 is out of turn in 'cancel_expired'",
    ),
    "a late answer after a cancel": (
        ACTIVATION,
        late("cancel_expired", Refuse, Failure, ActivationEnded),
        "is out of turn in 'cancel_expired'",
    ),
    "a late agree to a subscription": (MEASUREMENTS, late("expired", Agree), "agree/1 is out of turn in 'expired'"),
}
# What the table itself refuses, before anything is explored.
REFUSED: dict[str, tuple[Protocol, Keep, str]] = {
    "a late proposal": (
        OFFERING,
        lambda step: step.state == "closed" and step.then == "late",
        "no way leads to 'late'",
    ),
    "an award after the offer lapsed": (OFFERING, late("lapsed"), "no way leads to 'lapsed_award'"),
    "a result that crosses a cancel": (
        ACTIVATION,
        lambda step: step.state == "cancelling" and step.then == "over_cancelling",
        "cancel/1 and gridpact.activation-ended/1 cross in 'agreed'",
    ),
    "an agree that crosses a cancel": (
        ACTIVATION,
        lambda step: step.state == "cancelling" and step.message is Activated,
        "cancel/1 and gridpact.activated/1 cross in 'asked'",
    ),
    "a cancel that comes too late": (
        ACTIVATION,
        lambda step: step.message is Cancel and step.state in {"done", "failed", "refused"},
        "cancel/1 and gridpact.activation-ended/1 cross in 'agreed'",
    ),
    "a message of a stream that crosses a cancel": (
        MEASUREMENTS,
        lambda step: step.state == "cancelling" and step.then == "cancelling",
        "cancel/1 and gridpact.agree/1 cross in 'asked'",
    ),
}


@pytest.mark.parametrize("missing", FOUND)
def test_a_missing_branch_is_found_with_the_sequence_that_leads_to_it(missing: str) -> None:
    protocol, drop, reason = FOUND[missing]
    report = explore(TwoParty(without(protocol, drop), faults=1))
    assert not report.passed
    assert reason in report.findings[0].wrong.text
    assert report.findings[0].moments


@pytest.mark.parametrize("missing", REFUSED)
def test_a_crossing_that_is_not_handled_is_refused_by_the_table(missing: str) -> None:
    protocol, drop, reason = REFUSED[missing]
    with pytest.raises(TableError, match=reason):
        without(protocol, drop)


def test_a_counterexample_is_told_as_a_sequence_and_as_a_diagram() -> None:
    protocol, drop, _ = FOUND["a late refuse"]
    text = "\n".join(told([explore(TwoParty(without(protocol, drop), faults=1))], 0.0, diagrams=True))
    assert "COUNTEREXAMPLE limit\na message is not handled: " in text
    assert "silence: its deadline passes in 'asked'" in text
    assert "sequenceDiagram\n" in text
    assert text.endswith("verify failed: 1 explorations")
