"""What applicants asked to be qualified for, and what they got: prequalification as it stands in the messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .offering import binding_text

APPLICATION = "gridpact.application/1"
PROPOSAL = "gridpact.qualification-proposal/1"
ASKED = (APPLICATION, "gridpact.technical-data/1")
TOLD = ("gridpact.qualified/1", "gridpact.not-qualified/1", PROPOSAL)
REFUSED = "gridpact.refuse/1"


class Qualification(NamedTuple):
    """One resource and direction of an applicant: MW asked for (None: by nobody), MW qualified, what binds, or why.

    Resource and direction are empty where nobody knows of any.
    """

    participant: str
    resource: str
    direction: str
    asked_mw: float | None
    qualified_mw: float
    binding: Mapping[str, Any] | None
    reason: str | None = None

    @property
    def why(self) -> str:
        """Why it is not more: the constraint that binds, and in words what else there is to say."""
        return "; ".join(text for text in (binding_text(self.binding), self.reason) if text)


def qualifications(messages: Iterable[Mapping[str, Any]]) -> Iterator[Qualification]:
    """Every verdict of the TSO about a resource, in the order of telling; a refusal where there is none before."""
    asked: dict[tuple[str, str], float] = {}
    known: set[tuple[str, str]] = set()
    applications: dict[str, Mapping[str, Any]] = {}
    for row in messages:
        content = row["content"]
        if row["type"] in ASKED:
            for resource in content["resources"]:
                asked |= {(resource["id"], way): resource[f"max_{way}_mw"] for way in ("up", "down")}
        if row["type"] == APPLICATION:
            applications[row["conversation_id"]] = row
        elif row["type"] == REFUSED and row["conversation_id"] in applications:
            refused = _refused(applications[row["conversation_id"]], content["reason"])
            yield from (one for one in refused if (one.resource, one.direction) not in known)
        elif row["type"] in TOLD:
            known |= {(verdict["resource"], verdict["direction"]) for verdict in content["verdicts"]}
            yield from _told(row, asked)


def _told(row: Mapping[str, Any], asked: Mapping[tuple[str, str], float]) -> Iterator[Qualification]:
    content, who = row["content"], row["receiver"]
    for verdict in content["verdicts"]:
        what = verdict["resource"], verdict["direction"]
        why = verdict["binding"], verdict.get("reason")
        yield Qualification(who, *what, asked.get(what), verdict["max_mw"], *why)
    if row["type"] == PROPOSAL and not content["verdicts"]:
        yield Qualification(who, "", "", None, 0.0, None, content.get("reason"))


def _refused(application: Mapping[str, Any], reason: str) -> Iterator[Qualification]:
    """The TSO has not even begun to look at what was applied for."""
    for resource in application["content"]["resources"]:
        for way in ("up", "down"):
            if resource[f"max_{way}_mw"] > 0:
                mw = resource[f"max_{way}_mw"], 0.0
                yield Qualification(application["sender"], resource["id"], way, *mw, None, f"refused: {reason}")
