"""A host of a run on many machines: its plants are reached by requests, its studies are made in another process."""

from collections.abc import Iterable
from functools import partial

from ...actions import Actuate, Observe
from ..annex import Annex
from ..host import Host, World
from ..node import Effect, Node, Result
from ..queue import Happening
from .clock import Errand
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


async def send_studies_away(hosts: Iterable[Host], annex: Annex | None, errands: list[Errand]) -> None:
    """Start the process for studies, if there is one, and let the hosts use it; results are waited for in `errands`."""
    if annex is None:
        return
    await annex.start()
    for host in hosts:
        host.study = partial(_away, host, annex, errands)


def _away(host: Host, annex: Annex, errands: list[Errand], key: str, job: object) -> Happening:
    answer = annex.ask(job)

    async def hear(now_us: int) -> None:
        result, error = await answer
        host.take(Result(key, result, error), now_us)

    return lambda _: errands.append(hear)
