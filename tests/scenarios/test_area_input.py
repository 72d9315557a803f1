"""What a scenario says of its area and of containment reserve: refused with line and reason, or kept with the run."""

from pathlib import Path

import pytest

from gridpact.scenarios.description.files import RECORDED
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.operation import plants
from gridpact.scenarios.reading.loading import load_scenario
from gridpact.scenarios.record.writer import RunWriter

FCR = "market: {fcr: {need_mw: 2}}\n"
UNIT = "units: [{id: u, up_mw: 2, down_mw: 1}]"


def provider(more: str) -> str:
    return f"participants: {{f: {{kind: bsp, grid: transmission, {UNIT}, {more}}}}}"


OFFER = "fcr: {quantity_mw: 1, price_eur_per_mw_h: 9}"
BAD = {
    "FCR as a need with a direction": (
        "market: {needs: [{product: FCR, direction: up, quantity_mw: 2}]}",
        ":2: market.needs.0.product: FCR is symmetric capacity and has no direction: say it as market.fcr.need_mw",
    ),
    "FCR that nobody calls for": (
        provider(f"qualify: FCR, {OFFER}"),
        ":2: participants.f.fcr: f offers FCR, but nobody calls for it: market.fcr is missing",
    ),
    "a provider of FCR that offers none": (
        provider("qualify: FCR"),
        ":2: participants.f.qualify: f qualifies for FCR, so it must say what it offers of it under fcr",
    ),
    "FCR beside another product": (
        FCR + provider(OFFER),
        ":3: participants.f.fcr: f offers FCR, so qualify must be FCR, not mFRR",
    ),
    "more FCR than in both directions": (
        FCR + provider("qualify: FCR, fcr: {quantity_mw: 2, price_eur_per_mw_h: 9}"),
        ":3: participants.f.fcr.quantity_mw: f offers 2 MW of FCR, but u can do 1 MW in both directions",
    ),
    "FCR of a resource that is not there": (
        FCR + provider("qualify: FCR, fcr: {quantity_mw: 1, price_eur_per_mw_h: 9, resource: v}"),
        ":3: participants.f.fcr.resource: f: the resource of fcr is v;",
    ),
    "a call before all others": (
        "market: {fcr: {need_mw: 2, gate_closure_min: 60}}",
        ":2: market.fcr: the call for reserve, 75 min before it begins, comes before the first call for offers",
    ),
    "a file of disturbances that is not there": (
        "area: {recorded: {file: gone.csv}}",
        ":2: area.recorded.file: the file ",
    ),
    "a neighbour without a tie": (
        "area: {neighbours: {south: {ties: {}}}}",
        ":2: area.neighbours.south.ties: ties is empty",
    ),
    "a neighbour called like a participant's column": (
        "area: {neighbours: {tso: {ties: {own: 100}}}}",
        ':2: area.neighbours.tso: "tso" cannot name a neighbour: a participant or grid has that name',
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_scenario_is_refused_with_(kind: str, tmp_path: Path) -> None:
    text, wanted = BAD[kind]
    path = tmp_path / "bad.yaml"
    path.write_text(f"extends: worked-example\n{text}\n")
    with pytest.raises(ScenarioError) as told:
        load_scenario(path)
    assert f"{path}{wanted}" in str(told.value)


def test_a_file_of_disturbances_is_kept_with_the_run_and_found_again(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("at,mw\n12:00:00,-3\n")
    (tmp_path / "mine.yaml").write_text("extends: blind\nname: mine\narea: {recorded: {file: mine.csv}}\n")
    scenario = load_scenario(tmp_path / "mine.yaml")
    with RunWriter(scenario, tmp_path / "run") as writer:
        kept = load_scenario(writer.folder / "scenario.yaml")
        assert (writer.folder / RECORDED).read_text() == "at,mw\n12:00:00,-3\n"
        assert kept.located_area().recorded == kept.area.recorded.model_copy(
            update={"file": str(writer.folder / RECORDED)}
        )


def test_the_area_counts_on_the_reserve_that_is_bought() -> None:
    """K of the area control error: 80 MW/Hz of its own, 4 MW at 200 mHz bought, 10 MW/Hz of self-regulation."""
    scenario = load_scenario("frequency-trip", {"area.disturbances": "[{at: '10:00:00', mw: -9}]"})
    area = plants.area(scenario)
    reading = area.advance(scenario.time.start_us + 300_000_000, 0.0)
    assert reading.ace_mw == pytest.approx(110 * (reading.frequency_hz - 50), abs=1e-3)
