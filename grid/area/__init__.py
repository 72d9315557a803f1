"""The control area as a plant: frequency, inertia, self-regulation, containment reserve (FCR), neighbours.

description.py   what a scenario says            swing.py         frequencies and tie lines, exactly in sub-steps
disturbance.py   what disturbs the balance       containment.py   FCR: droop, dead band, saturation, lag, rate
area.py          all of it moved together        trajectory.py    many sub-steps as one matrix product
                                                 secondary.py     a neighbour's own load-frequency control
"""

from .area import Area, AreaError, AreaReading
from .containment import Droop
from .description import AreaDescription, Disturbance, FcrDescription

__all__ = ["Area", "AreaDescription", "AreaError", "AreaReading", "Disturbance", "Droop", "FcrDescription"]
