"""The barrier before a run: one host calls the roll, the others answer, and all get the same beginning.

A time-out names who is missing. A clock that is off, or a host with another public scenario, is named too, and then
nobody begins.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...errors import BrokerError
from .clock import wall_us
from .line import Line
from .roll import Call, Presence, Refused, Roll, Said, Start, to_bytes
from .topics import Topics

CALL_EVERY_S, CALL_EACH_S = 0.1, 0.005  # no more often than the answers of all can be heard
BEGINS_IN_S, GOES_ON_IN_S = 1.0, 0.2


@dataclass(frozen=True)
class Readiness:
    """What must hold before a run begins; `lead` is the agent whose host calls the roll.

    `waits`: whether the run stands still while somebody is away (`standstill.py`).
    """

    lead: str
    expected: tuple[str, ...]
    scenario: str
    speed: float = 1.0
    timeout_s: float = 60.0
    clock_tolerance_s: float = 0.05
    waits: bool = False


class Muster:
    """One host's part in the barrier."""

    def __init__(self, lines: Mapping[str, Line], topics: Topics, readiness: Readiness, life: int = 0) -> None:
        """`lines` are those of the agents here, `life` how often this process had died before.

        `came_us` tells how far the run has come here; `parted` is called when somebody is away from a run that waits.
        """
        self.readiness = readiness
        self.seen: dict[str, str] = {}
        self.start: Start | None = None
        self.came_us: Callable[[], int] = lambda: 0
        self.parted: Callable[[], None] = lambda: None
        self._lines = lines
        self._topics = topics
        self._life = life
        self._was_cut_off = False
        self.begin_again()

    def begin_again(self) -> None:
        """The roll is to be called anew: nobody has answered, and nothing has been decided."""
        here = (name for name in self.readiness.expected if self.seen.get(name) != "finished")
        self._roll = Roll(tuple(here), str(wall_us()))
        self._decided = self._undecided()
        if self._is_left:
            self._decide_alone()

    def cut_off(self) -> None:
        """A line of ours is lost: what is said meanwhile we hear later, and others may not hear at all what we said."""
        if self.leads:
            self._lines[self.readiness.lead].withdraw(self._topics.roll)
        self._was_cut_off = True
        self.parted()

    @property
    def leads(self) -> bool:
        """Whether this host calls the roll."""
        return self.readiness.lead in self._lines

    def hear(self, name: str | None, what: Said) -> None:
        """Something was said on the topics of presence (by `name`) or roll."""
        match what:
            case Presence():
                self._seen(str(name), what)
            case Call():
                self._answer(what)
            case _ if self.leads:
                pass  # what it has said itself
            case Start() if self._has_waited_for_us(what):
                self._say_here(Presence(state="here", scenario=self.readiness.scenario))
            case Start() if self._is_meant(what):
                self._heard_start(what)
            case Refused(reason=reason) if not self._decided.done():
                self._decided.set_exception(BrokerError(reason))

    def _heard_start(self, start: Start) -> None:
        """The latest roll's start counts, also where an earlier one's has been heard and not been heeded yet."""
        if self._is_decided_for_another(start.call):
            self.parted()
            if self._decided.done():
                self._decided = self._undecided()
        if not self._decided.done():
            self._decided.set_result(start)

    def _has_waited_for_us(self, start: Start) -> bool:
        """Whether a start was kept for us by the broker: the others have missed us since, and stand still again."""
        was_cut_off, self._was_cut_off = self._was_cut_off, False
        return self.readiness.waits and was_cut_off and self.begin_us(start) < wall_us()

    def _is_meant(self, start: Start) -> bool:
        """Whether a start is for us as we are now: not for an earlier life of this process."""
        return all(start.lives.get(name, self._life) == self._life for name in self._lines)

    async def gather(self) -> Start:
        """Wait until everybody is there; BrokerError if that does not come about."""
        self.start = await (self._lead() if self.leads else self._follow())
        return self.start

    def _seen(self, name: str, presence: Presence) -> None:
        if presence.state == "gone" and self.seen.get(name) == "finished":
            return  # its line has ended after its run, and not in good order
        if presence.state == "finished" and self.start is None:
            return  # of an earlier run of this name: the broker has kept it
        self.seen[name] = presence.state
        came_back = presence.state == "here" and presence.call is None
        if self.readiness.waits and self.start is not None and (came_back or presence.state == "gone"):
            self.parted()
        if self.leads:
            self._roll.hear(name, presence, wall_us())
        elif self._is_left:
            self._decide_alone()
        if self.leads and not self.readiness.waits and self.start is not None and came_back:
            self._say(self.start)

    @property
    def _is_left(self) -> bool:
        """Whether nobody will call the roll any more, because the leader's run is over."""
        return self.start is not None and not self.leads and self.seen.get(self.readiness.lead) == "finished"

    def _decide_alone(self) -> None:
        if not self._decided.done() and self.start is not None:
            self._decided.set_result(self.start)

    def _answer(self, call: Call) -> None:
        if self.readiness.waits and self.start is not None and call.call != self.start.call:
            self.parted()
        self._withdraw_decision(call)
        here = Presence(
            state="here",
            call=call.call,
            number=call.number,
            clock_us=wall_us(),
            scenario=self.readiness.scenario,
            at_us=self.came_us(),
            life=self._life,
        )
        self._say_here(here)

    def _withdraw_decision(self, call: Call) -> None:
        """A start that nobody here has heeded yet counts no more when the roll is called again."""
        if self.readiness.waits and self._is_decided_for_another(call.call):
            self._decided = self._undecided()

    def _is_decided_for_another(self, call: str) -> bool:
        """Whether a start is known that is of another roll than this."""
        decided = self._decided
        return decided.done() and decided.exception() is None and decided.result().call != call

    @staticmethod
    def _undecided() -> asyncio.Future[Start]:
        return asyncio.get_running_loop().create_future()

    def _say_here(self, here: Presence) -> None:
        for name, line in self._lines.items():
            line.send(self._topics.presence(name), to_bytes(here), retain=True)

    def _say(self, what: Said) -> None:
        self._lines[self.readiness.lead].send(self._topics.roll, to_bytes(what))

    async def _lead(self) -> Start:
        loop, wanted = asyncio.get_running_loop(), self.readiness
        give_up_s, line = loop.time() + wanted.timeout_s, self._lines[wanted.lead]
        while not (self._roll.complete and line.is_connected):
            if loop.time() > give_up_s:
                self._refuse(f"not everybody came within {wanted.timeout_s:g} s; missing: {self._named()}")
            if line.is_connected:
                self._say(self._roll.next_call(wall_us()))
            await asyncio.sleep(max(CALL_EVERY_S, CALL_EACH_S * len(wanted.expected)))
        self._check()
        start = Start(
            call=self._roll.call,
            begin_us=wall_us() + round((BEGINS_IN_S if self.start is None else GOES_ON_IN_S) * 1e6),
            speed=wanted.speed,
            offsets_us=self._roll.offsets_us(),
            at_us=max(one.at_us for one in self._roll.answers.values()),
            lives={name: one.life for name, one in sorted(self._roll.answers.items())},
        )
        self._say(start)
        return start

    def _named(self) -> str:
        return ", ".join(self._roll.missing) or "nobody, but the answers come too slowly"

    def _check(self) -> None:
        others = self._roll.other_scenarios(self.readiness.scenario)
        if others:
            self._refuse(f"another public scenario than that of {self.readiness.lead} is run by: {', '.join(others)}")
        wrong = self._roll.wrong_clocks(round(self.readiness.clock_tolerance_s * 1e6))
        if wrong:
            offsets = ", ".join(f"{name} {offset_us / 1e6:+.3f} s" for name, offset_us in wrong.items())
            allowed = f"{self.readiness.clock_tolerance_s:g} s are allowed"
            self._refuse(f"clocks differ from that of {self.readiness.lead}: {offsets}; {allowed}")

    def _refuse(self, reason: str) -> None:
        self._say(Refused(call=self._roll.call, reason=reason))
        raise BrokerError(reason)

    async def _follow(self) -> Start:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.readiness.timeout_s + 2):
                while not self._decided.done():  # what has been decided may be withdrawn before it is heeded
                    await asyncio.shield(self._decided)
                return self._decided.result()
        missing = [name for name in self.readiness.expected if self.seen.get(name) != "here"]
        named = ", ".join(missing) or f"nobody, but {self.readiness.lead} has not given the start"
        raise BrokerError(f"not everybody came within {self.readiness.timeout_s:g} s; missing: {named}")

    def begin_us(self, start: Start) -> int:
        """When the run begins by the clock of this machine, microseconds since the epoch."""
        known = sorted(start.offsets_us[name] for name in self._lines if name in start.offsets_us)
        return start.begin_us + (known[len(known) // 2] if known else 0)
