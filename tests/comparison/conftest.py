"""Two comparisons that several tests look at: with a bottleneck, at two scales of the forecast error; and without."""

import pytest

import gridpact
from gridpact.scenarios.comparison.comparing import Comparison
from gridpact.scenarios.loading import changed_scenario

SHORT = """
gridpact: 1
name: short
extends: scenario-1-dso
time: {start: 2026-03-02T10:30:00+01:00, first_delivery: 2026-03-02T12:30:00+01:00, market_time_units: 1, tail_min: 1}
ticks: {control_s: 10, measurement_s: 10, monitoring_s: 10}
market:
  test: {hold_min: 0.5}
area:
  disturbances:
    - {at: "12:28:00", mw: -8.5, name: loss of infeed}
grids:
  north:
    forecast_error: {load: {sigma_percent: 0}, wind: {sigma_percent: 0}, pv: {sigma_percent: 0}}
participants:
  bsp-a: {applies_at: "10:30:05"}
  bsp-b: {applies_at: "10:30:08"}
  bsp-c: {applies_at: "10:30:11"}
  agg-1: {applies_at: "10:30:14"}
  bsp-d: null
  bsp-e: null
  gen-t: {applies_at: "10:30:20"}
"""
WIDE = {
    "grids.north.limits": {"loading_percent": 400, "vm_min_pu": 0.8, "vm_max_pu": 1.2},
    "grids.north.protection": None,
}
SCHEMES = ("blind", "scenario-1", "scenario-1-dso-static", "scenario-1-dso", "scenario-2", "ideal")


@pytest.fixture(scope="session")
def congested(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """The worked example's bottleneck while the wind rises, as forecast (0) and by surprise (1)."""
    folder = tmp_path_factory.mktemp("congested")
    (folder / "short.yaml").write_text(SHORT)
    return gridpact.compare(
        folder / "short.yaml", errors=(0, 1), schemes=SCHEMES, out=folder / "out", workers=2, keep=True
    )


@pytest.fixture(scope="session")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """The same without any bottleneck."""
    folder = tmp_path_factory.mktemp("roomy")
    (folder / "short.yaml").write_text(SHORT)
    roomy = changed_scenario(folder / "short.yaml", WIDE)
    schemes = ("blind", "scenario-1", "scenario-1-dso", "ideal")
    return gridpact.compare(roomy, schemes=schemes, out=folder / "out", workers=2, keep=True)
