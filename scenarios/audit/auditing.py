"""The audit as a whole: every part over one record, and its outcome."""

from __future__ import annotations

from dataclasses import dataclass

from ..record.run import Run
from . import activation, agreement, dialogue, extension, integrity, offering, prequalification, rules, set_points
from .findings import Demand, Row, Trail
from .index import Index
from .tables import TABLE_ROWS, TableRow

LACKING = "the evidence of some event lacks what its step leaves"


@dataclass(frozen=True)
class TableEvidence:
    """A row of Tables 1 and 2 and the messages that carry its information."""

    row: TableRow
    message_ids: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """What an audit has found: steps that were due, rows of the tables, what is wrong, and what plugins did not say."""

    demands: tuple[Demand, ...]
    tables: tuple[TableEvidence, ...]
    findings: tuple[str, ...]
    messages: int
    valid_messages: int
    unsaid: str | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def audit(run: Run) -> Audit:
    """Audit a recorded run; RecordError if it cannot even be read."""
    index = Index(run)
    trail = steps(index)
    checks = Trail()
    _check_rules(index, checks)
    valid = dialogue.follow(index, checks)
    agreement.follow(index, checks)
    integrity.follow(index, checks)
    findings = tuple(dict.fromkeys([*trail.findings, *checks.findings]))
    total = len(index.messages) + len(run.streams)
    return Audit(tuple(trail.demands), _tables(index, trail), findings, total, valid, extension.unsaid(index))


def _check_rules(index: Index, checks: Trail) -> None:
    for part in (rules, set_points):
        with checks.doubting(LACKING):
            part.follow(index, checks)


def steps(index: Index) -> Trail:
    """Only the steps that were due, and what fulfils them."""
    trail = Trail()
    for part in (prequalification, offering, activation, extension):
        with trail.doubting(LACKING):
            part.follow(index, trail)
    return trail


def _tables(index: Index, trail: Trail) -> tuple[TableEvidence, ...]:
    """Rows whose step was due, with the messages that carry their information between their parties."""
    due = {demand.step for demand in trail.demands}
    found = []
    for row in TABLE_ROWS:
        if row.step in due and not (row.parties.endswith("DSO") and not index.scenario.dsos):
            streamed = tuple(d.fulfilled_by[0] for d in trail.demands if _streams(d, row))
            said = tuple(str(m["id"]) for m in index.messages if _carries(m, row))
            found.append(TableEvidence(row, tuple(dict.fromkeys((*said, *streamed)))))
    return tuple(found)


def _streams(demand: Demand, row: TableRow) -> bool:
    return row.info == "INFO 7" and demand.step == row.step and demand.info == "INFO 7" and demand.fulfilled


def _carries(message: Row, row: TableRow) -> bool:
    """INFO 7 at step 7.7 travels inside INFO 8, as the readings of the limit request."""
    if message["step"] != row.step:
        return False
    roles = f"{message['sender_role']} → {message['receiver_role']}".replace("AGGREGATOR", "BSP")
    inside = row.info == "INFO 7" and bool(message["content"].get("readings"))
    return roles == row.parties and (message["info"] == row.info or inside)
