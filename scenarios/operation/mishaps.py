"""From what a scenario says about faults to links that have them, and to hosts whose agents die.

faults ─▶ Faults (of every message)        faults.crashes ─▶ MortalHost, with one log for all of them
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..description.schema import Scenario
from . import assembly, studying

if TYPE_CHECKING:
    from ...agents.runtime.host import Host, World
    from ...agents.runtime.messages.faults import Faults
    from ...agents.runtime.node import Node
    from .nodes import Cast


def faults(scenario: Scenario) -> Faults | None:
    """What befalls messages, if anything does."""
    from ...agents.runtime.messages.faults import Faults, Partition

    given, clock = scenario.faults, scenario.time.at_clock
    if given is None:
        return None
    partitions = tuple(
        Partition(frozenset(one.who), frozenset(one.to) if one.to else None, clock(one.since), clock(one.until))
        for one in given.partitions
    )
    return Faults(
        scenario.seed if given.seed is None else given.seed,
        given.loss,
        given.duplication,
        given.reordering,
        given.late,
        spread_us=assembly.us(given.spread_s),
        repeat_us=None if given.repeat_s is None else assembly.us(given.repeat_s),
        partitions=partitions,
    )


def hosts(scenario: Scenario, everybody: Cast, faults: Faults | None) -> Callable[[Node, World], Host]:
    """How hosts are made: those whose agents die keep a log, one for all of them."""
    from ...agents.runtime.host import Host
    from ...agents.runtime.memory.input_log import InputLog
    from ...agents.runtime.memory.mortal import Mortality, mortal

    if scenario.faults is None or faults is None or not scenario.faults.crashes.share:
        return Host
    rules = scenario.faults.crashes
    who, log, types = frozenset(rules.who or everybody.nodes), InputLog(), studying.results(everybody.extensions)
    return mortal(Mortality(faults.seed, rules.share, assembly.us(rules.down_s), who, log, types, faults.counts))
