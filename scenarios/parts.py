"""The parts of a scenario, for whoever builds one in Python; the same that its YAML file is made of.

    Scenario ─┬─ time, ticks, links          Times, Ticks, Links
              ├─ coordination, market        Coordination, Market, Need, AfrrRules, FcrRules, …
              ├─ area                        AreaDescription, Disturbance, FcrDescription
              ├─ grids                       GridDescription, GridLimits, Profile, PlanningCase, TapChanger, ZipPercent
              └─ participants                TsoDescription, DsoDescription, BspDescription, AggregatorDescription

Every part is a frozen pydantic model: it checks itself when it is made, and takes plain values (a dict for a part).
"""

from ..grid.area.description import AreaDescription, Disturbance, FcrDescription, Variation
from ..grid.description.grid import (
    GridDescription,
    GridLimits,
    PlanningCase,
    Profile,
    Protection,
    TapChanger,
    ZipPercent,
)
from ..grid.resources.description import PoolDescription, Response, UnitDescription
from .description.chosen import Chosen
from .description.market import ActivationRules, AfrrRules, Coordination, FcrRules, Market, Need, TestRules
from .description.participants import (
    AggregatorDescription,
    BspDescription,
    DemandResponse,
    DsoDescription,
    FcrOffer,
    OfferDescription,
    TsoDescription,
)
from .description.schema import Scenario
from .description.times import Links, Ticks, Times

__all__ = [
    "ActivationRules",
    "AfrrRules",
    "AggregatorDescription",
    "AreaDescription",
    "BspDescription",
    "Chosen",
    "Coordination",
    "DemandResponse",
    "Disturbance",
    "DsoDescription",
    "FcrDescription",
    "FcrOffer",
    "FcrRules",
    "GridDescription",
    "GridLimits",
    "Links",
    "Market",
    "Need",
    "OfferDescription",
    "PlanningCase",
    "PoolDescription",
    "Profile",
    "Protection",
    "Response",
    "Scenario",
    "TapChanger",
    "TestRules",
    "Ticks",
    "Times",
    "TsoDescription",
    "UnitDescription",
    "Variation",
    "ZipPercent",
]
