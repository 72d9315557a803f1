"""Processes killed, and a broker stopped, in the middle of a run: who comes back goes on, and keeps what it promised.

The run waits for whoever is away, so the settlement is that of the undisturbed one. `make soak` kills twenty times at
any moment, and stops the broker for half a minute of offering and of activation – with and without waiting.
"""

import asyncio
import contextlib
import getpass
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from pace import is_behind

from gridpact.agents.runtime.mqtt.embedded import free_port
from gridpact.agents.runtime.mqtt.roll import Start, said
from gridpact.agents.runtime.mqtt.topics import Topics
from gridpact.scenarios.audit import audit
from gridpact.scenarios.hosting.merge import merge
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run
from gridpact.scenarios.replay.replaying import replay

SHARES = {"tso": ("tso",), "dso": ("dso-north",), "providers": ("bsp-*", "gen-t")}
WAITING = """\
gridpact: 1
name: waiting
extends: handful.yaml
hosting: {plants: dso-north, waits: true}
"""
QUICK_SPEEDS, SOAK_SPEED, WAITING_SPEED = (60.0, 30.0, 15.0), 5.0, 10.0
DEATHS = 20
IN_TIME_S = 270  # of the run, from the deaths until somebody is waited for


class Stage:
    """A broker, and processes that run shares of a scenario; all of them can be stopped and started again."""

    def __init__(self, scenario: Path, folder: Path, brokers: Any, shares: dict[str, tuple[str, ...]]) -> None:
        self.scenario, self.folder, self.shares = scenario, folder, shares
        self.start: Start | None = None
        self._brokers, self._port, self._broker = brokers, free_port(), AsyncExitStack()
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._news = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def open(self, speed: float) -> None:
        await self.open_broker()
        self._listening = asyncio.create_task(self._listen())
        await asyncio.gather(*(self._begin(name, speed) for name in self.shares))
        self._speed, self.times = speed, load_scenario(self.scenario).time
        await self.started(None)

    async def _listen(self) -> None:
        """Hear when the run begins and goes on; the broker may be away."""
        topic = Topics(load_scenario(self.scenario).name).roll
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client("127.0.0.1", self._port) as client:
                    await client.subscribe(topic)
                    async for message in client.messages:
                        what = said(bytes(message.payload))  # type: ignore[arg-type]
                        if isinstance(what, Start):
                            self.start = what
                            self._news.set()
            await asyncio.sleep(0.1)

    async def started(self, before: Start | None) -> None:
        """Wait until the run has begun, or gone on after another start."""
        async with asyncio.timeout(220):
            while self.start is None or self.start == before:
                self._news.clear()
                await self._news.wait()

    async def open_broker(self) -> None:
        self.folder.mkdir(exist_ok=True)
        settings = self.folder / "broker.conf"
        lines = (
            f"listener {self._port} 127.0.0.1",
            "allow_anonymous true",
            "set_tcp_nodelay true",
            "max_inflight_messages 0",
            "persistence true",
            f"persistence_location {self.folder}/",
            f"user {getpass.getuser()}",
        )
        settings.write_text("\n".join(lines) + "\n", "utf-8")
        await self._broker.enter_async_context(self._brokers(settings, self._port))

    async def close_broker(self) -> None:
        await self._broker.aclose()

    async def _begin(self, name: str, speed: float) -> None:
        command = ["host", str(self.scenario), "--broker", f"mqtt://127.0.0.1:{self._port}", "--speed", str(speed)]
        command += ["--journal", str(self.folder / f"{name}-journal"), "--out", str(self.folder / name), "--quiet"]
        command += ["--timeout", "200"]
        for agent in self.shares[name]:
            command += ["--agents", agent]
        self._processes[name] = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gridpact", *command, stderr=asyncio.subprocess.PIPE
        )

    async def until(self, clock: str) -> None:
        """Wait until it is so late in the run."""
        await self.at((self.times.at_clock(clock) - self.times.start_us) / 1e6)

    async def at(self, at_s: float) -> None:
        """Wait until so many seconds of the run after its beginning."""
        while True:
            assert self.start is not None
            gone_s = (self.start.at_us - self.times.start_us) / 1e6 if self.start.at_us else 0.0
            wait_s = self.start.begin_us / 1e6 + (at_s - gone_s) / self._speed - time.time()
            if wait_s <= 0:
                return
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._news.wait()

    async def kill(self, *names: str) -> None:
        for name in names:
            self._processes[name].kill()
            assert await self._processes[name].wait() < 0
        await asyncio.gather(*(self._begin(name, self._speed) for name in names))

    def is_running(self, name: str) -> bool:
        return self._processes[name].returncode is None

    async def end(self) -> Run:
        ends = [process.communicate() for process in self._processes.values()]
        for process, (_, told) in zip(self._processes.values(), await asyncio.gather(*ends), strict=True):
            assert process.returncode == 0, told.decode()
        return merge([self.folder / name for name in self.shares], self.folder / "merged")

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
        for process in self._processes.values():
            if process.returncode is None:
                process.kill()
                await process.wait()
        await self.close_broker()


