"""A station behind a real broker stands whatever somebody with valid credentials sends, and goes on with its work."""

import asyncio
import contextlib
from pathlib import Path

import aiomqtt
import pytest
from brokers import MOSQUITTO
from siege import OUTSIDER, application, siege

from gridpact.protocols.messages import Agree
from gridpact.protocols.vocabulary import BUSINESS_USE_CASE
from gridpact.protocols.wire import from_json

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="Mosquitto is not installed")


async def test_a_station_stands_a_siege(tmp_path: Path) -> None:
    async with siege(tmp_path) as found:
        before = found.states()
        await found.storm(seed=1, count=1000)
        await found.knock(seed=1, count=10)
        assert found.states() == before
        assert found.refused() == found.sent["to agents"]
        assert found.sent.total() > 1000 - 100
        while not found.answers.empty():
            found.answers.get_nowait()
        await found.client.publish(found.topics.message(OUTSIDER, "tso"), application(found.scenario), qos=1)
        while not isinstance((said := from_json(await found.answers.get(), BUSINESS_USE_CASE)).content, Agree):
            pass
        assert said.in_reply_to == f"{said.conversation_id}#i0"
        with contextlib.suppress(aiomqtt.MqttError):  # the connection may be over before all of it is out
            await found.client.publish(found.topics.message(OUTSIDER, "tso"), b"x" * 200_000, timeout=1)
        assert found.hearing is not None
        with pytest.raises(aiomqtt.MqttError):  # more than is allowed: the broker ends that connection, and no other
            await asyncio.wait_for(asyncio.shield(found.hearing), 20)
        assert not found.running.done()
