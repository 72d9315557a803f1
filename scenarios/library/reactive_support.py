"""Reactive power support: the TSO asks, the DSO grants what its taps can give within all limits, and delivers it.

    TSO                                     DSO
     │─── ReactiveSupportRequest ───────────▶│   11.1  INFO 11
     │                                       │         AC study of every tap position
     │◀── ReactiveSupportGranted | Refuse ───│   11.2
     │◀── ReactiveSupportDelivered ──────────│   11.3  INFO 11, when it is over

A plugin, as anybody can write one: this file is all there is (docs/new-protocol.md leads through it). Lower voltages
make loads draw less reactive power; + is less import at the TSO-DSO connection points. A higher tap position lowers
the voltage, and so raises the currents of generators: lines that are full refuse the support.
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import Annotated, ClassVar, NamedTuple

from immutables import Map
from pydantic import Field

from gridpact.agents.actions import Action, Actuate, Compute, Note, Open, Say, Wake
from gridpact.agents.agent import Reaction
from gridpact.agents.events import Computed, Event, Heard, Rejected, Silence, Started, Woken
from gridpact.agents.extension import Situation
from gridpact.grid.readings import Readings
from gridpact.grid.studies.studies import GridStudies
from gridpact.protocols.envelope import Topic
from gridpact.protocols.information.quantities import US_PER_S, Instant
from gridpact.protocols.messages import Message, Performative, Refuse
from gridpact.protocols.templates import request

STAGE = "reactive-support"
Mvar = Annotated[float, Field(ge=0, le=1e4)]


# 1  What is said


class ReactiveSupportRequest(Message):
    """Import less reactive power from `start` to `end`; less than `least_q_mvar` is of no use (INFO 11)."""

    type_id: ClassVar[str] = "reactive-support.request/1"
    performative: ClassVar[Performative] = Performative.REQUEST
    info: ClassVar[str | None] = "INFO 11"
    q_mvar: Mvar
    least_q_mvar: Mvar
    start: Instant
    end: Instant


class ReactiveSupportGranted(Message):
    """The DSO will do so, by this much."""

    type_id: ClassVar[str] = "reactive-support.granted/1"
    performative: ClassVar[Performative] = Performative.AGREE
    q_mvar: Mvar


class ReactiveSupportDelivered(Message):
    """What the taps have saved at the end of the support, by the DSO's own readings (INFO 11)."""

    type_id: ClassVar[str] = "reactive-support.delivered/1"
    performative: ClassVar[Performative] = Performative.INFORM
    info: ClassVar[str | None] = "INFO 11"
    q_mvar: float


# 2  In which order

SUPPORT = request(
    "reactive-support",
    stage=STAGE,
    ask=ReactiveSupportRequest,
    by="TSO",
    of="DSO",
    agree=ReactiveSupportGranted,
    results=(ReactiveSupportDelivered,),
    paper={ReactiveSupportRequest: "11.1", ReactiveSupportGranted: "11.2", ReactiveSupportDelivered: "11.3"},
)
PROTOCOLS = (SUPPORT,)

# 3  Who does what


class Wish(NamedTuple):
    """What the TSO asks for in one market time unit."""

    period: int
    q_mvar: float
    least_q_mvar: float


@dataclass(frozen=True)
class AskForSupport:
    """The TSO asks every DSO some time after the start of a period, and keeps what has come of it."""

    wishes: tuple[Wish, ...]
    kind: str = "TSO"
    after_us: int = 480 * US_PER_S
    lead_us: int = 60 * US_PER_S
    lasts_us: int = 240 * US_PER_S

    def start(self) -> Map[str, str]:
        """Nothing has been asked."""
        return Map()

    def react(self, situation: Situation, state: Map[str, str], event: Event, now_us: int) -> Reaction[Map[str, str]]:
        """Ask when it is time; note what was granted, delivered, or not."""
        periods = situation.calendar.periods
        match event:
            case Started():
                due = [(n, wish) for n, wish in enumerate(self.wishes) if wish.period < len(periods)]
                return state, tuple(Wake(str(n), periods[w.period].start_us + self.after_us) for n, w in due)
            case Woken(number):
                return state, self._asked(situation, self.wishes[int(number)], now_us)
            case Heard() | Silence() | Rejected():
                said = event.content.model_dump_json() if isinstance(event, Heard) else "no answer"
                name, about = event.conversation.state, event.conversation.id
                evidence = {"name": f"support {name}", "conversation_id": about, "said": said}
                return state.set(about, said), (Note(STAGE, None, evidence),)
            case _:
                return state, ()

    def _asked(self, situation: Situation, wish: Wish, now_us: int) -> tuple[Action, ...]:
        start_us, period = now_us + self.lead_us, situation.calendar.periods[wish.period].id
        content = ReactiveSupportRequest(
            q_mvar=wish.q_mvar, least_q_mvar=wish.least_q_mvar, start=start_us, end=start_us + self.lasts_us
        )
        dsos = [party.name for party in situation.parties if party.kind == "DSO"]
        topics = [Topic(situation.me.name, STAGE, period, "support", name) for name in dsos]
        return tuple(Open(SUPPORT, topic, content, reply_by_us=start_us) for topic in topics)


