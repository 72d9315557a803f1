"""Charts are drawn from the tables, and the page that shows them all is what the tables say."""

from pathlib import Path

import pytest

from gridpact.protocols.tables import Protocol
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.scenarios.diagrams.diagram import protocol_diagram
from gridpact.scenarios.diagrams.page import protocols_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocols.md"


def test_the_page_of_protocols_is_what_the_tables_say() -> None:
    assert PAGE.read_text("utf-8") == protocols_page(), "gridpact diagram all > docs/protocols.md"


@pytest.mark.parametrize("protocol", BUSINESS_USE_CASE.protocols.values(), ids=lambda protocol: protocol.name)
def test_every_step_and_silence_is_drawn(protocol: Protocol) -> None:
    drawn = protocol_diagram(protocol)
    for step in protocol.steps:
        assert f"    {step.state} --> {step.then} : {protocol.role_of(step.speaker)} " in drawn
    for silence in protocol.silences:
        assert f"    {silence.state} --> {silence.then} : silence" in drawn
    assert all(f"    {state} --> [*]" in drawn for state in protocol.final)


def test_the_page_names_every_protocol_message_and_step_of_the_paper() -> None:
    page = protocols_page()
    for protocol in BUSINESS_USE_CASE.protocols.values():
        assert f"\n### {protocol.name}\n" in page
        assert all(f"`{message.type_id}`" in page for message in protocol.messages)
        assert all(f"| {step} |" in page for step in protocol.paper.values())
