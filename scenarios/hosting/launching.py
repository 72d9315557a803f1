"""Several hosts on one machine for a try: each a process that knows the public scenario and its own private file only.

scenario ─▶ public folder + a private file per host ─▶ `gridpact host` × N over a broker ─▶ `merge` ─▶ Run
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...agents.errors import BrokerError
from ...agents.runtime.mqtt.address import BrokerAddress
from ..description.files import is_named
from ..description.schema import Scenario
from ..errors import RecordError, ScenarioError
from ..record.directory import check_free
from ..record.run import Run
from .host import Share, Terms, plants_host, taking_part
from .merge import merge
from .privacy import private_values, public_values


def shares(scenario: Scenario, hosts: int) -> tuple[Share, ...]:
    """Who runs where: the TSO, then the DSOs, then the providers in turn; the plants where the scenario says.

    ScenarioError for fewer than 1 host, or more than there are agents.
    """
    everybody = taking_part(scenario)
    if not 1 <= hosts <= len(everybody):
        raise ScenarioError(f"--hosts {hosts}: {scenario.name} has {len(everybody)} agents, so 1 to {len(everybody)}")
    operators = [scenario.tso, *scenario.dsos]
    groups: list[list[str]] = [[] for _ in range(hosts)]
    for index, name in enumerate(operators):
        groups[min(index, max(0, hosts - 2))].append(name)
    free = [group for group in groups if not group] or groups[-1:]
    for index, name in enumerate(name for name in everybody if name not in operators):
        free[index % len(free)].append(name)
    home = plants_host(scenario)
    return tuple(Share(tuple(group), plants=home in group) for group in groups if group)


def launch(scenario: Scenario, hosts: int, terms: Terms, out: Path) -> Run:
    """Run a scenario over several processes and merge their records.

    `terms.broker` empty: a broker is embedded. Raises BrokerError with what a host said that failed, RecordError.
    """
    if scenario.faults is not None:
        raise ScenarioError("faults: they are for simulated time; leave --hosts out")
    split = shares(scenario, hosts)
    with _beside(out) as folder:
        return merge(asyncio.run(_launched(scenario, split, terms, Path(folder))), out)


def _beside(out: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder for the hosts; RecordError, before anything has run, if their record cannot be merged into `out`."""
    check_free(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix=f".{out.name}-hosts-", dir=out.parent)
    except OSError as error:
        raise RecordError(f"{out}: cannot be written: {error.strerror}") from None


async def _launched(scenario: Scenario, split: tuple[Share, ...], terms: Terms, folder: Path) -> list[Path]:
    public = _publish(scenario, folder / "public")
    async with _broker(terms.broker) as address:
        reached = replace(terms, broker=str(address))
        running = [
            asyncio.create_task(_host(scenario, own, reached, folder / f"host-{number}", public))
            for number, own in enumerate(split, start=1)
        ]
        try:
            return await asyncio.gather(*running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


@contextlib.asynccontextmanager
async def _broker(named: str) -> AsyncIterator[BrokerAddress]:
    from ...agents.runtime.mqtt.embedded import embedded_broker

    if named:
        yield BrokerAddress.parse(named)
        return
    async with embedded_broker() as address:
        yield address


def _publish(scenario: Scenario, folder: Path) -> Path:
    """The public scenario in a folder of its own, with the files that it names."""
    folder.mkdir(parents=True)
    files = scenario.files()
    values = public_values(scenario.with_files({file.steps: file.copy for file in files}))
    for file in files:
        if is_named(values, file):
            (folder / file.copy).parent.mkdir(exist_ok=True)
            shutil.copyfile(file.source, folder / file.copy)
    return _write(folder / "scenario.yaml", values)


def _write(path: Path, values: dict[str, Any]) -> Path:
    """Values as YAML, of which JSON is a part."""
    path.write_text(json.dumps(values, indent=1), "utf-8")
    return path


async def _host(scenario: Scenario, own: Share, terms: Terms, out: Path, public: Path) -> Path:
    private = _write(out.with_suffix(".yaml"), private_values(scenario, own.agents, plants=own.plants))
    command = [sys.executable, "-m", "gridpact", "host", str(public), "--private", str(private), "--out", str(out)]
    for name in own.agents:
        command += ["--agents", name]
    command += ["--broker", terms.broker, "--run", terms.run, "--speed", str(terms.speed)]
    command += ["--timeout", str(terms.timeout_s), "--quiet"]
    if terms.credentials is not None:
        command += ["--credentials", str(terms.credentials)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env=dict(os.environ)
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if process.returncode:
        text = said.decode(errors="replace").strip() or "it said nothing"
        raise BrokerError(f"the host of {', '.join(own.agents)}: {text.removeprefix('gridpact: ')}")
    return out
