"""Prequalification studies: what a DSO says of capacities, one too large, and what is not in its grid (Fig. 4)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...grid.limits.activation import Activation
from ...protocols.information.capacity import (
    CapacityRequest,
    CapacityVerdict,
    ConnectedShare,
    Dynamics,
    ResourceData,
    ResourceVerdict,
)
from ...protocols.messages import Failure, Refuse
from ...protocols.stages.prequalification import CAPACITY_VALIDATION
from .play import Heard, Play
from .published import Answered, needless, unbearable, unsaid
from .scene import Scene, Unit

STEP = "4.4 capacity"
LARGE_MW = 8.0
DYNAMICS = Dynamics(preparation_s=5.0, ramping_s=10.0, deactivation_s=5.0)


async def study_capacities(play: Play, scene: Scene) -> None:
    """Every BSP's capacity, one of a large unit, one at an unknown point and one in another grid."""
    first = next(iter(scene.units.values()))
    large = _resource(play, first, f"{first.resource.id}-large", LARGE_MW)
    await _studied(play, scene, first, large)
    for unit in scene.units.values():
        await _studied(play, scene, unit, _resource(play, unit, unit.resource.id, _most_mw(unit)))
    lost = _resource(play, first, f"{first.resource.id}-nowhere", 1.0)
    nowhere = lost.scheme[0].model_copy(update={"point": "nowhere", "bus": None})
    await _refused(play, first, lost.model_copy(update={"scheme": (nowhere,)}), "a point that is not in its grid")
    foreign = _resource(play, first, f"{first.resource.id}-elsewhere", 1.0).model_copy(update={"grid": "elsewhere"})
    await _refused(play, first, foreign, "a resource in another grid")


def _most_mw(unit: Unit) -> float:
    return unit.resource.state().available_up_mw


def _resource(play: Play, unit: Unit, name: str, up_mw: float) -> ResourceData:
    sites = {site.name: site.bus for site in unit.resource.sites()}
    scheme = tuple(
        ConnectedShare(unit=name, point=point, bus=str(sites[point]), share=share) for point, share in unit.points()
    )
    grid = play.scenario.providers[unit.owner].grid
    return ResourceData(id=name, kind="generator", grid=grid, scheme=scheme, max_up_mw=up_mw, max_down_mw=0.0)


async def _ask(play: Play, unit: Unit, resource: ResourceData) -> Heard | None:
    request = CapacityRequest(
        applicant=unit.owner, product="mFRR", submitted_at=play.now_us, resources=(resource,), dynamics=DYNAMICS
    )
    sent = play.open(play.tso, CAPACITY_VALIDATION, ("capacity", resource.id), request, play.soon_us())
    return await play.answer(sent, CapacityVerdict, Refuse, Failure)


async def _refused(play: Play, unit: Unit, resource: ResourceData, what: str) -> None:
    heard = await _ask(play, unit, resource)
    refused = heard is not None and isinstance(heard.content, Refuse)
    play.report.judge(STEP, "refusal", None if refused else f"{what} is not refused", f"refuses {what}")


async def _studied(play: Play, scene: Scene, unit: Unit, resource: ResourceData) -> None:
    heard = await _ask(play, unit, resource)
    what = f"{resource.max_up_mw:g} MW of {resource.id}"
    if heard is None or not isinstance(heard.content, CapacityVerdict):
        said = "no answer in time" if heard is None else heard.content.type_id
        play.report.judge(STEP, "deadline" if heard is None else "study", f"{said} to {what}", "")
        return
    own = [one for one in heard.content.verdicts if (one.resource, one.direction) == (resource.id, "up")]
    named = [] if own else [f"the verdict does not name {resource.id} up"]
    others = [one.resource for one in heard.content.verdicts if one.resource != resource.id]
    named += [f"a verdict on {name}, which was not asked for" for name in others]
    if play.report.judge(STEP, "study", named, f"gives a verdict on {what}"):
        play.after.append(partial(_judge, play, scene, unit, own[0], resource))


def _judge(play: Play, scene: Scene, unit: Unit, verdict: ResourceVerdict, resource: ResourceData) -> None:
    """Afterwards, when nothing waits for the clock."""
    asked = Activation(resource.id, unit.points(), resource.max_up_mw)
    answers = [Answered(asked, verdict.max_mw, verdict.binding)]
    study = partial(scene.studies.prequalify, scope="single")
    faults: Iterator[str] = unsaid(answers)
    play.report.judge(STEP, "binding", list(faults), f"says what it does with {resource.id}")
    play.report.judge(STEP, "study", list(unbearable(answers, study)), f"the grid bears what {resource.id} may do")
    play.report.judge(STEP, "room", list(needless(answers, study)), f"{resource.id} may do what the grid bears")
