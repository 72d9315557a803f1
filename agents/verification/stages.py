"""Which stages of which schemes are explored, from where to where, and within which bounds.

    prequalification   applications, validation, tests, qualification        (scenario 2: the DSO's response too)
    calls, selection   the contract net to its gate; MOL, validation, acceptance, notices
    subscriptions      who measures for whom                                  orders     scheduled, direct, changed
    limits             INFO 8: passed on, followed, replaced                  settlement meters, statements, books
    chained            all of them, one after the other, in one run

Each stage begins where the ordinary course of what comes before has led to; it is explored with one message
lost or doubled, with one party silent from the beginning and one message lost or doubled, and with one
party falling silent at any time. Contract net and activation are explored with a third BSP too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from ...protocols.verification.search import explore
from ...protocols.verification.story import Report
from .cast import CALL_S, CLOSE_S, DSO, END_S, GATE_S, PARTS, SCHEMES, START_S, THREE, Part, Scheme, cast, us
from .essence import commitments
from .surroundings import Surroundings
from .world import STREAMS, Simplify, Window, World

AWARDS_OPEN = STREAMS | {("fipa-contract-net", "accepted")}
FALLS = ("at any time",)


@dataclass(frozen=True)
class Stage:
    """A stretch of time of a scheme, what its surroundings may do, and what its end may leave open."""

    name: str
    from_s: float
    until_s: float
    surroundings: Surroundings
    open_ended: frozenset[tuple[str, str]] = STREAMS
    simplify: Simplify | None = None
    three: bool = False


ORDINARY = Surroundings(needs_mw=(1.0,), capacity_ways=1, list_ways=1, monitor_ways=1)
PREQUALIFICATION = Stage("prequalification", 0, CALL_S - 5, replace(ORDINARY, capacity_ways=3, test_ways=2))
RESPONSE = Stage("demand-response", CLOSE_S + 299, CALL_S - 5, replace(ORDINARY, list_ways=2, test_ways=2))
CALLS = Stage("calls", CALL_S - 5, GATE_S + 1, replace(ORDINARY, list_ways=2), AWARDS_OPEN, three=True)
SELECTION = Stage("selection", GATE_S - 1, START_S - 65, replace(ORDINARY, list_ways=4), AWARDS_OPEN, three=True)
SUBSCRIPTIONS = Stage("subscriptions", START_S - 65, START_S - 31, ORDINARY, AWARDS_OPEN, commitments)
ORDERS = Stage(
    "orders", START_S - 31, END_S + 15, replace(ORDINARY, needs_mw=(1.0, 0.0)), AWARDS_OPEN, commitments, three=True
)
LIMITS = Stage(
    "limits",
    START_S + 329,
    END_S + 15,
    replace(ORDINARY, needs_mw=(1.0, 2.0), monitor_ways=3),
    AWARDS_OPEN,
    commitments,
    three=True,
)
SETTLEMENT = Stage("settlement", END_S + 19, END_S + 900, ORDINARY)
CHAINED = Stage("chained", 0, END_S + 900, ORDINARY)
COMMON = (PREQUALIFICATION, CALLS, SELECTION, SUBSCRIPTIONS, ORDERS)
STAGES: Mapping[Scheme, tuple[Stage, ...]] = {
    "blind": (*COMMON, SETTLEMENT),
    "scenario-1": (*COMMON, LIMITS, SETTLEMENT),
    "scenario-1-dso": (*COMMON, LIMITS, SETTLEMENT),
    "scenario-2": (RESPONSE, CALLS, SELECTION, SUBSCRIPTIONS, ORDERS, LIMITS, SETTLEMENT),
}


@dataclass(frozen=True)
class Task:
    """One exploration by name: made where it is run, so that it can be sent to another process."""

    scheme: Scheme
    stage: Stage
    faults: int = 1
    silent: str = "nobody"
    parts: tuple[Part, ...] = PARTS

    @property
    def name(self) -> str:
        """Scheme, stage, who is silent, how many BSPs."""
        silent = {"nobody": "", "at any time": ", one falls silent"}.get(self.silent, f", {self.silent} silent")
        return f"{self.scheme} {self.stage.name}{silent}{', three BSPs' if len(self.parts) > 2 else ''}"

    def world(self) -> World:
        """The system to explore."""
        stage = self.stage
        agents = cast(self.scheme, self.parts, float(len(self.parts)))
        parties = tuple(agent.name for agent in agents[1:] if self.scheme != "blind" or agent.name != DSO)
        window = Window(
            self.name,
            us(stage.from_s),
            us(stage.until_s),
            self.faults,
            self.silent,
            parties,
            open_ended=stage.open_ended,
        )
        return World(agents, window, stage.surroundings, stage.simplify)

    def run(self, max_states: int = 5_000_000) -> Report:
        """Explore it."""
        return explore(self.world(), max_states)


def stage_tasks(scheme: Scheme, faults: int = 1) -> Iterator[Task]:
    """Every stage of a scheme in every variant."""
    for stage in STAGES[scheme]:
        yield Task(scheme, stage, faults)
        for name in (DSO, *(part.name for part in PARTS)):
            if name != DSO or scheme != "blind":
                yield Task(scheme, stage, faults, name)
        yield Task(scheme, stage, 0, "at any time")


def three_tasks(faults: int = 1) -> Iterator[Task]:
    """Contract net and activation with a third BSP."""
    for stage in STAGES["scenario-1-dso"]:
        if stage.three:
            yield Task("scenario-1-dso", stage, faults, parts=THREE)


def chained_tasks(faults: int = 0) -> Iterator[Task]:
    """All stages in one run."""
    for scheme in SCHEMES:
        yield Task(scheme, CHAINED, faults)


TASKS: Mapping[str, Callable[[], Iterator[Task]]] = {
    **{scheme: (lambda scheme=scheme: stage_tasks(scheme)) for scheme in SCHEMES},
    "three": three_tasks,
    "chained": chained_tasks,
}
