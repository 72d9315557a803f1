"""Conformance of our own: what we ship passes what we ask of others, over a broker and by the command line.

Both are tried at the same time, each over a broker of its own, because most of what they do is to wait. This is real
time, so where a busy machine has made one of them late it is tried again more slowly.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

SPEEDS = {"bsp": ("150", "60", "20"), "dso": ("100", "40", "15")}
COMMAND = (sys.executable, "-m", "gridpact")


class Trial(NamedTuple):
    """What `gridpact conform` has said of one of ours, and its report."""

    exit_code: int | None
    said: str
    report: dict[str, Any]


async def tried(brokers: Any, folder: Path, role: str, who: str) -> Trial:
    for speed in SPEEDS[role]:
        (folder / speed).mkdir(exist_ok=True)
        trial = await tried_at(speed, brokers, folder / speed, role, who)
        if trial.report["conforms"]:
            break
    return trial


async def tried_at(speed: str, brokers: Any, folder: Path, role: str, who: str) -> Trial:
    scenario = "conformance-dso" if role == "dso" else "conformance"
    async with brokers(f"own-{role}-{speed}") as broker:
        named = ("--broker", str(broker))
        host = ("host", scenario, "--agents", who, *named, "--out", str(folder / role), "--quiet")
        hosting = await asyncio.create_subprocess_exec(*COMMAND, *host)
        told = ("--speed", speed, "--patience", "2", "--out", str(folder / f"{role}.json"))
        conform = ("conform", "--role", role, *named, *told)
        try:
            trying = await asyncio.create_subprocess_exec(*COMMAND, *conform, stdout=asyncio.subprocess.PIPE)
            said, _ = await trying.communicate()
        finally:
            hosting.kill()
            await hosting.wait()
    report = json.loads((folder / f"{role}.json").read_text("utf-8"))
    return Trial(trying.returncode, said.decode(), report)


@pytest.fixture(scope="module")
def trials(brokers: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trial]:
    folder = tmp_path_factory.mktemp("own")

    async def both() -> list[Trial]:
        bsp, dso = tried(brokers, folder, "bsp", "bsp-a"), tried(brokers, folder, "dso", "dso-north")
        return await asyncio.gather(bsp, dso)

    return dict(zip(("bsp-a", "dso-north"), asyncio.run(both()), strict=True))


@pytest.mark.parametrize("who", ["bsp-a", "dso-north"])
def test_our_own_conforms(who: str, trials: dict[str, Trial]) -> None:
    trial = trials[who]
    assert [one for one in trial.report["findings"] if one["verdict"] != "right"] == []
    assert trial.report["conforms"]
    assert trial.exit_code == 0
    assert f"{who} conforms" in trial.said
