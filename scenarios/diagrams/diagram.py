"""Runs and protocols as Mermaid text: what was said, by whom, at which step of the paper.

Streams are one arrow with a count; events are notes. Unless the whole run is asked for, periods that went like an
earlier one are told in one line.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...protocols.envelope import Side
from ...protocols.tables import START, Protocol
from ...protocols.vocabulary import BUSINESS_USE_CASE, Vocabulary
from ..errors import ScenarioError, of_plugins, right_names
from ..record.run import Run
from .chronicle import REFUSING, Happening, chapters, label, short, speakers


def protocol_named(name: str, vocabulary: Vocabulary = BUSINESS_USE_CASE) -> Protocol:
    """A protocol by name; ScenarioError if there is none."""
    named = vocabulary.protocols
    if name not in named:
        hint = f"{of_plugins(name)}; {right_names(name, named)}"
        raise ScenarioError(f"{name}: there is no such protocol or run directory; {hint}")
    return named[name]


def protocol_diagram(protocol: Protocol) -> str:
    """A protocol's table as a sequence diagram and a state diagram."""
    return f"{protocol_sequence(protocol)}\n{protocol_states(protocol)}"


def protocol_sequence(protocol: Protocol) -> str:
    """What either side may say, in the order of the table, as a Mermaid sequence diagram."""
    lines = ["sequenceDiagram", f"    participant {protocol.initiator}", f"    participant {protocol.respondent}"]
    seen: set[tuple[Side, str]] = set()
    for step in (step for step in protocol.steps if not step.late):
        if (step.speaker, step.message.type_id) in seen:
            continue
        seen.add((step.speaker, step.message.type_id))
        sender, receiver = protocol.role_of(step.speaker), protocol.role_of(step.speaker.other)
        arrow = "--x" if step.message.performative.value in REFUSING else "->>"
        told = label(step.message.type_id, protocol.paper.get(step.message), step.message.info)
        lines.append(f"    {sender}{arrow}{receiver}: {step.message.performative.value} {told}")
    return "\n".join(lines) + "\n"


def protocol_states(protocol: Protocol) -> str:
    """Every step and silence as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {START}"]
    letters = {Side.INITIATOR: protocol.initiator, Side.RESPONDENT: protocol.respondent}
    for step in protocol.steps:
        late = ", late" if step.late else ""
        said = f"{letters[step.speaker]} {short(step.message.type_id)}{late}"
        lines.append(f"    {step.state} --> {step.then} : {said}")
    lines += [f"    {silence.state} --> {silence.then} : silence" for silence in protocol.silences]
    lines += [f"    {state} --> [*]" for state in sorted(protocol.final)]
    return "\n".join(lines) + "\n"


def run_diagram(run: Run, *, full: bool = False) -> str:
    """A run as a sequence diagram with the paper's step numbers; `full` shows every period."""
    names = _names(run)
    across = ",".join(dict.fromkeys((*list(names.values())[:1], *list(names.values())[-1:])))
    lines = ["sequenceDiagram", f"    title {run.scenario.name}"]
    lines += [f"    participant {alias} as {name}" for name, alias in names.items()]
    stage = ""
    for chapter in chapters(run):
        if chapter.stage != stage:
            lines.append(f"    Note over {across}: {chapter.stage}")
            stage = chapter.stage
        if chapter.repeats and not full:
            lines.append(f"    Note over {across}: {stage}, period {chapter.period}: as {chapter.repeats}")
        else:
            lines += [f"    {_line(each, names)}" for each in chapter.happenings]
    return "\n".join(lines) + "\n"


def _names(run: Run) -> dict[str, str]:
    """Every speaker with a name that Mermaid takes."""
    names: dict[str, str] = {}
    for name in speakers(run):
        alias = "".join(letter if letter.isalnum() else "_" for letter in name)
        while alias in names.values():
            alias += "_"
        names[name] = alias
    return names


def _line(each: Happening, names: Mapping[str, str]) -> str:
    sender = names.get(each.sender, each.sender)
    if not each.receiver:
        return f"Note over {sender}: {each.label}"
    arrow = "-)" if each.many > 1 else "--x" if each.refuses or each.lost else "->>"
    return f"{sender}{arrow}{names[each.receiver]}: {each.label}"
