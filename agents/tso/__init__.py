"""The transmission system operator: qualifies, calls for offers, builds the MOL, activates, settles.

prequalification.py   who may offer what          activation.py   orders, limits, replacement
offering.py           MOL and acceptance          settlement.py   energy, statements, books
"""

from .agent import Tso

__all__ = ["Tso"]
