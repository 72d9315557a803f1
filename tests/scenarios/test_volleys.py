"""What many flows say at one instant is recorded as columns, and comes to what each message by itself comes to."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridpact.protocols.conversation import Conversation
from gridpact.protocols.envelope import Side, Topic
from gridpact.protocols.flow import Flow, Row, Volley, flow_of
from gridpact.protocols.information.activation import (
    Measurement,
    MeasurementSubscription,
    PointPower,
    SetPoint,
    SetPointSubscription,
)
from gridpact.protocols.information.sheet import Sheet
from gridpact.protocols.messages import Agree, Message
from gridpact.protocols.stages.activation import MEASUREMENTS, SET_POINTS
from gridpact.scenarios.record.columns import STREAMS
from gridpact.scenarios.record.parquet import fitting, schema_of
from gridpact.scenarios.record.streaming import stream_arrays
from gridpact.scenarios.record.volleys import by_column

SENT_US = 1_772_442_000_000_000
MEGAWATTS = st.floats(-5, 5)
POINTS = tuple(PointPower(point=f"bus-{number}", p_mw=number, q_mvar=-0.0) for number in range(2))


def flow(number: int) -> Flow:
    """Measurements of one participant, or set-points for it."""
    kind: type[Message]
    if number % 3:
        topic, kind = Topic("tso", "activation", "delivery", "measurements", f"bsp-{number}"), Measurement
        ask: Message = MeasurementSubscription(per_point=False, start=0, end=9)
    else:
        topic, kind = Topic(f"bsp-{number}", "activation", "delivery", "set-points", "tso"), SetPoint
        ask = SetPointSubscription(product="aFRR", start=0, end=9)
    protocol = MEASUREMENTS if kind is Measurement else SET_POINTS
    _, opening = Conversation(protocol, topic, Side.INITIATOR).say(ask, reply_by_us=9)
    says, _ = Conversation(protocol, topic, Side.RESPONDENT).hear(opening)[0].say(Agree())
    found = flow_of(says, kind, ("BSP", "TSO"))
    assert found is not None
    return found


FLOWS = [flow(number) for number in range(7)]


@st.composite
def measurements(draw: Any, at_us: int = SENT_US) -> Measurement:
    powers = {name: draw(MEGAWATTS) for name in ("p_mw", "q_mvar", "activated_mw", "baseline_mw", "set_point_mw")}
    points = draw(st.sampled_from([(), POINTS, POINTS[:1]]))
    return Measurement(participant=draw(st.sampled_from("ab")), measured_at=at_us, points=points, **powers)


@st.composite
def contents(draw: Any, flows: tuple[Flow, ...]) -> list[Message]:
    """Of each flow's kind; several may say the same object."""
    told: dict[type[Message], list[Message]] = {
        Measurement: draw(st.lists(measurements(), min_size=1, max_size=3)),
        SetPoint: [SetPoint(product="aFRR", power_mw=mw) for mw in draw(st.lists(MEGAWATTS, min_size=1, max_size=3))],
    }
    return [draw(st.sampled_from(told[one.kind])) for one in flows]


@st.composite
def sheets(draw: Any, many: int) -> Sheet:
    """Some participants may have several listeners, and others none."""
    said = tuple(draw(st.lists(measurements(SENT_US - 5), min_size=1, max_size=4)))
    who = draw(st.lists(st.integers(0, len(said) - 1), min_size=many, max_size=many))
    return Sheet(SENT_US, said, who)


@st.composite
def volleys(draw: Any) -> Volley:
    flows = tuple(draw(st.lists(st.sampled_from(FLOWS), min_size=1, max_size=6)))
    if all(one.kind is Measurement for one in flows) and draw(st.booleans()):
        said: Any = draw(sheets(len(flows)))
    else:
        said = draw(contents(flows))
    causes = draw(st.lists(st.sampled_from([None, "a#i1"]), min_size=len(flows), max_size=len(flows)))
    received = draw(st.lists(st.sampled_from([None, SENT_US + 7]), min_size=len(flows), max_size=len(flows)))
    return Volley(flows, list(range(len(flows))), said, causes, SENT_US, received)


def table(streamed: list[Any]) -> Any:
    schema = schema_of(STREAMS)
    arrays = [array.cast(field.type) for array, field in zip(stream_arrays(streamed), schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema).to_pylist()


def rows_of(streamed: list[Volley | Row]) -> list[Row]:
    return [
        row for one in streamed for row in ([one] if isinstance(one, Row) else [one.row(k) for k in range(len(one))])
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(streamed=st.lists(volleys(), min_size=1, max_size=4), apart=st.integers(0, 4))
def test_volleys_are_recorded_as_their_rows_are(
    streamed: list[Volley], apart: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridpact.scenarios.record.volleys.LEAST_TOLD", 1)
    mixed: list[Volley | Row] = [*streamed[:apart], *rows_of([*streamed[apart:]])]
    blocks = [by_column(volley) for volley in streamed]
    expected = [one for row in rows_of([*streamed]) for one in table([row])]
    assert table([*streamed]) == expected
    assert table(mixed) == expected
    assert table(blocks) == expected
    for written in (
        [*streamed],
        mixed,
        blocks,
    ):  # the bytes hang on the order of words, and must not hang on what was together
        for array in stream_arrays(written):
            if pa.types.is_dictionary(array.type):
                texts = [text for text in array.to_pylist() if text is not None]
                assert array.dictionary.to_pylist() == list(dict.fromkeys(texts))
    assert table([part for one in blocks for part in (one.part(slice(0, 2)), one.part(slice(2, 9))) if len(part)]) == (
        expected
    )


def test_connection_points_are_recorded_as_json_rounded_to_a_watt() -> None:
    odd, little = PointPower(point='bus "Ä"', p_mw=-1e-9, q_mvar=0.1 + 0.2), PointPower(point="b", p_mw=1e-6, q_mvar=-2)
    powers = dict.fromkeys(("p_mw", "q_mvar", "activated_mw", "baseline_mw", "set_point_mw"), 0.0)
    said = Measurement(participant="a", measured_at=0, points=(odd, little), **powers)
    row = table([Volley((FLOWS[1],), [0], [said], [None], SENT_US, [None])])[0]
    shown = [('bus "Ä"', 0.0, 0.3), ("b", 1e-06, -2.0)]
    assert row["points"] == json.dumps([{"point": name, "p_mw": p, "q_mvar": q} for name, p, q in shown])


def test_texts_become_words_only_where_they_are_wanted() -> None:
    texts = pa.array(["a", None, "a"])
    assert fitting(texts, pa.string()) is texts
    words = fitting(texts, pa.dictionary(pa.int32(), pa.string()))
    assert (words.dictionary.to_pylist(), words.to_pylist()) == (["a"], ["a", None, "a"])


def test_some_of_a_volley_by_themselves_are_its_rows() -> None:
    volley = Volley(tuple(FLOWS[1:3]), [4, 5], ["x", "y"], [None, "a#i1"], SENT_US, [None, SENT_US])  # type: ignore[list-item]
    assert volley.rows((1, 0)) == [volley.row(1), volley.row(0)]
