"""Times and addresses as they stand in a record, turned back into what the agents had: microseconds and envelopes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...protocols.envelope import Envelope
from ...protocols.information.quantities import instant
from ...protocols.messages import Message

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def times_us(times: Any) -> npt.NDArray[np.int64]:
    """A column or index of times, without gaps, as microseconds since the epoch; shape as given."""
    found: npt.NDArray[np.int64] = times.to_numpy(dtype="datetime64[us]").astype("int64")
    return found


def instant_or_none(text: str | None) -> int | None:
    """A recorded time as microseconds since the epoch; None where there was none."""
    return None if text is None else instant(text)


def envelope_of(row: Mapping[str, Any], content: Message) -> Envelope:
    """The envelope of a recorded row, with its content as a message."""
    texts = {name: str(row[name]) for name in ("id", "sender", "receiver", "protocol", "conversation_id")}
    answers = {name: row[name] for name in ("in_reply_to", "caused_by")}
    return Envelope(**texts, content=content, **answers, reply_by_us=instant_or_none(row["reply_by"]))
