"""The exchange of one host among several: records what its agents say, and hands it over here or to the broker.

How long a message takes, and whether it is lost, is what the network does; the links of the scenario are for simulated
time. So the time of arrival is known to the receiver's host only, and a merge of the records puts both together. Within
the host a message takes one microsecond, so that what it causes comes after it in any order of time.
"""

from collections.abc import Callable, Collection, Mapping

from ....protocols.envelope import Envelope
from ..exchange import Deliver, Exchange, Links
from ..node import Arrival, Send
from ..recording import Recorder, Sent

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
        super().__init__(Links(seed=0, delay_median_s=0.0, delay_sigma=0.0), kinds, recorder, deliver)
        self._here = here
        self._publish = publish

    def send(self, sending: Send, now_us: int) -> None:
        """Record a message and send it on its way."""
        envelope, stage, step, streamed = sending
        local = envelope.receiver in self._here
        arrives_us = now_us + WITHIN_HOST_US if local else None
        roles = self.kinds[envelope.sender], self.kinds.get(envelope.receiver, "UNKNOWN")
        sent = Sent(None if streamed else self.sequence, now_us, arrives_us, envelope, *roles, stage, step)
        if streamed:
            self.recorder.stream(sent)
        else:
            self.sequence += 1
            self.recorder.message(sent)
        if arrives_us is not None:
            self.deliver(Arrival(envelope), arrives_us)
        elif envelope.receiver in self.kinds:
            self._publish(envelope, streamed)
