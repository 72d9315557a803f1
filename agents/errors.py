"""What can be wrong with what a party is given: by its strategy, plugin, broker or log. The text says which, and why.

StrategyError (a ValueError)      a decision that the party cannot act on
PluginError   (a RuntimeError)    a plugin's behaviour or study that fails, or does what nobody may; its cause is given
ReturnedError (a TypeError)       such a cause: what a behaviour or study has returned is not what it may
BrokerError   (a RuntimeError)    the broker's address, our credentials there, or the connection
LogError      (a RuntimeError)    a write-ahead log that is not ours, is in use, or lies on a disk that takes no more
"""


class StrategyError(ValueError):
    """A strategy has decided what its party cannot do."""


class PluginError(RuntimeError):
    """A behaviour of a plugin has failed, or does what nobody may do."""


class ReturnedError(TypeError):
    """What a behaviour has returned is no state with actions, or a study's answer nothing that can be written."""


class BrokerError(RuntimeError):
    """The broker cannot be used: its address, our credentials, or the connection."""


class LogError(RuntimeError):
    """A file is no log of ours, is in use, or the disk does not take what must not be lost."""


def line_in(file: str, error: BaseException) -> int | None:
    """The last line of a file that an error came through, or None."""
    lines, trace = [], error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return lines[-1] if lines else None
