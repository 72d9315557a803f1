"""Forecasts as truth plus an error: by lead, correlated, biased, scaled; and the truth never in what a DSO holds."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from gridpact.grid.clock import QUARTER_US
from gridpact.grid.description.grid import GridDescription
from gridpact.grid.limits.allowing import Activation
from gridpact.grid.model import GridModel
from gridpact.grid.series.blocks import Window
from gridpact.grid.series.profiles import Profiles
from gridpact.grid.studies.studies import GridStudies

HOUR_US = 3_600_000_000
NOON_US = 12 * HOUR_US
Vary = Callable[..., GridDescription]


def described(vary: Vary, **error: Any) -> GridDescription:
    return vary(series={"source": "synthetic-day", "seed": 7}, profiles={}, forecast_error={"seed": 11} | error)


def relative_errors(profiles: Profiles, lead_us: int, days: int) -> np.ndarray[Any, Any]:
    instants = [k * QUARTER_US for k in range(96 * days)]
    expected = np.array([profiles.forecast(at, at - lead_us).load_p_mw for at in instants])
    actual = np.array([profiles.actual(at).load_p_mw for at in instants])
    return np.asarray(expected / actual - 1)


def test_errors_grow_with_the_lead_as_the_option_says(vary: Vary, model: GridModel) -> None:
    days = 40
    profiles = Profiles(model, described(vary), window=Window(end_us=days * 96 * QUARTER_US))
    found = {lead: relative_errors(profiles, lead * 60_000_000, days).std() for lead in (0, 15, 60, 240, 1440)}
    for lead, share in {0: 0.2, 15: 0.35, 60: 0.5, 240: 0.75, 1440: 1.0}.items():
        assert found[lead] == pytest.approx(0.05 * share, rel=0.12)


def test_errors_of_a_group_are_correlated_persist_and_have_their_bias(vary: Vary, model: GridModel) -> None:
    days, error = 40, {"load": {"sigma_percent": 5, "bias_percent": 3}}
    profiles = Profiles(model, described(vary, **error), window=Window(end_us=days * 96 * QUARTER_US))
    missed = relative_errors(profiles, 24 * HOUR_US, days)
    assert missed.mean() == pytest.approx(0.03, abs=0.006)
    between = np.corrcoef(missed.T)[np.triu_indices(missed.shape[1], 1)]
    assert between.mean() == pytest.approx(0.6, abs=0.08)
    in_time = [np.corrcoef(missed[:-1, k], missed[1:, k])[0, 1] for k in range(missed.shape[1])]
    assert np.mean(in_time) == pytest.approx(0.9, abs=0.03)


def test_a_forecast_depends_on_when_it_is_made_and_only_changes_at_its_leads(vary: Vary, model: GridModel) -> None:
    profiles = Profiles(model, described(vary))
    made = [profiles.forecast(NOON_US, NOON_US - minutes * 60_000_000) for minutes in (0, 1, 15, 16, 60, 600, 5000)]
    same = [a is b for a, b in pairwise(made)]
    assert same == [False, True, False, True, False, True]
    assert profiles.forecast(NOON_US) is made[0] is profiles.forecast(NOON_US, NOON_US + HOUR_US)


def test_the_scale_runs_from_perfect_to_twice_as_wrong(vary: Vary, model: GridModel) -> None:
    perfect, once, twice = (Profiles(model, described(vary, scale=scale)) for scale in (0, 1, 2))
    actual = perfect.actual(NOON_US).load_p_mw
    made_us = NOON_US - HOUR_US
    assert np.array_equal(perfect.forecast(NOON_US, made_us).load_p_mw, actual)
    single, double = (each.forecast(NOON_US, made_us).load_p_mw - actual for each in (once, twice))
    assert double == pytest.approx(2 * single)
    assert np.abs(single).min() > 0


def test_the_scale_also_counts_for_forecasts_that_the_scenario_gives(vary: Vary, model: GridModel) -> None:
    given = {"wind": {"forecast": 0.2, "actual": 1.0}}
    for scale, wind_mw in ((0, 1.5), (0.5, 0.9), (1, 0.3)):
        profiles = Profiles(model, vary(profiles=given, forecast_error={"scale": scale}))
        assert profiles.forecast(NOON_US, 0).sgen_p_mw[8] == pytest.approx(wind_mw)


def test_generation_stays_between_nothing_and_what_is_installed(vary: Vary, model: GridModel) -> None:
    profiles = Profiles(model, described(vary, scale=2, wind={"sigma_percent": 60, "of": "installed"}))
    installed = model.net.sgen.file_p_mw.to_numpy()
    for quarter in range(96):
        infeed = profiles.forecast(quarter * QUARTER_US, -HOUR_US * 24).sgen_p_mw
        assert (infeed >= 0).all()
        assert infeed[8] <= installed[8]
    assert profiles.forecast(0).sgen_p_mw[profiles.elements.pv].max() == 0.0


def test_errors_depend_on_seed_and_grid_and_on_nothing_that_was_asked_before(vary: Vary, model: GridModel) -> None:
    first, second, other = (Profiles(model, described(vary), grid_id=name) for name in ("north", "north", "south"))
    for quarter in (90, 3, 47):
        first.forecast(quarter * QUARTER_US)
    assert first.forecast(NOON_US, 0).same_as(second.forecast(NOON_US, 0))
    assert not first.forecast(NOON_US, 0).same_as(other.forecast(NOON_US, 0))


def reachable(root: object) -> Iterator[object]:
    """Everything that an object refers to, modules, classes and functions aside."""
    seen, pending = {id(root)}, [root]
    while pending:
        one = pending.pop()
        yield one
        if isinstance(one, type) or callable(one) or type(one).__name__ == "module":
            continue
        for other in gc.get_referents(one):
            if id(other) not in seen:
                seen.add(id(other))
                pending.append(other)


def test_no_study_can_reach_the_truth(vary: Vary, model: GridModel) -> None:
    description = described(vary)
    truth = Profiles(model, description)._truth.p_mw["load"]
    studies = GridStudies("", description, model.points)
    arrays = [one for one in reachable(studies) if isinstance(one, np.ndarray)]
    forecasts = [one for one in arrays if one.shape == truth.shape]
    assert len(forecasts) >= 5
    assert not any(np.allclose(one, truth, rtol=1e-9, atol=0) for one in forecasts)
    assert studies.description.series is None
    error = studies.description.forecast_error
    assert error is not None
    assert error.seed is None


def test_a_forecast_does_not_show_when_the_unexpected_happens(vary: Vary, model: GridModel) -> None:
    """Instants at which only the truth changes would give it away."""
    description = vary(profiles={"wind": {"forecast": 0.2, "actual": {"12:34:56": 1.0}}})
    studies = GridStudies("g", description, model.points)
    assert [course.starts_us.tolist() for course in studies._outlook._vintages.courses] == [[0]]


def test_a_validation_uses_the_forecast_of_its_time(vary: Vary, model: GridModel, abc: tuple[Activation, ...]) -> None:
    error = {"scale": 2, "seed": 1, "load": {"sigma_percent": 20}}
    description = vary(forecast_error=error, profiles={"load": {"forecast": 0.8}, "wind": {"forecast": 0.2}})
    studies = GridStudies("g", description, model.points)
    found = [studies.validate(abc, (NOON_US,), made_us=NOON_US - lead)[2].p_mw for lead in (0, HOUR_US, 24 * HOUR_US)]
    assert len(set(found)) == 3


def test_a_security_margin_allows_less_and_names_its_case(
    vary: Vary, model: GridModel, abc: tuple[Activation, ...]
) -> None:
    given = {"profiles": {"load": {"forecast": 0.8}, "wind": {"forecast": 0.2}}, "forecast_error": {"seed": 1}}
    allowed = []
    for quantile in (None, 0.8, 0.99):
        margin = {"security_margin": {"quantile": quantile}} if quantile else {}
        studies = GridStudies("g", vary(**given, **margin), model.points)
        allowed.append(studies.validate(abc, (NOON_US,), made_us=0)[2])
    assert allowed[0].p_mw > allowed[1].p_mw > allowed[2].p_mw
    assert allowed[2].binding is not None
    assert allowed[2].binding.case == "12:00:00, low load, high infeed"


def test_the_margin_s_cases_cover_the_error_as_often_as_its_quantile_says(vary: Vary, model: GridModel) -> None:
    """The margin covers the sum of all loads more often, because elements do not err together."""
    days = 30
    description = described(vary).model_copy(
        update={"security_margin": vary(forecast_error={}, security_margin={"quantile": 0.9}).security_margin}
    )
    profiles = Profiles(model, description, window=Window(end_us=days * 96 * QUARTER_US))
    inside = []
    for at in range(0, days * 96 * QUARTER_US, QUARTER_US):
        high, low = (case.load_p_mw for _, case in profiles.outlook.margin_cases(at, at - HOUR_US))
        actual = profiles.actual(at).load_p_mw
        inside.append((actual <= high, actual >= low))
    assert np.mean(inside) == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"forecast_error": {"scale": 2.5}}, "less than or equal to 2"),
        ({"forecast_error": {"lead_share": {60: 0.5, 0: 0.2}}}, "must ascend"),
        ({"forecast_error": {"lead_share": {0: 0.5, 60: 0.2}}}, "must not fall with the lead"),
        ({"security_margin": {"quantile": 0.9}}, "needs `forecast_error`"),
        ({"forecast_error": {}, "security_margin": {"quantile": 0.4}}, "greater than 0.5"),
        ({"series": "loads.xlsx"}, r'"loads.xlsx" is no series: name synthetic-day, simbench, or a file ending in'),
        ({"series": {"source": "a.csv", "zone": "Mars/Olympus"}}, "is no time zone"),
        ({"simbench": "1-MV-rural--0-sw"}, "exactly one of `network`"),
    ],
)
def test_a_wrong_description_is_refused(vary: Vary, change: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        vary(**change)
