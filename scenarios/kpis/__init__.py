"""The key performance indicators (KPIs) of a run, computed from what was recorded and nothing else.

1 exchange.py        capability to exchange information: expected, sent, delivered, valid, latency, coverage
2 flexibility.py     quantity activated: MW, MWh, number of offers
3 participation.py   what the DSO did: validated, limited, excluded; its share of balancing energy
  reaction.py         the DSO's limits in real time: reaction, residual overload, cost; consequences of overload
  regulation.py      aFRR: asked, delivered within the acceptance channel, missing; the area control error
  quality.py         objective O1, for which the paper has no measure: frequency, violations; and cost
"""

from .computing import compute_kpis

__all__ = ["compute_kpis"]
