"""What a search found, told so that it can be read: the message sequence that leads to it, also as a Mermaid diagram.

    Report ─▶ states, transitions, bounds, findings         Finding ─▶ rule, text, moments in their order
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["message", "lost", "doubled", "copy", "within"]
ARROWS = {"message": "->>", "doubled": "->>", "copy": "-->>", "lost": "--x"}


class Wrong(NamedTuple):
    """A rule that does not hold, and how."""

    rule: str
    text: str


class Moment(NamedTuple):
    """One move as it is told: a message from one agent to another, or something within one agent."""

    kind: Kind
    actor: str
    text: str
    receiver: str = ""
    said: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The moment as a line of text, with what was said in reaction."""
        told = f"{self.actor} → {self.receiver}: {self.text}" if self.receiver else f"{self.actor}: {self.text}"
        mark = {"lost": " (lost)", "doubled": " (and a copy stays on its way)", "copy": " (the copy)"}.get(self.kind, "")
        reaction = f"   ⇒ {'; '.join(self.said)}" if self.said else ""
        return told + mark + reaction


class Finding(NamedTuple):
    """A rule that does not hold, and the shortest sequence that shows it."""

    wrong: Wrong
    moments: tuple[Moment, ...]

    def lines(self) -> Iterable[str]:
        """The counterexample as a message sequence."""
        yield f"{self.wrong.rule}: {self.wrong.text}"
        for number, moment in enumerate(self.moments, start=1):
            yield f"  {number:3} {moment.line}"

    def diagram(self) -> str:
        """The counterexample as a Mermaid sequence diagram: arrows arrive in this order."""
        names = dict.fromkeys(name for m in self.moments for name in (m.actor, m.receiver) if name)
        lines = ["sequenceDiagram", *(f"    participant {_alias(name)} as {name}" for name in names)]
        lines += [f"    {_drawn(moment)}" for moment in self.moments]
        over = _alias(self.moments[-1].receiver or self.moments[-1].actor) if self.moments else ""
        if over:
            lines.append(f"    Note over {over}: {_plain(self.wrong.rule)}: {_plain(self.wrong.text)}")
        return "\n".join(lines) + "\n"


def _drawn(moment: Moment) -> str:
    if not moment.receiver:
        return f"Note over {_alias(moment.actor)}: {_plain(moment.text)}"
    return f"{_alias(moment.actor)}{ARROWS[moment.kind]}{_alias(moment.receiver)}: {_plain(moment.text)}"


def _alias(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def _plain(text: str) -> str:
    """Text without what Mermaid takes for syntax."""
    return text.replace(";", ",").replace("#", " no. ").replace("\n", " ")


@dataclass(frozen=True, slots=True)
class Report:
    """One system explored: within which bounds, how much of it there is, and what was found."""

    name: str
    bounds: tuple[str, ...]
    states: int
    transitions: int
    ends: int
    findings: tuple[Finding, ...]
    complete: bool = True

    @property
    def passed(self) -> bool:
        """Whether every rule holds in all of it."""
        return self.complete and not self.findings

    def line(self) -> str:
        """The report in one line."""
        result = "holds" if self.passed else f"FAILS: {', '.join(f.wrong.rule for f in self.findings)}"
        cut = "" if self.complete else " CUT: not all of it was explored;"
        return f"{self.name:44} {self.states:9,} states {self.transitions:10,} transitions {cut} {result}"
