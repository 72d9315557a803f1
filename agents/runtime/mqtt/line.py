"""One identity's connection to the broker: it comes back by itself, and what must arrive is kept until it has.

    send ─▶ outbox ─▶ publish, QoS 1 ─▶ acknowledged ─▶ dropped from the outbox
                 ▲                          │ connection lost
                 └── again, in order ◀──────┘           (the receiver's desk drops what it has heard before)

What is only of use while it is fresh (measurements, readings: QoS 0) is not kept: without a connection it is dropped
and counted. Every connection subscribes anew and says that we are here; the last will says that we are gone.

A broker may lose a handshake among many: what it does not answer is tried again, with twice the patience each time.
"""

import asyncio
import contextlib
import itertools
import logging
import socket
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from ...errors import BrokerError
from .address import BrokerAddress, Identity
from .channel import MOST_IN_FLIGHT, Channel

RETRY_S = (0.05, 0.5)
MOST_UNSENT = 20_000
GIVE_UP_S = 10.0
ATTEMPT_S = (1.5, GIVE_UP_S)  # how long one answer of a handshake is waited for: the first time, and at most
PATIENCE_S = 5.0
CANCEL_AGAIN_S = 0.5
_LOGGER = logging.getLogger("gridpact.mqtt")
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.propagate = False


class Outgoing(NamedTuple):
    """One payload on its way to a topic; `key`: under which to tell that it has been acknowledged."""

    topic: str
    payload: bytes
    retain: bool = False
    key: str | None = None


class Incoming(NamedTuple):
    """One payload that came in; `taken` tells the broker that it need not bring it again, where it waits to be told."""

    topic: str
    payload: bytes
    taken: Callable[[], None] | None = None


Hear = Callable[[Incoming], None]


