"""A host of a run on many machines: plants are reached by requests, inputs are logged if they are to last."""

from ...actions import Actuate, Note, Observe
from ..host import Host, World
from ..inputs import Effect, Input, Send
from ..node import Node
from .memory import Memory
from .plants import RemotePlants


class Outpost(Host):
    """A host whose plants are reached by requests, wherever they are."""

    def __init__(self, node: Node, world: World, plants: RemotePlants, memory: Memory | None = None) -> None:
        """`plants`: how they are reached; `memory`: where its inputs are kept, if they are."""
        super().__init__(node, world)
        self._plants = plants
        self._memory = memory

    def take(self, given: Input, now_us: int) -> None:
        """Let the node experience something now: the log first, then journal and effects."""
        if self._memory is not None and not self.node.is_stale(given):
            self._memory.experienced(self.agent_name, now_us, given)
        super().take(given, now_us)

    def recount(self, at_us: int, text: str) -> None:
        """Write an input of an earlier life into the record."""
        self._journal(self.agent_name, at_us, text)

    def redo(self, effect: Effect, at_us: int) -> None:
        """Say, ask and note again what was done in an earlier life."""
        if isinstance(effect, Send):
            assert self.exchange is not None
            self.exchange.send(effect, at_us)
        elif isinstance(effect, Observe | Actuate | Note):
            self._carry_out(effect, at_us)

    def _carry_out(self, effect: Effect, now_us: int) -> None:
        match effect:
            case Observe():
                self._plants.observe(self.agent_name, effect, now_us)
            case Actuate():
                self._plants.actuate(self.agent_name, effect, now_us)
            case _:
                super()._carry_out(effect, now_us)
