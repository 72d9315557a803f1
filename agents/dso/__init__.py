"""The distribution system operator: says what its grid can bear, and in scenario II offers demand response.

validation.py     capacity and merit order lists     demand_response.py   scenario II: CVR as one more BSP
monitoring.py     readings, limits                   archive.py           metered energy for settlement
relay.py          orders by way of the DSO       set_points.py        set-points likewise
studies.py        the questions it asks of its grid
"""

from .agent import Dso

__all__ = ["Dso"]
