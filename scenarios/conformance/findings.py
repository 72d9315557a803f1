"""What a conformance run has found: a line for every step, right or wrong, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rich.table import Table

Verdict = Literal["right", "wrong", "not tried"]
MOST_ALIKE = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `subject` groups findings: schema, order, deadline, late offer, duplicate, …"""

    step: str
    subject: str
    verdict: Verdict
    text: str


@dataclass
class Report:
    """All findings in the order in which they were made."""

    participant: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def conforms(self) -> bool:
        """Whether nothing was wrong, and something was tried at all."""
        return bool(self.findings) and not self.wrong

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """What was wrong."""
        return tuple(one for one in self.findings if one.verdict == "wrong")

    def judge(self, step: str, subject: str, faults: list[str] | tuple[str, ...] | str | None, right: str) -> bool:
        """Note that something was right, or every fault; returns whether it was right."""
        found = [faults] if isinstance(faults, str) else list(faults or ())
        for text in found:
            self._add(Finding(step, subject, "wrong", text))
        if not found:
            self._add(Finding(step, subject, "right", right))
        return not found

    def skip(self, step: str, subject: str, why: str) -> None:
        """Note that something could not be tried."""
        self._add(Finding(step, subject, "not tried", why))

    def _add(self, finding: Finding) -> None:
        place = (finding.step, finding.subject, "wrong")
        alike = [one for one in self.findings if (one.step, one.subject, one.verdict) == place]
        if finding.verdict != "wrong" or len(alike) < MOST_ALIKE:
            self.findings.append(finding)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        found = [asdict(one) for one in self.findings]
        return {"participant": self.participant, "conforms": self.conforms, "findings": found}

    def as_table(self) -> Table:
        """The report for a terminal."""
        table = Table("step", "subject", "", "what", title=f"Conformance of {self.participant}", title_justify="left")
        for one in self.findings:
            table.add_row(one.step, one.subject, one.verdict, one.text)
        return table
