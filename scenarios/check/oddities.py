"""What a scenario's description alone shows to be hardly meant: told by `gridpact check`, and none of it an error.

ramps that no tick sees · needs that nobody covers · a trigger above all needs · disturbances that nobody sees, or
that nothing can make good · somebody who offers nothing, or too slowly · steps of profiles outside the run, or beyond
any scale · an end before anybody is paid
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..description.schema import Scenario

Path = tuple[str | int, ...]
LARGE_SCALE = 5.0  # of what the network's file says: above it was hardly meant


class Hint(NamedTuple):
    """What is odd, and the path in the scenario where it stands."""

    path: Path
    text: str

    def told(self, places: Mapping[Path, str]) -> str:
        """With file and line, where they are known."""
        ways = (self.path[:length] for length in range(len(self.path), 0, -1))
        place = next((f"{places[way]}: " for way in ways if way in places), "")
        return f"warning: {place}{'.'.join(map(str, self.path))}: {self.text}"


def hints(scenario: Scenario) -> Iterator[Hint]:
    """What the description alone shows."""
    yield from _operator(scenario)
    yield from _ramps(scenario)
    yield from _needs(scenario)
    yield from _trigger(scenario)
    yield from _disturbances(scenario)
    yield from _offers(scenario)
    yield from _speeds(scenario)
    yield from _profiles(scenario)
    if scenario.time.unsettled is not None:
        yield Hint(("time", "tail_min"), scenario.time.unsettled)


def _operator(scenario: Scenario) -> Iterator[Hint]:
    chosen = scenario.coordination
    if scenario.scheme != "scenario-2" and chosen.operator == "dso":
        text = f"a DSO operates units in scenario-2 only; {scenario.scheme} leaves them to BSPs"
        yield Hint(("coordination", "operator"), text)


def _ramps(scenario: Scenario) -> Iterator[Hint]:
    ticks = scenario.ticks
    longest_s = max(ticks.control_s, ticks.measurement_s, ticks.monitoring_s)
    for name, provider in scenario.connected.items():
        ramp_s = provider.response.ramping_s
        if provider.fcr is None and ramp_s < longest_s:
            text = f"{name} ramps in {ramp_s:g} s, less than a tick of {longest_s:g} s: its ramp is never seen"
            yield Hint(("participants", name, "response", "ramping_s"), f"{text}; shorten the ticks")


def _needs(scenario: Scenario) -> Iterator[Hint]:
    for index, need in enumerate(scenario.market.needs):
        offered = sum(
            offer.quantity_mw
            for provider in scenario.connected.values()
            for offer in provider.offers
            if (offer.product, offer.direction) == (need.product, need.direction)
        )
        if offered < need.quantity_mw and scenario.swarm is None:
            text = f"the TSO needs {need.quantity_mw:g} MW of {need.product} {need.direction}, but {offered:g} MW"
            yield Hint(("market", "needs", index, "quantity_mw"), f"{text} are offered in all")


def _trigger(scenario: Scenario) -> Iterator[Hint]:
    trigger_mw = scenario.market.activation.trigger_mw
    needs = [need.quantity_mw for need in scenario.market.needs if need.product == "mFRR"]
    if needs and max(needs) < trigger_mw:
        text = f"mFRR is ordered when {trigger_mw:g} MW are missing, but the TSO calls for {max(needs):g} MW at most:"
        yield Hint(("market", "activation", "trigger_mw"), f"{text} nothing will be activated; lower the trigger")


def _disturbances(scenario: Scenario) -> Iterator[Hint]:
    """Those outside the run or before anybody can help, and what all of them leave beyond every reserve."""
    times, left_mw = scenario.time, 0.0
    for index, one in enumerate(scenario.area.disturbances):
        path: Path = ("area", "disturbances", index, "at")
        if not times.start_us <= times.at_clock(one.at) < times.end_us:
            yield Hint(path, f'"{one.name}" at {one.at} is outside the run: it never happens')
        elif times.at_clock(one.at) < times.first_delivery_us:
            text = f'"{one.name}" at {one.at} comes before the first delivery: only FCR can answer it until then'
            yield Hint(path, text)
    for index, one in sorted(enumerate(scenario.area.disturbances), key=lambda each: times.at_clock(each[1].at)):
        left_mw += one.mw
        covered_mw = _covered_mw(scenario, "up" if left_mw < 0 else "down")
        if abs(left_mw) > covered_mw:
            text = f"the disturbances come to {left_mw:+g} MW, but FCR and all needs to {covered_mw:g} MW:"
            yield Hint(("area", "disturbances", index, "mw"), f"{text} the frequency will not come back")
            return


def _covered_mw(scenario: Scenario, direction: str) -> float:
    called = sum(need.quantity_mw for need in scenario.market.needs if need.direction == direction)
    return called + scenario.area.fcr.limit_mw


def _offers(scenario: Scenario) -> Iterator[Hint]:
    for name, provider in scenario.connected.items():
        if not provider.offers and provider.fcr is None and scenario.swarm is None:
            yield Hint(("participants", name), f"{name} offers nothing: it is tested, and no more; add `offers`")


def _speeds(scenario: Scenario) -> Iterator[Hint]:
    """Who is slower than its product is refused; of a DSO's own units only what is there in time is qualified."""
    for name, provider in scenario.connected.items():
        own_s, most_s = provider.response.full_activation_s, scenario.market.full_activation_s(provider.qualify)
        if provider.qualify != "FCR" and round(own_s - most_s, 6) > 0:
            text = f"{name} is fully active after {own_s:g} s, but {provider.qualify} must be after {most_s:g} s"
            then = "what it gives by then is qualified" if name in scenario.operated else "its application is refused"
            yield Hint(("participants", name, "response"), f"{text}: {then}")


def _profiles(scenario: Scenario) -> Iterator[Hint]:
    times = scenario.time
    for grid, description in scenario.grids.items():
        for group, profile in description.profiles.items():
            for key, steps in (("forecast", profile.forecast), ("actual", profile.actual)):
                course = steps if isinstance(steps, dict) else {"00:00:00": steps or 0.0}
                path: Path = ("grids", grid, "profiles", group, key)
                late = [at for at in course if times.at_clock(at) >= times.end_us]
                if late:
                    yield Hint(path, f"the step at {late[0]} comes after the end of the run, and is never seen")
                if (most := max(course.values())) > LARGE_SCALE:
                    text = f"a profile is a scale, so this is {most:g} times what the network has"
                    yield Hint(path, f"{text}; MW are given in a series")
