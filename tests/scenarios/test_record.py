"""A record is complete or not there, the same bytes for the same run, and opens as tables."""

import gzip
import json
import resource
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gridpact.agents.market.settlement import books
from gridpact.agents.runtime.memory.recording import Sent
from gridpact.protocols.envelope import Envelope
from gridpact.protocols.information.activation import Measurement, PointPower
from gridpact.protocols.information.settlement import StatementLine
from gridpact.protocols.messages import Agree
from gridpact.scenarios.audit import audit
from gridpact.scenarios.audit.index import Index
from gridpact.scenarios.errors import RecordError
from gridpact.scenarios.kpis.computing import compute_kpis
from gridpact.scenarios.operation.running import run
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.columns import DERIVED, EVENTS, MESSAGES, SETTLEMENT, STATES, STREAMS, TABLES, TELEMETRY
from gridpact.scenarios.record.documentation import document
from gridpact.scenarios.record.run import Run, load_run
from gridpact.scenarios.record.writer import RunWriter

Recorded = Callable[[str], Run]
START_US = 1_772_442_000_000_000
DOCS = Path(__file__).resolve().parents[2] / "docs" / "record.md"


def write(out: Path, ticks: int = 3) -> Run:
    """A small record by hand."""
    with RunWriter(load_scenario("blind"), out) as writer:
        envelope = Envelope("tso/offering/p/s/bsp-a#r0", "bsp-a", "tso", "offering", "tso/offering/p/s/bsp-a", Agree())
        writer.message(Sent(0, START_US, START_US + 50_000, envelope, "BSP", "TSO", "offering", None))
        writer.event(
            agent="tso", at_us=START_US, stage="offering", step="5.3", evidence={"b": -0.0, "a": (1.00000049,)}
        )
        for tick in range(ticks):
            at_us = START_US + tick * 4_000_000
            content = Measurement(
                participant="bsp-a",
                measured_at=at_us,
                p_mw=-0.0,
                q_mvar=0.1234567,
                activated_mw=1.0,
                baseline_mw=0.0,
                set_point_mw=1.0,
                points=(PointPower(point="a", p_mw=1.0, q_mvar=0.0),),
            )
            name = "tso/activation/delivery/measurements/bsp-a"
            stream = Envelope(f"{name}#r{tick}", "bsp-a", "tso", "measurements", name, content)
            writer.stream(
                Sent(None, at_us, None if tick == 1 else at_us + 1, stream, "BSP", "TSO", "activation", "7.3")
            )
            writer.telemetry(at_us, ("frequency_hz", "bsp-a.limit_up_mw"), (50 - 1e-7 * tick, float("nan")))
            writer.state("north", at_us, ("load.0.p_mw",), (1.0,))
            writer.journal("bsp-a", at_us, json.dumps(["Begin"]))
        writer.network("north", "{}")
        return load_run(writer.finish({"run_s": 1.0}))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    run = write(tmp_path / "run")
    assert list(run.messages.columns) == list(MESSAGES.names)
    assert run.messages["sent_at"][0] == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert run.event_rows[0]["evidence"] == {"b": 0.0, "a": [1.0]}
    assert list(run.streams.columns) == list(STREAMS.names)
    assert run.streams["received_at"].isna().tolist() == [False, True, False]
    assert run.streams["q_mvar"].tolist() == [0.123457] * 3
    assert run.telemetry["frequency_hz"].tolist() == [50.0, 50.0, 50.0]
    assert run.telemetry["bsp-a.limit_up_mw"].isna().all()
    assert [row["input"] for row in run.journal_rows()] == [["Begin"]] * 3
    assert run.scenario.gridpact_version is not None
    assert run.timing == {"run_s": 1.0}


