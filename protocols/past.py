"""Conversations that are over, small: what is needed to know a copy, a late answer and a word out of turn again.

    over ─▶ Past.keep ─▶ a name and a few numbers, most of them shared ─▶ recall: the conversation as it was
                                   └─ an hour after the end and after the opening's reply-by ─▶ forgotten

Message ids follow from numbers, so nothing is lost by it. What has been forgotten cannot begin anew: an opening whose
reply-by is as long past is refused as too old, and every copy of a forgotten one is that. An opening without reply-by
cannot be dated, so it is remembered for a day after its end; a copy that comes later still would begin anew.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from .conversation import NOT_UNDERSTOOD, Conversation
from .envelope import Side, Topic, message_id
from .tables import Protocol

KEPT_US = 3_600_000_000
UNDATED_US = 24 * KEPT_US  # how long a conversation is kept that was begun without reply-by
STEP_US = 600_000_000  # ends of keeping are rounded up to this, so that many conversations share one
NEVER_US = 1 << 62
LEAST_KEPT = 4  # so few conversations are not worth a look for what is over
LEAST_SWEPT = 32  # fewer than twice as many are not worth a look for what may be forgotten


class Ended(NamedTuple):
    """A conversation that is over, but for its name; kept until `until_us`."""

    protocol: str
    side: Side
    state: str
    said: int
    heard: int
    round: str | None
    until_us: int


@lru_cache(maxsize=4096)
def _shared(ended: Ended) -> Ended:
    """The same value for all conversations that have ended alike."""
    return ended


def is_over(conversation: Conversation) -> bool:
    """Whether nobody waits, and nobody may begin to say anything in it any more."""
    return conversation.state == NOT_UNDERSTOOD or conversation.state in conversation.protocol.over


class Past:
    """What is over of one desk's conversations; an opening with a reply-by until `horizon_us` is too old for it.

    With more than `most` conversations that seem to go on, or at `look_us`, it is time to sort out those that do not.
    """

    def __init__(self, protocols: Mapping[str, Protocol]) -> None:
        """Nothing is over yet; `protocols` by name."""
        self.horizon_us, self.most, self.look_us = -NEVER_US, LEAST_KEPT, -NEVER_US
        self._protocols = protocols
        self._reply_by_us: dict[str, int | None] = {}
        self._ended: dict[str, Ended] = {}
        self._swept = LEAST_SWEPT

    def __contains__(self, conversation_id: str) -> bool:
        """Whether it is remembered."""
        return conversation_id in self._ended

    def note_opening(self, conversation_id: str, reply_by_us: int | None) -> None:
        """A conversation begins; without reply-by it will be remembered for a day."""
        self._reply_by_us[conversation_id] = reply_by_us

    def is_too_old(self, reply_by_us: int | None) -> bool:
        """Whether an opening may be a copy of what has been forgotten."""
        return reply_by_us is not None and reply_by_us <= self.horizon_us

    def sort_out(self, conversations: Mapping[str, Conversation], now_us: int) -> dict[str, Conversation]:
        """Remember those that are over, and return the others; what is long over is forgotten."""
        going = {about: one for about, one in conversations.items() if not is_over(one)}
        for about, conversation in conversations.items():
            if about not in going:
                self._keep(conversation, now_us)
            elif about in self._ended:
                self._reply_by_us[about] = self._ended.pop(about).until_us - KEPT_US
        self._reply_by_us = {about: self._reply_by_us.get(about) for about in going}
        self._forget(now_us)
        self.most = max(LEAST_KEPT, 2 * len(going))
        return going

    def _keep(self, conversation: Conversation, now_us: int) -> None:
        protocol, _, side, state, said, heard, _, _, _, round_id = conversation
        about, before = conversation.id, self._ended.get(conversation.id)
        reply_by_us = self._reply_by_us.get(about) if before is None else before.until_us - KEPT_US
        kept_us = now_us + UNDATED_US if reply_by_us is None else max(now_us, reply_by_us) + KEPT_US
        until_us = -(-kept_us // STEP_US) * STEP_US
        self._ended[about] = _shared(Ended(protocol.name, side, state, said, heard, round_id, until_us))

    def recall(self, conversation_id: str) -> Conversation | None:
        """The conversation as it was when it was kept, or None if it is not remembered."""
        ended = self._ended.get(conversation_id)
        if ended is None:
            return None
        name, side, state, said, heard, round_id, _ = ended
        last_said = message_id(conversation_id, side, said - 1) if said else None
        last_heard = message_id(conversation_id, side.other, heard - 1) if heard else None
        last = (last_said, last_heard, None, round_id)
        return Conversation(self._protocols[name], Topic.parse(conversation_id), side, state, said, heard, *last)

    def begun_by(self, head: str) -> int:
        """How many of those that are remembered have an id with this beginning, `initiator/`."""
        return sum(about.startswith(head) for about in self._ended)

    def rounds(self) -> set[str | None]:
        """The rounds of all that is remembered."""
        return {ended.round for ended in self._ended.values()}

    def all(self) -> dict[str, Conversation]:
        """Every conversation that is remembered, by id."""
        found = ((about, self.recall(about)) for about in self._ended)
        return {about: conversation for about, conversation in found if conversation is not None}

    def _forget(self, now_us: int) -> None:
        """Let go of what has been kept long enough, when there is much of it, or nobody has looked for some time."""
        if len(self._ended) < 2 * self._swept and now_us < self.look_us:
            return
        self.look_us = now_us + KEPT_US
        left = {about: ended for about, ended in self._ended.items() if ended.until_us > now_us}
        if len(left) < len(self._ended):
            self.horizon_us = now_us - KEPT_US
        self._ended, self._swept = left, max(LEAST_SWEPT, len(left))