class Taps(NamedTuple):
    """Positions of the transformers in their order, what they save, and what kept them from saving more."""

    names: tuple[str, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    q_mvar: float
    bound: str


@dataclass(frozen=True, slots=True)
class FindTaps:
    """The fewest steps that save what is wanted, all limits kept; else those that save most."""

    grid: str
    readings: Readings
    activated: tuple[tuple[str, float], ...]
    wanted_mvar: float
    most_steps: int

    def run(self, studies: GridStudies) -> Taps:
        """Try every combination, by AC power flow."""
        before = self.readings.taps
        import_mvar = studies.assess(self.readings, self.activated).interface_q_mvar
        best, bound = Taps(studies.model.transformer_names, before, before, 0.0, ""), ""
        for steps in sorted(product(range(self.most_steps + 1), repeat=len(before)), key=lambda s: (sum(s), s)):
            after = tuple(tap + step for tap, step in zip(before, steps, strict=True))
            if any(tap > highest for tap, (_, highest) in zip(after, studies.model.tap_ranges, strict=True)):
                continue
            found = studies.assess(replace(self.readings, taps=after), self.activated)
            if found.violations:
                worst = found.violations[0]
                bound = bound or f"{worst.element} {worst.kind} {worst.value:.2f}, limit {worst.limit:g}"
                continue
            saved_mvar = round(import_mvar - found.interface_q_mvar, 6)
            if saved_mvar > best.q_mvar:
                best = best._replace(after=after, q_mvar=saved_mvar)
            if best.q_mvar >= self.wanted_mvar:
                break
        return best._replace(bound=bound)


@dataclass(frozen=True, slots=True)
class WhatTapsSave:
    """What the present taps save against earlier ones, everything else being as it is now."""

    grid: str
    readings: Readings
    activated: tuple[tuple[str, float], ...]
    before: tuple[int, ...]

    def run(self, studies: GridStudies) -> float:
        """Compare two power flows."""
        without = studies.assess(replace(self.readings, taps=self.before), self.activated)
        return round(without.interface_q_mvar - studies.assess(self.readings, self.activated).interface_q_mvar, 6)


class Promise(NamedTuple):
    """A request, and the taps that were granted for it."""

    request: ReactiveSupportRequest
    taps: Taps | None = None


@dataclass(frozen=True)
class GiveSupport:
    """The DSO answers by a study of its grid as it is read now, steps its taps, and steps them back."""

    kind: str = "DSO"
    most_steps: int = 3
    slack_us: int = 60 * US_PER_S

    def start(self) -> Map[str, Promise]:
        """Nothing has been promised."""
        return Map()

    def react(
        self, situation: Situation, state: Map[str, Promise], event: Event, now_us: int
    ) -> Reaction[Map[str, Promise]]:
        """Study, grant or refuse, step, measure, step back, inform."""
        match event:
            case Heard():
                return self._asked(situation, state, event)
            case Computed(key, Taps() as taps):
                return self._answered(state, key, taps, now_us)
            case Woken(timer) if timer.startswith("begin/"):
                about = timer.removeprefix("begin/")
                return state, _stepped(about, _granted(state, about), back=False)
            case Woken(timer):
                about = timer.removeprefix("end/")
                return state, (Compute(about, WhatTapsSave(*_known(situation), _granted(state, about).before)),)
            case Computed(key, float() as saved_mvar):
                informed = Say(key, ReactiveSupportDelivered(q_mvar=saved_mvar))
                return state.delete(key), (*_stepped(key, _granted(state, key), back=True), informed)
            case _:
                return state, ()

    def _asked(self, situation: Situation, state: Map[str, Promise], event: Heard) -> Reaction[Map[str, Promise]]:
        about, content = event.conversation.id, event.content
        assert isinstance(content, ReactiveSupportRequest)
        if situation.base.readings is None or len(state):
            reason = "support is being given already" if len(state) else "the grid is not being read"
            return state, (Say(about, Refuse(reason=reason)),)
        study = FindTaps(*_known(situation), content.q_mvar, self.most_steps)
        return state.set(about, Promise(content)), (Compute(about, study),)

    def _answered(self, state: Map[str, Promise], about: str, taps: Taps, now_us: int) -> Reaction[Map[str, Promise]]:
        asked = state[about].request
        if taps.q_mvar < asked.least_q_mvar or asked.start < now_us:
            reason = f"{taps.q_mvar:g} Mvar within all limits, {asked.least_q_mvar:g} wanted at least: {taps.bound}"
            return state.delete(about), (Say(about, Refuse(reason=reason)),)
        granted = ReactiveSupportGranted(q_mvar=min(taps.q_mvar, asked.q_mvar))
        return state.set(about, Promise(asked, taps)), (
            Say(about, granted, reply_by_us=asked.end + self.slack_us),
            Wake(f"begin/{about}", asked.start),
            Wake(f"end/{about}", asked.end),
        )


def _known(situation: Situation) -> tuple[str, Readings, tuple[tuple[str, float], ...]]:
    """The grid, what is read of it, and what participants have told the DSO of their activations (INFO 7)."""
    told = [point for _, each in sorted(situation.base.told.items()) for point in each.points]
    return str(situation.me.grid), situation.base.readings, tuple(told)


def _granted(state: Map[str, Promise], about: str) -> Taps:
    taps = state[about].taps
    assert taps is not None
    return taps


def _stepped(about: str, taps: Taps, *, back: bool) -> tuple[Action, ...]:
    """Move the taps that are to be moved, and leave evidence."""
    goal, other = (taps.before, taps.after) if back else (taps.after, taps.before)
    moved = {name: tap for name, tap, old in zip(taps.names, goal, other, strict=True) if tap != old}
    evidence = {"name": "taps stepped back" if back else "taps stepped", "conversation_id": about, "positions": moved}
    return (Note(STAGE, None, evidence), *(Actuate(f"taps/{name}", tap) for name, tap in moved.items()))


# In the second period more is wanted than the full lines leave room for.
BEHAVIOURS = (AskForSupport((Wish(0, 0.15, 0.1), Wish(1, 0.6, 0.5))), GiveSupport())
STUDIES = (FindTaps, WhatTapsSave)
RESULTS = (Taps,)
