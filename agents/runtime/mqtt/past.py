"""A process that was killed goes on where it was: it lives through its log again, then does what is left.

    log ─▶ every input again ─▶ the record, as if nothing had been
                        └▶ what was sent:   acknowledged ─▶ done        else ─▶ sent again (receivers drop copies)
                           what was asked of the plants: the same
                           what was said among agents here: heard, or delivered again
    then ─▶ timers, deadlines and studies that are still to come; what is due already comes at once, late

While it does so nothing leaves. The plants, if they were here, make the same steps again, and their readings of that
time are dropped.
"""

import json
from collections.abc import Callable, Mapping

from ....protocols.envelope import Envelope
from ..inputs import Arrival, Reading
from ..memory.input_log import Entry
from ..memory.recovery import Lived, Unfinished, relive, take_up
from .dispatch import Dispatch
from .memory import ASKED, PROCESS, STEPPED, Memory
from .outpost import Outpost
from .plants import PlantService, RemotePlants, reading_key, request_key

Telemetry = Callable[[int], None]


class Past:
    """The life of a process up to its death."""

    def __init__(
        self,
        memory: Memory,
        hosts: Mapping[str, Outpost],
        dispatch: Dispatch,
        remote: RemotePlants,
        service: PlantService | None,
        *,
        keeps: bool = False,
    ) -> None:
        """Nothing has been lived through yet; `keeps`: what is streamed or read must arrive too (`standstill.py`)."""
        self.until_us = 0
        self.ticked_us: int | None = None
        self.read_us: dict[tuple[str, str], int] = {}
        self._memory, self._hosts, self._service = memory, hosts, service
        self._dispatch, self._remote = dispatch, remote
        self._unfinished = {name: Unfinished() for name in hosts}
        self._done = memory.log.acknowledged()
        self._unsent: list[Envelope] = []
        self._unheard: dict[tuple[str, str], Arrival] = {}
        self._unasked: dict[str, tuple[str, bytes]] = {}
        self._unread: dict[str, tuple[str, bytes]] = {}
        self._keeps = keeps

    def relive(self, telemetry: Telemetry) -> None:
        """Live through all of it; `telemetry` is left again at every tick."""
        deliver, publish, ask = self._dispatch.hand_over, self._dispatch.publish, self._remote.send
        self._dispatch.hand_over, self._dispatch.publish, self._remote.send = self._kept, self._sent, self._asked
        if self._service is not None:
            self._service.reliving, send, self._service.send = True, self._service.send, self._read
        for entry in self._memory.log.entries():
            self.until_us = max(self.until_us, entry.at_us)
            if entry.agent == PROCESS:
                self._of_process(entry, telemetry)
            else:
                self._of_agent(entry)
        self._dispatch.hand_over, self._dispatch.publish, self._remote.send = deliver, publish, ask
        if self._service is not None:
            self._service.reliving, self._service.send = False, send

    def go_on(self, now_us: int) -> None:
        """Do what is left, and take up what is still to come."""
        for envelope in self._unsent:
            self._dispatch.publish(envelope, False)
        for agent, payload in self._unasked.values():
            self._remote.send(agent, payload)
        for agent, payload in self._unread.values():
            assert self._service is not None
            self._service.send(agent, payload)
        for arrival in self._unheard.values():
            self._dispatch.hand_over(arrival, now_us)
        for name, unfinished in sorted(self._unfinished.items()):
            take_up(self._hosts[name], unfinished, now_us)

    def _of_agent(self, entry: Entry) -> None:
        host = self._hosts[entry.agent]
        (lived,) = relive(host.node, [entry], self._memory.types)
        host.recount(entry.at_us, entry.text)
        self._unfinished[entry.agent].note(lived)
        self._note(entry.agent, lived)
        for effect in lived.effects:
            host.redo(effect, entry.at_us)

    def _note(self, agent: str, lived: Lived) -> None:
        if isinstance(lived.given, Arrival):
            self._unheard.pop((agent, lived.given.envelope.id), None)
        elif isinstance(lived.given, Reading):
            source, at_us = lived.given.source, getattr(lived.given.reading, "at_us", lived.at_us)
            self.read_us[agent, source] = at_us
            self._unread.pop(_unread_key(agent, source, at_us), None)

    def _of_process(self, entry: Entry, telemetry: Telemetry) -> None:
        told = json.loads(entry.text)
        if told["kind"] in (ASKED, STEPPED):
            assert self._service is not None
            self._service.relive(told["steps"])
        if told["kind"] == ASKED:
            agent, payload = told["agent"], told["payload"].encode()
            self._unasked.pop(request_key(agent, payload), None)
            assert self._service is not None
            self._service.hear(agent, payload, entry.at_us)
        elif told["kind"] != STEPPED:
            self.ticked_us = entry.at_us
            telemetry(entry.at_us)

    def _kept(self, arrival: Arrival, _: int) -> None:
        self._unheard[arrival.envelope.receiver, arrival.envelope.id] = arrival

    def _sent(self, envelope: Envelope, streamed: bool) -> None:
        if envelope.id not in self._done and (self._keeps or not streamed):
            self._unsent.append(envelope)

    def _asked(self, agent: str, payload: bytes) -> None:
        key = request_key(agent, payload)
        if key not in self._done:
            self._unasked[key] = agent, payload

    def _read(self, agent: str, payload: bytes) -> None:
        """Kept until the agent is seen to experience it, or, if it is elsewhere, where it has not arrived."""
        if not self._keeps:
            return
        key, reading = reading_key(agent, payload), self._remote.reading(payload) if agent in self._hosts else None
        if reading is not None:
            key = _unread_key(agent, reading.source, getattr(reading.reading, "at_us", 0))
        if key not in self._done:
            self._unread[key] = agent, payload


def _unread_key(agent: str, source: str, at_us: int) -> str:
    return f"{agent} here reads {source} at {at_us}"
