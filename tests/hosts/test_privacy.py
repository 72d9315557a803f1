"""What hosts know of a scenario, what they leave behind, and what the commands refuse."""

import json
import sys
from pathlib import Path

import pytest

from gridpact.scenarios.cli import main
from gridpact.scenarios.errors import RecordError, ScenarioError
from gridpact.scenarios.hosting.host import Share, share
from gridpact.scenarios.hosting.launching import shares
from gridpact.scenarios.hosting.merge import merge
from gridpact.scenarios.hosting.mosquitto import write_configuration
from gridpact.scenarios.hosting.part import PartWriter
from gridpact.scenarios.hosting.privacy import digest, private_values, public_values, read_private
from gridpact.scenarios.reading.loading import load_scenario

BSP_A = "participants: {bsp-a: {offers: [{product: mFRR, direction: up, quantity_mw: 2.0, price_eur_per_mwh: 1}]}}"


def test_the_public_scenario_holds_no_price_and_nothing_of_what_will_happen(handful: Path) -> None:
    text = json.dumps(public_values(load_scenario(handful)))
    assert 'price_eur_per_mwh": 60' not in text
    assert "loss of infeed" not in text
    assert "12:09:00" not in text


def test_public_and_private_parts_make_the_whole(handful: Path, tmp_path: Path) -> None:
    whole = load_scenario(handful)
    own = share(whole, ["*"])
    public, private = tmp_path / "public.yaml", tmp_path / "private.yaml"
    public.write_text(json.dumps(public_values(whole)), "utf-8")
    private.write_text(json.dumps(private_values(whole, own.agents, plants=own.plants)), "utf-8")
    laid = read_private(private, own.agents, plants=True)
    again = load_scenario(public, private=laid)
    assert again.model_dump() == whole.model_dump()
    assert digest(again) == digest(load_scenario(public)) == digest(whole)


RICH = """\
gridpact: 1
name: rich
title: ""
extends: frequency-trip
area:
  variation: {noise_mw: 0.123}
  recorded: {file: recorded.csv}
  neighbours: {east: {ties: {own: 300}, load_mw: 2000, variation: {noise_mw: 0.321}}}
grids:
  north:
    series: {source: synthetic-day, season: winter}
    forecast_error: {scale: 1.25}
    security_margin: {quantile: 0.9}
"""


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """A scenario with everything that is private to somebody."""
    (tmp_path / "recorded.csv").write_text("at,mw\n12:10:00,0.777\n", "utf-8")
    path = tmp_path / "rich.yaml"
    path.write_text(RICH, "utf-8")
    return path


def test_prices_of_reserve_recordings_and_what_forecasts_are_made_of_are_private(rich: Path, tmp_path: Path) -> None:
    whole = load_scenario(rich)
    text = json.dumps(public_values(whole))
    for told in ("0.123", "0.321", "recorded.csv", "winter", "1.25", "quantile", "power station", '_mw_h": 16'):
        assert told not in text
    public, private = tmp_path / "public" / "scenario.yaml", tmp_path / "private.yaml"
    public.parent.mkdir()
    public.write_text(text, "utf-8")
    private.write_text(json.dumps(private_values(whole, list(whole.participants), plants=True)), "utf-8")
    again = load_scenario(public, private=read_private(private, list(whole.participants), plants=True))
    assert again.located_area().recorded is not None
    assert Path(again.located_area().recorded.file) == rich.parent / "recorded.csv"
    assert again.model_dump(exclude={"area": {"recorded"}}) == whole.model_dump(exclude={"area": {"recorded"}})
    assert digest(again) == digest(load_scenario(public)) == digest(whole)


def test_the_host_of_a_dso_knows_what_its_forecasts_are_made_of_and_no_more(rich: Path, tmp_path: Path) -> None:
    values = private_values(load_scenario(rich), ["dso-north"], plants=False)
    assert list(values) == ["grids"]
    assert set(values["grids"]["north"]) == {"series", "forecast_error", "security_margin"}
    private = tmp_path / "private.yaml"
    private.write_text(json.dumps(values), "utf-8")
    assert read_private(private, ["dso-north"], plants=False, grids=["north"]).values == values
    with pytest.raises(ScenarioError, match="private to the host of the plants"):
        read_private(private, ["bsp-a"], plants=False)
    private.write_text("grids: {north: {profiles: {}}}\n", "utf-8")
    with pytest.raises(ScenarioError, match="private to the host of the plants"):
        read_private(private, ["dso-north"], plants=False, grids=["north"])


