"""Brokers to try others over; the BSP of another make stands in a module beside the tests."""

import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from brokers import MOSQUITTO, mosquitto

from gridpact.agents.runtime.mqtt.address import BrokerAddress
from gridpact.agents.runtime.mqtt.embedded import embedded_broker, free_port

sys.path.insert(0, str(Path(__file__).parent))
Brokers = Callable[[str], AbstractAsyncContextManager[BrokerAddress]]


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Brokers:
    """Brokers that let everybody in, by name."""
    folder = tmp_path_factory.mktemp("brokers")

    @contextlib.asynccontextmanager
    async def one(name: str) -> AsyncIterator[BrokerAddress]:
        if MOSQUITTO is None:
            async with embedded_broker() as address:
                yield address
            return
        port, settings = free_port(), folder / f"{name}.conf"
        settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n", "utf-8")
        async with mosquitto(settings, port) as address:
            yield address

    return one
