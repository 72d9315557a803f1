"""The mango container of one process of many: inside it as always, outside over the lines of its agents."""

from collections.abc import Callable
from typing import Any

from mango import AgentAddress

from ..container import LocalContainer
from ..node import Arrival

Post = Callable[[Arrival], None]


class MqttContainer(LocalContainer):
    """A mango container whose agents reach those of other hosts through a broker."""

    def __init__(self, start_s: float, post: Post) -> None:
        """`post` publishes an arrival elsewhere on its sender's line."""
        super().__init__(start_s)
        self._post = post

    async def send_message(
        self, content: Any, receiver_addr: AgentAddress, sender_id: str | None = None, **kwargs: Any
    ) -> bool:
        """Put a message into the inbox of an agent here, or publish it; True says only that it is on its way."""
        if receiver_addr.aid in self._agents:
            return await super().send_message(content, receiver_addr, sender_id, **kwargs)
        self._post(content)
        return True