def test_the_outline_of_the_telemetry_is_what_the_kpis_look_at_and_no_more(recorded: Recorded) -> None:
    whole, again = recorded("scenario-1-dso"), Run(recorded("scenario-1-dso").folder)
    outline = again.outline
    left = set(whole.telemetry) - set(outline)
    assert outline.equals(whole.telemetry[list(outline)])
    assert {"bsp-a.p_mw", "bsp-a.applied_mw"} < left
    assert not {"at", "frequency_hz", "north.violations", "bsp-a.set_point_mw", "dso-north.set_point_mw"} & left
    assert compute_kpis(Index(again)) == compute_kpis(Index(whole)) == dict(whole.kpis)
    assert "telemetry" not in vars(again)


def test_equal_runs_are_equal_bytes(tmp_path: Path) -> None:
    one, two = bytes_of(write(tmp_path / "a" / "run", 9000).folder), bytes_of(write(tmp_path / "other", 9000).folder)
    assert one == two
    assert not any(str(tmp_path).encode() in content for content in one.values())


def test_a_run_is_replaced_and_nothing_half_written_stays(tmp_path: Path) -> None:
    write(tmp_path / "run")
    run = write(tmp_path / "run", ticks=1)
    assert len(run.streams) == 1
    with pytest.raises(ZeroDivisionError), RunWriter(load_scenario("blind"), tmp_path / "run"):
        raise ZeroDivisionError
    assert len(load_run(tmp_path / "run").streams) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("kind", ["a file", "a folder with files", "a run with a file of the user's"])
