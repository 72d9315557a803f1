"""Bad input ends with exit code 2 and one sentence that says where, what, and what would be right."""

import json
import sys
from pathlib import Path

import pytest

from gridpact.scenarios.cli import main

SCENARIOS = {
    "a misspelt key": ("coordnation: {scheme: blind}", ":2: coordnation: unknown key; did you mean", '"coordination"'),
    "a misspelt key deep inside": ("grids: {north: {netwrk: x}}", ":2:", '"network"'),
    "a wrong unit in a value": (
        "participants:\n  bsp-a:\n    offers: [{direction: up, quantity_mw: 2 kW, price_eur_per_mwh: 60}]",
        ":4: participants.bsp-a.offers.0.quantity_mw",
        "in MW, here 0.002",
    ),
    "a wrong unit in a key": (
        "participants:\n  bsp-a:\n    offers: [{direction: up, quantity_kw: 2, price_eur_per_mwh: 60}]",
        ":4: participants.bsp-a.offers.0.quantity_kw: unknown key",
        '"quantity_mw"',
    ),
    "a patience that outlasts what is remembered": (
        "coordination: {lost_communication: {patience_s: 1800}}",
        ":2: coordination.lost_communication.patience_s: somebody silent is given up after 54",
        "is forgotten 1800 s after it",
    ),
    "an unknown bus": (
        "participants:\n  bsp-a:\n    units:\n      - {id: unit-a, bus: 99, up_mw: 2.5}",
        ":5: participants.bsp-a.units.0.bus",
        "bus 99 is not in the network",
    ),
    "a negative quantity": (
        "participants:\n  bsp-a:\n    offers: [{direction: up, quantity_mw: -2, price_eur_per_mwh: 60}]",
        ":4: participants.bsp-a.offers.0.quantity_mw",
        "must be above 0",
    ),
    "true for a number": ("ticks: {control_s: true}", ":2: ticks.control_s", "but it is True"),
    "true for a whole number": ("seed: true", ":2: seed", "but it is True"),
    "a bad date": ("time: {start: yesterday}", ":2: time.start", "2026-03-02T12:00:00+01:00"),
    "a date without zone": ("time: {start: 2026-03-02T10:00:00}", ":2: time.start", "time zone"),
    "the wrong year": (
        "time: {start: 2025-03-02T10:00:00+01:00, first_delivery: 2026-03-02T12:00:00+01:00}",
        ":2: time.first_delivery: first_delivery is 365 days after start",
        "at most 7",
    ),
    "a date that is a number": ("time: {start: 0}", ":2: time.start", "2026-03-02T12:00:00+01:00"),
    "a message that takes for ever": ("links: {delay_median_s: 1e12}", ":2: links.delay_median_s", "equal to 3600"),
    "delays beyond measure": ("links: {delay_sigma: 1e6}", ":2: links.delay_sigma", "equal to 5"),
    "an endless tail": ("time: {tail_min: 1e12}", ":2: time.tail_min", "equal to 1440"),
    "a bad clock time": ("grids: {north: {profiles: {wind: {forecast: {noon: 1}}}}}", ":2:", "HH:MM"),
    "a tick too small": ("ticks: {control_s: 0.01}", ":2: ticks.control_s", "between 0.1 and 60 s"),
    "an unknown scheme": ("coordination: {scheme: scenario-3}", ":2: coordination.scheme", "'scenario-2'"),
    "a delivery off the quarter-hour": (
        "time: {first_delivery: 2026-03-02T12:01:00+01:00}",
        ":2: time.first_delivery",
        "market time unit",
    ),
    "a delivery too early": (
        "time: {first_delivery: 2026-03-02T10:15:00+01:00}",
        ":2: time.first_delivery",
        "after start",
    ),
    "no time for the tests of prequalification": (
        "time: {first_delivery: 2026-03-02T11:15:00+01:00}",
        ":2: time.first_delivery: the tests in north take about 55 min",
        "first_delivery must be at least 27 min later",
    ),
    "more offered than the unit has": (
        "participants:\n  bsp-a:\n    offers: [{direction: up, quantity_mw: 3, price_eur_per_mwh: 60}]",
        ":4: participants.bsp-a.offers.0.quantity_mw",
        "can do 2.5 MW",
    ),
    "an operator of nothing": (
        "coordination: {scheme: scenario-2, operator: dso, resources: cvr}",
        ":2: coordination.operator: with resources cvr there are no units or pools to operate",
        "choose der or both",
    ),
    "an operator of what it cannot offer": (
        "coordination: {scheme: scenario-2, operator: dso}\nparticipants: {bsp-a: {qualify: aFRR, offers: []}}",
        ":3: participants.bsp-a.qualify: bsp-a qualifies for aFRR",
        "offers mFRR only",
    ),
    "a grid without DSO": (
        "participants: {dso-north: null}\ncoordination: {scheme: scenario-1}",
        ":3: coordination.scheme",
        "no DSO",
    ),
    "two TSOs": ("participants: {tso-2: {kind: tso}}", ":2:", "exactly 1"),
    "an unknown kind": ("participants: {x: {kind: utility}}", ":2: participants.x", "tso, dso, bsp, aggregator"),
    "an unknown grid": ("participants: {bsp-a: {grid: nort}}", ":2: participants.bsp-a.grid", '"north"'),
    "a plugin that is not there": ("plugins: [mine]", ":2: plugins: there is no plugin mine", "mine.py is not in"),
    "a plugin with a path": ("plugins: [../mine.py]", ":2: plugins", "write my_module, without path and .py"),
    "a plugin that is none": ("plugins: [json]", ":2: plugins: plugin json: it declares no PROTOCOLS", "templates"),
    "a key given twice": ("seed: 1\nseed: 2", ":3:", "given twice"),
    "a tab": ("time:\n\tmarket_time_units: 1", ":3:", "tab"),
    "broken YAML": ("time: [1", ":3:", "not valid YAML"),
    "a value where keys belong": ("grids: {north: {limits: 5}}", ":2: grids.north.limits", "such as loading_percent"),
    "what does not fit what it extends": (
        "grids: {north: {limits: {vm_min_pu: 1.2}}}",
        ":2: grids.north.limits",
        "must be below vm_max_pu 1.05",
    ),
    "a missing network file": (
        "grids: {north: {network: null, file: gone.json}}",
        ":2: grids.north.file",
        "cannot be read",
    ),
    "a network file that is none": ("grids: {north: {network: null, file: bad.yaml}}", ":2:", "no pandapower network"),
}


