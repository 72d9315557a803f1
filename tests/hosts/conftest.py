"""A broker for the tests, Mosquitto where it is installed, else the embedded one; and a scenario small enough."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from brokers import MOSQUITTO, mosquitto

from gridpact.agents.runtime.mqtt.address import BrokerAddress
from gridpact.agents.runtime.mqtt.embedded import embedded_broker, free_port
from gridpact.scenarios.loading import load_scenario
from gridpact.scenarios.record.run import Run
from gridpact.scenarios.running import run

Brokers = Callable[[Path, int], AbstractAsyncContextManager[BrokerAddress]]
QUICK = "{preparation_s: 5, ramping_s: 10, deactivation_s: 5}"
SCENARIO = f"""\
gridpact: 1
name: handful
extends: scenario-1-dso
time: {{start: "2026-03-02T11:49:00+01:00", first_delivery: "2026-03-02T12:00:00+01:00", market_time_units: 1,
       gate_closure_min: 4, cfp_lead_min: 3, tail_min: 2}}
ticks: {{control_s: 10, measurement_s: 10, monitoring_s: 10}}
market:
  needs: [{{product: mFRR, direction: up, quantity_mw: 12.0}}]
  test: {{hold_min: 0.5, tolerance_percent: 5, completeness_percent: 70, sample_s: 5, at_once: 3}}
area:
  disturbances:
    - {{at: "12:01:00", mw: -8.5, name: loss of infeed elsewhere in the area}}
    - {{at: "12:09:00", mw: -1.2, name: the same wind front elsewhere}}
grids:
  north:
    profiles:
      wind: {{actual: {{"12:35:00": null, "12:35:40": null, "12:09:00": 1.0}}}}
participants:
  bsp-a: {{applies_at: "11:49:05", response: {QUICK}}}
  bsp-b: {{applies_at: "11:49:15", response: {QUICK}}}
  bsp-c: {{applies_at: "11:49:25", response: {QUICK}}}
  agg-1: null
  bsp-d: null
  bsp-e: null
  gen-t: {{applies_at: "11:49:35", response: {QUICK}, offers: [{{product: mFRR, direction: up, quantity_mw: 20.0,
          price_eur_per_mwh: 95}}]}}
"""


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
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What that scenario comes to in simulated time."""
    folder = tmp_path_factory.mktemp("simulated")
    (folder / "handful.yaml").write_text(SCENARIO, "utf-8")
    return run(load_scenario(folder / "handful.yaml"), out=folder / "run")


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
