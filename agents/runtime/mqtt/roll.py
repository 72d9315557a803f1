"""Everybody is there, their clocks agree, and they begin at the same time.

    the TSO's host        every agent, and the plants
      call (number) ───────▶                                     again and again, until all have answered
            ◀─────── here (number, its clock)                    presence, retained
      start (when, how fast, whose clock is off) ───▶            said again to whoever comes later

A clock's offset is its answer less the middle between call and answer, and known to half the time between them; the
smallest such time counts. `here` carries a digest of the public scenario, so that nobody runs another one.
"""

import json
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

ENOUGH_CALLS = 4


class _Said(BaseModel):
    """What is said on the topics of presence and roll; anything else is ignored and counted."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class Call(_Said):
    """Who is there?"""

    kind: Literal["call"] = "call"
    call: str = Field(max_length=80)
    number: int = Field(ge=0)


class Start(_Said):
    """The run begins at a time of the TSO's clock (microseconds since the epoch), `speed` times as fast as the clock.

    `offsets_us`: how far the clocks of others are ahead of it, where that is more than could not be told. `at_us`: the
    time of the run then, if it goes on after a standstill; `lives`: of which life of each process the answers were.
    """

    kind: Literal["start"] = "start"
    call: str = Field(max_length=80)
    begin_us: int = Field(ge=0, lt=2**62)
    speed: float = Field(gt=0, le=1e6)
    offsets_us: dict[str, int] = Field(default_factory=dict)
    at_us: int = Field(default=0, ge=0, lt=2**62)
    lives: dict[str, int] = Field(default_factory=dict)


class Refused(_Said):
    """The run does not begin, and why."""

    kind: Literal["refused"] = "refused"
    call: str = Field(max_length=80)
    reason: str = Field(max_length=2000)


class Presence(_Said):
    """An agent is here (and answers a call), has finished, or is gone.

    `at_us`: how far the run has come here, if it has begun; `life`: how often its process had died before.
    """

    kind: Literal["presence"] = "presence"
    state: Literal["here", "finished", "gone"]
    call: str | None = Field(default=None, max_length=80)
    number: int = Field(default=0, ge=0)
    clock_us: int = Field(default=0, ge=0, lt=2**62)
    scenario: str = Field(default="", max_length=80)
    at_us: int = Field(default=0, ge=0, lt=2**62)
    life: int = Field(default=0, ge=0)


Said = Call | Start | Refused | Presence
_SAID: TypeAdapter[Said] = TypeAdapter(Annotated[Said, Field(discriminator="kind")])


def said(payload: bytes) -> Said | None:
    """Read what was said; None if it is nothing of the kind."""
    try:
        return _SAID.validate_json(payload)
    except ValidationError:
        return None


def to_bytes(what: Said) -> bytes:
    """As it stands on the topic."""
    return json.dumps(what.model_dump(), separators=(",", ":")).encode()


@dataclass
class Answers:
    """What one agent has answered: how often, its clock's offset and how well that is known, how far it has come."""

    count: int = 0
    offset_us: int = 0
    round_trip_us: int = 2**62
    scenario: str = ""
    at_us: int = 0
    life: int = 0


@dataclass
class Roll:
    """The list that the TSO's host keeps: who has answered which call."""

    expected: tuple[str, ...]
    call: str
    answers: dict[str, Answers] = field(default_factory=dict)
    _called_us: list[int] = field(default_factory=list)

    def next_call(self, now_us: int) -> Call:
        """The next call, at a time of our clock."""
        self._called_us.append(now_us)
        return Call(call=self.call, number=len(self._called_us) - 1)

    def hear(self, name: str, presence: Presence, now_us: int) -> None:
        """An agent has answered; what answers no call of ours only says that it has gone."""
        if presence.state != "here":
            self.answers.pop(name, None)
        if presence.state == "finished":
            self.expected = tuple(each for each in self.expected if each != name)
        if presence.state != "here" or presence.call != self.call or presence.number >= len(self._called_us):
            return
        known = self.answers.setdefault(name, Answers())
        called_us = self._called_us[presence.number]
        known.count += 1
        known.scenario, known.at_us, known.life = presence.scenario, presence.at_us, presence.life
        if now_us - called_us < known.round_trip_us:
            known.round_trip_us = now_us - called_us
            known.offset_us = presence.clock_us - (called_us + now_us) // 2

    @property
    def missing(self) -> tuple[str, ...]:
        """Who has not answered at all."""
        return tuple(name for name in self.expected if name not in self.answers)

    @property
    def complete(self) -> bool:
        """Whether all have answered often enough to know their clocks."""
        return all(name in self.answers and self.answers[name].count >= ENOUGH_CALLS for name in self.expected)

    def offsets_us(self) -> dict[str, int]:
        """Offsets in microseconds of the clocks that are certainly off at all."""
        known = sorted(self.answers.items())
        return {name: one.offset_us for name, one in known if abs(one.offset_us) > one.round_trip_us // 2}

    def wrong_clocks(self, most_us: int) -> dict[str, int]:
        """Offsets in microseconds of the clocks that are certainly further off than `most_us`."""
        found = ((name, known) for name, known in sorted(self.answers.items()))
        return {n: known.offset_us for n, known in found if abs(known.offset_us) - known.round_trip_us // 2 > most_us}

    def other_scenarios(self, scenario: str) -> tuple[str, ...]:
        """Who runs another public scenario than this one."""
        return tuple(name for name, known in sorted(self.answers.items()) if known.scenario != scenario)
