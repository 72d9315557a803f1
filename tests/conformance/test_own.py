"""Conformance of our own: what we ship passes what we ask of others, by the commands of the page, word for word."""

from pathlib import Path

import pytest
from brokers import MOSQUITTO, mosquitto
from documented import begun, console, end, here, shell

from gridpact.agents.runtime.mqtt.embedded import free_port

PAGE = "conformance.md"


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


@pytest.mark.parametrize(("block", "name"), [(0, "bsp-a"), (2, "dso-north")])
async def test_our_own_conform(block: int, name: str, tmp_path: Path) -> None:
    if MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed: the page is about a broker with access rules")
    beside, (trying,) = console(PAGE)[block : block + 2]
    said = await by_the_page(tmp_path, beside, trying, free_port())
    assert f"{name} conforms" in said.splitlines()