def test_what_is_no_run_is_never_overwritten(kind: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if kind == "a file":
        out.write_text("mine")
    elif kind == "a folder with files":
        out.mkdir()
        (out / "notes.txt").write_text("mine")
    else:
        write(out)
        (out / "notes.txt").write_text("mine")
    before = out.read_bytes() if out.is_file() else bytes_of(out)
    with pytest.raises(RecordError, match="name another one with --out"):
        RunWriter(load_scenario("blind"), out)
    assert before == (out.read_bytes() if out.is_file() else bytes_of(out))


def overfill(out: Path, *, realtime: bool) -> None:
    """A record that this process may not write in full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with RunWriter(load_scenario("blind"), out, realtime=realtime) as writer:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            for k in range(20):
                writer.event(agent="tso", at_us=k, stage="offering", step=None, evidence={"x": "y" * 10_000})
            writer.close()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("realtime", [False, True])
def test_a_disk_that_is_full_is_told_in_a_sentence_and_the_earlier_run_stays(realtime: bool, tmp_path: Path) -> None:
    before = bytes_of(write(tmp_path / "run").folder)
    with pytest.raises(RecordError, match="run: the record cannot be written: file too large; nothing is kept"):
        overfill(tmp_path / "run", realtime=realtime)
    assert bytes_of(tmp_path / "run") == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_column_that_comes_later_is_an_error(tmp_path: Path) -> None:
    with RunWriter(load_scenario("blind"), tmp_path / "run") as writer:
        writer.telemetry(START_US, ("frequency_hz",), (50.0,))
        with pytest.raises(ValueError, match="ace_mw is new"):
            writer.telemetry(START_US + 1, ("frequency_hz", "ace_mw"), (50.0, 0.0))


def test_evidence_that_json_cannot_say_is_an_error(tmp_path: Path) -> None:
    with RunWriter(load_scenario("blind"), tmp_path / "run") as writer, pytest.raises(TypeError, match="set"):
        writer.event(agent="tso", at_us=START_US, stage="offering", step=None, evidence={"x": {1, 2}})


@pytest.mark.parametrize("name", ["messages.jsonl", "telemetry.parquet", "scenario.yaml", "kpis.json"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    run = write(tmp_path / "run")
    (run.folder / name).unlink()
    with pytest.raises(RecordError, match=f"{name}: this file of the run is missing"):
        load_run(run.folder)


def test_a_damaged_file_is_named_with_its_line(tmp_path: Path) -> None:
    run = write(tmp_path / "run")
    (run.folder / "events.jsonl").write_bytes((run.folder / "events.jsonl").read_bytes() + b'{"sequence": 1}\n')
    with pytest.raises(RecordError, match=r"events\.jsonl:2: this line is damaged: it should be an object"):
        _ = load_run(run.folder).event_rows
    (run.folder / "messages.jsonl").write_bytes(bytes(range(256)))
    with pytest.raises(RecordError, match=r"messages\.jsonl:1: this line is damaged"):
        _ = load_run(run.folder).message_rows
    (run.folder / "streams.parquet").write_bytes(b"PAR1")
    with pytest.raises(RecordError, match=r"streams\.parquet: this file is damaged"):
        _ = load_run(run.folder).streams
    with gzip.open(run.folder / "journal.jsonl.gz") as opened:
        content = opened.read()
    (run.folder / "journal.jsonl.gz").write_bytes(gzip.compress(content)[:-20])
    with pytest.raises(RecordError, match=r"journal\.jsonl\.gz: this file is damaged"):
        list(load_run(run.folder).journal_rows())


def test_whatever_a_payment_is_settled_on_is_described(recorded: Recorded) -> None:
    described = {column.name: column.meaning for column in SETTLEMENT.columns}
    line = StatementLine(
        offer_id="o",
        product="aFRR",
        direction="up",
        settled_on="metered",
        energy_mwh=0.0,
        price_eur_per_mwh=50.0,
        amount_eur=Decimal("0.00"),
        missing_mwh=0.1,
        penalty_eur=Decimal("10.00"),
    )
    (penalty,) = [one for one in books("p", "tso", [("a", line)], "brp") if one.kind == "penalty"]
    for one in {penalty.settled_on, *recorded("frequency-trip").settlement["settled_on"].dropna()} - {""}:
        assert one in described["settled_on"]
    assert penalty.price_eur_per_mwh == 0.0
    assert "0: it has none, or it is a penalty" in described["price_eur_per_mwh"]


def test_the_description_of_the_record_is_up_to_date() -> None:
    assert DOCS.read_text("utf-8") == document()


def test_every_file_and_column_of_a_run_is_described(recorded: Recorded) -> None:
    run = recorded("scenario-2")
    for table in DERIVED:
        assert (run.folder / table.file).read_text().splitlines()[0] == ",".join(table.names)
    assert set(run.event_rows[0]) == set(EVENTS.names)
    described = {table.file for table in TABLES} | set(document().split("`"))
    for name in bytes_of(run.folder):
        assert name.replace("north", "<grid>") in described, name
    agents = sorted(run.scenario.participants, key=len, reverse=True)
    for name in run.telemetry.columns:
        owner, dot, quantity = name.rpartition(".")
        pattern = f"<{'agent' if owner in agents else 'grid'}>.{quantity}" if dot else name
        assert pattern in TELEMETRY.names, name
    for name in run.states().columns:
        parts = name.split(".")
        assert ".".join([parts[0], *(["<index>", parts[2]] if len(parts) == 3 else [])]) in STATES.names, name


def test_tables_have_units_and_types(recorded: Recorded) -> None:
    run = recorded("scenario-1-dso")
    assert str(run.offers["delivery_start"].dtype).startswith("datetime64")
    assert run.merit_order["allowed_mw"].dtype == "float64"
    assert len(run.limits) > 0
    assert (run.limits["confirmed_mw"] <= run.limits["max_mw"] + 1e-6).all()
    assert set(run.activations["ended_by"].dropna()) <= {"delivered", "superseded", "cancelled", "refused", "failed"}
    assert (run.merit_order["accepted_mw"] <= run.merit_order["allowed_mw"] + 1e-6).all()
    assert (run.merit_order["allowed_mw"] <= run.merit_order["offered_mw"] + 1e-6).all()


@pytest.mark.parametrize("at", ["12:36:00", "2026-03-02T12:36:01+01:00", datetime(2026, 3, 2, 11, 36, 2, tzinfo=UTC)])
def test_any_moment_opens_in_pandapower(at: datetime | str, recorded: Recorded) -> None:
    import pandapower

    run = recorded("blind")
    net = run.network(at)
    pandapower.runpp(net, numba=False)
    row = run.telemetry[run.telemetry["at"] == "2026-03-02T11:36:00Z"].iloc[0]
    worst = max(net.res_line["loading_percent"].max(), net.res_trafo["loading_percent"].max())
    assert worst == pytest.approx(row["north.worst_loading_percent"], abs=0.01)
    assert net.res_ext_grid["p_mw"].sum() == pytest.approx(row["north.interface_p_mw"], abs=1e-3)
    assert worst > 50


@pytest.mark.parametrize("at", ["09:00:00", "23:00", "2027-03-02T12:36:00Z", "noon", "2026-03-02T12:36:00"])
def test_a_moment_outside_the_record_is_refused(at: str, recorded: Recorded) -> None:
    with pytest.raises(RecordError, match=r"outside the record|is no time"):
        recorded("blind").network(at)


@pytest.mark.parametrize("at", ["12:75", "12:36:7", "1:2"])
def test_a_malformed_clock_time_is_refused_with_how_it_reads(at: str, recorded: Recorded) -> None:
    with pytest.raises(RecordError, match=f'clock time "{at}" must read HH:MM or HH:MM:SS'):
        recorded("blind").network(at)


def test_with_two_grids_one_must_be_named(recorded: Recorded, tmp_path: Path) -> None:
    shutil.copytree(recorded("blind").folder, tmp_path / "run")
    shutil.copy(tmp_path / "run" / "states" / "north.parquet", tmp_path / "run" / "states" / "south.parquet")
    with pytest.raises(RecordError, match=r"name one of its grids: north, south .*with --grid NAME"):
        load_run(tmp_path / "run").network("12:00")


def test_a_confirmed_limit_is_what_was_ordered_when_confirmed(recorded: Recorded) -> None:
    run = recorded("scenario-1-dso")
    points = run.telemetry.set_index("at").filter(like=".set_point_mw")
    for limit in run.limits.itertuples():
        ordered = points[f"{limit.participant}.set_point_mw"]
        assert ordered[ordered.index > limit.modified_at].iloc[0] == limit.confirmed_mw
    first = run.limits.iloc[0]
    before = points.loc[points.index < first["sent_at"], f"{first['participant']}.set_point_mw"].iloc[-1]
    assert before > first["max_mw"] == first["confirmed_mw"]


def test_an_unknown_grid_is_refused(recorded: Recorded) -> None:
    with pytest.raises(RecordError, match='no grid "south"; there are: north'):
        recorded("blind").network("12:00", "south")


def test_a_copied_run_opens_elsewhere(recorded: Recorded, tmp_path: Path) -> None:
    shutil.copytree(recorded("blind").folder, tmp_path / "copy")
    assert load_run(tmp_path / "copy").kpis == recorded("blind").kpis


def test_a_run_without_a_journal_says_how_to_get_one(recorded: Recorded, tmp_path: Path) -> None:
    text = (recorded("blind").folder / "scenario.yaml").read_text("utf-8")
    (tmp_path / "scenario.yaml").write_text(text.replace("journal: true", "journal: false"), "utf-8")
    with pytest.raises(RecordError, match=r"no journal was kept .*--set journal=true"):
        list(Run(tmp_path).journal_rows())


def test_inputs_are_not_kept_where_no_journal_is_wanted(tmp_path: Path) -> None:
    settings = {"swarm.bsps": "2", "swarm.aggregators": "0", "journal": "false"}
    done = run(load_scenario("swarm", settings), out=tmp_path / "run")
    with gzip.open(done.folder / "journal.jsonl.gz") as journal:
        assert journal.read() == b""
    assert audit(done).passed


def test_what_is_outside_the_record_is_told_by_the_scenario_s_own_clock(recorded: Recorded) -> None:
    with pytest.raises(RecordError, match=r"^2026-03-02T06:00:00\+01:00 is outside .* from 2026-03-02T10:00:00\+01:00"):
        recorded("blind").network("06:00")
