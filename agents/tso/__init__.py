"""The transmission system operator: qualifies, calls for offers, builds the MOL, activates, settles.

agent ─┬─ prequalification/   who may offer what
       ├─ reserve/            containment reserve, bought ahead
       ├─ offering/           the merit order list and its acceptance
       ├─ activation/, afrr/  orders, set-points, limits, replacement
       └─ settlement/         energy, statements, books
"""

from .agent import Tso

__all__ = ["Tso"]
