"""High-rate messages as columns of streams.parquet, many at once, and their content back from a row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa

from ...agents.runtime.recording import Sent
from ...protocols.flow import Flow, Row, Volley
from ...protocols.information.activation import Measurement, PointPower, SetPoint
from ...protocols.messages import Message
from .cells import number
from .columns import STREAMS
from .parquet import TIME, numbers
from .volleys import causes_of, contents_of, flows_of, ids_of, spreading, times_of

_TEXT = pa.string()
MEASURED = ("participant", "measured_at", "p_mw", "q_mvar", "activated_mw", "baseline_mw", "set_point_mw", "points")
ORDERED = ("product", "kind", "power_mw")
SAID = (*MEASURED, *ORDERED)
Streamed = Sent | Row | Volley


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
    """What is a message's own: whose address it has, by number, and its columns."""

    address: int
    content: Message
    id: str
    sent_at: int
    received_at: int | None
    caused_by: str | None


def check_streamed(kind: type[Message]) -> None:
    """TypeError for a kind of content that streams do not hold."""
    if kind is not Measurement and kind is not SetPoint:
        raise TypeError(f"{kind.type_id} is no real-time information, but streams hold nothing else")


def stream_arrays(streamed: list[Streamed]) -> list[Any]:
    """All columns, in the order of STREAMS: what many rows have in common is looked up once, and spread over them."""
    parts = [
        (_of_volleys if of_volleys else _of_rows)(list(own))
        for of_volleys, own in groupby(streamed, lambda one: type(one) is Volley)
    ]
    return parts[0] if len(parts) == 1 else [pa.concat_arrays(columns) for columns in zip(*parts, strict=True)]


def _of_volleys(volleys: list[Any]) -> list[Any]:
    flows, number = flows_of(volleys)
    contents, said, measured_at = contents_of(volleys)
    common = zip(*(_address_of_flow(flow) for flow in flows), strict=True)
    columns = {name: _array(name, each).take(number) for name, each in zip(Address._fields, common, strict=True)}
    own = (ids_of(volleys, flows, number), *times_of(volleys), causes_of(volleys))
    columns |= dict(zip(Own._fields[2:], own, strict=True))
    spread = spreading(said)
    told = {name: spread(array) for name, array in zip(SAID, _said_once(contents), strict=True)}
    told["measured_at"] = measured_at
    return [*(columns[name] for name in STREAMS.names[: len(columns)]), *told.values()]


def _of_rows(streamed: list[Any]) -> list[Any]:
    addresses: dict[Address, int] = {}
    flowing = all(type(one) is Row for one in streamed)
    number, contents, *own = (_flowed if flowing else _sent)(streamed, addresses)
    common, spread = zip(*addresses, strict=True), _spread(number)
    columns = {name: spread(_array(name, values)) for name, values in zip(Address._fields, common, strict=True)}
    columns |= {name: _array(name, values) for name, values in zip(Own._fields[2:], own, strict=True)}
    return [*(columns[name] for name in STREAMS.names[: len(columns)]), *_said(contents)]


def _flowed(rows: list[Any], addresses: dict[Address, int]) -> tuple[Sequence[Any], ...]:
    """The columns of `Own`, of rows of flows."""
    flows, ids, _, contents, causes, sent_us, received_us = zip(*rows, strict=True)
    numbers_of = {flow: addresses.setdefault(_address_of_flow(flow), len(addresses)) for flow in dict.fromkeys(flows)}
    return [numbers_of[flow] for flow in flows], contents, ids, sent_us, received_us, causes


def _sent(streamed: list[Any], addresses: dict[Address, int]) -> tuple[Sequence[Any], ...]:
    """The same of messages by themselves, or of both."""
    return tuple(zip(*(_own(one, addresses) for one in streamed), strict=True))


def _own(one: Sent | Row, addresses: dict[Address, int]) -> Own:
    if isinstance(one, Row):
        number = addresses.setdefault(_address_of_flow(one.flow), len(addresses))
        return Own(number, one.content, one.id, one.sent_us, one.received_us, one.caused_by)
    envelope = one.envelope
    number = addresses.setdefault(address_of(one), len(addresses))
    return Own(number, envelope.content, envelope.id, one.sent_at_us, one.received_at_us, envelope.caused_by)


