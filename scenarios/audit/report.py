"""An audit as text: the steps of each figure and the rows of the tables with what fulfils them, then what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from .auditing import Audit
from .findings import Demand

FIGURES = {
    "4": "scenario I, prequalification",
    "5": "scenario I, offering without the DSO",
    "6": "scenario I, offering with the DSO",
    "7": "scenario I, activation",
    "8": "scenario II, prequalification",
    "9": "scenario II, offering",
    "10": "scenario II, activation",
}

ADDED = "added by a plugin"


def report(audit: Audit, *, full: bool = False) -> Iterator[str]:
    """The lines to print; `full` names everything that fulfils a step, else the first."""
    by_step = sorted(audit.demands, key=lambda demand: _order(demand.step))
    for figure, demands in groupby(by_step, key=lambda demand: demand.step.partition(".")[0]):
        yield f"Fig. {figure}: {FIGURES.get(figure, ADDED)}"
        for (step, wanted), group in groupby(_grouped(demands), key=lambda demand: (demand.step, demand.wanted)):
            yield from _step(step, wanted, list(group), full=full)
    for table in (1, 2):
        rows = [evidence for evidence in audit.tables if evidence.row.table == table]
        if rows:
            yield f"Table {table}"
        for evidence in rows:
            row = evidence.row
            head = f"  {row.info:8} {row.parties:10} {row.stage}"
            yield f"{head}: {_named(evidence.message_ids, full=full)}"
    yield f"{audit.valid_messages} of {audit.messages} messages are valid and in turn"
    if audit.unsaid is not None:
        yield audit.unsaid
    yield from (f"FINDING {text}" for text in audit.findings)
    yield "audit passed" if audit.passed else f"audit failed: {len(audit.findings)} findings"


def _grouped(demands: Iterator[Demand]) -> list[Demand]:
    """Demands of one figure, those of the same step and kind together, in the order of first mention."""
    listed = list(demands)
    first: dict[tuple[str, str], int] = {}
    for number, demand in enumerate(listed):
        first.setdefault((demand.step, demand.wanted), number)
    return sorted(listed, key=lambda d: (_order(d.step), first[d.step, d.wanted]))


def _step(step: str, wanted: str, demands: list[Demand], *, full: bool) -> Iterator[str]:
    done = [demand for demand in demands if demand.fulfilled]
    info = f", {demands[0].info}" if demands[0].info else ""
    names = tuple(name for demand in done for name in demand.fulfilled_by)
    yield f"  {step:5} {wanted}{info}: {len(done)} of {len(demands)}: {_named(names, full=full)}"


def _named(names: Sequence[str], *, full: bool) -> str:
    if not names:
        return "nothing"
    if full:
        return ", ".join(names)
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _order(step: str) -> tuple[int, ...]:
    return tuple(int(part) for part in step.split("."))
