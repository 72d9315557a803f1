"""The partners of a conformance run come on: connected under their names, they call the roll and give the start.

role     who is played               the plants are
bsp      the TSO and the DSO         on the participant's side
dso      the TSO and the BSPs        ours, because a DSO's answers are judged by what is in its grid

A participant that answers the roll begins with us; one that does not know the roll begins when it likes, and its first
message is its answer. Speed and beginning are said on the roll, as in any run over hosts.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..description.schema import Scenario
from ..errors import ScenarioError, right_names
from ..extension.plugins import vocabulary
from ..hosting.host import check_names
from ..operation import assembly
from .findings import Report
from .play import Play
from .scene import Scene
from .script import play_against_bsp, play_against_dso

if TYPE_CHECKING:
    from ...agents.runtime.mqtt.line import Incoming
    from ...agents.runtime.mqtt.network import Network

LEAST_PATIENCE_S, LEAST_QUIET_S = 30.0, 5.0
CALL_EVERY_S, BEGINS_IN_S = 0.2, 0.5
ROLES = ("bsp", "aggregator", "dso")
SCENARIOS = {"dso": "conformance-dso"}


@dataclass(frozen=True)
class Terms:
    """Whom to try, where, and how: `patience_s` and `quiet_s` are seconds of wall clock."""

    participant: str
    broker: str
    credentials: Path | None = None
    run: str | None = None
    speed: float = 1.0
    timeout_s: float = 60.0
    patience_s: float = 1.0
    quiet_s: float = 0.2


def conform(scenario: Scenario, role: str, terms: Terms) -> Report:
    """Play the script against a participant; errors: ScenarioError, BrokerError."""
    _check(scenario, role, terms.participant)
    if role == "dso":
        return asyncio.run(rehearse_dso(terms, prepared(scenario, terms.participant)))
    return asyncio.run(rehearse(scenario, terms, play_against_bsp))


def _check(scenario: Scenario, role: str, participant: str) -> None:
    if role not in ROLES:
        raise ScenarioError(f"--role {role}: there is a script for {', '.join(ROLES)} only")
    able = [name for name, who in scenario.participants.items() if who.kind == role]
    if participant not in able:
        raise ScenarioError(
            f"--participant {participant}: no {role} of {scenario.name} is called so; {right_names(participant, able)}"
        )
    if role == "dso":
        _check_grid(scenario, scenario.dsos[participant].grid)
    elif len(scenario.time.periods) < 2:
        raise ScenarioError(f"{scenario.name} has one market time unit; the script needs two: time.market_time_units")


def _check_grid(scenario: Scenario, grid: str) -> None:
    """The script needs units in the DSO's grid, and is asked again in the offering."""
    inside = [who for who in scenario.providers.values() if who.grid == grid and who.kind == "bsp"]
    if not inside or scenario.coordination.scheme != "scenario-1-dso":
        raise ScenarioError(f"{scenario.name}: the script for a DSO needs BSPs in its grid, and scheme scenario-1-dso")


async def rehearse(scenario: Scenario, terms: Terms, script: Callable[[Play], Awaitable[None]]) -> Report:
    """Connect as TSO and DSO, begin, and let the script go to its end."""
    ours = (scenario.tso, *list(scenario.dsos)[:1])
    async with _stage(scenario, terms, ours) as play:
        await _begin(play, terms)
        await script(play)
    return play.report


def prepared(scenario: Scenario, dso: str) -> Scene:
    """The world around a DSO, built before anything waits for the clock."""
    return Scene(scenario, scenario.dsos[dso].grid, vocabulary(scenario))


async def rehearse_dso(terms: Terms, scene: Scene) -> Report:
    """Connect as TSO, BSPs and plants, begin, and let the script go to its end."""
    async with _stage(scene.scenario, terms, (scene.scenario.tso, *scene.units), scene) as play:
        await _begin(play, terms)
        assert play.clock is not None
        moving = asyncio.create_task(scene.begin(play, play.clock).run(scene.scenario.time.end_us))
        try:
            await _unless_it_fails(play_against_dso(play, scene), moving)
        finally:
            moving.cancel()
            await asyncio.gather(moving, return_exceptions=True)
    return play.report


