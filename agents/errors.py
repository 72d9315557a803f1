"""What can be wrong with what a party is given: by its strategy, its broker or its log. The text says which, and why.

StrategyError (a ValueError)      a decision that the party cannot act on
BrokerError   (a RuntimeError)    the broker's address, our credentials there, or the connection
LogError      (a RuntimeError)    a write-ahead log that is not ours, is in use, or lies on a disk that takes no more
"""


class StrategyError(ValueError):
    """A strategy has decided what its party cannot do."""


class BrokerError(RuntimeError):
    """The broker cannot be used: its address, our credentials, or the connection."""


class LogError(RuntimeError):
    """A file is no log of ours, is in use, or the disk does not take what must not be lost."""