def books(record: Run) -> str:
    return (record.folder / "settlement.csv").read_text("utf-8")


def accepted(record: Run) -> list[list[object]]:
    return record.merit_order[["offer_id", "accepted_mw"]].to_numpy().tolist()


def lives(record: Run) -> int:
    return sum(host["network"].get("lives before this one", 0) for host in record.timing["hosts"])


def keeps_pace(record: Run, speed: float) -> bool:
    hosts = record.timing["hosts"]
    late_s = max(host["realtime"]["lateness"].get("p50_s", 0.0) for host in hosts)
    away_s = max(host["network"].get("seconds of the run away", 0) for host in hosts)
    print(f"median lateness {late_s:.3f} s, away for {away_s} s of the run")  # noqa: T201 - shown if it fails
    return bool(late_s * speed < 5 and away_s < IN_TIME_S)


@pytest.fixture
async def stages(tmp_path: Path, brokers: Any) -> AsyncIterator[Any]:
    """Makes stages, and leaves nothing running."""
    made: list[Stage] = []

    def make(scenario: Path, name: str, shares: dict[str, tuple[str, ...]]) -> Stage:
        made.append(Stage(scenario, tmp_path / name, brokers, shares))
        return made[-1]

    yield make
    for stage in made:
        await stage.close()


@pytest.fixture
def waiting(handful: Path) -> Path:
    """The scenario, run so that it waits for whoever is away."""
    path = handful.parent / "waiting.yaml"
    path.write_text(WAITING, "utf-8")
    return path


async def disturbed(stage: Stage, speed: float) -> Run:
    """The broker goes away while offers are asked for; both hosts are killed when they have promised."""
    await stage.open(speed)
    await stage.until("11:53:20")
    before = stage.start
    await stage.close_broker()
    await stage.open_broker()
    await stage.started(before)
    await stage.until("11:58:00")
    await stage.kill("tso", "providers")
    return await stage.end()


@pytest.mark.timeout(600)
async def test_killed_and_cut_off_hosts_settle_as_if_nothing_had_been(
    with_mosquitto: None, waiting: Path, simulated: Run, stages: Any
) -> None:
    """The run waits for them, so nothing depends on how long they are away.

    It depends on speed: where a host is behind, or messages take long, an order is met a tick later.
    """
    for speed in QUICK_SPEEDS:
        merged = await disturbed(stages(waiting, f"at {speed:g}", SHARES), speed)
        if books(merged) == books(simulated) or not is_behind(merged):
            break
    assert lives(merged) == 2
    assert sum(host["network"].get("standstills", 0) for host in merged.timing["hosts"]) >= 2
    assert accepted(merged) == accepted(simulated)
    assert books(merged) == books(simulated)
    assert audit(merged).findings == ()
    assert replay(merged) == []


async def killed(stage: Stage, count: int, speed: float) -> Run:
    """So many processes are killed, one after the other, at any moment of a run that waits for them."""
    dice = random.Random("twenty deaths")  # noqa: S311 - reproducible
    await stage.open(speed)
    length_s = (stage.times.end_us - stage.times.start_us) / 1e6
    for at_s in sorted(dice.uniform(5.0, 0.95 * length_s) for _ in range(count)):
        await stage.at(at_s)
        before = stage.start
        await stage.kill(dice.choice(sorted(SHARES)))
        await stage.started(before)
    return await stage.end()


@pytest.mark.soak
@pytest.mark.timeout(3000)
async def test_killed_twenty_times_at_any_moment(
    with_mosquitto: None, waiting: Path, tmp_path: Path, simulated: Run, stages: Any
) -> None:
    """Nothing is lost, and nothing doubled: all is settled as if nothing had been."""
    merged = await killed(stages(waiting, "stage", SHARES), DEATHS, WAITING_SPEED)
    assert lives(merged) == DEATHS
    assert accepted(merged) == accepted(simulated)
    assert books(merged) == books(simulated)
    assert {row["id"] for row in merged.message_rows} == {row["id"] for row in simulated.message_rows}
    assert len(merged.message_rows) == len(simulated.message_rows)
    assert audit(merged).findings == ()
    assert replay(merged) == []


@pytest.mark.soak
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("clock", ["11:53:10", "12:03:00"])
async def test_a_broker_away_for_half_a_minute(
    with_mosquitto: None, waiting: Path, handful: Path, simulated: Run, stages: Any, clock: str, waits: bool
) -> None:
    """In the middle of offering, and of activation: the run comes to its end, and the market to what it would have."""
    stage = stages(waiting if waits else handful, "stage", SHARES)
    await stage.open(SOAK_SPEED)
    await stage.until(clock)
    await stage.close_broker()
    await asyncio.sleep(30)
    await stage.open_broker()
    merged = await stage.end()
    print(clock, keeps_pace(merged, SOAK_SPEED), books(merged) == books(simulated))  # noqa: T201
    assert accepted(merged) == accepted(simulated)
    assert books(merged) == books(simulated) or not waits
    assert audit(merged).findings == ()
    assert replay(merged) == []
