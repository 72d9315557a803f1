"""What an agent can do, as values; hosts carry them out.

Open, Say        talk                    Observe    ask its plant for readings from now on
Publish          one content, to many    Actuate    move a resource or taps of its plant
Wake, Forget     timers                  Note       leave evidence of a step without a message
Compute          a study on a grid
"""

from collections.abc import Mapping
from typing import NamedTuple

from ..protocols.envelope import Topic
from ..protocols.messages import Message
from ..protocols.tables import Protocol


class Open(NamedTuple):
    """Begin a conversation."""

    protocol: Protocol
    topic: Topic
    content: Message
    reply_by_us: int | None = None
    caused_by: str | None = None
    round_id: str | None = None


class Say(NamedTuple):
    """Go on in a conversation."""

    conversation_id: str
    content: Message
    reply_by_us: int | None = None
    caused_by: str | None = None


class Publish(NamedTuple):
    """Say the same in several subscriptions, because of a message of another conversation if one is named."""

    conversation_ids: tuple[str, ...]
    content: Message
    caused_by: str | None = None


class PublishEach(NamedTuple):
    """Say its own in each of several subscriptions, one after the other."""

    conversation_ids: tuple[str, ...]
    contents: tuple[Message, ...]


class Wake(NamedTuple):
    """Set a named timer; a later one of the same name replaces it."""

    timer: str
    at_us: int


class Forget(NamedTuple):
    """Drop a named timer."""

    timer: str


class Compute(NamedTuple):
    """Ask for a study; the result is heard later as `Computed` with the same key."""

    key: str
    job: object


class Observe(NamedTuple):
    """Read a source of the agent's plant every so often, from now on until `until_us`."""

    source: str
    every_us: int
    until_us: int


TAPS, VOLTAGE, RESERVE, RESERVE_TEST = "taps/", "voltage/", "reserve/", "reserve-test/"
UNITS = "units/"  # stands before the sources of resources that a grid operator operates itself


class Actuate(NamedTuple):
    """Move something of the agent's plant: a resource to a change in MW, or what one of these names stands before.

    `taps/…`: a transformer to a tap position; `voltage/…`: its regulator to a set-point in pu;
    `reserve/…`: the MW with which a resource follows the frequency;
    `reserve-test/…`: let it answer a synthetic step of frequency, to which these MW are the full answer.
    `announced`: a test that the area's schedule allows for, so that it is no imbalance.
    """

    target: str
    value: float
    announced: bool = False


class Note(NamedTuple):
    """A step without a message: its stage, its step in the paper if it has one, and the evidence."""

    stage: str
    step: str | None
    evidence: Mapping[str, object]


Action = Open | Say | Publish | PublishEach | Wake | Forget | Compute | Observe | Actuate | Note
