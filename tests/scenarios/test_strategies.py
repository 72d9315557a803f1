"""Strategies are chosen by name: what is unknown or makes no sense is one sentence that says what would be right."""

from pathlib import Path
from typing import Any

import pytest

from gridpact.agents.strategies import ProportionalIntegral
from gridpact.scenarios.errors import ScenarioError
from gridpact.scenarios.extension import plugins
from gridpact.scenarios.extension.strategies import selected
from gridpact.scenarios.operation import assembly
from gridpact.scenarios.reading.loading import load_scenario, scenario_yaml

ODD = """
class Both:
    def bids(self, view): ...
    def terms(self, question): ...
class Odd:
    pass
class Fine:
    def __init__(self, much=1.0): self.much = much
    def bids(self, view): return ()
"""


PADDING = (
    'bidding strategy padding: there is no parameter "by"; its parameters are: factor, discount_eur_per_mwh, behind'
)


def refused(overrides: dict[str, str]) -> str:
    with pytest.raises(ScenarioError) as error:
        load_scenario("scenario-2", overrides)
    return str(error.value).partition(f"{next(iter(overrides.values()))}: ")[2]


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (
            "participants.bsp-a.strategy",
            "truthfull",
            'there is no bidding strategy "truthfull"; known are: increase-decrease, padding, truthful, withholding',
        ),
        ("participants.dso-north.strategy", "pi", 'there is no policy "pi"; known are: as-agreed'),
        ("participants.tso.strategy", "truthful", 'there is no controller "truthful"; known are: pi'),
        ("participants.agg-1.dispatch", "x", 'there is no dispatch "x"; known are: by-scheme'),
        (
            "participants.bsp-a.strategy",
            "{name: padding, parameters: {by: 2}}",
            PADDING,
        ),
        (
            "participants.bsp-a.strategy",
            "{name: padding, parameters: {factor: 0}}",
            "bidding strategy padding: factor is 0, but it must be at least 1",
        ),
        (
            "participants.agg-1.dispatch",
            "{name: by-scheme, parameters: {a: 1}}",
            'dispatch by-scheme: there is no parameter "a"; it has no parameters',
        ),
    ],
)
def test_a_wrong_choice_says_what_would_be_right(path: str, value: str, text: str) -> None:
    assert refused({path: value}) == f"{path}: {text}"


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("STRATEGIES = [Fine]", "STRATEGIES should be a dict of classes by name, but is list"),
        ("STRATEGIES = {'Fine One': Fine}", "cannot name a strategy"),
        ("STRATEGIES = {'odd': Odd}", 'STRATEGIES["odd"] is no strategy: a class with exactly one method of'),
        ("STRATEGIES = {'both': Both}", 'STRATEGIES["both"] is no strategy'),
        ("STRATEGIES = {'padding': Fine}", 'STRATEGIES["padding"]: this bidding strategy ships with gridpact'),
        ("NOTHING = 1", "it declares no PROTOCOLS, a tuple of tables"),
    ],
)
def test_a_plugin_of_wrong_strategies_says_what_would_be_right(declared: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(f"{ODD}\n{declared}\n")
    with pytest.raises(ScenarioError, match="plugin odd: ") as error:
        plugins.load_plugins(["odd"], [tmp_path])
    assert text in str(error.value)


def chosen(tmp_path: Path, text: str) -> Any:
    (tmp_path / "odd.py").write_text(ODD + "STRATEGIES = {'fine': Fine}\n")
    (tmp_path / "s.yaml").write_text(f"gridpact: 1\nname: s\nextends: scenario-2\nplugins: [odd]\n{text}\n")
    return load_scenario(tmp_path / "s.yaml")


def test_a_plain_class_of_a_plugin_gets_its_parameters(tmp_path: Path) -> None:
    scenario = chosen(tmp_path, "participants: {bsp-a: {strategy: {name: fine, parameters: {much: 2}}}}")
    strategy = selected(scenario, plugins.extensions(scenario))["bsp-a", "strategy"]
    assert (type(strategy).__name__, strategy.much) == ("Fine", 2)


def test_a_choice_is_recorded_with_the_scenario(tmp_path: Path) -> None:
    scenario = chosen(tmp_path, "participants: {bsp-a: {strategy: fine}}")
    (tmp_path / "again.yaml").write_text(scenario_yaml(scenario))
    assert load_scenario(tmp_path / "again.yaml").participants == scenario.participants


def test_without_parameters_the_controller_is_tuned_by_the_market() -> None:
    scenario = load_scenario("frequency-trip", {"market.afrr.beta": "0.3", "market.afrr.integration_s": "90"})
    assert selected(scenario, ())[scenario.tso, "strategy"] == ProportionalIntegral(0.3, 90.0)
    scenario = load_scenario("frequency-trip", {"participants.tso.strategy": "{name: pi, parameters: {beta: 0.1}}"})
    assert selected(scenario, ())[scenario.tso, "strategy"].beta == 0.1


def test_every_agent_gets_what_was_chosen_for_it() -> None:
    from gridpact.scenarios.operation import plants

    choice = {"participants.bsp-a.strategy": "withholding", "participants.dso-north.strategy.name": "as-agreed"}
    scenario = load_scenario("scenario-1-dso", choice)
    people = {agent.name: agent for agent in assembly.agents(scenario, plants.resources(scenario))}
    names = {name: type(people[name].profile.bidding).__name__ for name in ("bsp-a", "bsp-b")}  # type: ignore[attr-defined]
    assert names == {"bsp-a": "Withholding", "bsp-b": "Truthful"}


def test_padding_takes_more_of_a_cap_that_is_shared_pro_rata() -> None:
    from gridpact.agents.dso.studies import Validate
    from gridpact.grid.limits.allowing import Activation
    from gridpact.scenarios.operation import plants

    scenario = load_scenario("scenario-1-dso")
    studies = plants.laboratory(scenario, plants.resources(scenario)).studies["north"]

    def allowed(*sizes_mw: float) -> list[float]:
        names = ("unit-a", "unit-b", "unit-c")
        offers = tuple(Activation(n, ((n, 1.0),), mw) for n, mw in zip(names, sizes_mw, strict=True))
        found = Validate("north", offers, (scenario.time.first_delivery_us,), "prefix", "pro_rata").run(studies)
        return [each.p_mw for each in found]  # type: ignore[union-attr]

    truthful, padded = allowed(2.0, 2.0, 2.0), allowed(2.0, 2.0, 2.5)
    assert padded[2] > 1.1 * truthful[2]
    assert padded[0] < truthful[0]
    assert sum(padded) == pytest.approx(sum(truthful), abs=0.05)