def test_a_host_with_nothing_private_of_a_grid_takes_nothing_from_the_public_one(handful: Path, tmp_path: Path) -> None:
    whole = load_scenario(handful)
    public, private = tmp_path / "public.yaml", tmp_path / "private.yaml"
    public.write_text(json.dumps(public_values(whole)), "utf-8")
    private.write_text(json.dumps(private_values(whole, ["dso-north"], plants=False)), "utf-8")
    laid = read_private(private, ["dso-north"], plants=False, grids=["north"])
    assert load_scenario(public, private=laid).grids["north"].network == whole.grids["north"].network


def test_a_host_reads_its_own_private_part_only(handful: Path, tmp_path: Path) -> None:
    private = tmp_path / "private.yaml"
    private.write_text(f"# mine\n{BSP_A}\n", "utf-8")
    with pytest.raises(ScenarioError, match=r"private.yaml:2: participants.bsp-a: bsp-a does not run on this host"):
        read_private(private, ["bsp-b"], plants=False)
    laid = read_private(private, ["bsp-a"], plants=False)
    assert load_scenario(handful, private=laid).providers["bsp-a"].offers[0].price_eur_per_mwh == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("area: {load_mw: 1}", "private to the host of the plants"),
        ("market: {min_bid_mw: 1}", "holds participants"),
        ("participants: [bsp-a]", "holds participants"),
    ],
)
def test_what_is_public_cannot_be_private(tmp_path: Path, text: str, why: str) -> None:
    private = tmp_path / "private.yaml"
    private.write_text(text, "utf-8")
    with pytest.raises(ScenarioError, match=f"private.yaml:1: .*{why}"):
        read_private(private, ["bsp-a"], plants=False)


def test_agents_are_named_by_patterns(handful: Path) -> None:
    scenario = load_scenario(handful)
    assert share(scenario, ["bsp-*"]) == Share(("bsp-a", "bsp-b", "bsp-c"), plants=False)
    assert share(scenario, ["gen-t", "ts?"]) == Share(("tso", "gen-t"), plants=True)
    with pytest.raises(ScenarioError, match=r'--agents bps-a: nobody in handful is called so; did you mean "bsp-a"'):
        share(scenario, ["bps-a"])


def test_plants_run_on_the_host_that_the_scenario_names(handful: Path) -> None:
    scenario = load_scenario(handful, {"hosting.plants": "dso-north"})
    assert [each.plants for each in shares(scenario, 3)] == [False, True, False]
    with pytest.raises(ScenarioError, match=r'hosting.plants: the plants run on the host of "dso", who is no'):
        load_scenario(handful, {"hosting.plants": "dso"})


@pytest.mark.parametrize("hosts", [1, 2, 3, 4, 6])
def test_every_agent_runs_on_one_host_and_the_plants_too(handful: Path, hosts: int) -> None:
    scenario = load_scenario(handful)
    split = shares(scenario, hosts)
    assert len(split) == hosts
    assert sorted(name for each in split for name in each.agents) == sorted(scenario.participants)
    assert [each.plants for each in split].count(True) == 1


def test_more_hosts_than_agents_are_refused(handful: Path) -> None:
    with pytest.raises(ScenarioError, match=r"--hosts 7: handful has 6 agents, so 1 to 6"):
        shares(load_scenario(handful), 7)


def part(handful: Path, folder: Path, agents: list[str], **about: object) -> Path:
    """The record of a host on which nothing has happened."""
    scenario = load_scenario(handful)
    told = {"agents": agents, "plants": "tso" in agents, "digest": "d", "run": "r", "columns": {}, **about}
    with PartWriter(scenario, folder) as writer:
        return writer.finish_part(told, {})


