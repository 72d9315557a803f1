"""One unit that follows its set-point with reaction, preparation and linear ramps.

    ordered   ─────┐ 2.5                      ┌── 0
                   │                          │
    power     ─────┴──────┬────╱‾‾‾‾‾‾‾‾‾‾‾‾‾‾┴──╲____
               reaction + preparation, ramping    reaction, deactivation

More magnitude takes effect after reaction + preparation, less after the reaction alone, and then it also caps what is
still being prepared: an order lowered in time is never exceeded. Between two such events the power is a closed form
of time, so the result does not depend, not even in its last bit, on how often anybody looks.
"""

from __future__ import annotations

from ..clock import US_PER_SECOND
from .description import Response, UnitDescription
from .resource import Agility, PointPower, ResourceState, Site, require_finite, require_forward


class Unit:
    """A generator, load or storage that changes its power from a baseline when ordered to."""

    def __init__(self, description: UnitDescription, response: Response, start_us: int) -> None:
        """At rest on its baseline from `start_us` on."""
        self.description = description
        self.response = response
        self._now_us = start_us
        self._since_us, self._since_mw, self._goal_mw = start_us, 0.0, 0.0  # start of the present ramp and its goal
        self._pending: list[tuple[int, float]] = []  # goals not yet in effect, by time
        self._contained_mw = 0.0
        self._shown: tuple[tuple[PointPower], ResourceState] | None = None  # as of `_shown_us`, and while at rest
        self._shown_us, self._at_rest = start_us, False

    @property
    def id(self) -> str:
        """The name under which the scenario knows it."""
        return self.description.id

    @property
    def full_activation_s(self) -> float:
        """Seconds from an order at rest to delivery over the whole range."""
        return self.response.full_activation_s

    @property
    def ordered_mw(self) -> float:
        """The last order, clipped to the unit's range."""
        return self._pending[-1][1] if self._pending else self._goal_mw

    @property
    def agility(self) -> Agility:
        """Reaction and preparation as a lag, the ramp over the whole range as the greatest rate."""
        given, size = self.response, max(self.description.up_mw, self.description.down_mw)
        rate = size / given.ramping_s if given.ramping_s > 0 else float("inf")
        return Agility(given.reaction_s + given.preparation_s, rate)

    @property
    def contained_mw(self) -> float:
        """What its local frequency control adds."""
        return self._contained_mw

    @property
    def at_rest(self) -> bool:
        """Whether it has reached what was ordered."""
        self._showing()
        return self._at_rest

    def contain(self, p_mw: float) -> None:
        """From the time reached on its local frequency control adds `p_mw`. ResourceError if that is no number."""
        require_finite(self.id, p_mw)
        self._contained_mw, self._shown = p_mw, None

    def sites(self) -> tuple[Site, ...]:
        """The one point where the unit is connected; it has the unit's name."""
        unit = self.description
        return (Site(unit.id, unit.bus, unit.kind, unit.baseline_mw),)

    def set_target(self, p_mw: float, at_us: int) -> None:
        """Order a change of `p_mw` from the baseline at `at_us`; clipped to [-down_mw, up_mw].

        Raises ResourceError when `p_mw` is no finite number or `at_us` lies before the time reached.
        """
        require_finite(self.id, p_mw)
        self.advance(at_us)
        self._shown = None
        target = min(max(p_mw, -self.description.down_mw), self.description.up_mw)
        ordered = self.ordered_mw
        lowered_us = at_us + round(self.response.reaction_s * US_PER_SECOND)
        if target * ordered <= 0 or abs(target) < abs(ordered):
            self._cap(target if target * ordered > 0 else 0.0, lowered_us)
        if target != self.ordered_mw:
            self._pending.append((lowered_us + round(self.response.preparation_s * US_PER_SECOND), target))
        self.advance(at_us)

    def _cap(self, limit_mw: float, from_us: int) -> None:
        """From `from_us` on, no goal lies beyond `limit_mw`, seen from zero."""
        low, high = min(limit_mw, 0.0), max(limit_mw, 0.0)
        kept = [event for event in self._pending if event[0] < from_us]
        last = kept[-1][1] if kept else self._goal_mw
        for at_us, goal in [(from_us, last), *self._pending[len(kept) :]]:
            capped = min(max(goal, low), high)
            if capped != last:
                kept.append((at_us, capped))
                last = capped
        self._pending = kept

    def advance(self, to_us: int) -> None:
        """Let time pass until `to_us`; ResourceError if that has passed already."""
        require_forward(self.id, self._now_us, to_us)
        while self._pending and self._pending[0][0] <= to_us:
            at_us, goal = self._pending.pop(0)
            self._since_mw = self._ramp(self._since_mw, self._goal_mw, (at_us - self._since_us) / US_PER_SECOND)
            self._since_us, self._goal_mw = at_us, goal
        self._now_us = to_us

    def power_at(self, at_us: int) -> float:
        """What is ordered gives at `at_us` if no other order comes; the unit itself stays where it is.

        Raises ResourceError when `at_us` lies before the time reached.
        """
        require_forward(self.id, self._now_us, at_us)
        since_us, power, goal = self._since_us, self._since_mw, self._goal_mw
        for next_us, next_goal in self._pending:
            if next_us > at_us:
                break
            power = self._ramp(power, goal, (next_us - since_us) / US_PER_SECOND)
            since_us, goal = next_us, next_goal
        return round(self._ramp(power, goal, (at_us - since_us) / US_PER_SECOND), 6)

    def power_mw(self) -> float:
        """The change from baseline at the time reached, local frequency control included."""
        return self._showing()[0][0].p_mw

    def points(self) -> tuple[PointPower, ...]:
        """The change from baseline at the unit's one site; the same object as long as nothing changes."""
        return self._showing()[0]

    def state(self) -> ResourceState:
        """One sample for telemetry at the time reached; the same object as long as nothing changes."""
        return self._showing()[1]

    def _showing(self) -> tuple[tuple[PointPower], ResourceState]:
        """What is shown at the time reached: computed once an instant, and not again while the unit is at rest."""
        if self._shown is None or not (self._at_rest or self._shown_us == self._now_us):
            unit, ordered = self.description, self.power_at(self._now_us)
            p_mw = round(ordered + self._contained_mw, 6)
            q_mvar = round(p_mw * unit.q_per_p, 6)
            range_mw = unit.up_mw, unit.down_mw
            state = ResourceState(unit.id, self.ordered_mw, p_mw, q_mvar, unit.baseline_mw, *range_mw)
            self._shown, self._shown_us = ((PointPower(unit.id, p_mw, q_mvar),), state), self._now_us
            self._at_rest = not self._pending and ordered == round(self._goal_mw, 6)
        return self._shown

    def _ramp(self, start_mw: float, goal_mw: float, for_s: float) -> float:
        """Power after `for_s` on the way from `start_mw` to `goal_mw`: first back towards zero, then away from it."""
        turn = min(start_mw, goal_mw, key=abs) if start_mw * goal_mw > 0 else 0.0
        power, left_s = _leg(start_mw, turn, for_s, self._s_per_mw(start_mw, self.response.deactivation_s))
        if power != turn:
            return power
        return _leg(turn, goal_mw, left_s, self._s_per_mw(goal_mw, self.response.ramping_s))[0]

    def _s_per_mw(self, side_mw: float, whole_range_s: float) -> float:
        size = self.description.up_mw if side_mw > 0 else self.description.down_mw
        return whole_range_s / size if size > 0 else 0.0


def _leg(start_mw: float, end_mw: float, for_s: float, s_per_mw: float) -> tuple[float, float]:
    """Power after at most `for_s` of a linear ramp, and the seconds left once its end is reached."""
    needed_s = abs(end_mw - start_mw) * s_per_mw
    if for_s >= needed_s:
        return end_mw, for_s - needed_s
    return start_mw + (end_mw - start_mw) * (for_s / needed_s), 0.0
