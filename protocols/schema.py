"""Messages as JSON Schema (draft 2020-12): for whoever wants to check or write them in another language.

    $defs    one schema per message type, keyed by its type id, and the payloads that they are made of
    itself   the envelope as it crosses a wire (`wire.py`): `type` decides which schema `content` follows

The schemas are pydantic's own, so they are what is validated, but for rules between fields (an end after its start),
which JSON Schema has no words for; those are checked on arrival and answered with not-understood.
"""

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from .messages import Message
from .vocabulary import BUSINESS_USE_CASE, Vocabulary

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
LONGEST = 1000
_MEMBERS = {
    "id": "conversation id, `#`, `i` (initiator) or `r` (respondent), and that side's running number from 0",
    "sender": "name of the agent that speaks",
    "receiver": "name of the agent it speaks to; nobody else hears it",
    "protocol": "name of the protocol's table",
    "conversation_id": "initiator/stage/period/subject/peer: five parts without `#`, assigned by the initiator",
    "in_reply_to": "id of the message of this conversation that is answered; null in an opening",
    "caused_by": "id of a message of another conversation that led to this one, or null",
    "reply_by_us": "microseconds since the Unix epoch (UTC) by which the next message is wanted, or null",
}
_OPTIONAL = frozenset({"in_reply_to", "caused_by"})


def message_schema(vocabulary: Vocabulary = BUSINESS_USE_CASE) -> Schema:
    """One document: valid for every envelope of the vocabulary, with every message type under `$defs`."""
    contents, payloads = content_schemas(vocabulary.messages.values(), "#/$defs/{model}")
    return {
        "$schema": DRAFT,
        "$id": "urn:gridpact:messages",
        "title": "gridpact messages",
        "description": "An envelope with its message, as one JSON object in UTF-8.",
        **envelope_schema(sorted(vocabulary.messages)),
        "allOf": [_chosen(type_id) for type_id in sorted(contents)],
        "$defs": {**{type_id: contents[type_id] for type_id in sorted(contents)}, **payloads},
    }


def content_schemas(messages: Iterable[type[Message]], reference: str) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """(schema of each message's content by type id, schemas of what they are made of by name).

    `reference` says where the latter will stand, as `#/$defs/{model}`.
    """
    types = list(messages)
    found, document = models_json_schema([(each, "validation") for each in types], ref_template=reference)
    definitions: dict[str, Schema] = dict(document.get("$defs", {}))
    contents = {}
    for each in types:
        name = found[each, "validation"]["$ref"].rpartition("/")[2]
        contents[each.type_id] = {
            **definitions.pop(name),
            "x-performative": each.performative.value,
            "x-info": each.info,
        }
    return contents, definitions


def envelope_schema(type_ids: list[str]) -> Schema:
    """The envelope of messages of these types, whatever is inside."""
    members: dict[str, Schema] = {name: _member(name, text) for name, text in _MEMBERS.items()}
    members["type"] = {"type": "string", "enum": type_ids, "description": "versioned type id of the content"}
    members["content"] = {"type": "object", "description": "the message, as its type says"}
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def _member(name: str, text: str) -> Schema:
    if name == "reply_by_us":
        return {"type": ["integer", "null"], "minimum": 0, "description": text}
    kind = ["string", "null"] if name in _OPTIONAL else "string"
    return {"type": kind, "minLength": 1, "maxLength": LONGEST, "description": text}


def _chosen(type_id: str) -> Schema:
    pointer = "#/$defs/" + type_id.replace("~", "~0").replace("/", "~1")
    is_it = {"properties": {"type": {"const": type_id}}, "required": ["type"]}
    return {"if": is_it, "then": {"properties": {"content": {"$ref": pointer}}}}
