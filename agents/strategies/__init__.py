"""How a party decides where it is free to: one small protocol class each, chosen by name in a scenario.

    what is known, frozen ─▶ strategy (a plain class, pure) ─▶ decision ─▶ the agent checks it and acts

    bidding.py     what a BSP or an aggregator offers, and at which price     truthful, withholding, padding, …
    limiting.py    how a DSO shares what is scarce, and what it keeps back    as-agreed
    frequency.py   how much aFRR the TSO asks for in a control cycle          pi

How an aggregator shares an order out over its pool is in `grid/resources/dispatch.py`, because it moves machines. A
strategy has no clock, network or random source, and what it must remember is handed to it: so runs can be replayed.
"""

from ..errors import StrategyError
from ..market.regulation import Controller
from .bidding import Bid, Bidding, BiddingView, Past, Plan, Truthful
from .frequency import FrequencyController, ProportionalIntegral, Sample
from .gaming import IncreaseDecrease, Padding, Withholding
from .limiting import AsAgreed, LimitPolicy, Question, Terms, Wish

__all__ = [
    "AsAgreed",
    "Bid",
    "Bidding",
    "BiddingView",
    "Controller",
    "FrequencyController",
    "IncreaseDecrease",
    "LimitPolicy",
    "Padding",
    "Past",
    "Plan",
    "ProportionalIntegral",
    "Question",
    "Sample",
    "StrategyError",
    "Terms",
    "Truthful",
    "Wish",
    "Withholding",
]
