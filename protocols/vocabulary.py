"""The protocols and message types that a run knows, by their wire names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .errors import TableError
from .messages import Message, NotUnderstood
from .stages import PROTOCOLS
from .tables import Protocol

ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "TSO": frozenset({"TSO"}),
        "DSO": frozenset({"DSO"}),
        "BSP": frozenset({"BSP"}),
        "AGGREGATOR": frozenset({"BSP"}),
    }
)


@dataclass(frozen=True)
class Vocabulary:
    """Protocols by name, message types by type id, and the protocol roles that each kind of agent may take."""

    protocols: Mapping[str, Protocol]
    messages: Mapping[str, type[Message]]
    roles: Mapping[str, frozenset[str]] = field(default_factory=lambda: ROLES)

    @classmethod
    def of(cls, protocols: Iterable[Protocol]) -> "Vocabulary":
        """Gather the message types of the protocols; TableError if a name or type id is used twice."""
        by_name: dict[str, Protocol] = {}
        types: dict[str, type[Message]] = {NotUnderstood.type_id: NotUnderstood}
        for protocol in protocols:
            if protocol.name in by_name:
                raise TableError(f"two protocols are called '{protocol.name}'")
            by_name[protocol.name] = protocol
            for message in protocol.messages:
                if types.setdefault(message.type_id, message) is not message:
                    raise TableError(f"two message types are called '{message.type_id}'")
        return cls(MappingProxyType(by_name), MappingProxyType(types))


BUSINESS_USE_CASE = Vocabulary.of(PROTOCOLS)
