"""A host of a run on many machines: its plants are reached by requests."""

from ...actions import Actuate, Observe
from ..host import Host, World
from ..inputs import Effect
from ..node import Node
from .plants import RemotePlants


class Outpost(Host):
    """A host whose plants are reached by requests, wherever they are."""

    def __init__(self, node: Node, world: World, plants: RemotePlants) -> None:
        """`plants`: how they are reached."""
        super().__init__(node, world)
        self._plants = plants

    def _carry_out(self, effect: Effect, now_us: int) -> None:
        match effect:
            case Observe():
                self._plants.observe(self.agent_name, effect, now_us)
            case Actuate():
                self._plants.actuate(self.agent_name, effect, now_us)
            case _:
                super()._carry_out(effect, now_us)
