"""What can be wrong with a strategy's decision; the text names the party, the strategy and the rule.

StrategyError (a ValueError)     a decision that the party cannot act on
"""


class StrategyError(ValueError):
    """A strategy has decided what its party cannot do."""
