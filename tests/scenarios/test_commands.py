"""The command line: what it prints, how it ends, and that it starts quickly."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import gridpact
from gridpact.scenarios.cli import main
from gridpact.scenarios.record.run import Run

Recorded = Callable[[str], Run]
COMMANDS = ("run", "list", "check", "audit", "network", "diagram", "replay", "schema", "diff", "sweep")


def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["gridpact", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 0
    return capsys.readouterr().out


def test_help_names_every_command_with_an_example(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(command in told(capsys, monkeypatch, "--help") for command in COMMANDS)
    for command in COMMANDS:
        assert f"gridpact {command}" in told(capsys, monkeypatch, command, "--help")


def test_list_names_the_built_in_scenarios(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = told(capsys, monkeypatch, "list").splitlines()
    shipped = sorted(path.stem for path in (Path(gridpact.__file__).parent / "scenarios" / "library").glob("*.yaml"))
    assert [line.split()[0] for line in lines] == [name for name in shipped if name != "worked-example"]
    assert {"blind", "scenario-1", "scenario-1-dso", "scenario-2", "swarm"} <= set(shipped)


@pytest.mark.parametrize("networks", [[], ["--networks"]])
def test_check_says_that_a_scenario_is_fine(
    networks: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "scenario-2: fine" in told(capsys, monkeypatch, "check", "scenario-2", *networks)


def test_starting_imports_nothing_heavy() -> None:
    heavy = "('pandapower', 'pandas', 'pyarrow', 'mango')"
    code = (
        f"import sys; from gridpact.scenarios import cli; from gridpact.scenarios.reading import loading"
        f"; assert not [m for m in {heavy} if m in sys.modules]"
    )
    code += "; loading.load_scenario('blind'); import gridpact; gridpact.load_scenario"
    code += f"; assert not [m for m in {heavy} if m in sys.modules]"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_run_prints_a_summary_and_where_the_record_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = str(tmp_path / "run")
    settings = ["--set", "time.market_time_units=1", "--set", "time.tail_min=2", "--seed", "7", "--tick", "10"]
    text = told(capsys, monkeypatch, "run", "scenario-1", "--out", out, *settings)
    for wanted in ("Qualified", "Merit order", "Activated", "Settled", "Key figures", f"record: {out}"):
        assert wanted in text
    scenario = gridpact.load_run(out).scenario
    assert (scenario.seed, scenario.ticks.control_s, scenario.ticks.monitoring_s) == (7, 10.0, 10.0)


def test_quiet_prints_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ["--set", "time.market_time_units=1", "--tick", "10", "--quiet"]
    assert told(capsys, monkeypatch, "run", "blind", "--out", str(tmp_path / "run"), *settings) == ""


def test_a_network_is_written_as_pandapower_json(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandapower

    out = tmp_path / "net.json"
    told(capsys, monkeypatch, "network", str(recorded("blind").folder), "--at", "12:08:40", "--out", str(out))
    net = pandapower.from_json(str(out))
    pandapower.runpp(net, numba=False)
    assert net.res_line["loading_percent"].max() > 128


def test_a_run_is_drawn_with_the_papers_steps(
    recorded: Recorded, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(recorded("scenario-1-dso").folder)
    short = told(capsys, monkeypatch, "diagram", folder)
    assert short.startswith("sequenceDiagram\n")
    for wanted in (
        "bsp_a->>tso: 4.1 application (INFO 1)",
        "Note over dso_north: 4.3",
        "tso->>dso_north: 6.4 merit-order-list (INFO 4)",
        "dso_north->>tso: 7.7 limit-request (INFO 8)",
        "bsp_a-)tso: 7.3 measurement (INFO 7), 901 messages",
        "period 20260302T1115Z: as 20260302T1100Z",
    ):
        assert wanted in short
    full = told(capsys, monkeypatch, "diagram", folder, "--full")
    assert len(full) > len(short)
    assert " as 20260302T1100Z" not in full


def test_a_protocol_is_drawn_with_its_states(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = told(capsys, monkeypatch, "diagram", "offering")
    assert "TSO->>BSP: cfp call-for-offers" in text
    assert "    called --> closed : silence" in text


def test_the_python_surface_runs_and_opens(tmp_path: Path) -> None:
    settings = {"time.market_time_units": 1, "time.tail_min": 2}
    run = gridpact.run("blind", out=tmp_path / "run", seed=3, coordination__scheme="blind", settings=settings)
    assert run.scenario.seed == 3
    assert gridpact.load_run(run.folder).kpis == run.kpis
    assert gridpact.__version__
    with pytest.raises(gridpact.ScenarioError, match='did you mean "seed"'):
        gridpact.run("blind", out=tmp_path / "run", sed=3)
