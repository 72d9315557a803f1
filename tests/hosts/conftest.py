"""A broker for the tests, Mosquitto where it is installed, else the embedded one; and the documentation's scenario."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from brokers import MOSQUITTO, mosquitto
from documented import files
from once import recorded_once

from gridpact.agents.runtime.mqtt.address import BrokerAddress
from gridpact.agents.runtime.mqtt.embedded import embedded_broker, free_port
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.run import Run

Brokers = Callable[[Path, int], AbstractAsyncContextManager[BrokerAddress]]
SCENARIO = files("many-hosts.md")["handful.yaml"]


def pytest_report_header() -> str:
    return f"broker of tests/hosts: {MOSQUITTO or 'Mosquitto is not installed: amqtt, embedded'}"


@pytest.fixture(scope="session")
def handful_text() -> str:
    """The text of a scenario small enough."""
    return SCENARIO


@pytest.fixture
def handful(tmp_path: Path) -> Path:
    """A scenario with a TSO, a DSO and four BSPs, of which two are limited in real time."""
    path = tmp_path / "handful.yaml"
    path.write_text(SCENARIO, "utf-8")
    return path


@pytest.fixture(scope="session")
def simulated(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What that scenario comes to in simulated time."""
    folder = tmp_path_factory.mktemp("simulated")
    (folder / "handful.yaml").write_text(SCENARIO, "utf-8")
    return recorded_once(shared / "handful", lambda out: run(load_scenario(folder / "handful.yaml"), out=out))


@pytest.fixture
def mosquitto_is_there() -> bool:
    """Whether a broker with access rules is installed."""
    return MOSQUITTO is not None


@pytest.fixture
def with_mosquitto(mosquitto_is_there: bool) -> None:
    """Skips a test that only a broker with access rules can pass."""
    if not mosquitto_is_there:
        pytest.skip("Mosquitto is not installed, and the embedded broker asks nobody who he is")


@pytest.fixture
async def broker(brokers: Brokers, tmp_path: Path) -> AsyncIterator[BrokerAddress]:
    """A broker on loopback that lets everybody in."""
    if MOSQUITTO is None:
        async with embedded_broker() as address:
            yield address
        return
    port = free_port()
    settings = tmp_path / "open.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n", "utf-8")
    async with brokers(settings, port) as address:
        yield address


@pytest.fixture
def brokers() -> Brokers:
    """Starts a Mosquitto with some settings on a port, for as long as the context lasts."""
    return mosquitto
