"""The mango container of one process: agents are registered in it; messages inside are handed over as they are."""

from typing import Any

from mango import JSON, AgentAddress
from mango.container.core import Container
from mango.util.clock import ExternalClock


class LocalContainer(Container):  # type: ignore[misc]
    """A mango container without a network; its clock shows the run's time in seconds."""

    def __init__(self, start_s: float) -> None:
        """A container whose clock starts at a time."""
        super().__init__(addr="gridpact", name="gridpact", codec=JSON(), clock=ExternalClock(start_time=start_s))

    def is_aid_available(self, aid: str) -> bool:
        """Whether a name is free; mango lists all names for each that is registered, and has other processes to ask."""
        return aid not in self._agents and not self._check_agent_aid_pattern_match(aid)

    async def send_message(
        self, content: Any, receiver_addr: AgentAddress, sender_id: str | None = None, **kwargs: Any
    ) -> bool:
        """Put a message into a registered agent's inbox."""
        meta = {**kwargs, "sender_id": sender_id, "sender_addr": self.addr, "receiver_id": receiver_addr.aid}
        return bool(self._send_internal_message(content, receiver_addr.aid, default_meta=meta))
