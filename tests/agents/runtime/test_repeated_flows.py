"""One flow may say several messages at an instant: they travel together as they would one after the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gridpact.agents.runtime.inputs import Stream
from gridpact.agents.runtime.memory.recording import Sent
from gridpact.agents.runtime.messages.delays import Delays
from gridpact.agents.runtime.messages.exchange import Exchange, Links
from gridpact.agents.runtime.messages.queues import Queues
from gridpact.protocols.conversation import Conversation
from gridpact.protocols.envelope import Side, Topic
from gridpact.protocols.flow import Flow, Row, Volley, flow_of
from gridpact.protocols.information.activation import Measurement, MeasurementSubscription
from gridpact.protocols.messages import Agree
from gridpact.protocols.stages.activation import MEASUREMENTS

S = 1_000_000


def flow(name: str) -> Flow:
    topic = Topic("tso", "activation", "delivery", "measurements", name)
    ask = MeasurementSubscription(per_point=False, start=0, end=9)
    _, opening = Conversation(MEASUREMENTS, topic, Side.INITIATOR).say(ask, reply_by_us=9)
    says, _ = Conversation(MEASUREMENTS, topic, Side.RESPONDENT).hear(opening)[0].say(Agree())
    found = flow_of(says, Measurement, ("BSP", "TSO"))
    assert found is not None
    return found


FLOWS = [flow(name) for name in "abc"]
KINDS = {"a": "BSP", "b": "BSP", "c": "BSP", "tso": "TSO"}


class Kept:
    """Keeps rows, however they come."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def flowed(self, row: Row) -> None:
        self.rows.append(row)

    def volley(self, volley: Volley) -> None:
        self.rows += volley.rows(range(len(volley)))

    def stream(self, sent: Sent) -> None:
        raise AssertionError("nothing is said in an envelope")


def sent(cycles: list[list[int]], *, at_once: bool) -> list[Row]:
    """What an exchange makes of cycles in which the flows of these places speak, in that order."""
    kept, content = Kept(), Agree()
    numbers: dict[int, int] = {}
    exchange = Exchange(Links(seed=5, delay_sigma=2.0), KINDS, kept, lambda arrival, at_us: None)  # type: ignore[arg-type]
    for second, places in enumerate(cycles):
        said = []
        for place in places:
            numbers[place] = numbers.get(place, 0) + 1
            said.append((FLOWS[place], numbers[place]))
        parts = [said] if at_once else [[one] for one in said]
        for part in parts:
            streaming = Stream([one for one, _ in part], [number for _, number in part], [content] * len(part), [])
            streaming.causes.extend([None] * len(part))
            exchange.stream(streaming, second * S)
    return kept.rows


@given(st.lists(st.lists(st.integers(0, 2), min_size=16, max_size=24), min_size=1, max_size=5))
def test_what_one_flow_says_at_an_instant_keeps_its_order(cycles: list[list[int]]) -> None:
    assert sent(cycles, at_once=True) == sent(cycles, at_once=False)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=9), st.integers(1, 40))
def test_delays_of_a_flow_that_speaks_several_times_are_those_of_each_message(places: list[int], cycles: int) -> None:
    delays, numbers = Delays(3, 0.05, 0.3), dict.fromkeys(range(3), 0)
    flows = [FLOWS[place] for place in places]
    for _ in range(cycles):
        asked = []
        for place in places:
            asked.append(numbers[place])
            numbers[place] += 1
        expected = [delays.of(f"{FLOWS[place].prefix}{number}") for place, number in zip(places, asked, strict=True)]
        assert delays.of_all(flows, asked) == expected


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50)), min_size=1, max_size=12))
def test_messages_of_one_link_in_a_volley_arrive_in_order(drawn: list[tuple[int, int]]) -> None:
    flows, arrivals = tuple(FLOWS[place] for place, _ in drawn), [at_us for _, at_us in drawn]
    plain = Queues()
    one_by_one = [plain.after_others(flow.link, at_us) for flow, at_us in zip(flows, arrivals, strict=True)]
    assert Queues().in_order(flows, arrivals, 0) == one_by_one
