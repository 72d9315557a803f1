"""What applicants asked to be qualified for, and what they got: prequalification as it stands in the messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

ASKED = ("gridpact.application/1", "gridpact.technical-data/1")
TOLD = ("gridpact.qualified/1", "gridpact.not-qualified/1", "gridpact.qualification-proposal/1")


class Qualification(NamedTuple):
    """One resource and direction of an applicant: MW asked for (None: by nobody), MW qualified, what binds."""

    participant: str
    resource: str
    direction: str
    asked_mw: float | None
    qualified_mw: float
    binding: Mapping[str, Any] | None


def qualifications(messages: Iterable[Mapping[str, Any]]) -> Iterator[Qualification]:
    """Every verdict of the TSO about a resource, in the order of telling."""
    asked: dict[tuple[str, str], float] = {}
    for row in messages:
        for resource in row["content"]["resources"] if row["type"] in ASKED else ():
            asked |= {(resource["id"], way): resource[f"max_{way}_mw"] for way in ("up", "down")}
        for verdict in row["content"]["verdicts"] if row["type"] in TOLD else ():
            what = verdict["resource"], verdict["direction"]
            yield Qualification(row["receiver"], *what, asked.get(what), verdict["max_mw"], verdict["binding"])
