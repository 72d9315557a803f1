"""How a DSO shares what its grid can bear among those who want to use it, and what it keeps back.

    Question: stage, what is wished, what has been agreed with the TSO ─▶ LimitPolicy.terms ─▶ Terms ─▶ study (AC)

The policy never says how many MW are allowed: that is the study's answer, within the terms. So no policy can let
through what the grid cannot bear in its terms, but it can exclude more than it must: `kpis.json` shows it (`rivals`).
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from ..errors import StrategyError

LimitStage = Literal["prequalification", "offering", "activation"]
LimitScope = Literal["single", "all", "prefix", "subset"]
LimitSplit = Literal["merit_order", "pro_rata"]
SCOPES = {
    "prequalification": ("single", "all"),
    "offering": ("prefix", "subset"),
    "activation": ("prefix",),
}


class Wish(NamedTuple):
    """MW (+ up) that somebody wants to be allowed, by the id of the offer or `resource|direction`."""

    id: str
    participant: str
    p_mw: float


class Terms(NamedTuple):
    """In which scope a limit must hold, how a scarce MW is split, and the share of every MW that is kept back.

    With a `margin` of 0.1 the study has to bear 1/0.9 of what is allowed.
    """

    scope: LimitScope
    split: LimitSplit
    margin: float = 0.0


class Question(NamedTuple):
    """What a DSO is to decide; `agreed` is what its coordination with the TSO prescribes.

    Stages: prequalification (scopes single, all), offering (prefix, subset) and activation (prefix; merit order).
    """

    dso: str
    grid: str
    stage: LimitStage
    wishes: tuple[Wish, ...]
    agreed: Terms


class LimitPolicy(Protocol):
    """Decides on which terms a DSO looks for limits."""

    def terms(self, question: Question) -> Terms:
        """The terms for this question; pure."""


@dataclass(frozen=True)
class AsAgreed:
    """Keeps to what the scenario's coordination prescribes; a `margin` of its own may be kept back on top."""

    margin: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError for a margin that is none."""
        if not 0 <= self.margin < 1:
            raise ValueError(f"margin is {self.margin:g}, but it must be at least 0 and below 1")

    def terms(self, question: Question) -> Terms:
        """What has been agreed."""
        return question.agreed._replace(margin=max(self.margin, question.agreed.margin))


def decided(policy: LimitPolicy, question: Question) -> Terms:
    """The policy's terms; StrategyError if the question's stage does not know them."""
    terms = policy.terms(question)
    scopes, who = SCOPES[question.stage], f"policy {type(policy).__name__} of {question.dso}, {question.stage}"
    if terms.scope not in scopes:
        raise StrategyError(f"{who}: scope is {terms.scope!r}, but it must be one of: {', '.join(scopes)}")
    if terms.split not in ("merit_order", "pro_rata"):
        raise StrategyError(f"{who}: split is {terms.split!r}, but it must be merit_order or pro_rata")
    if not 0 <= terms.margin < 1:
        raise StrategyError(f"{who}: margin is {terms.margin!r}, but it must be at least 0 and below 1")
    return terms
