"""The numbers of the worked example, which an expert will recompute: loadings, imports, allowed MW, real time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import run_power_flow
from gridpact.grid.limits.allowing import Activation, check
from gridpact.grid.model import GridModel
from gridpact.grid.network.points import ConnectionPoint
from gridpact.grid.plant.plant import GridPlant
from gridpact.grid.powerflow.solution import Solution
from gridpact.grid.series.profiles import Profiles
from gridpact.grid.studies.studies import GridStudies

POINTS = (ConnectionPoint("A", 9), ConnectionPoint("B", 11), ConnectionPoint("C", 8))
Vary = Callable[..., GridDescription]
HOUR_US = 3_600_000_000
NOON_US, AFTER_GUST_US = 12 * HOUR_US, 13 * HOUR_US


def loading(model: GridModel, solution: Solution, branch: str) -> float:
    return float(solution.loading_percent[0, model.ratings.branches.index(branch)])


@pytest.mark.parametrize(
    ("on", "line_3_8", "line_2_3", "import_mw"),
    [
        ("", None, 50.5, 34.869),
        ("A", 37.1, 20.3, 32.44),
        ("B", 37.1, 20.5, 32.446),
        ("AB", 83.0, 53.8, 30.117),
        ("ABC", 128.2, 97.3, 27.866),
    ],
)
def test_loadings_and_import_at_forecast_wind(
    model: GridModel, profiles: Profiles, on: str, line_3_8: float | None, line_2_3: float, import_mw: float
) -> None:
    solution = model.solve(profiles.forecast(NOON_US).with_changes(dict.fromkeys(on, 2.5)))
    assert line_3_8 is None or loading(model, solution, "line 3-8") == pytest.approx(line_3_8, abs=0.1)
    assert loading(model, solution, "line 2-3") == pytest.approx(line_2_3, abs=0.1)
    assert solution.interface_mva[0].sum().real == pytest.approx(import_mw, abs=0.002)


@pytest.mark.parametrize(
    ("on", "line_3_8", "line_2_3", "import_mw", "vm_max_pu"),
    [
        ("", None, 30.1, 33.693, 1.007),
        ("A", 59.2, 32.7, 31.31, 1.010),
        ("AB", 104.8, 74.6, 29.029, 1.033),
        ("ABC", 149.4, 118.2, 26.817, 1.053),
    ],
)
def test_loadings_import_and_voltage_with_the_actual_wind(
    plant: GridPlant, on: str, line_3_8: float | None, line_2_3: float, import_mw: float, vm_max_pu: float
) -> None:
    plant.advance(AFTER_GUST_US)
    for name in on:
        plant.set_point_power(name, 2.5)
    state = plant.solve()
    shown = dict(zip(plant.model.ratings.branches, state.loading_percent, strict=True))
    assert line_3_8 is None or shown["line 3-8"] == pytest.approx(line_3_8, abs=0.1)
    assert shown["line 2-3"] == pytest.approx(line_2_3, abs=0.1)
    assert state.interface_p_mw == pytest.approx(import_mw, abs=0.005)
    assert state.vm_max_pu == pytest.approx(vm_max_pu, abs=0.0006)


def test_the_offers_pass_separately_and_overload_together(
    studies: GridStudies, model: GridModel, profiles: Profiles, abc: tuple[Activation, ...]
) -> None:
    assert [allowed.p_mw for allowed in studies.prequalify(abc, "single")] == [2.5, 2.5, 2.5]
    worst = check(model, [("forecast", profiles.forecast(NOON_US))], abc)
    assert worst is not None
    assert (worst.element, worst.kind, worst.case) == ("line 3-8", "loading_percent", "forecast")
    assert worst.value == pytest.approx(128.2, abs=0.1)


@pytest.mark.parametrize(
    ("load", "b_mw", "element", "kind"),
    [(0.8, 2.23, "line 3-8", "loading_percent"), (0.4, 0.41, "bus 7", "vm_max_pu")],
)
def test_together_in_a_planning_case(
    vary: Vary, abc: tuple[Activation, ...], load: float, b_mw: float, element: str, kind: str
) -> None:
    description = vary(planning_cases=[{"name": "case", "load": load, "wind": 1.0}])
    a, b, c = GridStudies("dso", description, POINTS).prequalify(abc, "all")
    assert (a.p_mw, c.p_mw) == (2.5, 0.0)
    assert b.p_mw == pytest.approx(b_mw, abs=0.05)
    assert b.binding is not None
    assert (b.binding.element, b.binding.kind, b.binding.case) == (element, kind, "case")
    assert b.binding.value > b.binding.limit


@pytest.mark.parametrize(("wind_scale", "c_mw"), [(0.2, 0.93), (1.0 / 1.5, 0.23)])
def test_the_merit_order_at_the_forecast(
    vary: Vary, abc: tuple[Activation, ...], wind_scale: float, c_mw: float
) -> None:
    description = vary(profiles={"load": {"forecast": 0.8}, "wind": {"forecast": wind_scale}})
    allowed = GridStudies("dso", description, POINTS).validate(abc, (NOON_US, NOON_US + 900_000_000))
    assert [each.p_mw for each in allowed[:2]] == [2.5, 2.5]
    assert allowed[2].p_mw == pytest.approx(c_mw, abs=0.05)
    assert allowed[2].binding is not None
    assert allowed[2].binding.case == "12:00:00"


def test_wind_beyond_its_forecast_overloads_and_the_dearest_is_cut(plant: GridPlant, studies: GridStudies) -> None:
    ordered = {"A": 2.5, "B": 2.5, "C": 0.85}
    for name, p_mw in ordered.items():
        plant.set_point_power(name, p_mw)
    before = studies.assess(plant.readings(NOON_US), tuple(ordered.items()))
    assert before.worst_loading_percent == pytest.approx(98.5, abs=0.1)
    assert not before.violations
    readings = plant.readings(AFTER_GUST_US)
    after = studies.assess(readings, tuple(ordered.items()))
    assert after.worst_element == "line 3-8"
    assert after.worst_loading_percent == pytest.approx(120.1, abs=0.1)
    allowed = studies.curtail(readings, [Activation(n, ((n, 1.0),), p) for n, p in ordered.items()])
    assert [each.p_mw for each in allowed] == [2.5, pytest.approx(2.2, abs=0.05), 0.0]
    _assert_sound_after_the_cut(plant, {each.id: each.p_mw for each in allowed})


def test_down_offers_pass_alone_and_overload_in_pairs(model: GridModel, profiles: Profiles) -> None:
    state = profiles.forecast(NOON_US).with_taps((-2, -2))
    for on, percent in (({"L6"}, 80), ({"L6", "L10"}, 110), ({"L6", "L10", "L3"}, 142)):
        solution = model.solve(state.with_changes(dict.fromkeys(sorted(on), -1.5)))
        assert loading(model, solution, "line 2-3") == pytest.approx(percent, abs=1.0)
    assert solution.vm_pu[0, model.ratings.buses].min() == pytest.approx(0.941, abs=0.001)


def _assert_sound_after_the_cut(plant: GridPlant, allowed_mw: dict[str, float]) -> None:
    for name, p_mw in allowed_mw.items():
        plant.set_point_power(name, p_mw)
    net = plant.export(plant.snapshot(AFTER_GUST_US))
    assert run_power_flow(net)
    assert net.res_line.loading_percent.max() <= 100.0