def address_of(sent: Sent) -> Address:
    """What a message has in common with others of its conversation."""
    envelope, content = sent.envelope, sent.envelope.content
    return Address(
        envelope.sender,
        envelope.receiver,
        sent.sender_role,
        sent.receiver_role,
        content.performative.value,
        envelope.protocol,
        envelope.conversation_id,
        envelope.in_reply_to,
        envelope.reply_by_us,
        sent.stage,
        sent.step,
        content.info,
        content.type_id,
    )


def _address_of_flow(flow: Flow) -> Address:
    check_streamed(flow.kind)
    view, kind = flow.conversation, flow.kind
    ids, names = (view.id, view.last_heard), (kind.performative.value, view.protocol.name)
    return Address(*flow.link, *flow.roles, *names, *ids, None, flow.stage, flow.step, kind.info, kind.type_id)


def _array(name: str, values: Sequence[Any]) -> Any:
    return pa.array(values, type=TIME if name in ("sent_at", "received_at", "reply_by") else _TEXT)


def _spread(number: Sequence[int]) -> Callable[[Any], Any]:
    """From one value of each to one a row."""
    taken = pa.array(number, type=pa.int32())
    return lambda values: values.take(taken)


def _said(contents: Sequence[Message]) -> list[Any]:
    """The columns of contents; one that several were told is looked at once."""
    places: dict[int, int] = {}
    number = [places.setdefault(id(content), len(places)) for content in contents]
    distinct = list({id(content): content for content in contents}.values())
    spread = _spread(number)
    return [spread(array) for array in _said_once(distinct)]


def _said_once(contents: list[Message]) -> list[Any]:
    return [*_measured(_each(contents, Measurement)), *_ordered(_each(contents, SetPoint))]


def content_of(type_id: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a row as the message that was sent, from its type id and columns."""
    if type_id == SetPoint.type_id:
        return {name: columns[name] for name in ORDERED}
    measured = {name: columns[name] for name in MEASURED}
    return {**measured, "points": json.loads(measured["points"] or "[]")}


def _each(contents: Sequence[Message], kind: type[Message]) -> Callable[[Callable[[Any], object]], list[Any]]:
    """Reads something of every content of a kind; None where it is of another."""
    if all(type(content) is kind for content in contents):
        return lambda read: [read(content) for content in contents]
    own = [content if type(content) is kind else None for content in contents]
    return lambda read: [None if content is None else read(content) for content in own]


def _measured(each: Callable[[Callable[[Any], object]], list[Any]]) -> list[Any]:
    return [
        _texts(each(lambda content: content.participant)),
        _times(each(lambda content: content.measured_at)),
        numbers(each(lambda content: content.p_mw)),
        numbers(each(lambda content: content.q_mvar)),
        numbers(each(lambda content: content.activated_mw)),
        numbers(each(lambda content: content.baseline_mw)),
        numbers(each(lambda content: content.set_point_mw)),
        _texts(_points(each(lambda content: content))),
    ]


def _ordered(each: Callable[[Callable[[Any], object]], list[Any]]) -> list[Any]:
    return [
        _texts(each(lambda content: content.product)),
        _texts(each(lambda content: content.kind)),
        numbers(each(lambda content: content.power_mw)),
    ]


def _points(contents: Sequence[Any]) -> list[str | None]:
    """Connection points as JSON, made once for as long as they show the same."""
    made: dict[tuple[int, ...], str | None] = {(): None}
    return [None if content is None else _json_of(content.points, made) for content in contents]


def _json_of(points: tuple[PointPower, ...], made: dict[tuple[int, ...], str | None]) -> str | None:
    key = tuple(map(id, points))
    if key not in made:
        made[key] = json.dumps([_point(point) for point in points])
    return made[key]


def _point(point: PointPower) -> dict[str, Any]:
    return {"point": point.point, "p_mw": number(point.p_mw), "q_mvar": number(point.q_mvar)}


def _texts(values: list[Any]) -> Any:
    return pa.array(values, type=_TEXT)


def _times(values: list[Any]) -> Any:
    return pa.array(values, type=TIME)
