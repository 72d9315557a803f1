"""What flows at a desk: subscriptions in which it says, or hears, one message after the other and stays where it is.

says  ─▶ Flow ───────────────┐                        anything else in the conversation ─▶ settle: the desk
hears ─▶ Hearer of its flow ─┴─ as long as none settles, many at once (Audience, choir)    knows what has flowed
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ....protocols.desk import Desk
from ....protocols.flow import Flow, Hearer, Volley, flow_of, hearer_of
from ....protocols.messages import Message


@dataclass(eq=False, slots=True)
class Audience:
    """Where a desk stands in the flows of its part of a volley, and who speaks in each."""

    flows: tuple[Flow, ...]
    hearers: tuple[Hearer, ...]
    names: tuple[str, ...]

    def hear(self, numbers: Sequence[int]) -> None:
        """The messages of these numbers have been heard."""
        for hearer, number in zip(self.hearers, numbers, strict=True):
            hearer.number = number + 1

    def expects(self, numbers: Sequence[int]) -> bool:
        """Whether none of these has been heard before."""
        return all(number >= hearer.number for hearer, number in zip(self.hearers, numbers, strict=True))


@dataclass(eq=False)
class Streams:
    """The flows of one desk, by conversation and from both sides."""

    desk: Desk
    name: str
    _flows: dict[str, Flow] = field(default_factory=dict)
    _heard_in: dict[str, Flow] = field(default_factory=dict)
    _audience: Audience | None = None
    _choir: tuple[Flow, ...] = ()
    hearers: dict[Flow, Hearer] = field(default_factory=dict)

    @property
    def flowing(self) -> bool:
        """Whether anything flows here at all."""
        return bool(self._flows or self._heard_in)

    def settle(self, conversation_id: str) -> None:
        """What has flowed in a conversation is part of it."""
        flow = self._flows.pop(conversation_id, None)
        if flow is not None:
            self.desk.conversations[conversation_id] = flow.settled()
        heard = self._heard_in.pop(conversation_id, None)
        if heard is not None:
            self._audience = None
            self.desk.conversations[conversation_id] = self.hearers.pop(heard).settled()

    def follow(self, flow: Flow) -> None:
        """Expect the next message of a flow, of which one has been heard by itself."""
        conversation = self.desk.conversations.get(flow.conversation.id)
        hearer = hearer_of(conversation, flow) if conversation is not None else None
        if hearer is not None:
            self._audience = None
            self.hearers[flow], self._heard_in[hearer.conversation.id] = hearer, flow

    def audience(self, volley: Volley, places: Sequence[int]) -> Audience | None:
        """Where all flows of a part of a volley stand; None if one has not been heard by itself yet."""
        known, flows = self._audience, volley.flows
        if known is not None and known.flows is flows:
            return known
        own = [flows[place] for place in places]
        if any(flow not in self.hearers for flow in own):
            return None
        self._audience = Audience(flows, tuple(self.hearers[flow] for flow in own), tuple(f.link[0] for f in own))
        return self._audience

    def repeated(self, flow: Flow, number: int) -> bool:
        """Hear the next message of a flow that changes nothing; False if it is not the next one."""
        hearer = self.hearers.get(flow)
        if hearer is None or number < hearer.number:
            return False
        hearer.number = number + 1
        return True

    def choir(self, conversation_ids: Sequence[str], kind: type[Message]) -> tuple[Flow, ...] | None:
        """What flows in these subscriptions, the same object as last time if nothing has changed."""
        flows = self.flows(conversation_ids, kind)
        if flows is not None and flows != self._choir:
            self._choir = flows
        return None if flows is None else self._choir

    def flows(self, conversation_ids: Sequence[str], kind: type[Message]) -> tuple[Flow, ...] | None:
        """What flows in these subscriptions; None if a message of one of them has to be said by itself."""
        found = [self.flow(conversation_id, kind) for conversation_id in conversation_ids]
        return None if None in found else tuple(flow for flow in found if flow is not None)

    def flow(self, conversation_id: str, kind: type[Message]) -> Flow | None:
        """What flows in a subscription; None if its next message has to be said by itself."""
        flow = self._flows.get(conversation_id)
        if flow is not None and flow.kind is kind:
            return flow
        self.settle(conversation_id)
        conversation = self.desk.conversations.get(conversation_id)
        if conversation is None:
            return None
        kinds = self.desk.kinds
        flow = flow_of(conversation, kind, (kinds[self.name], kinds.get(conversation.peer, "UNKNOWN")))
        if flow is not None:
            self._flows[conversation_id] = flow
        return flow
