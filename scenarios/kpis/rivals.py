"""Scenario II: what a DSO that sells flexibility itself has excluded of its rivals, against an independent check.

    capacity requests, in the order in which they were judged ─▶ planning cases, AC, nothing kept back ─▶ check_mw
    limits in real time ─▶ the state without any limits, recorded beside the real one ─▶ was there a violation?

The check is made anew from the scenario, by nobody who has offers: everything together, each on top of what the check
itself has allowed before. What the DSO excluded beyond that is `unfounded_mw`. Resources that the DSO cannot judge
(refused, or lost on the way) do not appear.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...protocols.information.capacity import CapacityRequest
from ...protocols.information.quantities import instant
from ..audit.findings import Row
from ..audit.index import Index
from ..record.limiting import LimitStep, limit_steps
from ..record.offering import is_of
from .quality import violated

if TYPE_CHECKING:
    from ...grid.limits.allowing import Activation
    from ...grid.studies.studies import GridStudies

Requests = tuple[tuple[str, CapacityRequest], ...]
SAME_MW = 1e-5


def rivals(index: Index) -> dict[str, Any]:
    """Excluded MW per rival and direction beside those of the check; limits without a violation; {} elsewhere."""
    if index.scenario.scheme != "scenario-2":
        return {}
    judged = list(_judged(index))
    return {
        "qualification": judged,
        "excluded_mw": sum(row["excluded_mw"] for row in judged),
        "check_excluded_mw": sum(row["asked_mw"] - row["check_mw"] for row in judged),
        "unfounded_mw": sum(row["unfounded_mw"] for row in judged),
        "real_time": _real_time(index),
    }


def _judged(index: Index) -> Iterator[dict[str, Any]]:
    answered = {row["conversation_id"]: row for row in index.typed("capacity-verdict")}
    asked = [row for row in index.typed("capacity-request") if row["conversation_id"] in answered]
    studies = _studies(index) if asked else {}
    for dso, grid in sorted((name, who.grid) for name, who in index.scenario.dsos.items()):
        own = sorted(
            (row for row in asked if row["receiver"] == dso),
            key=lambda row: int(answered[row["conversation_id"]]["sequence"]),
        )
        allowed = _checked(studies[grid], grid, own) if own else {}
        for row in own:
            yield from _rows(answered[row["conversation_id"]], CapacityRequest(**row["content"]), allowed)


def _studies(index: Index) -> dict[str, GridStudies]:
    """The model of every grid, made anew."""
    from ..operation import plants

    return dict(plants.laboratory(index.scenario, plants.resources(index.scenario)).studies)


def _checked(studies: GridStudies, grid: str, rows: list[Row]) -> dict[str, float]:
    """MW by `resource|direction` that may be qualified, everything together, in the order in which it was judged."""
    from ...agents.dso.studies import Prequalify
    from ...agents.dso.validation import asked
    from ...grid.limits.allowing import Activation

    found: dict[str, float] = {}
    already: tuple[Activation, ...] = ()
    for requests in _together(rows):
        wanted = asked(requests)
        joint = max(request.judged_with for _, request in requests) > 1
        answer = Prequalify(grid, wanted, "all", already, joint).run(studies)
        if not isinstance(answer, tuple) or hasattr(answer, "names"):
            continue
        found |= {each.id: abs(each.p_mw) for each in answer}
        kept = zip(wanted, answer, strict=True)
        already += tuple(Activation(ask.id, ask.points, each.p_mw) for ask, each in kept if each.p_mw)
    return found


def _together(rows: list[Row]) -> Iterator[Requests]:
    """The requests that were judged in one study."""
    waiting: list[tuple[str, CapacityRequest]] = []
    for row in rows:
        waiting.append((row["conversation_id"], CapacityRequest(**row["content"])))
        if len(waiting) >= waiting[-1][1].judged_with:
            yield tuple(sorted(waiting, key=lambda each: each[0]))
            waiting = []
    if waiting:
        yield tuple(sorted(waiting, key=lambda each: each[0]))


def _rows(answer: Row, request: CapacityRequest, allowed: dict[str, float]) -> Iterator[dict[str, Any]]:
    maximum = {(one.id, way): one.maximum_mw(way) for one in request.resources for way in ("up", "down")}
    for verdict in answer["content"]["verdicts"]:
        key = (verdict["resource"], verdict["direction"])
        asked_mw, allowed_mw = maximum[key], float(verdict["max_mw"])
        check_mw = allowed.get("|".join(key), 0.0)
        beyond_mw = check_mw - allowed_mw
        yield {
            "participant": request.applicant,
            "resource": key[0],
            "direction": key[1],
            "asked_mw": asked_mw,
            "allowed_mw": allowed_mw,
            "check_mw": check_mw,
            "excluded_mw": asked_mw - allowed_mw,
            "unfounded_mw": beyond_mw if beyond_mw > SAME_MW else 0.0,
        }


def _real_time(index: Index) -> dict[str, Any]:
    """Limits on rivals, and how many of them stood where even without any limit there was no violation."""
    rows = [row for row in index.typed("limit-request") if row["received_at"] is not None]
    steps = [step for step in limit_steps(rows) if not step.lifts and not step.renews]
    of_rivals = [step for step in steps if not is_of(step.request["sender"], step.limit["offer_id"])]
    return {
        "limits": len(of_rivals),
        "without_violation": sum(not _founded(index, step) for step in of_rivals),
    }


def _founded(index: Index, step: LimitStep) -> bool:
    """Whether, without limits, the grid would have been in violation while this one was valid."""
    times = index.run.outline["at"].astype("datetime64[us, UTC]").astype("int64")
    grid = index.scenario.dsos[step.request["sender"]].grid
    until_us = instant(step.limit["valid_until"])
    during = (times >= instant(step.request["sent_at"])) & (times <= until_us)
    return bool((violated(index.run.outline, grid, shadow=True) & during).any())
