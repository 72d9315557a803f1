"""The strategies of a scenario by name: those that ship, those of its plugins, and what each participant has chosen.

    strategy: {name, parameters} ─▶ class, by the kind of decision ─▶ instance, in the profile of its agent

What a class decides is seen from its method: `bids` (bidding), `terms` (a DSO's policy), `step` (the controller of
aFRR), `targets` (dispatch of a pool). Parameters are those of its constructor, and checked when the scenario is read.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from ...agents.strategies import AsAgreed, IncreaseDecrease, Padding, ProportionalIntegral, Truthful, Withholding
from ...grid.resources.dispatch import ByScheme
from ..description.chosen import Chosen
from ..description.participants import AggregatorDescription, DsoDescription, TsoDescription
from ..errors import ScenarioError

if TYPE_CHECKING:
    from ...agents.extension import Extension
    from ..description.schema import Scenario

Choices = Mapping[str, type[Any]]
BIDDING, POLICY, CONTROLLER, DISPATCH = "bidding strategy", "policy", "controller", "dispatch"
METHODS = {"bids": BIDDING, "terms": POLICY, "step": CONTROLLER, "targets": DISPATCH}
SHIPPED: Mapping[str, Choices] = {
    BIDDING: {
        "increase-decrease": IncreaseDecrease,
        "padding": Padding,
        "truthful": Truthful,
        "withholding": Withholding,
    },
    POLICY: {"as-agreed": AsAgreed},
    CONTROLLER: {"pi": ProportionalIntegral},
    DISPATCH: {"by-scheme": ByScheme},
}


def kind_of(strategy: type[Any]) -> str | None:
    """Which decision a class makes; None if it is no strategy, or would be two."""
    kinds = [kind for method, kind in METHODS.items() if callable(getattr(strategy, method, None))]
    return kinds[0] if len(kinds) == 1 else None


def known(kind: str, added: Iterable[Extension]) -> Choices:
    """The classes by name that make a kind of decision."""
    own = {name: strategy for each in added for name, strategy in each.strategies.items() if kind_of(strategy) == kind}
    return dict(sorted({**SHIPPED[kind], **own}.items()))


def chosen(scenario: Scenario) -> Iterator[tuple[tuple[str, str, str], str, Chosen]]:
    """(path, kind, choice) of everybody who may choose."""
    for name, who in scenario.participants.items():
        kinds = {TsoDescription: CONTROLLER, DsoDescription: POLICY}
        yield ("participants", name, "strategy"), kinds.get(type(who), BIDDING), who.strategy
        if isinstance(who, AggregatorDescription):
            yield ("participants", name, "dispatch"), DISPATCH, who.dispatch


def wrong_strategies(scenario: Scenario, added: Iterable[Extension]) -> Iterator[tuple[tuple[str, ...], str]]:
    """(path, what is wrong) of every choice that cannot be made."""
    added, fine = tuple(added), set[str]()
    for path, kind, choice in chosen(scenario):
        text = f"{kind} {choice.model_dump_json()}"
        try:
            if text not in fine:
                made(kind, choice, added)
            fine.add(text)
        except ScenarioError as error:
            yield path, str(error)


def selected(scenario: Scenario, added: Iterable[Extension]) -> dict[tuple[str, str], Any]:
    """The strategies by participant and key (strategy, dispatch); equal choices are one, for they are pure."""
    rules, made_so_far, found = scenario.market.afrr, dict[str, Any](), dict[tuple[str, str], Any]()
    tuning = {"beta": rules.beta, "integration_s": rules.integration_s}
    for (_, name, key), kind, choice in chosen(scenario):
        text = f"{kind} {choice.model_dump_json()}"
        if text not in made_so_far:
            made_so_far[text] = made(kind, choice, added, tuning if kind == CONTROLLER else None)
        found[name, key] = made_so_far[text]
    return found


def made(kind: str, choice: Chosen, added: Iterable[Extension], defaults: Mapping[str, Any] | None = None) -> Any:
    """The strategy; `defaults` are for the shipped default of a kind. ScenarioError says what would be right."""
    choices = known(kind, added)
    if choice.name not in choices:
        raise ScenarioError(f'there is no {kind} "{choice.name}"; known are: {", ".join(choices)}')
    strategy = choices[choice.name]
    shipped = strategy in SHIPPED[kind].values()
    given = {**(defaults or {} if shipped else {}), **choice.parameters}
    try:
        return _instance(choice.name, strategy, given)
    except (ValueError, TypeError) as error:
        raise ScenarioError(f"{kind} {choice.name}: {_sentence(error)}") from None


def _instance(name: str, strategy: type[Any], given: Mapping[str, Any]) -> Any:
    names = tuple(inspect.signature(strategy).parameters)
    for key in given:
        if key not in names:
            rule = f"its parameters are: {', '.join(names)}" if names else "it has no parameters"
            raise ValueError(f'there is no parameter "{key}"; {rule}')
    return TypeAdapter(strategy).validate_python(dict(given)) if is_dataclass(strategy) else strategy(**given)


def _sentence(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    first = error.errors(include_url=False)[0]
    text = first["msg"].removeprefix("Value error, ")
    if not first["loc"] or first["type"] == "value_error":
        return text
    return f"{'.'.join(map(str, first['loc']))}: {text[:1].lower()}{text[1:]}, but it is {first['input']!r}"
