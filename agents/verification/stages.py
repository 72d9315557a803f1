"""Which stages of which schemes are explored, from where to where, and within which bounds.

    prequalification   applications, validation, tests, qualification        (scenario 2: the DSO's response too)
    calls, selection   the contract net to its gate; MOL, validation, acceptance, notices
    subscriptions      who measures for whom
    awards             from the selection to the first orders, one message late at a time
    schedules, orders  orders ahead of the period; changed, cancelled and over in it
    new-orders         nothing is ordered ahead, but in the period, changed and cancelled; of the DSO too
    limits             INFO 8: passed on, followed, replaced
    settlement         meters, statements, books
    afrr               offers put under control, set-points, limits on them
    fcr                tests, tender, notices, reserve kept, statements
    chained            all of them, one after the other, in one run

Each stage begins where the ordinary course of what comes before has led to; it is explored with one message
lost or doubled, with one party silent from the beginning and one message lost or doubled, and with one
party falling silent at any time. Contract net and activation are explored with a third BSP too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from ...protocols.information.quantities import Product
from ...protocols.verification.search import explore
from ...protocols.verification.story import Report
from .actor import Simplify
from .cast import (
    BESIDE_DSO,
    CALL_S,
    CLOSE_S,
    DSO,
    END_S,
    GATE_S,
    PARTS,
    SCHEMES,
    START_S,
    THREE,
    Part,
    Scheme,
    cast,
    us,
)
from .essence import commitments
from .surroundings import Surroundings
from .window import STREAMS, Window
from .world import World

AWARDS_OPEN = STREAMS | {("fipa-contract-net", "accepted")}


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
    late: int | None = None
    settle_s: float = 86_400


ORDINARY = Surroundings(needs_mw=(1.0,), capacity_ways=1, list_ways=1, monitor_ways=1)
PREQUALIFICATION = Stage("prequalification", 0, CALL_S - 5, replace(ORDINARY, capacity_ways=3, test_ways=2))
RESPONSE = Stage("demand-response", CLOSE_S + 299, CALL_S - 5, replace(ORDINARY, list_ways=2, test_ways=2))
CALLS = Stage("calls", CALL_S - 5, GATE_S - 301, replace(ORDINARY, list_ways=2), AWARDS_OPEN, three=True)
OFFERS = Stage("offers", GATE_S - 301, GATE_S + 1, replace(ORDINARY, list_ways=2), AWARDS_OPEN, three=True)
SELECTION = Stage("selection", GATE_S - 1, START_S - 65, replace(ORDINARY, list_ways=4), AWARDS_OPEN, three=True)
SUBSCRIPTIONS = Stage("subscriptions", START_S - 65, START_S - 31, ORDINARY, AWARDS_OPEN, commitments)
FREE_NEED = replace(ORDINARY, needs_mw=(1.0, 0.0))
SCHEDULES = Stage(
    "schedules", START_S - 31, START_S + 269, FREE_NEED, AWARDS_OPEN, commitments, three=True, settle_s=END_S - 1
)
ORDERS = Stage("orders", START_S + 269, END_S + 15, FREE_NEED, AWARDS_OPEN, commitments, three=True)
LIMITS = Stage(
    "limits",
    START_S + 329,
    END_S + 15,
    replace(ORDINARY, needs_mw=(1.0, 2.0), monitor_ways=3),
    AWARDS_OPEN,
    commitments,
    three=True,
)
LATE_ORDERS = Stage("late-orders", END_S - 31, END_S + 15, FREE_NEED, AWARDS_OPEN, commitments)
NO_NEED_YET = replace(ORDINARY, needs_mw=(0.0, 1.0))
NEW_ORDERS = Stage("new-orders", START_S + 269, END_S + 15, NO_NEED_YET, AWARDS_OPEN, commitments, late=1)
AWARDS = Stage("awards", GATE_S - 1, START_S + 15, replace(ORDINARY, needs_mw=(2.0,)), AWARDS_OPEN, commitments, late=1)
SETTLEMENT = Stage("settlement", END_S + 19, END_S + 900, ORDINARY)
CHAINED = Stage("chained", 0, END_S + 900, ORDINARY)
AFRR_SELECTION = replace(SELECTION, three=False, late=1, surroundings=replace(ORDINARY, list_ways=2))
AFRR_LIMITS = replace(LIMITS, three=False, late=1, surroundings=replace(LIMITS.surroundings, needs_mw=(2.0,)))
AFRR_STAGES = (
    replace(SUBSCRIPTIONS, name="requests", from_s=START_S - 301, until_s=START_S - 31),
    replace(SCHEDULES, name="handover", three=False),
    replace(ORDERS, name="set-points", three=False, late=1),
    AFRR_LIMITS,
)
FCR_STAGES = (
    replace(PREQUALIFICATION, surroundings=replace(ORDINARY, test_ways=2)),
    replace(CALLS, name="tender", surroundings=ORDINARY, three=False),
    replace(OFFERS, name="reserve-offers", surroundings=ORDINARY, three=False),
    replace(AWARDS, name="reserve", until_s=START_S + 15, surroundings=ORDINARY),
    replace(ORDERS, name="kept", surroundings=ORDINARY, three=False),
    replace(LIMITS, name="limits on reserve", three=False, late=1),
    SETTLEMENT,
)
COMMON = (PREQUALIFICATION, CALLS, OFFERS, SELECTION, AWARDS, SUBSCRIPTIONS, SCHEDULES, ORDERS, NEW_ORDERS)
STAGES: Mapping[Scheme, tuple[Stage, ...]] = {
    "blind": (*COMMON, SETTLEMENT),
    "scenario-1": (*COMMON, LIMITS, SETTLEMENT),
    "scenario-1-dso": (*COMMON, LIMITS, SETTLEMENT),
    "scenario-2": (
        RESPONSE,
        CALLS,
        OFFERS,
        SELECTION,
        AWARDS,
        SUBSCRIPTIONS,
        SCHEDULES,
        replace(ORDERS, until_s=END_S - 31),
        LATE_ORDERS,
        NEW_ORDERS,
        replace(LIMITS, surroundings=replace(LIMITS.surroundings, needs_mw=(2.0,))),
        SETTLEMENT,
    ),
    "scenario-2-dso": (
        replace(RESPONSE, from_s=CLOSE_S - 5, surroundings=ORDINARY, late=0),
        CALLS,
        OFFERS,
        SELECTION,
        AWARDS,
        SCHEDULES,
        replace(ORDERS, until_s=END_S - 31),
        NEW_ORDERS,
        replace(LIMITS, surroundings=replace(LIMITS.surroundings, needs_mw=(1.0,)), late=1),
        SETTLEMENT,
    ),
    "via-dso": (replace(SCHEDULES, settle_s=86_400), ORDERS, LIMITS),
}


@dataclass(frozen=True)
class Task:
    """One exploration by name: made where it is run, so that it can be sent to another process."""

    scheme: Scheme
    stage: Stage
    faults: int = 1
    silent: str = "nobody"
    parts: tuple[Part, ...] = PARTS
    late: int | None = None
    product: Product = "mFRR"

    @property
    def name(self) -> str:
        """Scheme, stage, who is silent, how many BSPs."""
        silent = {"nobody": "", "at any time": ", one falls silent"}.get(self.silent, f", {self.silent} silent")
        scheme = self.scheme if self.product == "mFRR" else f"{self.scheme} {self.product}"
        return f"{scheme} {self.stage.name}{silent}{', three BSPs' if len(self.parts) > 2 else ''}"

    def with_faults(self, faults: int) -> Task:
        """The same with no more than so many messages lost or doubled."""
        return replace(self, faults=min(self.faults, faults))

    def world(self) -> World:
        """The system to explore."""
        stage = self.stage
        agents = cast(self.scheme, self.parts, float(max(2, len(self.parts))), self.product)
        parties = tuple(agent.name for agent in agents[1:] if self.scheme != "blind" or agent.name != DSO)
        window = Window(
            self.name,
            us(stage.from_s),
            us(stage.until_s),
            us(stage.settle_s),
            self.faults,
            self.silent,
            stage.late if self.late is None else self.late,
            parties,
            open_ended=stage.open_ended,
        )
        return World(agents, window, stage.surroundings, stage.simplify)

    def run(self, max_states: int = 20_000_000) -> Report:
        """Explore it."""
        return explore(self.world(), max_states)


def stage_tasks(scheme: Scheme, faults: int = 1) -> Iterator[Task]:
    """Every stage of a scheme in every variant."""
    for stage in STAGES[scheme]:
        yield from _variants(scheme, stage, faults)


def _variants(scheme: Scheme, stage: Stage, faults: int, product: Product = "mFRR") -> Iterator[Task]:
    """A stage with nobody silent, with each party silent from the beginning, and with one that falls silent."""
    parts = BESIDE_DSO if scheme == "scenario-2-dso" else PARTS
    yield Task(scheme, stage, faults, parts=parts, product=product)
    for name in (DSO, *(part.name for part in parts)):
        if name != DSO or scheme != "blind":
            yield Task(scheme, stage, faults, name, parts, product=product)
    yield Task(scheme, stage, 0, "at any time", parts, product=product)


def three_tasks(faults: int = 1) -> Iterator[Task]:
    """Contract net and activation with a third BSP."""
    for stage in STAGES["scenario-1-dso"]:
        if stage.three:
            fewer = replace(stage.surroundings, list_ways=min(2, stage.surroundings.list_ways))
            yield Task("scenario-1-dso", replace(stage, surroundings=fewer), faults, parts=THREE)


def afrr_tasks(faults: int = 1) -> Iterator[Task]:
    """Offers under control, set-points and limits of aFRR, from the selection to the end of the period."""
    yield Task("scenario-1-dso", AFRR_SELECTION, faults, product="aFRR")
    for stage in AFRR_STAGES:
        yield from _variants("scenario-1-dso", stage, faults, "aFRR")


def via_dso_tasks(faults: int = 1) -> Iterator[Task]:
    """Orders by way of the DSO, and set-points of aFRR likewise."""
    yield from stage_tasks("via-dso", faults)
    for stage in (AFRR_SELECTION, *AFRR_STAGES):
        for silent in ("nobody", DSO, "bsp"):
            yield Task("via-dso", replace(stage, settle_s=86_400, late=1), faults, silent, product="aFRR")


def fcr_tasks(faults: int = 1) -> Iterator[Task]:
    """Containment reserve from its tests to its statements."""
    for stage in FCR_STAGES:
        yield from _variants("scenario-1-dso", stage, faults, "FCR")


def chained_tasks() -> Iterator[Task]:
    """All stages in one run, without faults; scenario 2, which is larger, with every message in time."""
    for scheme in SCHEMES:
        yield Task(scheme, CHAINED, 0, late=0 if scheme == "scenario-2" else 1)


def soak_tasks() -> Iterator[Task]:
    """All stages in one run, one message lost or doubled and one late; in scenario 2, the largest, one or the other."""
    for scheme in SCHEMES:
        yield Task(scheme, replace(CHAINED, name="soak"), 1, late=0 if scheme == "scenario-2" else 1)
    yield Task("scenario-2", replace(CHAINED, name="soak, late"), 0, late=1)


TASKS: Mapping[str, Callable[[], Iterator[Task]]] = {
    "blind": partial(stage_tasks, "blind"),
    "scenario-1": partial(stage_tasks, "scenario-1"),
    "scenario-1-dso": partial(stage_tasks, "scenario-1-dso"),
    "scenario-2": partial(stage_tasks, "scenario-2"),
    "scenario-2-dso": partial(stage_tasks, "scenario-2-dso"),
    "via-dso": via_dso_tasks,
    "three": three_tasks,
    "afrr": afrr_tasks,
    "fcr": fcr_tasks,
    "chained": chained_tasks,
    "soak": soak_tasks,
}
