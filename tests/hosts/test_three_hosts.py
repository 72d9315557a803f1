"""The page about many hosts, word for word: three hosts in one place, in spite of an intruder, and three for real.

Both, TLS and access rules on, at the same time, because a run takes its time: the outcome is that of simulated time.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from documented import begun, console, end, files, here, shell
from pace import is_behind

from gridpact.agents.runtime.mqtt.address import BrokerAddress, Identity
from gridpact.agents.runtime.mqtt.embedded import free_port
from gridpact.agents.runtime.mqtt.plants import ActuateAsked
from gridpact.agents.runtime.mqtt.roll import Refused, Start, to_bytes
from gridpact.agents.runtime.mqtt.topics import Topics
from gridpact.scenarios.audit import audit
from gridpact.scenarios.hosting.mosquitto import write_configuration
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.replay.replaying import replay

PAGE = "many-hosts.md"
SPEEDS = ("120", "60", "20")
STRANGER = """
extends: handful.yaml
participants:
  bsp-x: {kind: bsp, grid: transmission, units: [{id: unit-x, up_mw: 1.0}], applies_at: "11:49:40",
          response: {preparation_s: 5, ramping_s: 10, deactivation_s: 5}}
"""


@pytest.fixture
async def place(
    tmp_path: Path,
    handful: Path,
    mosquitto_is_there: bool,
    brokers,  # type: ignore[no-untyped-def]
) -> AsyncIterator[list[str]]:
    """The options that name a broker; with Mosquitto a secured one, to which an intruder has got credentials too."""
    if not mosquitto_is_there:
        yield []  # an embedded broker
        return
    (tmp_path / "stranger.yaml").write_text(STRANGER, "utf-8")
    port, folder = free_port(), tmp_path / "broker"
    write_configuration(load_scenario(tmp_path / "stranger.yaml"), folder, host="localhost", port=port)
    async with brokers(folder / "mosquitto.conf", port) as address:
        over = asyncio.Event()
        intruding = asyncio.create_task(intrude(address, folder / "credentials", over))
        yield ["--broker", str(address), "--credentials", str(folder / "credentials")]
        over.set()
        await intruding


async def intrude(address: BrokerAddress, credentials: Path, over: asyncio.Event) -> None:
    """Publish what would stop the run, move plants and forge limits, if anybody let us."""
    who, topics = Identity.from_folder("bsp-x", credentials), Topics("handful")
    order = ActuateAsked(number=10**9, at_us=0, target="unit-a", value=2.5, announced=False)
    limit = b'{"id":"dso-north/activation/x/limit-1/tso#i0","sender":"dso-north"}'
    sent = [
        (topics.message("bsp-x", "tso"), b"\xff\x00 no message"),
        (topics.message("bsp-x", "tso"), b"[" * 5000),
        (topics.message("dso-north", "tso"), limit),
        (topics.plant_asked("bsp-a"), json.dumps(order.model_dump()).encode()),
        (topics.roll, to_bytes(Refused(call="x", reason="no run today"))),
        (topics.roll, to_bytes(Start(call="x", begin_us=1, speed=1000.0))),
        (topics.presence("tso"), b'{"kind":"presence","state":"gone"}'),
    ]
    async with aiomqtt.Client(
        address.host, address.port, username=who.name, password=who.password, tls_context=who.tls_context()
    ) as client:
        while not over.is_set():
            for topic, payload in sent:
                await client.publish(topic, payload, qos=1)
            await asyncio.sleep(0.1)


async def in_one_place(folder: Path, speed: str, place: list[str]) -> Run:
    """The page's first command, with a broker of ours if there is one."""
    ((command,), *_) = console(PAGE)
    await shell(" ".join([paced(command, speed), "--quiet", *place]), folder)
    return load_run(folder / "runs" / "hosts")


async def for_real(folder: Path, speed: str, brokers: Any) -> Run:
    """The page's other commands: a broker, hosts that meet there, and their records as one."""
    _, (configure, stand, copied), (*hosts, joined) = console(PAGE)
    port = free_port()
    assert stand == "mosquitto -c broker/mosquitto.conf"
    await shell(here(configure, port), folder)
    async with brokers(folder / "broker" / "mosquitto.conf", port):
        await shell(copied, folder)
        await together([here(paced(command, speed), port) for command in hosts], folder)
    await shell(joined.partition(" && ")[0], folder)
    return load_run(folder / "runs" / "merged")


async def audited(run: Run) -> str:
    """What the page's last command says of it, which is promised where every host has kept pace."""
    *_, (*_, joined) = console(PAGE)
    return await shell(joined.partition(" && ")[2], run.folder.parent.parent)


def paced(command: str, speed: str) -> str:
    return re.sub(r"--speed \d+", f"--speed {speed}", command)


async def together(commands: list[str], folder: Path) -> None:
    """Commands that end when all have done their part."""
    processes = [await begun(command, folder) for command in commands]
    try:
        ends = await asyncio.gather(*(process.communicate() for process in processes))
        for process, (_, told) in zip(processes, ends, strict=True):
            assert process.returncode == 0, told.decode()
    finally:
        for process in processes:
            end(process)


def outcome(run: Run) -> dict[str, Any]:
    """Who is qualified for what, the merit order, what was allowed and accepted, the limits and the orders."""
    told = [row for row in run.message_rows if row["type"] == "gridpact.qualified/1"]
    listed = ["period", "direction", "rank", "participant", "offered_mw", "allowed_mw", "accepted_mw", "binding"]
    limited = ["participant", "resource", "direction", "kind", "max_mw", "element", "confirmed_mw"]
    ordered = ["participant", "direction", "power_mw", "ended_by"]
    return {
        "qualified": sorted((row["receiver"], str(row["content"]["verdicts"])) for row in told),
        "merit order": run.merit_order[listed].fillna("").to_numpy().tolist(),
        "limits": sorted(run.limits[limited].fillna("").to_numpy().tolist()),
        "orders": sorted(run.activations[ordered].fillna("").to_numpy().tolist()),
    }


async def kept_pace(done: Any, folder: Path, simulated: Run) -> Run:
    """Promised where every host keeps pace: where one could not, and it made a difference, it is tried more slowly."""
    for speed in SPEEDS:
        own = folder / speed
        own.mkdir(parents=True)
        for name, text in files(PAGE).items():
            (own / name).write_text(text, "utf-8")
        merged: Run = await done(own, speed)
        if outcome(merged) == outcome(simulated) or not is_behind(merged):
            break
    assert outcome(merged) == outcome(simulated)
    assert list(merged.telemetry.columns) == list(simulated.telemetry.columns)
    assert merged.scenario.model_dump() == simulated.scenario.model_dump()
    assert audit(merged).findings == ()
    assert replay(merged) == []
    return merged


@pytest.mark.timeout(400)
async def test_three_hosts_negotiate_what_simulated_time_does(
    tmp_path: Path, place: list[str], simulated: Run, brokers: Any, mosquitto_is_there: bool
) -> None:
    tried = [kept_pace(lambda folder, speed: in_one_place(folder, speed, place), tmp_path / "one", simulated)]
    if mosquitto_is_there:
        tried.append(kept_pace(lambda folder, speed: for_real(folder, speed, brokers), tmp_path / "real", simulated))
    merged, *real = await asyncio.gather(*tried)
    assert all(["audit passed" in await audited(each) for each in real])
    refused = [host["network"].get("stranger", 0) for host in merged.timing["hosts"]]
    assert sum(refused) > 0 or not place
