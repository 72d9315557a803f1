"""The protocols as an AsyncAPI 3.0 document: enough to write one of the parties in another language.

    channels      one per protocol and direction: who speaks to whom, on which topic, with which messages
    operations    what each role sends and receives there; `x-role` and a tag say whose operation it is
    messages      envelope and content as JSON Schema, with a valid example
    x-protocols   every protocol's table: states, steps, silences, ends, so that a party can check each turn

Everything is taken from the tables and the message types; nothing is written down twice.
"""

from collections.abc import Iterable

from .envelope import Side
from .examples import example_envelope
from .messages import Message, NotUnderstood
from .schema import Schema, content_schemas, envelope_schema
from .tables import START, Protocol
from .vocabulary import BUSINESS_USE_CASE, Vocabulary

VERSION = "3.0.0"
ADDRESS = "gridpact/{run}/to/{receiver}/from/{sender}"
_PARAMETERS = {
    "run": {"description": "name of the run that the parties have agreed on"},
    "receiver": {"description": "agent that hears; it subscribes to `gridpact/{run}/to/NAME/from/+`"},
    "sender": {"description": "agent that speaks; it may publish under its own name only"},
}
GUIDE = """Agents of TSO, DSO, BSP and aggregator negotiate balancing services by FIPA interaction protocols.

**Roles.** An operation belongs to the role in its `x-role` and tag. A BSP implements the operations of role BSP; an
aggregator takes the role BSP too.

**Conversations.** All have two parties. The initiator assigns the id `initiator/stage/period/subject/peer` (five
non-empty parts without `#`). A message id is the conversation id, `#`, `i` or `r` (initiator or respondent), and the
number, from 0, of that side's messages in this conversation; so ids are the same if a message is sent again, and a
receiver drops what it has heard. Period and subject are the initiator's to choose; they keep its conversations with
one peer apart. `in_reply_to` is the id of the last message heard in the conversation. A message is
in turn if `x-protocols` has a step from the present state for that speaker and type; the conversation goes on in
`then`. A step marked `late` or `crossed` may be heard in that state but not be said by somebody who stands there.

**Time.** Instants in a content are ISO 8601 texts with an offset; `reply_by_us` is integer microseconds since the Unix
epoch. When it passes in a state that has a silence, the side that waits goes on where the silence leads. It is that of
the last message of its own, or of an answer whose step is marked `puts_off`; that of other answers changes nothing.

**Errors.** Well-formed but not wanted: the protocol's refuse or reject-proposal, with the reason. Out of turn, unknown
type or version, or a content against its schema: `gridpact.not-understood/1` with the reason, which names what is
understood; its id is that of the message it answers, `!`, and the own name. It is never answered, and ends the
conversation if it is about the last message said.

**Signs.** Flexibility: + is up, more injection or less load. Units stand in the names of fields.

**Transport.** JSON in UTF-8, one envelope per message. Inside one process messages need no transport; `address` is the
topic that a broker carries them on (QoS 1, in order, sent again until acknowledged). Rows of a subscription travel on
`gridpact/{run}/stream/to/{receiver}/from/{sender}` (QoS 0); docs/many-hosts.md has presence, roll and plants."""


def asyncapi(vocabulary: Vocabulary = BUSINESS_USE_CASE, *, version: str) -> Schema:
    """The document for a vocabulary; `version` is that of the project."""
    protocols = [protocol for _, protocol in sorted(vocabulary.protocols.items())]
    messages = [vocabulary.messages[type_id] for type_id in sorted(vocabulary.messages)]
    contents, payloads = content_schemas(messages, "#/components/schemas/{model}")
    return {
        "asyncapi": VERSION,
        "info": {"title": "gridpact", "version": version, "description": GUIDE, "license": {"name": "MIT"}},
        "defaultContentType": "application/json",
        "channels": {key: channel for each in protocols for key, channel in _channels(each)},
        "operations": {key: operation for each in protocols for key, operation in _operations(each)},
        "components": {
            "schemas": {
                "envelope": envelope_schema(sorted(contents)),
                **{component(type_id): schema for type_id, schema in contents.items()},
                **payloads,
            },
            "messages": {component(each.type_id): _message(each, protocols) for each in messages},
        },
        "x-roles": {kind: sorted(roles) for kind, roles in sorted(vocabulary.roles.items())},
        "x-protocols": {each.name: table(each) for each in protocols},
    }


