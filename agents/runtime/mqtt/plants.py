"""Plants on one host, agents on others: what an agent asks of its plant, and what it reads of it.

    agent's host                                plants' host
      RemotePlants ── observe, actuate ─▶ PlantService ─▶ Physics
                   ◀─ readings ──────────

The plants' clock runs a little behind that of the agents (`LAG_S`), so that an order to move has arrived when the
moment comes at which it was given, and is carried out as of that moment, as it would be by a unit beside its agent. A
reading belongs to the moment at which it was taken; the agent takes it as of that moment unless it has experienced
something later. So a network that is quicker than the lag changes nothing in what is physical.

Whoever asks for what is not its own is refused and counted: over a network that is no bug of ours.
"""

import json
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ....grid.errors import GridError
from ....protocols.errors import ProtocolError
from ....protocols.vocabulary import Vocabulary
from ...actions import Actuate, Observe
from ..happenings.queue import PLANT, TELEMETRY, EventQueue
from ..happenings.rhythm import next_of, next_tick
from ..inputs import Reading
from ..memory.journal import from_line, to_line
from ..plants.physics import Physics, PhysicsError

LAG_S = 0.05
LEAST_US = 100_000
READ, MOVE = 1, 4
MOST_OBSERVED = 50
Send = Callable[[str, bytes], None]
AtUs = Annotated[int, Field(ge=0, lt=2**62)]


