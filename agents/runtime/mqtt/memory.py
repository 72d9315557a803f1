"""What one process of a run on many hosts keeps of its life, so that the next one can go on with it.

    notes      which run this is, and its beginning: when by the clock of this machine, and how fast
    inputs     of every agent here, before it reacts; and of the process itself:
               tick      telemetry was left
               asked     an agent, here or elsewhere, has asked something of the plants here
               stepped   the plants here have come so far

It is flushed before a message or an order leaves, and before a broker is told that a message has been taken.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ...errors import LogError
from ..inputs import Input
from ..memory.input_log import InputLog
from ..memory.journal import to_text
from .roll import Start, said, to_bytes

PROCESS = ""  # the process itself, in the place of an agent
TICK, ASKED, STEPPED = "tick", "asked", "stepped"


class Beginning(NamedTuple):
    """What the TSO's host has said, and when that is by the clock of this machine (microseconds since the epoch)."""

    start: Start
    begin_us: int


class Memory:
    """The log of one process; `types` by name: what studies answer with."""

    def __init__(self, log: InputLog, types: Mapping[str, type[Any]], about: str) -> None:
        """`about`: run, public scenario and agents; LogError if the log is that of others, or its run is over."""
        self.log = log
        self.types = types
        known = log.noted("about")
        if known not in (None, about):
            raise LogError("--journal: this is the journal of another run, or of other agents; name another folder")
        if log.noted("finished") is not None:
            raise LogError("--journal: the run of this journal is over; name another folder, or delete this one")
        self.is_new = known is None
        self.lives = int(log.noted("lives") or 0)  # before this one
        log.note("about", about)
        log.note("lives", str(self.lives + 1))

    @property
    def beginning(self) -> Beginning | None:
        """When the run has begun, if it has."""
        text, begin_us = self.log.noted("start"), self.log.noted("begin")
        start = said(text.encode()) if text is not None else None
        return Beginning(start, int(begin_us)) if isinstance(start, Start) and begin_us is not None else None

    def begins(self, start: Start, begin_us: int) -> None:
        """The run begins."""
        self.log.note("begin", str(begin_us))
        self.log.note("start", to_bytes(start).decode())

    def finished(self) -> None:
        """The run is over, and the record written from it."""
        self.log.note("finished", "")

    def experienced(self, agent: str, at_us: int, given: Input) -> None:
        """An agent is about to experience something."""
        self.log.add(agent, at_us, to_text(given))

    def ticked(self, at_us: int) -> None:
        """Telemetry is about to be left."""
        self.log.add(PROCESS, at_us, json.dumps({"kind": TICK}))

    def asked(self, agent: str, payload: bytes, now_us: int, steps: int) -> None:
        """An agent has asked something of the plants, when they had taken so many steps."""
        told = {"kind": ASKED, "agent": agent, "payload": payload.decode(), "steps": steps}
        self.log.add(PROCESS, now_us, json.dumps(told))

    def stepped(self, at_us: int, steps: int) -> None:
        """The plants have taken so many steps."""
        self.log.add(PROCESS, at_us, json.dumps({"kind": STEPPED, "steps": steps}))
