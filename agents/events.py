"""What an agent can experience. `react(state, event, now_us) → (state, actions)`.

Started        once, at the beginning                 Woken      a timer of its own
Heard          a message, in turn                     Computed   the result of a study it asked for
Silence        an answer did not come in time         Sampled    a reading of something it observes
RoundClosed    all have answered, or the deadline     Rejected   the peer did not understand us
"""

from typing import NamedTuple

from ..protocols.conversation import Conversation
from ..protocols.envelope import Envelope, Topic
from ..protocols.messages import Message
from ..protocols.tables import Protocol


class Started(NamedTuple):
    """The run begins."""


class Heard(NamedTuple):
    """A message in turn; `late` if the deadline for it had passed."""

    envelope: Envelope
    conversation: Conversation
    late: bool

    @property
    def content(self) -> Message:
        """What was said."""
        return self.envelope.content

    @property
    def topic(self) -> Topic:
        """What the conversation is about."""
        return self.conversation.topic


class Silence(NamedTuple):
    """Reply-by has passed in a conversation; `waited_in` is the state in which we waited."""

    conversation: Conversation
    waited_in: str

    @property
    def protocol(self) -> Protocol:
        """The protocol in which the peer was silent."""
        return self.conversation.protocol


class Rejected(NamedTuple):
    """The peer answered not-understood: the conversation is over."""

    envelope: Envelope
    conversation: Conversation


class RoundClosed(NamedTuple):
    """Every conversation of a round has been answered or has run into its deadline."""

    round_id: str


class Woken(NamedTuple):
    """A timer has come."""

    timer: str


class Computed(NamedTuple):
    """A study's result, under the key it was asked with; `error` if it failed."""

    key: str
    result: object
    error: str | None = None


class Sampled(NamedTuple):
    """A reading of an observed plant, under the name it is observed by."""

    source: str
    reading: object


Event = Started | Heard | Silence | Rejected | RoundClosed | Woken | Computed | Sampled
