"""What a plugin declares, and the rules that it keeps, so that its messages and steps can never pass for ours.

STRATEGIES     classes by name that decide what a party is free to (`agents/strategies`)
PROTOCOLS      tables (`protocols/templates.py`), each for roles that somebody may take
BEHAVIOURS     what agents of a kind do in them (`agents/extension.py`), one a kind
STUDIES        classes of questions to a grid; RESULTS the types that their answers are made of
ROLES          further roles by kind of agent, {"AGGREGATOR": {"AGGREGATOR"}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...protocols.errors import TableError
from ...protocols.messages import Message
from ...protocols.tables import Protocol
from ...protocols.vocabulary import BUSINESS_USE_CASE, ROLES

if TYPE_CHECKING:
    from ...agents.extension import Extension

LAST_FIGURE, LAST_INFO = 10, 10
OURS = "gridpact."


def extension_of(name: str, declared: Mapping[str, Any]) -> Extension:
    """The Extension that a module's names make; TableError says which rule is broken."""
    from ...agents.extension import Extension

    protocols, strategies = _tuple(declared, "PROTOCOLS"), _strategies(declared)
    if not protocols and not strategies:
        text = "it declares no PROTOCOLS, a tuple of tables (protocols/templates.py makes them), and no STRATEGIES"
        raise TableError(text)
    roles = {str(kind): frozenset(more) for kind, more in declared.get("ROLES", {}).items()}
    for protocol in protocols:
        _check_protocol(protocol, roles)
    behaviours = _tuple(declared, "BEHAVIOURS")
    _check_behaviours(behaviours, {*ROLES, *roles})
    results = _tuple(declared, "RESULTS")
    _check_results(results)
    return Extension(name, protocols, behaviours, _tuple(declared, "STUDIES"), results, roles, strategies)


def _strategies(declared: Mapping[str, Any]) -> Mapping[str, type[Any]]:
    from .strategies import METHODS, SHIPPED, kind_of

    found = declared.get("STRATEGIES", {})
    if not isinstance(found, dict):
        raise TableError(f"STRATEGIES should be a dict of classes by name, but is {type(found).__name__}")
    for name, strategy in found.items():
        if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise TableError(f"STRATEGIES: {name!r} cannot name a strategy: use small letters, digits and -")
        kind = kind_of(strategy) if isinstance(strategy, type) else None
        if kind is None:
            methods = ", ".join(METHODS)
            raise TableError(f'STRATEGIES["{name}"] is no strategy: a class with exactly one method of {methods}')
        if name in SHIPPED[kind]:
            raise TableError(f'STRATEGIES["{name}"]: this {kind} ships with gridpact; choose another name')
    return found


def _tuple(declared: Mapping[str, Any], key: str) -> tuple[Any, ...]:
    found = declared.get(key, ())
    if not isinstance(found, tuple | list):
        raise TableError(f"{key} should be a tuple, but is {type(found).__name__}")
    return tuple(found)


def _check_protocol(protocol: object, roles: Mapping[str, frozenset[str]]) -> None:
    if not isinstance(protocol, Protocol):
        raise TableError(f"PROTOCOLS holds {protocol!r}, which is no protocol table")
    known = {role for taken in (*ROLES.values(), *roles.values()) for role in taken}
    for role in (protocol.initiator, protocol.respondent):
        if role not in known:
            raise TableError(f"{protocol.name}: nobody may take the role {role}; known are: {', '.join(sorted(known))}")
    for message in protocol.messages:
        _check_message(message)
    for message, step in protocol.paper.items():
        number = re.fullmatch(r"([1-9]\d*)\.([1-9]\d*)", step)
        if number is None or int(number[1]) <= LAST_FIGURE:
            text = f"{protocol.name}: step '{step}' of {message.type_id} should read like {LAST_FIGURE + 1}.1"
            raise TableError(f"{text}; the paper's figures end with {LAST_FIGURE}")


def _check_message(message: type[Message]) -> None:
    if BUSINESS_USE_CASE.messages.get(message.type_id) is message:
        return
    if message.type_id.startswith(OURS):
        raise TableError(f"{message.type_id}: the prefix '{OURS}' is the project's; choose one of your own")
    if message.info is not None and int(_digits(message)) <= LAST_INFO:
        raise TableError(f"{message.type_id}: {message.info} is the paper's; yours begin with INFO {LAST_INFO + 1}")


def _digits(message: type[Message]) -> str:
    found = re.fullmatch(r"INFO ([1-9]\d*)", str(message.info))
    if found is None:
        raise TableError(f"{message.type_id}: info should be None or read like INFO 11, but is {message.info!r}")
    return found[1]


def _check_behaviours(behaviours: tuple[Any, ...], kinds: set[str]) -> None:
    seen: set[str] = set()
    for behaviour in behaviours:
        lacking = [name for name in ("kind", "start", "react") if not hasattr(behaviour, name)]
        if isinstance(behaviour, type) or lacking:
            raise TableError(f"BEHAVIOURS holds {behaviour!r}, which is no instance with kind, start and react")
        if behaviour.kind not in kinds:
            raise TableError(f"a behaviour is for kind {behaviour.kind}; known are: {', '.join(sorted(kinds))}")
        if behaviour.kind in seen:
            raise TableError(f"there are two behaviours for {behaviour.kind}; one kind of agent has one")
        seen.add(behaviour.kind)


def _check_results(results: tuple[Any, ...]) -> None:
    from ...agents.runtime.memory.journal import TYPES

    for result in results:
        if not isinstance(result, type):
            raise TableError(f"RESULTS holds {result!r}, which is no type")
        if result.__name__ in TYPES:
            raise TableError(f"RESULTS: the name {result.__name__} is used by the project; choose another")
