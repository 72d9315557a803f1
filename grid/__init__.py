"""What physics allows: network, power flow, limits, tap changers, plants. Knows no agents.

    description ─▶ network ─▶ model (solver per tap position) ─▶ studies: what a DSO believes
                                                              └─▶ plant:   what is

Importing this package does not import pandapower (two seconds); building a grid does.
"""

from __future__ import annotations

from .constraints import Binding
from .description import GridDescription
from .errors import GridError, NetworkError, ProfileError, SolverError
from .limits import Activation, Allowed
from .points import ConnectionPoint
from .readings import Assessment, Readings

__all__ = [
    "Activation",
    "Allowed",
    "Assessment",
    "Binding",
    "ConnectionPoint",
    "GridDescription",
    "GridError",
    "NetworkError",
    "ProfileError",
    "Readings",
    "SolverError",
]