def refused(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["gridpact", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    told = capsys.readouterr().err
    assert exit_.value.code == 2
    assert "Traceback" not in told
    assert told.startswith("gridpact: ")
    return told


@pytest.mark.parametrize("kind", SCENARIOS)
def test_a_scenario_with_(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text, *wanted = SCENARIOS[kind]
    path = tmp_path / "bad.yaml"
    path.write_text(f"extends: worked-example\n{text}\n")
    told = refused(capsys, monkeypatch, "run", str(path), "--out", str(tmp_path / "out"))
    assert told.count("\n") == 1
    assert f"{path}:" in told
    for part in wanted:
        assert part in told
    assert not (tmp_path / "out").exists()


def test_a_mistake_in_an_extended_file_is_told_with_that_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "base.yaml").write_text("extends: blind\n\nseeed: 1\n")
    (tmp_path / "mine.yaml").write_text("extends: base.yaml\nseed: 2\n")
    told = refused(capsys, monkeypatch, "check", str(tmp_path / "mine.yaml"))
    assert f"{tmp_path / 'base.yaml'}:3: seeed: unknown key" in told


def test_every_mistake_is_told_by_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.yaml").write_text("extends: blind\nseeed: 1\nlinks: {loss: 2}\n")
    told = refused(capsys, monkeypatch, "check", str(tmp_path / "bad.yaml"))
    assert told.count("\n") == 2
    assert ":2: seeed" in told
    assert ":3: links.loss" in told


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("nowhere.yaml", "built-in are: afrr-day, blind"),
        ("scenario-1dso", 'did you mean "scenario-1-dso"'),
        (".", "folder"),
    ],
)
def test_a_file_that_is_none(
    name: str, wanted: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wanted in refused(capsys, monkeypatch, "run", name)


@pytest.mark.parametrize("content", [bytes(range(256)), b"name: x\x00y", b"\xff\xfe"])
def test_a_binary_file(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.yaml").write_bytes(content)
    assert "x.yaml:1: this is a binary file" in refused(capsys, monkeypatch, "run", str(tmp_path / "x.yaml"))


@pytest.mark.parametrize("text", ["", "- 1", "only words"])
def test_a_file_without_a_mapping(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.yaml").write_text(text)
    assert "a scenario is a mapping" in refused(capsys, monkeypatch, "check", str(tmp_path / "x.yaml"))


def test_files_that_extend_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    assert "in a circle" in refused(capsys, monkeypatch, "check", str(tmp_path / "a.yaml"))


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("coordination.shceme=blind", 'did you mean "scheme"'),
        ("coordnation.scheme=blind", 'did you mean "coordination"'),
        ("market.needs.7.quantity_mw=1", "index from 0 to 1"),
        ("participants.bsp-q.grid=north", "did you mean"),
        ("market.needs.0.quantity_mw=2 kW", "here 0.002"),
        ("name.x=1", "single value"),
        ("seed", "PATH=VALUE"),
        ("seed=-1", "greater than or equal to 0"),
    ],
)
def test_a_bad_setting_names_the_option(
    setting: str, wanted: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refused(capsys, monkeypatch, "run", "blind", "--set", setting)
    assert f"--set {setting}" in told
    assert wanted in told


def test_a_folder_that_is_no_run_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    told = refused(capsys, monkeypatch, "run", "blind", "--out", str(tmp_path))
    assert "other files than a run" in told
    assert (tmp_path / "thesis.tex").read_text() == "mine"


@pytest.mark.parametrize("command", ["audit", "diagram", "network"])
def test_a_folder_that_is_no_run(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ["--at", "12:00", "--out", str(tmp_path / "net.json")] if command == "network" else []
    assert "no run directory" in refused(capsys, monkeypatch, command, str(tmp_path), *more)


@pytest.mark.parametrize(
    ("manifest", "wanted"),
    [
        (json.dumps({"format": "gridpact-run", "format_version": 0, "files": {}}), "an older one"),
        (json.dumps({"format": "gridpact-run", "format_version": 99, "files": {}}), "another one"),
        (json.dumps({"format": "other"}), "no run of gridpact"),
        (json.dumps({"format": "gridpact-run", "format_version": 2}), "lists no files"),
        ("{", "damaged"),
        ("[]", "no run of gridpact"),
    ],
)
def test_a_run_of_another_version_or_with_a_damaged_manifest(
    manifest: str, wanted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    told = refused(capsys, monkeypatch, "audit", str(tmp_path))
    assert f"{tmp_path / 'manifest.json'}:1:" in told
    assert wanted in told


def test_an_unknown_protocol(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'did you mean "offering"' in refused(capsys, monkeypatch, "diagram", "ofering")


@pytest.mark.parametrize(("name", "file"), [("window", "FILE"), ("mine.yaml", "mine.yaml")])
def test_a_protocol_of_a_plugin_without_its_scenario(
    name: str, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("gridpact: 1\n")
    assert f"plugins are known with --scenario {file}" in refused(capsys, monkeypatch, "diagram", name)
