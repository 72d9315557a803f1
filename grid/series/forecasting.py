"""Forecasts as truth plus a seeded error, in vintages: what was expected of an instant, by how long before.

    lead            0 min    15 min    1 h    4 h    1 day before
    error       σ × 0.2      0.35      0.5    0.75   1.0              (an option: lead_share)

The error of a vintage is the sum of what will come to light later: for leads l₁ < l₂ < …, with shares s,

    e_j = scale · ( bias·s_j + σ · Σ_{i ≤ j} √(s_i² − s_{i−1}²)·ε_i ),   ε_i = √ρ·common_i + √(1−ρ)·own_i

so that its standard deviation is s_j·σ, later vintages are revisions of earlier ones, and elements of a group err
together. ε are courses of unit variance that persist from one quarter-hour to the next. They depend on seed, grid,
element and vintage, not on order of calls. Truth and vintages are made together when a grid is assembled; who only
believes gets the vintages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Booleans, Floats
from ..clock import QUARTER_US
from ..description.uncertainty import ForecastError, GroupError
from ..network.elements import Elements
from .course import Course
from .noise import persistent

Masks = dict[str, Booleans]
MARGIN_CASES = ("high load, low infeed", "low load, high infeed")


@dataclass(frozen=True, slots=True, eq=False)
class Vintages:
    """Forecasts by lead: course `k` was made `leads_us[k]` before the instants that it speaks of, or earlier."""

    leads_us: tuple[int, ...]
    courses: tuple[Course, ...]

    def made_before(self, lead_us: int) -> int:
        """Return the vintage that is known at a lead: the latest made that early; beyond the longest, the first."""
        later = [k for k, lead in enumerate(self.leads_us) if lead >= lead_us]
        return later[0] if later else len(self.leads_us) - 1


def vintages(
    truth: Course, given: Course, explicit: Masks, error: ForecastError, *, elements: Elements, key: tuple[object, ...]
) -> Vintages:
    """Return the forecasts of a course on its own instants.

    `given`: forecasts that the scenario gives, on the same instants; they count where `explicit` (per table), their
    distance from the truth scaled. `key`: what seeds the error (seed, grid).
    """
    declared = _towards(truth, given, error.scale)
    courses = []
    for vintage in range(len(error.lead_share)):
        missed = _missed(truth, error, vintage, elements, key)
        courses.append(_where(explicit, declared, missed).thinned())
    return Vintages(tuple(round(lead * 6e7) for lead in error.lead_share), tuple(courses))


def single(given: Course) -> Vintages:
    """Return forecasts that do not depend on when they are made."""
    return Vintages((0,), (given.thinned(),))


def sigma_share(error: ForecastError, vintage: int) -> float:
    """Return which share of the standard deviation a vintage has."""
    return list(error.lead_share.values())[vintage]


def _towards(truth: Course, given: Course, scale: float) -> Course:
    def moved(ours: dict[str, Floats], theirs: dict[str, Floats]) -> dict[str, Floats]:
        return {table: ours[table] + scale * (theirs[table] - ours[table]) for table in ours}

    return replace(given, p_mw=moved(truth.p_mw, given.p_mw), q_mvar=moved(truth.q_mvar, given.q_mvar))


def _where(explicit: Masks, declared: Course, missed: Course) -> Course:
    def chosen(one: dict[str, Floats], other: dict[str, Floats]) -> dict[str, Floats]:
        return {table: np.where(explicit[table], one[table], other[table]) for table in one}

    return replace(missed, p_mw=chosen(declared.p_mw, missed.p_mw), q_mvar=chosen(declared.q_mvar, missed.q_mvar))


def _missed(truth: Course, error: ForecastError, vintage: int, elements: Elements, key: tuple[object, ...]) -> Course:
    """Return the truth with the error of a vintage, group by group."""
    p_mw = {table: values.copy() for table, values in truth.p_mw.items()}
    q_mvar = {table: values.copy() for table, values in truth.q_mvar.items()}
    quarters = np.maximum(truth.starts_us, 0) // QUARTER_US
    for group, table, at in elements.group_positions():
        of = error.of_group(group)
        if error.scale == 0 or (of.sigma_percent == 0 and of.bias_percent == 0):
            continue
        names = [elements.names[table][k] for k in at]
        relative = _relative(error, of, vintage, int(quarters.max()) + 1, (*key, group, names))[quarters]
        installed = elements.file_p_mw[table][at]
        p_mw[table][:, at] = _expected(truth.p_mw[table][:, at], installed, of, relative)
        reactive = truth.q_mvar[table][:, at]
        q_mvar[table][:, at] = _follow(reactive, truth.p_mw[table][:, at], p_mw[table][:, at])
    return replace(truth, p_mw=p_mw, q_mvar=q_mvar)


def _relative(error: ForecastError, of: GroupError, vintage: int, steps: int, key: tuple[object, ...]) -> Floats:
    """Return the error of a vintage per quarter-hour and element, relative to value or installed power."""
    *place, group, names = key
    assert isinstance(names, list)
    shares = list(error.lead_share.values())
    total = np.full((steps, len(names)), of.bias_percent * shares[vintage])
    for step, (share, before) in enumerate(zip(shares[: vintage + 1], (0.0, *shares[:vintage]), strict=True)):
        weight = of.sigma_percent * np.sqrt(share**2 - before**2)
        common = persistent((*place, "error", group, step), steps, error.persistence)[:, None]
        own = [persistent((*place, "error", group, step, name), steps, error.persistence) for name in names]
        total += weight * (np.sqrt(error.correlation) * common + np.sqrt(1 - error.correlation) * np.column_stack(own))
    return error.scale * total / 100.0


def _expected(truth: Floats, installed: Floats, of: GroupError, relative: Floats) -> Floats:
    """Return the forecast: an error of what is installed stays between nothing and all of it, no value turns sign."""
    if of.of == "value":
        return truth * np.maximum(0.0, 1.0 + relative)
    sign = np.sign(installed)
    most = np.maximum(np.abs(installed), np.abs(truth))
    return sign * np.clip(sign * truth + np.abs(installed) * relative, 0.0, most)


def _follow(reactive: Floats, truth: Floats, expected: Floats) -> Floats:
    """Reactive power keeps its ratio to active power."""
    ratio = np.divide(expected, truth, out=np.ones_like(truth), where=truth != 0)
    return reactive * ratio


def margins(
    powers: dict[str, Floats], error: ForecastError, vintage: int, z: float, elements: Elements
) -> list[dict[str, Floats]]:
    """Return the two worst directions of a forecast row, as MARGIN_CASES names them.

    `powers`: as fields of OperatingPoint · `z`: how many standard deviations. All elements err together, which is
    never less strict than their true correlation for what one branch carries of one kind.
    """
    share = sigma_share(error, vintage) * error.scale * z / 100.0
    found = []
    for sense in (1.0, -1.0):
        shifted = {field: values.copy() for field, values in powers.items()}
        for group, table, at in elements.group_positions():
            of = error.of_group(group)
            step = share * of.sigma_percent * (sense if table != "sgen" else -sense)
            p_mw, installed = powers[f"{table}_p_mw"][at], elements.file_p_mw[table][at]
            moved = _expected(p_mw[None, :], installed, of, np.full((1, len(at)), step))[0]
            shifted[f"{table}_q_mvar"][at] = _follow(powers[f"{table}_q_mvar"][at], p_mw, moved)
            shifted[f"{table}_p_mw"][at] = moved
        found.append(shifted)
    return found