class _Asked(BaseModel):
    """What an agent asks of its plant; `number` counts up, so that a repetition is seen."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)
    number: AtUs
    at_us: AtUs


class ObserveAsked(_Asked):
    """Readings of a source every so often."""

    kind: Literal["observe"] = "observe"
    source: Annotated[str, Field(min_length=1, max_length=200)]
    every_us: Annotated[int, Field(ge=1, lt=2**62)]
    until_us: AtUs


class ActuateAsked(_Asked):
    """A resource or a transformer to move."""

    kind: Literal["actuate"] = "actuate"
    target: Annotated[str, Field(min_length=1, max_length=200)]
    value: float
    announced: bool


Asked = Annotated[ObserveAsked | ActuateAsked, Field(discriminator="kind")]
_ASKED: TypeAdapter[ObserveAsked | ActuateAsked] = TypeAdapter(Asked)


class RemotePlants:
    """The plants as agents on another host have them."""

    def __init__(self, send: Callable[[str, bytes], None], vocabulary: Vocabulary) -> None:
        """`send(agent, payload)` brings a request to the plants' host."""
        self.send = send
        self._vocabulary = vocabulary
        self._numbers: Counter[str] = Counter()

    def observe(self, agent: str, wish: Observe, now_us: int) -> None:
        """Ask for readings."""
        source, every_us, until_us = wish
        self._ask(
            agent,
            ObserveAsked(number=self._next(agent), at_us=now_us, source=source, every_us=every_us, until_us=until_us),
        )

    def actuate(self, agent: str, order: Actuate, now_us: int) -> None:
        """Ask for a movement."""
        target, value, announced = order
        asked = ActuateAsked(
            number=self._next(agent), at_us=now_us, target=target, value=float(value), announced=announced
        )
        self._ask(agent, asked)

    def reading(self, payload: bytes) -> Reading | None:
        """A reading that came in; None if it is none."""
        try:
            given = from_line(payload.decode(), self._vocabulary)
        except (ProtocolError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return given if isinstance(given, Reading) and isinstance(given.source, str) else None

    def _next(self, agent: str) -> int:
        self._numbers[agent] += 1
        return self._numbers[agent]

    def _ask(self, agent: str, asked: ObserveAsked | ActuateAsked) -> None:
        self.send(agent, json.dumps(asked.model_dump(), separators=(",", ":")).encode())


def reading_key(agent: str, payload: bytes) -> str:
    """Under which key a reading of ours is acknowledged: who reads, and a digest of what."""
    return f"{agent} reads {blake2b(payload, digest_size=8).hexdigest()}"


def request_key(agent: str, payload: bytes) -> str:
    """Under which key a request of ours is acknowledged: agent and number."""
    return f"{agent} asks {json.loads(payload)['number']}"


class Steps(EventQueue):
    """A queue that counts what it has taken."""

    taken = 0

    def step(self) -> None:
        """Let the next thing happen."""
        self.taken += 1
        super().step()


class PlantService:
    """The plants' side: takes requests by the name of who asks, and sends readings to it; has a queue of its own."""

    def __init__(self, physics: Physics, send: Send, *, end_us: int) -> None:
        """`send(agent, payload)` brings a reading to an agent; nothing is read after `end_us`.

        `noted` is told of every request that counts, but not while `reliving`.
        """
        self.counts: Counter[str] = Counter()
        self.queue = Steps(physics.now_us)
        self.noted: Callable[[str, bytes, int], None] = lambda agent, payload, now_us: None
        self.reliving = False
        self.send = send
        self._physics = physics
        self._end_us = end_us
        self._numbers: dict[str, int] = {}
        self._observed: Counter[str] = Counter()

    def tick(self, ticks_us: tuple[int, ...], telemetry: Callable[[int], None]) -> None:
        """Let the plants move on and leave telemetry whenever somebody ticks, from the beginning to the end."""

        def tick(at_us: int) -> None:
            self._physics.advance(at_us)
            self.queue.put(at_us, telemetry, phase=TELEMETRY)
            next_us = next_of(at_us, ticks_us)
            if next_us <= self._end_us:
                self.queue.put(next_us, tick, phase=PLANT)

        self.queue.put(self.queue.now_us, tick, phase=PLANT)

    def relive(self, steps: int) -> None:
        """Take the steps of an earlier life again, up to so many; whoever read them then has done so."""
        while self.queue.taken < steps:
            self.queue.step()

    def close(self) -> None:
        """The run is over: what goes on in the grids is reported as far as it has come."""
        self._physics.close()

    def hear(self, agent: str, payload: bytes, now_us: int) -> None:
        """A request of an agent, at a time of the agents' clock: nothing is done as of a later moment."""
        try:
            asked = _ASKED.validate_json(payload)
        except ValidationError:
            self.counts["unreadable requests"] += 1
            return
        if asked.number <= self._numbers.get(agent, 0):
            self.counts["repeated requests"] += 1
            return
        self._numbers[agent] = asked.number
        if not self.reliving:
            self.noted(agent, payload, now_us)
        as_of_us = min(asked.at_us, now_us)
        if isinstance(asked, ActuateAsked):
            self.queue.put(as_of_us, lambda at_us: self._actuate(agent, asked, at_us), phase=MOVE, agent=agent)
        else:
            self.queue.put(as_of_us, lambda at_us: self._observe(agent, asked, at_us), phase=PLANT, rank=1)

    def _actuate(self, agent: str, asked: ActuateAsked, at_us: int) -> None:
        self.counts["orders carried out late"] += at_us > asked.at_us
        try:
            self._physics.actuate(agent, Actuate(asked.target, asked.value, asked.announced), at_us)
        except (PhysicsError, GridError, ValueError):
            self.counts["refused orders"] += 1

    def _observe(self, agent: str, asked: ObserveAsked, at_us: int) -> None:
        """Readings on the grid of multiples of `every_us`; one at once if all of them have passed."""
        first_us = next_tick(at_us - 1, asked.every_us)
        until_us = min(asked.until_us, self._end_us)
        if self._observed[agent] >= MOST_OBSERVED:
            self.counts["too many observations"] += 1
        elif first_us > until_us or asked.every_us < LEAST_US:
            self._read(agent, asked.source, at_us)
        else:
            self._observed[agent] += 1
            self._repeat(agent, asked.source, first_us, every_us=asked.every_us, until_us=until_us)

    def _repeat(self, agent: str, source: str, at_us: int, *, every_us: int, until_us: int) -> None:
        def read(now_us: int) -> None:
            served = self._read(agent, source, now_us)
            if served and at_us + every_us <= until_us:
                self._repeat(agent, source, at_us + every_us, every_us=every_us, until_us=until_us)
            else:
                self._observed[agent] -= 1

        self.queue.put(at_us, read, phase=READ, agent=agent)

    def _read(self, agent: str, source: str, at_us: int) -> bool:
        try:
            reading = self._physics.read(agent, source, at_us)
        except (PhysicsError, GridError, KeyError):
            self.counts["refused readings"] += 1
            return False
        self.send(agent, to_line(Reading(source, reading)).encode())
        return True