async def _unless_it_fails(script: Coroutine[Any, Any, None], moving: asyncio.Task[None]) -> None:
    """Let the script go to its end; what goes wrong with the plants is raised."""
    playing = asyncio.ensure_future(script)
    await asyncio.wait((playing, moving), return_when=asyncio.FIRST_COMPLETED)
    if not playing.done() and moving.done() and moving.exception() is not None:
        playing.cancel()
        moving.result()
    await playing


def _play(scenario: Scenario, terms: Terms, network: Network, ours: tuple[str, ...]) -> Play:
    from ...protocols.desk import Desk

    kinds = {name: who.kind.upper() for name, who in scenario.participants.items()}
    spoken = vocabulary(scenario)
    patience_s = max(LEAST_PATIENCE_S, terms.patience_s * terms.speed)
    quiet_s = max(LEAST_QUIET_S, terms.quiet_s * terms.speed)
    return Play(
        scenario=scenario,
        calendar=assembly.calendar(scenario),
        participant=terms.participant,
        topics=network.topics,
        report=Report(terms.participant),
        desks={name: Desk(name, kinds, spoken) for name in ours},
        patience_us=assembly.us(patience_s),
        quiet_us=assembly.us(quiet_s),
    )


@contextlib.asynccontextmanager
async def _stage(
    scenario: Scenario, terms: Terms, ours: tuple[str, ...], scene: Scene | None = None
) -> AsyncIterator[Play]:
    """Lines for everybody who is played; BrokerError if there is no way in."""
    from ...agents.runtime.mqtt.address import BrokerAddress
    from ...agents.runtime.mqtt.line import Outgoing
    from ...agents.runtime.mqtt.network import Network
    from ...agents.runtime.mqtt.roll import Presence, to_bytes
    from ...agents.runtime.mqtt.topics import PLANTS, Topics

    run = terms.run or scenario.name
    check_names(scenario, run)
    network = Network(BrokerAddress.parse(terms.broker), Topics(run), terms.credentials)
    play = _play(scenario, terms, network, ours)
    if scene is not None:
        play.lines[PLANTS] = network.line(PLANTS, partial(_ask, play, scene))
        play.lines[PLANTS].subscriptions += network.topics.heard_by_plants()
    for name in play.desks:
        line = network.line(name, partial(_hear, play, name))
        line.subscriptions += [*network.topics.heard_by(name), (network.topics.presence(terms.participant), 1)]
        line.greeting = Outgoing(network.topics.presence(name), to_bytes(Presence(state="here")), retain=True)
        play.lines[name] = line
    try:
        await asyncio.gather(*(line.open() for line in play.lines.values()))
        yield play
    finally:
        await asyncio.gather(*(line.close() for line in play.lines.values()))


def _ask(play: Play, scene: Scene, incoming: Incoming) -> None:
    """The DSO asks for readings of its grid, or moves something in it."""
    address = play.topics.address(incoming.topic)
    if address is not None and address.sender == play.participant:
        scene.ask(play.participant, incoming.payload, play.now_us)


def _hear(play: Play, name: str, incoming: Incoming) -> None:
    from ...agents.runtime.mqtt.roll import Presence, said
    from ...agents.runtime.mqtt.topics import NEGOTIATION, PRESENCE, STREAM

    address = play.topics.address(incoming.topic)
    if address is not None and address.kind in (NEGOTIATION, STREAM):
        play.take(name, str(address.sender), incoming.payload)
    elif address is not None and address.kind == PRESENCE:
        what = said(incoming.payload)
        if isinstance(what, Presence) and what.state == "here" and what.call is not None:
            play.first.set()


async def _begin(play: Play, terms: Terms) -> None:
    """Call the roll until the participant shows itself, and give the start."""
    from ...agents.runtime.mqtt.clock import SharedClock, wall_us
    from ...agents.runtime.mqtt.roll import Call, Start, to_bytes

    line, call = play.lines[play.tso], str(wall_us())
    for number in range(max(1, round(terms.timeout_s / CALL_EVERY_S))):
        line.send(play.topics.roll, to_bytes(Call(call=call, number=number)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CALL_EVERY_S):
                await play.first.wait()
                break
    begin_us = wall_us() + round(BEGINS_IN_S * 1e6)
    line.send(play.topics.roll, to_bytes(Start(call=call, begin_us=begin_us, speed=terms.speed)))
    play.clock = SharedClock.beginning(play.scenario.time.start_us, terms.speed, begin_us)
