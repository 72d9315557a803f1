"""What a connection carries, without a task for each message: aiomqtt keeps it, its paho client sends and hears.

    publish ─▶ paho's queue ─▶ one write per turn of the loop          broker ─▶ paho ─▶ hear, in the same turn
                                                          acknowledged ─▶ acknowledged

aiomqtt gives every message a task, an event and a wait, and every packet a way through the loop's self-pipe: half of
what a message costs. Its promises stay: who publishes is told of the acknowledgement, and what is wrong with the
connection ends it.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import aiomqtt
from paho.mqtt.enums import MQTTErrorCode

Heard = Callable[[str, bytes, int, int], None]
MOST_IN_FLIGHT = 100


class Channel:
    """One connection, while it lasts."""

    def __init__(self, client: aiomqtt.Client, hear: Heard, acknowledged: Callable[[int], None]) -> None:
        """`client` not yet connected · `hear(topic, payload, mid, qos)` · `acknowledged(number)`, as in `publish`."""
        self._client, self._paho, self._hear = client, client._client, hear
        self._acknowledged = acknowledged
        self._loop = asyncio.get_running_loop()
        self._failed: asyncio.Future[None] = self._loop.create_future()
        self._sent: dict[int, int] = {}
        self._confirmed: Callable[..., Any] | None = self._paho.on_publish
        self._register: Callable[..., Any] | None = self._paho.on_socket_register_write
        self._paho.on_message = self._on_message
        self._paho.on_publish = self._on_publish
        self._paho.on_socket_register_write = self._on_socket_register_write

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, number: int | None = None) -> bool:
        """Send at the end of this turn of the loop, with a number at least once; whether there is a connection."""
        info = self._paho.publish(topic, payload, 0 if number is None else 1, retain)
        if number is not None and info.rc in (MQTTErrorCode.MQTT_ERR_SUCCESS, MQTTErrorCode.MQTT_ERR_QUEUE_SIZE):
            self._sent[info.mid] = number
        return bool(info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS)

    def taken(self, mid: int, qos: int) -> None:
        """What was heard need not be brought again."""
        self._paho.ack(mid, qos)

    async def lost(self) -> None:
        """Wait until the connection is lost (MqttError), or `hear` or `acknowledged` has failed (what that raised)."""
        listening = asyncio.ensure_future(self._listen())
        try:
            done, _ = await asyncio.wait((listening, self._failed), return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            listening.cancel()

    async def _listen(self) -> None:
        async for _ in self._client.messages:  # none comes this way any more, but the end of the connection does
            pass

    def _on_message(self, _: Any, __: Any, message: Any) -> None:
        self._guarded(self._hear, message.topic, bytes(message.payload), message.mid, message.qos)

    def _guarded(self, told: Callable[..., None], *what: Any) -> None:
        """Tell of something; paho is between, so an error is kept, and raised by whoever waits for the line."""
        try:
            told(*what)
        except Exception as error:  # noqa: BLE001 - not swallowed: `lost` raises it
            if not self._failed.done():
                self._failed.set_exception(error)

    def _on_publish(self, client: Any, data: Any, mid: int, code: Any, properties: Any) -> None:
        number = self._sent.pop(mid, None)
        if number is not None:
            self._guarded(self._acknowledged, number)
        elif self._confirmed is not None:
            self._confirmed(client, data, mid, code, properties)

    def _on_socket_register_write(self, client: Any, data: Any, sock: Any) -> None:
        self._loop.call_soon(self._write, client, data, sock)

    def _write(self, client: Any, data: Any, sock: Any) -> None:
        """Everything that waits, now; what the socket does not take goes when it does, by aiomqtt."""
        if client.socket() is not sock:
            return
        client.loop_write()
        if client.want_write() and client.socket() is sock and self._register is not None:
            self._register(client, data, sock)
