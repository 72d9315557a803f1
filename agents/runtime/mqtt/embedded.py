"""A broker inside this process, for a try on one machine where no other one is named or installed (amqtt).

It listens on loopback only and asks nobody who he is, so it protects nothing: for more than a try use Mosquitto with
the configuration that `gridpact broker` writes.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

from ...errors import BrokerError
from .address import BrokerAddress

LOOPBACK = "127.0.0.1"


class Standing(dict[str, Any]):
    """Subscriptions that may grow while amqtt goes through them, as it does for whoever comes; else it forgets him."""

    def __iter__(self) -> Iterator[str]:
        """Those that there are when it begins."""
        return iter(list(self.keys()))


def free_port() -> int:
    """A port of the loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def embedded_broker() -> AsyncIterator[BrokerAddress]:
    """A running broker; BrokerError if amqtt is not installed."""
    try:
        from amqtt.broker import Broker
    except ImportError:
        needs = "install amqtt (pip install 'gridpact[broker]'), or name a broker with --broker"
        raise BrokerError(f"no broker is named, and none can be embedded: {needs}") from None
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    port = free_port()
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"{LOOPBACK}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Broker(config)
    broker._subscriptions = Standing()
    await broker.start()
    try:
        yield BrokerAddress(LOOPBACK, port, tls=False)
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(broker.shutdown(), 5)
