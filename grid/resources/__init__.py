"""Units and pools: what the market parties' machines physically do when a set-point reaches them.

Nothing here knows prices, messages or networks. A resource is told a change from its baseline and follows it with its
delays, ramps, ranges and energy; where it is connected is only a name that the grid model knows as well.
"""

from .description import Kind, PoolDescription, Response, UnitDescription
from .dispatch import ByScheme, Dispatch, PoolView
from .outage import is_lost, metered
from .pool import Pool
from .resource import Agility, PointPower, Resource, ResourceError, ResourceState, Site
from .split import split
from .unit import Unit

__all__ = [
    "Agility",
    "ByScheme",
    "Dispatch",
    "Kind",
    "PointPower",
    "Pool",
    "PoolDescription",
    "PoolView",
    "Resource",
    "ResourceError",
    "ResourceState",
    "Response",
    "Site",
    "Unit",
    "UnitDescription",
    "is_lost",
    "metered",
    "split",
]