def test_a_merge_wants_the_records_of_all_hosts_of_one_run(handful: Path, tmp_path: Path) -> None:
    one = part(handful, tmp_path / "one", ["tso", "dso-north"])
    two = part(handful, tmp_path / "two", ["bsp-a", "bsp-b", "bsp-c"])
    other = part(handful, tmp_path / "other", ["gen-t"], run="another")
    changed = part(handful, tmp_path / "changed", ["gen-t"], digest="another")
    for folders, why in (
        ([one, two], "the record of gen-t is missing"),
        ([one, two, two], "the record of gen-t is missing"),
        ([one, two, other], "another: this host has run another run"),
        ([one, two, changed], "another public scenario"),
        ([one, two, tmp_path], "no record of one host"),
        ([], "name the record of every host"),
    ):
        with pytest.raises(RecordError, match=why.replace("another: ", "")):
            merge(folders, tmp_path / "merged")
    again = part(handful, tmp_path / "again", ["bsp-a", "gen-t"])
    with pytest.raises(RecordError, match="bsp-a: there are two records of it"):
        merge([one, two, again], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_the_record_of_a_host_is_no_run_yet_but_may_be_replaced(handful: Path, tmp_path: Path) -> None:
    from gridpact.scenarios.record.run import load_run

    folder = part(handful, tmp_path / "one", ["tso"])
    with pytest.raises(RecordError, match="this is no run of gridpact"):
        load_run(folder)
    assert part(handful, tmp_path / "one", ["bsp-a"]) == folder


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["host", "FILE", "--agents", "bps", "--broker", "mqtt://127.0.0.1:1"], "--agents bps: nobody in handful"),
        (["host", "FILE", "--agents", "bsp-a", "--broker", "http://x"], "--broker http://x: this is no address"),
        (["host", "FILE", "--agents", "bsp-a", "--broker", "mqtt://127.0.0.1:1"], "mqtt://127.0.0.1:1 fails"),
        (["host", "FILE", "--agents", "bsp-a", "--broker", "mqtt://x", "--run", "a b"], '"a b" cannot be a name'),
        (["host", "FILE", "--agents", "bsp-a", "--broker", "mqtt://x", "--speed", "0"], "--speed 0: it must be"),
        (["host", "FILE", "--agents", "bsp-a", "--broker", "mqtt://x", "--speed", "inf"], "--speed inf: it must be"),
        (["run", "FILE", "--hosts", "0"], "--hosts 0: handful has 6 agents"),
        (["run", "FILE", "--broker", "mqtt://x"], "--broker goes with --hosts"),
        (["merge", "nowhere", "--out", "merged"], "nowhere: there is no record of one host"),
        (["broker", "FILE", "--out", "."], "exists and holds other files than a configuration of ours"),
    ],
)
def test_a_command_that_cannot_be_carried_out_says_why_in_one_sentence(
    handful: Path,
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(handful.parent)
    monkeypatch.setattr(sys, "argv", ["gridpact", *(str(handful) if each == "FILE" else each for each in arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.count("\n") == 1
    assert sentence in said


def test_nobody_is_called_as_the_plants_are(handful: Path, tmp_path: Path) -> None:
    another = tmp_path / "another.yaml"
    unit = "{kind: bsp, grid: north, units: [{id: unit-p, bus: 4, up_mw: 0.1}]}"
    another.write_text(f"extends: scenario-1\nname: another\nparticipants: {{plants: {unit}}}\n", "utf-8")
    with pytest.raises(ScenarioError, match='"plants" is the plants\' own name on a broker'):
        write_configuration(load_scenario(another), tmp_path / "broker", host="localhost", port=8883)


def test_how_a_participant_bids_is_private_to_its_host(handful: Path) -> None:
    changed = load_scenario(handful, {"participants.bsp-a.strategy": "withholding"})
    assert "withholding" not in json.dumps(public_values(changed))
    private = private_values(changed, ("bsp-a",), plants=False)
    assert private["participants"]["bsp-a"]["strategy"]["name"] == "withholding"
    assert digest(changed) == digest(load_scenario(handful))
