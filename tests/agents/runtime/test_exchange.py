"""The exchange: delay and loss by message, order kept on every link; the queue: time, phase, agent, kind, order."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gridpact.agents.runtime.happenings.queue import KIND_OF_INPUT, PHASE_OF_KIND, PLANT, TELEMETRY, EventQueue
from gridpact.agents.runtime.inputs import Alarm, Arrival, Begin, Chorus, Due, Reading, Result, Send
from gridpact.agents.runtime.memory.recording import Sent, Values
from gridpact.agents.runtime.messages.exchange import AsRecorded, Exchange, Links
from gridpact.protocols.conversation import Conversation
from gridpact.protocols.envelope import Envelope, Side, Topic
from gridpact.protocols.flow import Flow, Row, Volley
from gridpact.protocols.information.activation import Measurement
from gridpact.protocols.messages import Agree
from gridpact.protocols.stages.activation import MEASUREMENTS

KINDS = {"a": "BSP", "b": "BSP", "tso": "TSO"}


class Record:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def message(self, sent: Sent) -> None:
        self.sent.append(sent)

    def stream(self, sent: Sent) -> None:
        self.sent.append(sent)

    def event(
        self, *, agent: str, at_us: int, stage: str, step: str | None, evidence: Mapping[str, object]
    ) -> None: ...
    def flowed(self, row: Row) -> None: ...
    def volley(self, volley: Volley) -> None: ...
    def telemetry(self, at_us: int, names: tuple[str, ...], values: Values) -> None: ...
    def state(self, grid: str, at_us: int, names: tuple[str, ...], values: Values) -> None: ...
    def network(self, grid: str, json_text: str) -> None: ...
    def journal(self, agent: str, at_us: int, line: str) -> None: ...


def message(sender: str, number: int) -> Envelope:
    cid = f"{sender}/offering/Q1/x/tso"
    return Envelope(f"{cid}#i{number}", sender, "tso", "offering", cid, Agree())


def arrivals(envelopes: list[Envelope], **links: Any) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    exchange = Exchange(Links(7, **links), KINDS, Record(), lambda arrival, at: found.append((arrival.envelope.id, at)))
    for envelope in envelopes:
        exchange.send(Send(envelope, "offering", None), 1_000)
    return found


def test_a_delay_does_not_depend_on_who_speaks_first() -> None:
    one, two = [message("a", n) for n in range(5)], [message("b", n) for n in range(5)]
    assert sorted(arrivals(one + two)) == sorted(arrivals(two + one))


@given(st.integers(1, 30), st.floats(0.0, 2.0))
def test_order_is_kept_on_every_link(count: int, sigma: float) -> None:
    found = arrivals([message("a", n) for n in range(count)], delay_sigma=sigma)
    assert [at for _, at in found] == sorted(at for _, at in found)
    assert [name for name, _ in found] == [message("a", n).id for n in range(count)]


def test_what_is_lost_depends_on_the_seed_and_the_message_only() -> None:
    many = [message("a", n) for n in range(200)]
    kept = {name for name, _ in arrivals(many, loss=0.3)}
    assert kept == {name for name, _ in arrivals(many[::-1], loss=0.3)}
    assert 100 < len(kept) < 180


def test_a_lost_message_is_recorded_as_never_received_and_counted() -> None:
    record = Record()
    exchange = Exchange(Links(7, loss=1.0), KINDS, record, lambda arrival, at: None)
    exchange.send(Send(message("a", 0), "offering", None), 0)
    exchange.send(Send(message("a", 1), "offering", None), 0)
    assert [(s.sequence, s.received_at_us) for s in record.sent] == [(0, None), (1, None)]


def test_what_many_say_together_arrives_when_the_record_says_so() -> None:
    received_us = {f"a/x#r{number}": 700 + number for number in range(19)}  # the last one was lost
    topic, volleys = Topic("tso", "activation", "delivery", "measurements", "a"), []
    talk = Conversation(MEASUREMENTS, topic, Side.RESPONDENT, state="subscribed")
    flow = Flow(talk, Measurement, "activation", "7.3", ("BSP", "TSO"), ("a", "tso"), "a/x#r", 0)
    exchange = AsRecorded(received_us, KINDS, Record())
    exchange.mail_together = volleys.append
    exchange.chorus(Chorus((flow,) * 20, tuple(range(20)), (Agree(),) * 20, (None,) * 20), 500)
    assert list(volleys[0].received_us) == [*received_us.values(), None]


def test_an_arrival_at_the_deadline_is_in_time() -> None:
    assert KIND_OF_INPUT[Begin] < KIND_OF_INPUT[Arrival] < KIND_OF_INPUT[Reading]
    assert KIND_OF_INPUT[Reading] < KIND_OF_INPUT[Result] < KIND_OF_INPUT[Alarm] < KIND_OF_INPUT[Due]


def test_happenings_come_by_time_phase_agent_kind_and_then_as_put() -> None:
    queue, seen = EventQueue(0), []
    wanted = [
        (5, PLANT, "", 0),
        (5, PHASE_OF_KIND["DSO"], "dso", 1),
        (5, PHASE_OF_KIND["TSO"], "tso", 1),
        (5, PHASE_OF_KIND["TSO"], "tso", 5),
        (5, PHASE_OF_KIND["BSP"], "a", 1),
        (5, PHASE_OF_KIND["BSP"], "b", 0),
        (5, TELEMETRY, "", 0),
        (6, PLANT, "", 0),
    ]
    for key in reversed(wanted):
        at, phase, agent, rank = key
        queue.put(at, lambda _, key=key: seen.append(key), phase=phase, agent=agent, rank=rank)  # type: ignore[misc]
    while queue.next_time() is not None:
        queue.step()
    assert seen == wanted


def test_what_is_put_for_the_past_happens_now() -> None:
    queue, seen = EventQueue(10), []
    queue.put(3, seen.append, phase=0)
    queue.step()
    assert seen == [10]
