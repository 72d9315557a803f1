"""Mosquitto for tests: where it is, and one that runs for as long as it is needed."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from gridpact.agents.runtime.mqtt.address import BrokerAddress

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


@contextlib.asynccontextmanager
async def mosquitto(settings: Path, port: int) -> AsyncIterator[BrokerAddress]:
    with contextlib.ExitStack() as stack:
        address = await asyncio.to_thread(stack.enter_context, standing(settings, port))
        yield address
        await asyncio.to_thread(stack.close)


@contextlib.contextmanager
def standing(settings: Path, port: int) -> Iterator[BrokerAddress]:
    """The same for tests that share it, without a loop."""
    assert MOSQUITTO is not None
    quiet = subprocess.DEVNULL
    with subprocess.Popen([MOSQUITTO, "-c", str(settings)], stdout=quiet, stderr=quiet) as process:
        try:
            give_up_s = time.monotonic() + 60
            while not listens(port):  # it tells nobody when it listens
                assert time.monotonic() < give_up_s
                time.sleep(0.02)
            yield BrokerAddress("localhost", port, tls=is_secured(settings))
        finally:
            process.terminate()


def is_secured(settings: Path) -> bool:
    return "certfile" in settings.read_text("utf-8")


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
