"""The questions a DSO asks of its grid: frozen jobs that a host runs against the DSO's model of the grid.

The model (`grid.studies.studies.GridStudies`) stays outside the agent; a job names what is asked and carries
everything that the answer depends on, so that the answer can be journalled and replayed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ...grid.limits.allowing import Activation, Allowed, Binding, Rating, Scope, Split
from ...grid.limits.headroom import Headroom
from ...grid.readings import Assessment, Readings
from ...grid.voltage.cvr import TapBlock
from .keeping import enlarged, reduced

if TYPE_CHECKING:
    from ...grid.studies.studies import GridStudies


SLICES = 20


class UnknownPoint(NamedTuple):
    """The question names connection points that are not in this grid."""

    names: tuple[str, ...]


class Transformer(NamedTuple):
    """One tap changer as the DSO knows it; with a voltage regulator, its set-point."""

    name: str
    position: int
    tap_min: int
    tap_max: int
    vm_set_pu: float | None = None


class TapOptions(NamedTuple):
    """What voltage reduction could free, block by block, and the import it is seen against."""

    transformers: tuple[Transformer, ...]
    blocks: tuple[TapBlock, ...]
    import_mw: float
    step_percent: float
    vm_min_pu: float
    vm_max_pu: float


class InterfaceForecast(NamedTuple):
    """Import per TSO-DSO connection point at an instant, and what the connection can carry."""

    name: str
    at_us: int
    import_mw: float
    limit_mw: float


class Watch(NamedTuple):
    """What a monitoring cycle has found: the state as read, the state when all orders are fully on, what may stay on.

    `allowed` is None when nothing needs to be limited; `freed_mw` is what the taps free against their start.
    """

    now: Assessment
    ahead: Assessment
    allowed: tuple[Allowed, ...] | None
    freed_mw: float
    headroom: tuple[Headroom, ...] = ()


@dataclass(frozen=True, slots=True)
class Prequalify:
    """What may be qualified, by planning case; `joint` shares what is scarce evenly instead of by order.

    `margin`: the share of every MW that is kept back, here and in the other questions.
    """

    grid: str
    activations: tuple[Activation, ...]
    scope: Scope
    already: tuple[Activation, ...]
    joint: bool = False
    margin: float = 0.0

    def run(self, studies: GridStudies) -> tuple[Allowed, ...] | UnknownPoint:
        """Answer it."""
        unknown = _unknown(studies, self.activations)
        if unknown is not None:
            return unknown
        wanted, already = enlarged(self.activations, self.margin), enlarged(self.already, self.margin)
        if not self.joint:
            return reduced(studies.prequalify(wanted, self.scope, already), self.activations, self.margin)
        slices = [slice_ for part in range(SLICES) for slice_ in self._slices(wanted, part)]
        found = self._gathered(wanted, studies.prequalify(slices, self.scope, already))
        return reduced(found, self.activations, self.margin)

    @staticmethod
    def _slices(wanted: tuple[Activation, ...], part: int) -> list[Activation]:
        """An equal part of everything, so that the walk gives to each in turn."""
        return [replace(each, id=f"{each.id}#{part}", p_mw=each.p_mw / SLICES, min_mw=0.0) for each in wanted]

    @staticmethod
    def _gathered(wanted: tuple[Activation, ...], slices: tuple[Allowed, ...]) -> tuple[Allowed, ...]:
        """The slices of each activation up to the first that was cut."""
        found = []
        for each in wanted:
            own = [slice_ for slice_ in slices if slice_.id.rpartition("#")[0] == each.id]
            bound = next((slice_.binding for slice_ in own if slice_.binding is not None), None)
            p_mw = round(sum(slice_.p_mw for slice_ in own), 6) if bound else each.p_mw
            found.append(Allowed(each.id, p_mw if abs(p_mw) >= each.min_mw else 0.0, bound))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Validate:
    """What of a merit order may be activated, by the forecast of `made_us`, wherever the frequency drives reserves.

    `earlier` is what may be activated of another list at the same time: all of it or none (`prefix`), or whatever is
    picked of both (`subset`; then what is scarce goes to the first).
    """

    grid: str
    activations: tuple[Activation, ...]
    at_us: tuple[int, ...]
    scope: Scope = "prefix"
    split: Split = "merit_order"
    made_us: int | None = None
    reserves: tuple[Activation, ...] = ()
    margin: float = 0.0
    earlier: tuple[Activation, ...] = ()

    def run(self, studies: GridStudies) -> tuple[Allowed, ...] | UnknownPoint:
        """Answer it. All reserves follow one frequency, so they are all up or all down; the stricter way counts."""
        unknown = _unknown(studies, self.activations)
        if unknown is not None:
            return unknown
        ways = (1.0, -1.0) if self.reserves else (1.0,)
        found = [allowed for way in ways for allowed in self._allowed(studies, way)]
        return tuple(min(both, key=lambda each: abs(each.p_mw)) for both in zip(*found, strict=True))

    def _allowed(self, studies: GridStudies, way: float) -> Iterator[tuple[Allowed, ...]]:
        """With reserves one way: by itself and on top of the earlier list, or picked together with it."""
        moved = tuple(replace(each, p_mw=way * each.p_mw) for each in self.reserves)
        wanted = enlarged(self.activations, self.margin)
        validate = partial(studies.validate, at_us=self.at_us, made_us=self.made_us, scope=self.scope)
        if self.earlier and self.scope == "subset":
            together = validate((*self.earlier, *wanted), fixed=moved)
            yield reduced(together[len(self.earlier) :], self.activations, self.margin)
            return
        for fixed in (moved, (*moved, *self.earlier)) if self.earlier else (moved,):
            yield reduced(validate(wanted, fixed=fixed, split=self.split), self.activations, self.margin)


@dataclass(frozen=True, slots=True)
class Monitor:
    """The state of the grid, what it will be when all orders are fully on, and what of them may stay on.

    With the `short_time` rating a loading within it is borne, and orders are cut to that; without, and of the elements
    whose short time is `spent`, to the continuous.
    `reserves` follow the frequency, all up or all down; they come before the orders, and are cut after them.
    Near a limit, or with one in force (`limited`), also how much each ordered unit may still move, up to its order;
    that decides nothing, so it is `spared` in most cycles.
    """

    grid: str
    readings: Readings
    measured: tuple[tuple[str, complex], ...]
    ordered: tuple[Activation, ...]
    look: bool
    reference_taps: tuple[int, ...] | None
    limited: bool = False
    reserves: tuple[Activation, ...] = ()
    margin: float = 0.0
    rating: Rating = "continuous"
    spent: tuple[str, ...] = ()
    spared: bool = False

    def run(self, studies: GridStudies) -> Watch:
        """Answer it."""
        found = studies.assess_all(self.readings, (self.measured, *self._ahead()))
        now, *others = found
        ahead = max(others, key=_badness) if len(others) > 1 else found[-1]
        troubled = self._unborne(studies, (now, ahead)) or self.look
        allowed = self._allowed(studies) if (self.reserves or self.ordered) and troubled else None
        tight = not self.spared and (now.near or ahead.near or self.limited)
        headroom = studies.headroom(self.readings, self.measured, self.ordered) if tight and self.ordered else ()
        return Watch(now, ahead, allowed, self._freed(studies, now), headroom)

    def _unborne(self, studies: GridStudies, states: tuple[Assessment, Assessment]) -> bool:
        """Whether something is, or would be, beyond the rating that counts."""
        found = [violation for state in states for violation in state.violations]
        return any(not self._bears(studies, violation) for violation in found)

    def _bears(self, studies: GridStudies, violation: Binding) -> bool:
        return self.rating == "short_time" and violation.element not in self.spent and studies.bears(violation)

    def _ahead(self) -> list[list[tuple[str, complex]]]:
        """All orders fully on; where reserves are kept, with these fully up, and fully down."""
        if not self.reserves:
            return [_moved(self.ordered)] if self.ordered else []
        ways = ([each for each in self.reserves if (each.p_mw > 0) is up] for up in (True, False))
        return [_moved((*way, *self.ordered)) for way in ways]

    def _allowed(self, studies: GridStudies) -> tuple[Allowed, ...]:
        """The reserves by themselves; the orders with what is left of these at rest, all up, and all down.

        Nobody knows where the frequency will drive them, so no order may rely on their relief.
        """
        kept = self._curtailed(studies, self.reserves, ()) if self.reserves else ()
        left = [replace(each, p_mw=one.p_mw) for each, one in zip(self.reserves, kept, strict=True)]
        ways = (tuple(each for each in left if sign * each.p_mw > 0) for sign in (1, -1))
        fixed = dict.fromkeys(((), *ways))
        found = [self._curtailed(studies, self.ordered, way) for way in fixed] if self.ordered else []
        strictest = (min(each, key=lambda one: abs(one.p_mw)) for each in zip(*found, strict=True))
        return (*kept, *strictest)

    def _curtailed(
        self, studies: GridStudies, asked: tuple[Activation, ...], fixed: tuple[Activation, ...]
    ) -> tuple[Allowed, ...]:
        wanted = enlarged(asked, self.margin)
        found = studies.curtail(self.readings, wanted, fixed, rating=self.rating, spent=self.spent)
        return reduced(found, asked, self.margin)

    def _freed(self, studies: GridStudies, now: Assessment) -> float:
        if self.reference_taps is None or self.reference_taps == self.readings.taps:
            return 0.0
        without = studies.assess(replace(self.readings, taps=self.reference_taps), self.measured)
        return round(without.interface_p_mw - now.interface_p_mw, 6)


@dataclass(frozen=True, slots=True)
class AskTaps:
    """What voltage reduction could free at an instant, from the initial tap positions."""

    grid: str
    at_us: int
    made_us: int | None = None

    def run(self, studies: GridStudies) -> TapOptions:
        """Answer it."""
        model = studies.model
        regulator = studies.behaviour.regulator
        set_pu = None if regulator is None else regulator.vm_set_pu
        start = studies.expected(self.at_us, self.made_us).taps
        named = zip(model.transformer_names, start, model.tap_ranges, strict=True)
        return TapOptions(
            tuple(Transformer(name, position, low, high, set_pu) for name, position, (low, high) in named),
            studies.cvr(self.at_us, made_us=self.made_us),
            sum(p_mw for _, p_mw, _, _ in studies.interface_forecast(self.at_us, made_us=self.made_us)),
            model.tap_step_percent,
            float(model.ratings.vm_min_pu.max()),
            float(model.ratings.vm_max_pu.min()),
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """Import per connection point at several instants."""

    grid: str
    at_us: tuple[int, ...]
    made_us: int | None = None

    def run(self, studies: GridStudies) -> tuple[InterfaceForecast, ...]:
        """Answer it."""
        return tuple(
            InterfaceForecast(name, at_us, p_mw, limit_mw)
            for at_us in self.at_us
            for name, p_mw, _, limit_mw in studies.interface_forecast(at_us, made_us=self.made_us)
        )


def _moved(activations: Iterable[Activation]) -> list[tuple[str, complex]]:
    return [(point, share * each.power_mva) for each in activations for point, share in each.points]


def _badness(state: Assessment) -> tuple[int, float]:
    """The state with violations is worse, then the one more loaded."""
    return len(state.violations), state.worst_loading_percent


def _unknown(studies: GridStudies, activations: tuple[Activation, ...]) -> UnknownPoint | None:
    names = [point for activation in activations for point, _ in activation.points]
    missing = tuple(dict.fromkeys(studies.unknown_points(names)))
    return UnknownPoint(missing) if missing else None


Job = Prequalify | Validate | Monitor | AskTaps | Forecast
