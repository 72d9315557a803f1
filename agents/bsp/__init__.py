"""Balancing service providers: one unit or several, or a pool of small resources (aggregator).

qualification.py   apply, and follow the test       delivery.py     orders, limits, measurements
bidding.py         offers at their due time         settlement.py   records and statements
"""

from .agent import Aggregator, Bsp

__all__ = ["Aggregator", "Bsp"]
