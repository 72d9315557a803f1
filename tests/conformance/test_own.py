"""Conformance of our own: what we ship passes what we ask of others, by the commands of the page, word for word.

Both are tried at the same time, because most of what they do is to wait. This is real time, so whoever a busy machine
has made late is tried once more.
"""

import asyncio
from pathlib import Path

import pytest
from brokers import MOSQUITTO, mosquitto
from documented import begun, console, end, here, shell

from gridpact.agents.runtime.mqtt.embedded import free_port

PAGE = "conformance.md"
BLOCKS = {"bsp-a": 0, "dso-north": 2}
ATTEMPTS = 2


async def by_the_page(folder: Path, beside: list[str], trying: str, port: int) -> str:
    """What the last command prints, while those beside it run."""
    configure, stand, hosting = beside
    assert stand == "mosquitto -c broker/mosquitto.conf"
    await shell(here(configure, port), folder)
    async with mosquitto(folder / "broker" / "mosquitto.conf", port):
        host = await begun(here(hosting, port), folder)
        try:
            return await shell(here(trying, port), folder)
        finally:
            end(host)
            await host.communicate()


async def tried(name: str, folder: Path) -> list[str]:
    """The lines that are printed about one of ours."""
    beside, (trying,) = console(PAGE)[BLOCKS[name] : BLOCKS[name] + 2]
    for attempt in range(1, ATTEMPTS + 1):
        place = folder / f"{name}-{attempt}"
        place.mkdir()
        try:
            return (await by_the_page(place, beside, trying, free_port())).splitlines()
        except AssertionError:  # it does not conform, and says why
            if attempt == ATTEMPTS:
                raise
    raise AssertionError(name)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    if MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed: the page is about a broker with access rules")
    folder = tmp_path_factory.mktemp("own")

    async def all_tried() -> list[list[str]]:
        return await asyncio.gather(*(tried(name, folder) for name in BLOCKS))

    return dict(zip(BLOCKS, asyncio.run(all_tried()), strict=True))


@pytest.mark.parametrize("name", BLOCKS)
def test_our_own_conform(name: str, lines: dict[str, list[str]]) -> None:
    assert f"{name} conforms" in lines[name]
