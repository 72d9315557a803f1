"""A record's messages and events, found by what they are about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

from ...protocols.errors import RemoteProtocolError
from ...protocols.vocabulary import Vocabulary
from ...protocols.wire import content_from
from ..description.schema import Scenario
from ..extension import plugins
from ..record.run import Run
from .findings import Row, Rows, moment_of
from .lookup import Lookup
from .streams import Streamed

GIVES_UP = frozenset({"gridpact.refuse/1", "gridpact.failure/1", "gridpact.not-understood/1"})


class Index:
    """Messages by type and conversation, events by step; by type only those whose content is valid."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.scenario: Scenario = run.scenario
        self.extensions = plugins.extensions(run.scenario)
        self.vocabulary = plugins.vocabulary_of(self.extensions)
        self.messages: Rows = run.message_rows
        self.events: Rows = run.event_rows
        by_type: dict[str, list[Row]] = defaultdict(list)
        by_step: dict[str | None, list[Row]] = defaultdict(list)
        self._by_conversation: dict[str, list[Row]] = defaultdict(list)
        for row in self.messages:
            if is_valid(row, self.vocabulary):
                by_type[row["type"]].append(row)
            self._by_conversation[row["conversation_id"]].append(row)
        for row in self.events:
            by_step[row["step"]].append(row)
        self._by_type = {kind: Lookup(rows, part="content", head="receiver") for kind, rows in by_type.items()}
        self._by_step = {step: Lookup(rows, part="evidence", head="agent") for step, rows in by_step.items()}

    def typed(self, *names: str, **content: object) -> list[Row]:
        """Messages of types (`gridpact.NAME/1`) whose content has these values, in order of sending."""
        return self._of_types(names, None, content)

    def told(self, receiver: str, *names: str, **content: object) -> list[Row]:
        """Messages to someone of types whose content has these values, in order of sending."""
        return self._of_types(names, receiver, content)

    def _of_types(self, names: tuple[str, ...], receiver: str | None, content: Mapping[str, object]) -> list[Row]:
        known = [self._by_type[kind] for name in names if (kind := f"gridpact.{name}/1") in self._by_type]
        found = [row for lookup in known for row in lookup.find(receiver, content)]
        return sorted(found, key=lambda row: int(row["sequence"])) if len(names) > 1 else found

    def in_period(self, period: str, name: str, receiver: str | None = None) -> list[Row]:
        """Messages of a type (to someone) in conversations about a market time unit, in order of sending."""
        return self._in_period.get((period, f"gridpact.{name}/1", receiver), [])

    @cached_property
    def _in_period(self) -> dict[tuple[str, str, str | None], list[Row]]:
        found: dict[tuple[str, str, str | None], list[Row]] = defaultdict(list)
        for kind, lookup in self._by_type.items():
            for row in lookup.rows:
                period = row["conversation_id"].split("/")[2]
                found[period, kind, None].append(row)
                found[period, kind, row["receiver"]].append(row)
        return found

    def caused(self, message_id: str, *names: str) -> list[Row]:
        """Messages of these types that another one has caused, in order of sending."""
        types = {f"gridpact.{name}/1" for name in names}
        return [row for row in self._by_cause.get(message_id, ()) if row["type"] in types]

    @cached_property
    def _by_cause(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for kind in self._by_type.values():
            for row in kind.rows:
                if row["caused_by"] is not None:
                    found[row["caused_by"]].append(row)
        return {cause: sorted(rows, key=lambda row: int(row["sequence"])) for cause, rows in found.items()}

    def said(self, conversation_id: str, *names: str) -> list[Row]:
        """Messages of a conversation, of these types."""
        types = {f"gridpact.{name}/1" for name in names}
        return [row for row in self._by_conversation.get(conversation_id, ()) if row["type"] in types]

    def noted(self, step: str | None, agent: str | None = None, /, **evidence: object) -> list[Row]:
        """Events of a step (by an agent) whose evidence has these values."""
        return self._by_step[step].find(agent, evidence) if step in self._by_step else []

    def controlled(self, offer_id: str) -> list[Row]:
        """Events of step 7.5 in which the TSO has ordered an offer."""
        return self._controlled.get(offer_id, [])

    @cached_property
    def _controlled(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.noted("7.5"):
            for offer_id in dict.fromkeys(one["offer_id"] for one in row["evidence"].get("ordered", ())):
                found[offer_id].append(row)
        return found

    def announced(self, dso: str, participant: str) -> list[Row]:
        """Acceptance notices to a DSO that name a participant."""
        return self._announced.get((dso, participant), [])

    @cached_property
    def _announced(self) -> dict[tuple[str, str], list[Row]]:
        found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in self.typed("acceptance-notice"):
            for participant in dict.fromkeys(offer["participant"] for offer in row["content"]["offers"]):
                found[row["receiver"], participant].append(row)
        return found

    def broken(self, conversation_id: str) -> bool:
        """Whether something of a conversation was lost, or one side gave up, so that nothing more is due."""
        rows = self._by_conversation.get(conversation_id, ())
        return any(row["received_at"] is None or row["type"] in GIVES_UP for row in rows)

    @cached_property
    def streams(self) -> Streamed:
        """The high-rate messages in the shape of negotiation messages, by conversation."""
        return Streamed(self.run)

    def kind(self, agent: str) -> str | None:
        """TSO, DSO, BSP or AGGREGATOR, or None if it takes no part."""
        who = self.scenario.participants.get(agent)
        taking_part = who is not None and (who.kind != "dso" or self.scenario.has_dso)
        return who.kind.upper() if who is not None and taking_part else None


def is_valid(row: Row, vocabulary: Vocabulary) -> bool:
    """Whether a message's content is what its type says."""
    try:
        content_from(row["type"], row["content"], vocabulary)
    except RemoteProtocolError:
        return False
    return True


def before(rows: Iterable[Row], at: str, key: str = "sent_at") -> list[Row]:
    """Those rows that are earlier than a time."""
    return [row for row in rows if row[key] is not None and moment_of(row[key]) < moment_of(at)]
