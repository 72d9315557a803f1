"""What a broken or hostile party may send: bytes and JSON values spoilt at random, seeded."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

EXTREMES: tuple[bytes, ...] = (
    b"NaN", b"-Infinity", b"1e999", b"-0.0", b"1e-320", b"9" * 400, b"9" * 5000, b"null", b"true", b'""', b"[]", b"{}",
    b'"\\ud800"', b'"\\u0000"', b'"\xff\xfe"', b"[" * 3000, b'{"a":' * 3000, b'"' + b"x" * 70_000 + b'"', b"\x00",
    b"\xef\xbb\xbf", b"0x10", b"1_000", b"'", b"//", b"\xf0\x9f\x92\xa9", b'"2026-02-30T99:99:99Z"',
    b'"9999-12-31T23:59:59.999999+14:00"', b'"0001-01-01T00:00:00Z"', b'"../../etc/passwd"', b'"__class__"',
    b'"+"', b'"#"', b'"$SYS/broker"',
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 2**200, 10**300, 0.1, -0.0, 1e308, 1e-320, "", " ", "x",
    "\x00", "/", "#", "+", "a/b/c/d/e", "x" * 161, "x" * 1001, "x" * 2001, "é" * 80, "\u202e", "tso", "bsp-a", "bsp-b",
    "dso-north", "plants", [], {}, [[]], [None], {"@": "Path"}, {"__class__": "x"}, "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "2026-03-02T11:00:00", "nan", "INFO 8", "up", "down",
)  # fmt: skip
Spoil = Callable[[Random, bytes], bytes]


def _place(choice: Random, text: bytes) -> tuple[int, int]:
    """Where to begin and to end a change."""
    begin = choice.randrange(len(text) + 1)
    return begin, min(len(text), begin + choice.choice((1, 1, 2, 8, 64)))


def _flip(choice: Random, text: bytes) -> bytes:
    spoilt = bytearray(text or b"x")
    for _ in range(choice.choice((1, 1, 2, 16))):
        spoilt[choice.randrange(len(spoilt))] ^= 1 << choice.randrange(8)
    return bytes(spoilt)


def _cut(choice: Random, text: bytes) -> bytes:
    begin, end = _place(choice, text)
    return text[:begin] + text[end:]


def _truncate(choice: Random, text: bytes) -> bytes:
    return text[: choice.randrange(len(text) + 1)]


def _repeat(choice: Random, text: bytes) -> bytes:
    begin, end = _place(choice, text)
    return text[:end] + text[begin:end] * choice.choice((1, 2, 50)) + text[end:]


def _insert(choice: Random, text: bytes) -> bytes:
    begin, _ = _place(choice, text)
    return (
        text[:begin] + choice.choice((choice.randbytes(choice.randrange(1, 9)), choice.choice(EXTREMES))) + text[begin:]
    )


def _noise(choice: Random, text: bytes) -> bytes:
    return choice.randbytes(choice.choice((0, 1, 7, len(text), 3000)))


BYTES: tuple[Spoil, ...] = (_flip, _cut, _truncate, _repeat, _insert, _noise)


def spoilt_bytes(choice: Random, text: bytes) -> bytes:
    """The text with a few random changes."""
    for _ in range(choice.choice((1, 1, 1, 2, 5))):
        text = choice.choice(BYTES)(choice, text)
    return text


def spoilt_value(choice: Random, value: Any) -> Any:
    """A JSON value with one random change somewhere in it; the value itself stays as it is."""
    copy = json.loads(json.dumps(value))
    holders = list(_holders(copy))
    holder = choice.choice(holders)
    key = choice.choice(list(holder) if isinstance(holder, dict) else range(len(holder))) if holder else None
    what = choice.choice(("replace", "replace", "replace", "drop", "add", "wrap", "double", "rename"))
    _change(choice, holder, key, what)
    return copy


def _holders(value: Any) -> list[Any]:
    """All objects and arrays in a value."""
    if isinstance(value, dict):
        return [value, *(inner for each in value.values() for inner in _holders(each))]
    if isinstance(value, list):
        return [value, *(inner for each in value for inner in _holders(each))]
    return []


def _change(choice: Random, holder: Any, key: Any, what: str) -> None:
    other = choice.choice(VALUES)
    if key is None or what == "add":
        _add(choice, holder, other)
    elif what == "drop":
        del holder[key]
    elif what == "wrap":
        holder[key] = choice.choice(([holder[key]], {"value": holder[key]}, str(holder[key])))
    elif what == "double" and isinstance(holder, list):
        holder.append(holder[key])
    elif what == "rename" and isinstance(holder, dict):
        holder[choice.choice(("x", "", "id", f"{key}_"))] = holder.pop(key)
    else:
        holder[key] = _nudged(choice, holder[key]) if choice.random() < 0.3 else other


def _add(choice: Random, holder: Any, other: Any) -> None:
    if isinstance(holder, dict):
        holder[choice.choice(("x", "", "type", "sender", "__proto__", "k" * 5000))] = other
    else:
        holder.extend([other] * choice.choice((1, 1, 300)))


def _nudged(choice: Random, value: Any) -> Any:
    """A value of the same kind, nearly."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return choice.choice((-value, value + 1, value * 1e6, value / 3, -0.0))
    if isinstance(value, str):
        return choice.choice((value.upper(), value + "0", value[:-1], value.replace("-", "_"), value * 40))
    return value


def encoded(value: Any) -> bytes:
    """A value as somebody careless writes it: with NaN, and with surrogates as escapes."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
