"""The acceptance channel of aFRR: between which bounds a participant's delivery may lie after its set-points.

    high(t) = max( highest set-point of the last 31 s, high before − g )        low(t): the same, mirrored
    g       = max(floor, step) / 270 s       step: how far the set-points have moved away; floor: 1 MW, or the offer

          ╭──── high                      So a step may be followed at once, must be begun after the reaction time
     sp ──┤   ╲                           (30 s and 1 s), and must be completed at the full activation time (300 s).
          ╰────╲── low                    Beyond the bounds 5 % are tolerated. Above high (away from zero): not paid.
                                          Below low: under-fulfilment.

After the German prequalification rules' acceptance channel (PQ-Bedingungen of the four TSOs, aFRR); times, tolerance
and floor are parameters.
"""

from typing import NamedTuple

from ...protocols.information.quantities import US_PER_S

SLACK_US = US_PER_S


class ChannelRules(NamedTuple):
    """Reaction time, full activation time, tolerance as a share, and the price of what is missing."""

    reaction_us: int
    full_activation_us: int
    tolerance: float
    penalty_eur_per_mwh: float


class Bounds(NamedTuple):
    """Signed MW, + up, in force from `at_us` on."""

    at_us: int
    low_mw: float
    high_mw: float


class Channel(NamedTuple):
    """One participant's channel: its recent set-points with their times, the bounds, and how far they have to go.

    `before` are the bounds before the last set-point.
    """

    set_points: tuple[tuple[int, float], ...] = ((0, 0.0),)
    bounds: Bounds = Bounds(0, 0.0, 0.0)
    before: Bounds = Bounds(0, 0.0, 0.0)
    fall_mw: float = 0.0
    rise_mw: float = 0.0

    def rests_at(self, power_mw: float) -> bool:
        """Whether another set-point of these MW changes nothing."""
        bounds, known = self.bounds, self.set_points
        return len(known) == 1 and known[0][1] == power_mw == bounds.low_mw == bounds.high_mw

    def at(self, at_us: int) -> Bounds:
        """The bounds at the time of a measurement."""
        return self.bounds if at_us >= self.bounds.at_us else self.before


class Judged(NamedTuple):
    """Signed MW of a delivery: what is paid, what is too much, and what is missing (both without sign)."""

    paid_mw: float
    unpaid_mw: float
    missing_mw: float


def moved(channel: Channel, set_point_mw: float, at_us: int, *, floor_mw: float, rules: ChannelRules) -> Channel:
    """The channel after a set-point that is in force from `at_us` on."""
    known, bounds = channel.set_points, channel.bounds
    if channel.rests_at(set_point_mw):
        return channel
    recent = _recent(known, set_point_mw, at_us - rules.reaction_us - SLACK_US, at_us)
    wanted = [mw for _, mw in recent]
    most_mw, least_mw = max(wanted), min(wanted)
    part = (at_us - bounds.at_us) / (rules.full_activation_us - rules.reaction_us)
    high_mw, fall_mw = _towards(bounds.high_mw, most_mw, channel.fall_mw, floor_mw, part)
    low_mw, rise_mw = _towards(-bounds.low_mw, -least_mw, channel.rise_mw, floor_mw, part)
    return Channel(recent, Bounds(at_us, -low_mw, high_mw), bounds, fall_mw, rise_mw)


def _recent(
    known: tuple[tuple[int, float], ...], set_point_mw: float, since_us: int, at_us: int
) -> tuple[tuple[int, float], ...]:
    """Set-points in force at some time since `since_us`; one that goes on is kept once."""
    changed = (*known, (at_us, set_point_mw)) if known[-1][1] != set_point_mw else known
    over = sum(later <= since_us for later, _ in changed[1:])
    return changed[over:]


def _towards(bound_mw: float, goal_mw: float, step_mw: float, floor_mw: float, part: float) -> tuple[float, float]:
    """An upper bound on its way down to the highest recent set-point, and the height of the step it comes from."""
    gap_mw = bound_mw - goal_mw
    if gap_mw <= 0:
        return goal_mw, 0.0
    step_mw = max(step_mw, gap_mw)
    return max(goal_mw, bound_mw - max(floor_mw, step_mw) * part), step_mw


def judged(power_mw: float, bounds: Bounds, tolerance: float) -> Judged:
    """What a delivery is worth between its bounds."""
    high_mw = bounds.high_mw + tolerance * abs(bounds.high_mw)
    low_mw = bounds.low_mw - tolerance * abs(bounds.low_mw)
    paid_mw = min(max(power_mw, min(0.0, low_mw)), max(0.0, high_mw))
    missing_mw = max(0.0, low_mw - max(0.0, power_mw)) if low_mw > 0 else 0.0
    if high_mw < 0:
        missing_mw = max(0.0, min(0.0, power_mw) - high_mw)
    return Judged(paid_mw, abs(power_mw - paid_mw), missing_mw)
