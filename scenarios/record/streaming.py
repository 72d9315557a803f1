"""High-rate messages as columns of streams.parquet, many at once, and their content back from a row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from ...agents.runtime.memory.recording import Sent
from ...protocols.flow import Flow, Row, Volley
from ...protocols.information.activation import Measurement, SetPoint
from ...protocols.messages import Message
from .columns import STREAMS
from .parquet import TIME, fitting
from .said import MEASURED, ORDERED, SAID, joined, said_arrays, told_arrays
from .spreading import WORDS, as_met, distinct, spreading
from .volleys import Block, causes_of, contents_of, flows_of, ids_of, times_measured, times_of

_TEXT = pa.string()
Streamed = Sent | Row | Volley | Block
Alike = tuple[type | None, type[Message] | None]


class Address(NamedTuple):
    """What the messages of a subscription have in common, named as the columns are."""

    sender: str
    receiver: str
    sender_role: str
    receiver_role: str
    performative: str
    protocol: str
    conversation_id: str
    in_reply_to: str | None
    reply_by: int | None
    stage: str
    step: str | None
    info: str | None
    type: str


class Own(NamedTuple):
    """What is each message's own, by column: which of the addresses it has, and the rest."""

    address: Sequence[int]
    content: Sequence[Message]
    id: Sequence[str]
    sent_at: Sequence[int]
    received_at: Sequence[int | None]
    caused_by: Sequence[str | None]


def check_streamed(kind: type[Message]) -> None:
    """TypeError for a kind of content that streams do not hold."""
    if kind is not Measurement and kind is not SetPoint:
        raise TypeError(f"{kind.type_id} is no real-time information, but streams hold nothing else")


def stream_arrays(streamed: list[Streamed]) -> list[Any]:
    """All columns, in the order of STREAMS: what many rows have in common is looked up once, and spread over them.

    What is alike is written together wherever it stands, and put back into its order.
    """
    alike: dict[Alike, list[int]] = {}
    for place, one in enumerate(streamed):
        alike.setdefault(_alike(one), []).append(place)
    parts = [_ARRAYS_OF.get(kind[0], _of_rows)([streamed[place] for place in own]) for kind, own in alike.items()]
    if len(parts) == 1:
        return parts[0]
    back = _way_back(streamed, list(chain.from_iterable(alike.values())))
    return [as_met(_joined(part).take(back)) for part in zip(*parts, strict=True)]


def _alike(one: Streamed) -> Alike:
    """What is written together: volleys, blocks of one kind of message, and all that is by itself."""
    if type(one) is Block:
        return Block, one.contents.kind
    return (Volley if type(one) is Volley else None), None


def _joined(parts: Sequence[Any]) -> Any:
    """Parts of a column, one after the other."""
    kind = WORDS if any(part.type == WORDS for part in parts) else parts[0].type
    return pa.concat_arrays([fitting(part, kind) for part in parts])


def _way_back(streamed: Sequence[Streamed], taken: Sequence[int]) -> Any:
    """Where each row stands when things have been taken in another order."""
    many = np.array([len(one) if type(one) in (Volley, Block) else 1 for one in streamed])
    begins = np.cumsum(many) - many
    rows = np.concatenate([np.arange(begins[place], begins[place] + many[place]) for place in taken])
    return pa.array(np.argsort(rows))


def _of_volleys(volleys: list[Any]) -> list[Any]:
    contents, said, at_us = contents_of(volleys)
    told = dict(zip(SAID, said_arrays(contents, said), strict=True))
    told["measured_at"] = times_measured(told["measured_at"], at_us)
    return [*_addressed(volleys), *map(as_met, told.values())]  # rows do not meet contents in their order


def _of_blocks(blocks: list[Any]) -> list[Any]:
    return [*_addressed(blocks), *told_arrays(joined([block.contents for block in blocks]))]


def _addressed(volleys: list[Any]) -> list[Any]:
    """All columns but what is said."""
    flows, number = flows_of(volleys)
    common, spread = zip(*map(_address_of_flow, flows), strict=True), spreading(number, len(flows))
    columns = {name: spread(_array(name, values)) for name, values in zip(Address._fields, common, strict=True)}
    own = (ids_of(volleys, flows, number), *times_of(volleys), causes_of(volleys))
    columns |= dict(zip(Own._fields[2:], own, strict=True))
    return [columns[name] for name in STREAMS.names[: len(columns)]]


def _of_rows(streamed: list[Any]) -> list[Any]:
    flowing = set(map(type, streamed)) == {Row}
    addresses, own = (_flowed if flowing else _sent)(streamed)
    common = zip(*addresses, strict=True)
    spread = spreading(np.array(own.address, dtype=np.int32), len(addresses))
    columns = {name: spread(_array(name, values)) for name, values in zip(Address._fields, common, strict=True)}
    columns |= {name: _array(name, getattr(own, name)) for name in Own._fields[2:]}
    return [*(columns[name] for name in STREAMS.names[: len(columns)]), *said_arrays(*distinct(own.content))]


_ARRAYS_OF: Mapping[type | None, Callable[[list[Any]], list[Any]]] = {Volley: _of_volleys, Block: _of_blocks}


def _flowed(rows: list[Any]) -> tuple[list[Address], Own]:
    """Addresses and columns of rows of flows."""
    flows, ids, _, contents, causes, sent_us, received_us = zip(*rows, strict=True)
    places = {flow: place for place, flow in enumerate(dict.fromkeys(flows))}
    own = Own([places[flow] for flow in flows], contents, ids, sent_us, received_us, causes)
    return list(map(_address_of_flow, places)), own


def _sent(streamed: list[Any]) -> tuple[list[Address], Own]:
    """The same of messages by themselves, or of both."""
    sent = [one if isinstance(one, Sent) else _by_itself(one) for one in streamed]
    _, sent_us, received_us, envelopes, *roles, stages, steps = zip(*sent, strict=True)
    ids, senders, receivers, protocols, abouts, contents, answered, causes, reply_by = zip(*envelopes, strict=True)
    kinds, places = map(type, contents), dict[tuple[Any, ...], int]()
    common = zip(senders, receivers, *roles, kinds, protocols, abouts, answered, reply_by, stages, steps, strict=True)
    address = [places.setdefault(key, len(places)) for key in common]
    return [_address(*key) for key in places], Own(address, contents, ids, sent_us, received_us, causes)


def _by_itself(row: Row) -> Sent:
    flow = row.flow
    return Sent(None, row.sent_us, row.received_us, row.envelope(), *flow.roles, flow.stage, flow.step)


def _address(*key: Any) -> Address:
    *parties, kind, protocol, about, answered, reply_by, stage, step = key
    named = kind.performative.value, protocol, about, answered, reply_by, stage, step, kind.info, kind.type_id
    return Address._make((*parties, *named))


def _address_of_flow(flow: Flow) -> Address:
    check_streamed(flow.kind)
    view = flow.conversation
    about = view.protocol.name, view.id, view.last_heard
    return _address(*flow.link, *flow.roles, flow.kind, *about, None, flow.stage, flow.step)


def _array(name: str, values: Sequence[Any]) -> Any:
    return pa.array(values, type=TIME if name in ("sent_at", "received_at", "reply_by") else _TEXT)


def content_of(type_id: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a row as the message that was sent, from its type id and columns."""
    if type_id == SetPoint.type_id:
        return {name: columns[name] for name in ORDERED}
    measured = {name: columns[name] for name in MEASURED}
    return {**measured, "points": json.loads(measured["points"] or "[]")}
