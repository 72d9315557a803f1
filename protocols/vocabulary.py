"""The protocols and message types that a run knows, by their wire names."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .errors import TableError
from .messages import Message, NotUnderstood
from .stages import PROTOCOLS
from .tables import Protocol

TYPE_ID = re.compile(r"[a-z][a-z0-9.-]*/[1-9][0-9]*", re.ASCII)
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
    def of(cls, protocols: Iterable[Protocol], roles: Mapping[str, frozenset[str]] = ROLES) -> "Vocabulary":
        """Gather the message types of the protocols.

        TableError if a name or type id is used twice, a type id is not `name/version`, or nobody may take a role.
        """
        by_name: dict[str, Protocol] = {}
        types: dict[str, type[Message]] = {NotUnderstood.type_id: NotUnderstood}
        for protocol in protocols:
            if protocol.name in by_name:
                raise TableError(f"two protocols are called '{protocol.name}'")
            by_name[protocol.name] = protocol
            _check_roles(protocol, roles)
            for message in protocol.messages:
                _check_type_id(message)
                if types.setdefault(message.type_id, message) is not message:
                    raise TableError(f"two message types are called '{message.type_id}'")
        return cls(MappingProxyType(by_name), MappingProxyType(types), roles)


def _check_roles(protocol: Protocol, roles: Mapping[str, frozenset[str]]) -> None:
    for role in (protocol.initiator, protocol.respondent):
        if not any(role in taken for taken in roles.values()):
            raise TableError(f"{protocol.name}: no kind of agent may take the role {role}")


def _check_type_id(message: type[Message]) -> None:
    own = vars(message).get("type_id")
    if not isinstance(own, str) or not TYPE_ID.fullmatch(own):
        raise TableError(f"{message.__name__} needs a type_id of its own like 'gridpact.offer/1', not {own!r}")


BUSINESS_USE_CASE = Vocabulary.of(PROTOCOLS)
