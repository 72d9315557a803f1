"""The exchange of one host among several: records what its agents say, and hands it over here or to the broker.

How long a message takes, and whether it is lost, is what the network does; the links of the scenario are for simulated
time. So the time of arrival is known to the receiver's host only, and a merge of the records puts both together. Within
the host a message takes one microsecond, so that what it causes comes after it in any order of time.
"""

from collections.abc import Callable, Collection, Mapping

from ....protocols.envelope import Envelope
from ..inputs import Arrival, Send
from ..memory.recording import Recorder
from ..messages.exchange import Deliver, Exchange, Link, Links

WITHIN_HOST_US = 1


class Dispatch(Exchange):
    """Takes envelopes from the agents here."""

    def __init__(
        self,
        kinds: Mapping[str, str],
        recorder: Recorder,
        here: Collection[str],
        *,
        deliver: Deliver,
        publish: Callable[[Envelope, bool], None],
    ) -> None:
        """`deliver` hands over to an agent in `here`; `publish(envelope, streamed)` sends to any other one."""
        super().__init__(Links(seed=0), kinds, recorder, self._whole)
        self.hand_over = deliver
        self.publish = publish
        self._here = here

    def send(self, sending: Send, now_us: int) -> None:
        """Record a message and send it on its way."""
        super().send(sending, now_us)
        receiver = sending.envelope.receiver
        if receiver not in self._here and receiver in self.kinds:
            self.publish(sending.envelope, sending.streamed)

    def _whole(self, arrival: Arrival, at_us: int) -> None:
        """Rows are counted in the merged run, so here the envelope says it all."""
        self.hand_over(Arrival(arrival.envelope), at_us)

    def _arrival(self, message_id: str, link: Link, now_us: int, *, streamed: bool) -> int | None:
        return now_us + WITHIN_HOST_US if link[1] in self._here else None
