"""What can go wrong with a protocol, and whose fault it is.

ProtocolError
├── TableError            a protocol's table contradicts itself: found when it is made
├── LocalProtocolError    we broke the protocol: a bug of ours, raised
└── RemoteProtocolError   they broke it: answered with not-understood, recorded, survived
"""


class ProtocolError(Exception):
    """A protocol, or the use of one, is wrong."""


class TableError(ProtocolError):
    """A protocol's table contradicts itself."""


class LocalProtocolError(ProtocolError):
    """Our own side says what the protocol does not allow here."""


class RemoteProtocolError(ProtocolError):
    """The other side said what the protocol does not allow here."""