class Line:
    """A connection as one identity; use it as a context, within which it stays connected as well as it can."""

    def __init__(
        self,
        broker: BrokerAddress,
        identity: Identity,
        client_id: str,
        hear: Hear,
        *,
        will: Outgoing,
        acknowledged: Callable[[str], None] | None = None,
    ) -> None:
        """`hear` is called for every payload, `lost` without a connection; `will` is what the broker says if we vanish.

        `acknowledged` is called with the key of whatever has arrived; with it the broker brings again what has not been
        `taken` when the connection was lost.
        """
        self.broker = broker
        self.identity = identity
        self.counts: Counter[str] = Counter()
        self.subscriptions: list[tuple[str, int]] = []
        self.greeting: Outgoing | None = None
        self.lost: Callable[[], None] = lambda: None
        self._client_id = client_id
        self._hear = hear
        self._will = will
        self._acknowledged = acknowledged
        self._numbers = itertools.count()
        self._unsent: dict[int, Outgoing] = {}
        self._unacknowledged: dict[int, Outgoing] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._connected = asyncio.Event()
        self._channel: Channel | None = None  # while there is a connection
        self._hearing: Channel | None = None  # the latest one, which hears before all has been subscribed to
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False
        self._attempt_s = ATTEMPT_S[0]

    async def open(self, *, fresh: bool = True) -> None:
        """Connect; BrokerError if that does not succeed. `fresh`: what the broker has kept for us is dropped."""
        if fresh:
            await self._forget()
        self._task = asyncio.create_task(self._stay_connected(), name=f"line of {self.identity.name}")
        waiting = asyncio.create_task(self._connected.wait())
        await asyncio.wait({waiting, self._task}, timeout=GIVE_UP_S, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done():
            self._task.result()
        if not self._connected.is_set():
            raise BrokerError(f"{self.broker}: no connection as {self.identity.name} within {GIVE_UP_S:g} s")

    async def close(self) -> None:
        """Wait until everything has been acknowledged, but not for ever, and disconnect."""
        may_arrive = self._task is not None and not self._task.done()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S if may_arrive else 0):
                await self._empty.wait()
        self.counts["unsent"] += len(self._unsent) + len(self._unacknowledged)
        self._is_closing = True
        while self._task is not None and not self._task.done():
            self._task.cancel()  # once may not be enough: `asyncio.wait_for` in aiomqtt can swallow it
            await asyncio.wait({self._task}, timeout=CANCEL_AGAIN_S)

    def send(self, topic: str, payload: bytes, *, retain: bool = False, key: str | None = None) -> None:
        """Send what must arrive; BrokerError if too much is waiting already."""
        if len(self._unsent) >= MOST_UNSENT:
            raise BrokerError(f"{self.broker}: {MOST_UNSENT} messages of {self.identity.name} wait for the broker")
        self._unsent[next(self._numbers)] = Outgoing(topic, payload, retain, key)
        self._empty.clear()
        self._send_all()

    def withdraw(self, topic: str) -> None:
        """Say nothing again on a topic of what has been sent to it and not acknowledged."""
        for waiting in (self._unsent, self._unacknowledged):
            for number in [number for number, one in waiting.items() if one.topic == topic]:
                del waiting[number]
        if not self.waiting:
            self._empty.set()

    def send_fresh(self, topic: str, payload: bytes) -> None:
        """Send what is of use only now."""
        if self._channel is None:
            self.counts["dropped while away"] += 1
        elif not self._channel.publish(topic, payload):
            self.counts["published in vain"] += 1

    async def failed(self) -> None:
        """Wait until the line fails for good, and raise why."""
        assert self._task is not None
        await asyncio.shield(self._task)

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now."""
        return self._channel is not None

    @property
    def waiting(self) -> int:
        """How much has not been acknowledged yet."""
        return len(self._unsent) + len(self._unacknowledged)

    async def _stay_connected(self) -> None:
        pause_s = RETRY_S[0]
        while not self._is_closing:  # an error on the way out must not lead in again
            try:
                client = self._new_client(clean=False)
                self._attempt_s = _doubled(self._attempt_s)
                channel = self._hearing = Channel(client, self._incoming, self._arrived)
                async with client:
                    pause_s = RETRY_S[0]
                    await self._talk(client, channel)
            except MqttConnectError as error:
                if not self._connected.is_set():
                    raise BrokerError(f"{self.broker} does not let {self.identity.name} in: {error}") from None
            except aiomqtt.MqttError:
                self.counts["connections lost"] += 1
                self.lost()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RETRY_S[1])

    async def _talk(self, client: aiomqtt.Client, channel: Channel) -> None:
        for topic, qos in self.subscriptions:
            await client.subscribe(topic, qos=qos)
        if self.greeting is not None:
            await client.publish(self.greeting.topic, self.greeting.payload, qos=1, retain=True)
        self._unsent = {**self._unacknowledged, **self._unsent}
        self._unacknowledged = {}
        self.counts["connections"] += 1
        self._attempt_s = ATTEMPT_S[0]
        self._channel = channel
        self._connected.set()
        self._send_all()
        try:
            await channel.lost()
        finally:
            self._channel = None

    def _incoming(self, topic: str, payload: bytes, mid: int, qos: int) -> None:
        waits = self._acknowledged is not None and qos > 0
        self._hear(Incoming(topic, payload, partial(self._take, self._hearing, mid, qos) if waits else None))

    def _take(self, channel: Channel | None, mid: int, qos: int) -> None:
        if channel is not None and channel is self._hearing:  # else the broker brings it again by itself
            channel.taken(mid, qos)

    def _send_all(self) -> None:
        """All that waits, in its order; without a connection it goes on waiting."""
        while self._unsent and self._channel is not None:
            number = next(iter(self._unsent))
            outgoing = self._unacknowledged[number] = self._unsent.pop(number)
            if not self._channel.publish(outgoing.topic, outgoing.payload, retain=outgoing.retain, number=number):
                self.counts["published in vain"] += 1  # it is still in the outbox, and goes over the next connection

    def _arrived(self, number: int) -> None:
        outgoing = self._unacknowledged.pop(number, None)
        if self._acknowledged is not None and outgoing is not None and outgoing.key is not None:
            self._acknowledged(outgoing.key)
        if not self.waiting:
            self._empty.set()

    async def _forget(self) -> None:
        """A clean session of the same name makes the broker forget what it kept for an earlier run."""
        try:
            async with asyncio.timeout(GIVE_UP_S):
                await self._let_in_clean()
        except (aiomqtt.MqttError, TimeoutError) as error:
            text = f"does not let {self.identity.name} in" if isinstance(error, MqttConnectError) else "fails"
            raise BrokerError(f"{self.broker} {text}: {str(error) or 'no answer'}") from None

    async def _let_in_clean(self) -> None:
        attempt_s = ATTEMPT_S[0]
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(attempt_s), self._new_client(clean=True):
                    return
            attempt_s = _doubled(attempt_s)

    def _new_client(self, *, clean: bool) -> aiomqtt.Client:
        who, will = self.identity, self._will
        made = aiomqtt.Client(
            self.broker.host,
            self.broker.port,
            username=who.name,
            password=who.password,
            identifier=self._client_id,
            clean_session=clean,
            will=None if clean else aiomqtt.Will(will.topic, will.payload, 1, retain=True),
            tls_context=who.tls_context() if self.broker.tls else None,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            keepalive=10,
            max_inflight_messages=MOST_IN_FLIGHT,
            logger=_LOGGER,
            timeout=GIVE_UP_S if clean else self._attempt_s,
        )
        made._client.manual_ack_set(self._acknowledged is not None)
        return made


def _doubled(attempt_s: float) -> float:
    return min(2 * attempt_s, ATTEMPT_S[1])
