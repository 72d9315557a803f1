"""Swarms: participants, grids, needs and disturbances that a scenario does not list but has drawn from its seed.

    swarm: {bsps: 1000, …} + seed ─▶ drawing (who, where, how large, how dear) ─▶ grids, needs, area ─▶ Scenario
                                          what the file says itself always stands ┘

A recorded scenario keeps the few numbers, not what they expand to: the same version draws the same again.
"""

from .description import SwarmDescription
from .expansion import expand, undrawn

__all__ = ["SwarmDescription", "expand", "undrawn"]
