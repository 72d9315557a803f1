"""Two comparisons that several tests look at: with a bottleneck, at two scales of the forecast error; and without."""

from pathlib import Path
from typing import Any

import pytest
from workers import Here

import gridpact
from gridpact.scenarios.comparison.comparing import Comparison
from gridpact.scenarios.comparison.performing import Request, StatedPrices, perform
from gridpact.scenarios.comparison.schemes import chosen
from gridpact.scenarios.reading.loading import changed_scenario

SHORT = """
gridpact: 1
name: short
extends: scenario-1-dso
time: {start: 2026-03-02T11:00:00+01:00, first_delivery: 2026-03-02T12:30:00+01:00, market_time_units: 1, tail_min: 2}
ticks: {control_s: 20, measurement_s: 20, monitoring_s: 20}
market:
  test: {hold_min: 0.5}
area:
  disturbances:
    - {at: "12:28:00", mw: -8.5, name: loss of infeed}
grids:
  north:
    forecast_error: {load: {sigma_percent: 0}, wind: {sigma_percent: 0}, pv: {sigma_percent: 0}}
participants:
  bsp-a: {applies_at: "11:00:05"}
  bsp-b: {applies_at: "11:00:08"}
  bsp-c: {applies_at: "11:00:11"}
  agg-1: {applies_at: "11:00:14"}
  bsp-d: null
  bsp-e: null
  gen-t: {applies_at: "11:00:20"}
"""
WIDE = {
    "grids.north.limits": {"loading_percent": 400, "vm_min_pu": 0.8, "vm_max_pu": 1.2},
    "grids.north.protection": None,
}
SCHEMES = (
    "blind", "scenario-1", "scenario-1-dso-static", "scenario-1-dso", "scenario-2", "scenario-2-dso", "ideal",
)  # fmt: skip


@pytest.fixture(scope="session")
def congested(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """The worked example's bottleneck while the wind rises, as forecast (0) and by surprise (1)."""
    folder = tmp_path_factory.mktemp("congested")
    (folder / "short.yaml").write_text(SHORT)
    return gridpact.compare(
        folder / "short.yaml", errors=(0, 1), schemes=SCHEMES, out=folder / "out", workers=2, keep=True
    )


@pytest.fixture(scope="session")
def compared_here() -> Any:
    """Compare as `gridpact.compare` does, in this process: it finds everything done."""

    def compared(base: Any, schemes: tuple[str, ...], out: Path, **more: Any) -> Comparison:
        request = Request(
            base, chosen(schemes), (None,), more.get("seeds", (base.seed,)), StatedPrices(), out, keep=True
        )
        perform(request, Here(), lambda planned, done: None)
        return gridpact.compare(base, schemes=schemes, out=out, keep=True, **more)

    return compared


@pytest.fixture(scope="session")
def roomy(compared_here: Any, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """The same without any bottleneck."""
    folder = tmp_path_factory.mktemp("roomy")
    (folder / "short.yaml").write_text(SHORT)
    roomy = changed_scenario(folder / "short.yaml", WIDE)
    made: Comparison = compared_here(roomy, ("blind", "scenario-1", "scenario-1-dso", "ideal"), folder / "out")
    return made
