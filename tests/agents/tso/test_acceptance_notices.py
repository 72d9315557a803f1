"""A DSO must know what may be activated in its grid: an acceptance notice that is not confirmed is repeated."""

from typing import Any

from gridpact.protocols.information.offering import AcceptanceNotice


def subjects(town: Any) -> list[str]:
    """Subjects of the notices of the first period, in order."""
    notices = [envelope for _, envelope in town.said if isinstance(envelope.content, AcceptanceNotice)]
    topics = [envelope.conversation_id.split("/") for envelope in notices]
    return [topic[3] for topic in topics if topic[2] == "Q1"]


def test_a_lost_notice_is_repeated_until_it_is_confirmed(make: Any) -> None:
    town = make.usual(loses=lambda e: e.conversation_id.split("/")[3] == "accepted-mFRR-up").run(3500)
    assert subjects(town) == ["accepted-mFRR-up", "accepted-mFRR-up.2"]


def test_a_dso_that_never_confirms_is_told_three_times(make: Any) -> None:
    town = make.usual(loses=lambda e: isinstance(e.content, AcceptanceNotice)).run(3500)
    assert subjects(town) == ["accepted-mFRR-up", "accepted-mFRR-up.2", "accepted-mFRR-up.3"]
