"""What is compared: the same scenario under each way of working together, as settings laid on it.

blind · scenario-1 · scenario-1-dso · scenario-2     who validates, and when (docs/comparing.md)
scenario-2-dso                                       the same resources, operated by the DSO instead of BSPs
…-static                                             without limits in real time
…-pro-rata                                           what is scarce is shared by all instead of going to the first
ideal                                                no negotiation at all: the lower bound (`foresight.py`)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..description.schema import Scenario
from ..errors import ScenarioError, right_names
from ..reading.loading import changed_texts

IDEAL = "ideal"
Settings = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Variant:
    """One column of a comparison: its name, what it means, and what it changes, by dotted path in YAML."""

    name: str
    about: str
    settings: Settings = field(default_factory=dict)


def _scheme(name: str, about: str, suffix: str = "", **more: str) -> Variant:
    settings = {"coordination.scheme": name, "coordination.real_time_limits": "true"}
    return Variant(name + suffix, about, settings | {f"coordination.{key}": value for key, value in more.items()})


VARIANTS = (
    Variant("blind", "no DSO at all", {"coordination.scheme": "blind"}),
    _scheme("scenario-1", "static limits, and limits in real time"),
    _scheme("scenario-1", "static limits only", "-static", real_time_limits="false"),
    _scheme("scenario-1-dso", "every merit order list validated, and limits in real time", limit_split="merit_order"),
    _scheme("scenario-1-dso", "every merit order list validated", "-static", real_time_limits="false"),
    _scheme("scenario-1-dso", "what is scarce is shared by all", "-pro-rata", limit_split="pro_rata"),
    _scheme("scenario-2", "units by BSPs; the DSO offers demand response too", operator="bsps"),
    _scheme("scenario-2", "the same without limits in real time", "-static", operator="bsps", real_time_limits="false"),
    _scheme("scenario-2", "all in its grid offered by the DSO", "-dso", operator="dso"),
    _scheme(
        "scenario-2", "the same without limits in real time", "-dso-static", operator="dso", real_time_limits="false"
    ),
    Variant(
        IDEAL, "a common market with perfect foresight: the lower bound of cost", {"coordination.scheme": "scenario-2"}
    ),
)
NAMES = tuple(variant.name for variant in VARIANTS)


def chosen(names: Iterable[str] | None) -> tuple[Variant, ...]:
    """The variants of these names, in the order of the table (all if none is named). Raises ScenarioError."""
    wanted = tuple(names) if names is not None else NAMES
    for name in wanted:
        if name not in NAMES:
            raise ScenarioError(f'there is no scheme "{name}" to compare; {right_names(name, NAMES)}')
    return tuple(variant for variant in VARIANTS if variant.name in wanted)


def settings_of(variant: Variant, base: Scenario) -> dict[str, str]:
    """What a variant changes in a scenario: pro rata also shares the demand for aFRR so, if there is any."""
    regulated = any(need.product == "aFRR" for need in base.market.needs)
    shared = variant.name.endswith("-pro-rata") and regulated
    return {**variant.settings, **({"market.afrr.distribution": "pro_rata"} if shared else {})}


def error_settings(base: Scenario, scale: float) -> dict[str, str]:
    """Settings that scale every grid's forecast error; a grid that has none gets the default one."""
    given = {f"grids.{name}": grid.forecast_error for name, grid in base.grids.items()}
    if base.swarm is not None:
        given = {f"swarm.grids.{number}": grid.forecast_error for number, grid in enumerate(base.swarm.grids)}
    whole = f"{{scale: {scale!r}}}"
    return {
        f"{path}.forecast_error{'' if error is None else '.scale'}": whole if error is None else repr(scale)
        for path, error in given.items()
    }


def refusal(base: Scenario, settings: Settings) -> str | None:
    """Why a scenario cannot be run with some settings, in one sentence; None if it can."""
    try:
        changed_texts(base, settings)
    except ScenarioError as error:
        return error.complaints[0]
    return None