def component(type_id: str) -> str:
    """A type id as a key that AsyncAPI allows: `gridpact.offers/1` is `gridpact.offers.v1`."""
    return type_id.replace("/", ".v")


def table(protocol: Protocol) -> Schema:
    """A protocol's table as JSON values."""
    return {
        "fipa": protocol.fipa,
        "stage": protocol.stage,
        "initiator": protocol.initiator,
        "respondent": protocol.respondent,
        "start": START,
        "ends": sorted(protocol.final),
        "crossings": sorted(protocol.crossings),
        "steps": [
            {
                "state": step.state,
                "speaker": step.speaker.value,
                "type": step.message.type_id,
                "then": step.then,
                "late": step.late,
                "crossed": step.crossed,
                "puts_off": step.puts_off,
                "paper": protocol.paper.get(step.message),
            }
            for step in protocol.steps
        ],
        "silences": [
            {"state": silence.state, "waits": silence.waits.value, "then": silence.then}
            for silence in protocol.silences
        ],
    }


def _spoken(protocol: Protocol, side: Side) -> tuple[type[Message], ...]:
    """What a side may say, not-understood included."""
    said = (step.message for step in protocol.steps if step.speaker is side)
    return tuple(dict.fromkeys((*said, NotUnderstood)))


def _key(protocol: Protocol, side: Side) -> str:
    return f"{protocol.name}.{protocol.role_of(side)}-to-{protocol.role_of(side.other)}"


def _channels(protocol: Protocol) -> Iterable[tuple[str, Schema]]:
    for side in Side:
        speaker, hearer = protocol.role_of(side), protocol.role_of(side.other)
        names = [component(each.type_id) for each in _spoken(protocol, side)]
        yield (
            _key(protocol, side),
            {
                "address": ADDRESS,
                "title": f"{protocol.name}: {speaker} to {hearer}",
                "description": f"What the {side.value} ({speaker}) says in {protocol.name} ({protocol.fipa}).",
                "parameters": _PARAMETERS,
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
                "x-protocol": protocol.name,
                "x-speaker": {"role": speaker, "side": side.value},
                "x-hearer": {"role": hearer, "side": side.other.value},
            },
        )


def _operations(protocol: Protocol) -> Iterable[tuple[str, Schema]]:
    """Each channel is sent on by one role and received from by the other."""
    for side in Side:
        channel = _key(protocol, side)
        for action, role in (("send", protocol.role_of(side)), ("receive", protocol.role_of(side.other))):
            yield (
                f"{role}.{action}.{channel}",
                {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{channel}"},
                    "summary": f"{role} {'says' if action == 'send' else 'hears'} in {protocol.name}",
                    "tags": [{"name": role}, {"name": protocol.stage}],
                    "x-role": role,
                    "x-protocol": protocol.name,
                },
            )


def _message(message: type[Message], protocols: Iterable[Protocol]) -> Schema:
    its = {"const": message.type_id}, {"$ref": f"#/components/schemas/{component(message.type_id)}"}
    chosen = {"properties": dict(zip(("type", "content"), its, strict=True))}
    text = " ".join((message.__doc__ or "").split())
    users = [(protocol, side) for protocol in protocols for side in Side if message in _spoken(protocol, side)]
    paper = sorted({protocol.paper[message] for protocol, _ in users if message in protocol.paper})
    return {
        "name": message.type_id,
        "title": message.__name__,
        "summary": text.partition(". ")[0].partition("; ")[0],
        "description": text,
        "payload": {"allOf": [{"$ref": "#/components/schemas/envelope"}, chosen]},
        "tags": [{"name": message.performative.value}, *([{"name": message.info}] if message.info else [])],
        "examples": [{"name": users[0][0].name, "payload": example_envelope(users[0][0], message, users[0][1])}],
        "x-performative": message.performative.value,
        "x-info": message.info,
        "x-steps": paper,
        "x-protocols": sorted({protocol.name for protocol, _ in users}),
    }
