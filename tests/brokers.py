"""Mosquitto for tests: where it is, and one that runs for as long as it is needed."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from gridpact.agents.runtime.mqtt.address import BrokerAddress

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


@contextlib.asynccontextmanager
async def mosquitto(settings: Path, port: int) -> AsyncIterator[BrokerAddress]:
    assert MOSQUITTO is not None
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(MOSQUITTO, "-c", str(settings), stdout=quiet, stderr=quiet)
    try:
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(listens, port):  # noqa: ASYNC110 - it tells nobody when it listens
                await asyncio.sleep(0.02)
        yield BrokerAddress("localhost", port, tls=is_secured(settings))
    finally:
        process.terminate()
        await process.wait()


def is_secured(settings: Path) -> bool:
    return "certfile" in settings.read_text("utf-8")


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
