"""A synthetic day: made-up but plausible quarter-hourly scales for households, commerce, PV and wind, from a seed.

    household  morning and evening peak        commerce  working hours
    pv         clear sky × passing clouds      wind      a slow walk that neighbours share

No measurement enters; shapes follow the textbook standard load profiles (H0, G0) in outline only. Scales multiply the
network's file, whose loads are peaks and whose generators are nameplates. Every element wobbles about its class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Integers
from ..network.elements import Elements
from .blocks import Block, SeriesValues, Window, quarter_hours
from .noise import persistent


@dataclass(frozen=True, slots=True)
class Season:
    """Daylight (hours), and per unit of the file the height of loads, PV under a clear sky, the mean of wind."""

    sunrise_h: float
    sunset_h: float
    household: float
    commerce: float
    pv: float
    wind: float


SEASONS = {
    "winter": Season(8.2, 16.3, 1.0, 0.95, 0.45, 0.45),
    "spring": Season(6.5, 19.0, 0.85, 0.9, 0.8, 0.35),
    "summer": Season(4.9, 21.2, 0.7, 0.85, 0.9, 0.25),
}
SHARED = 0.7
PERSISTENCE = 0.95


def synthetic_day(elements: Elements, season: str, window: Window, key: tuple[object, ...]) -> SeriesValues:
    """Return the scales of every load, PV and wind generator as powers, for all quarter-hours of a window.

    `key`: seeds the walk (seed, grid); the same key gives the same values, however long the window is.
    """
    chosen = SEASONS[season]
    starts = np.array(quarter_hours(window), dtype=np.int64)
    hours = (starts / 3.6e9) % 24
    blocks = []
    for name, (shape, spread) in _shapes(chosen, hours).items():
        for table, at in elements.find(name):
            if len(at):
                noise = _shared_noise(elements, (table, at), len(starts), (*key, "synthetic", name))
                scale = _clouded(shape, noise, name, spread)
                blocks.append(_block(elements, table, at, scale))
    return SeriesValues(starts, tuple(blocks))


def _shapes(season: Season, hours: Floats) -> dict[str, tuple[Floats, float]]:
    """Return per class its course over the day, and the spread of its elements about it."""
    return {
        "household": (season.household * _household(hours), 0.06),
        "commerce": (season.commerce * _commerce(hours), 0.04),
        "pv": (season.pv * _daylight(hours, season), 0.35),
        "wind": (np.full(len(hours), season.wind), 0.9),
    }


def _household(hours: Floats) -> Floats:
    night, morning, noon, evening = 0.32, 0.33, 0.18, 0.62
    return night + morning * _bump(hours, 7.5, 1.3) + noon * _bump(hours, 12.5, 2.0) + evening * _bump(hours, 19.0, 2.2)


def _commerce(hours: Floats) -> Floats:
    opening, closing = 1 / (1 + np.exp(-(hours - 7.5) / 0.5)), 1 / (1 + np.exp((hours - 18.0) / 0.7))
    return 0.25 + 0.7 * opening * closing


def _daylight(hours: Floats, season: Season) -> Floats:
    phase = (hours - season.sunrise_h) / (season.sunset_h - season.sunrise_h)
    risen: Floats = np.where((phase > 0) & (phase < 1), np.sin(np.pi * np.clip(phase, 0, 1)) ** 1.3, 0.0)
    return risen


def _bump(hours: Floats, at_h: float, width_h: float) -> Floats:
    away = (hours - at_h + 12) % 24 - 12
    bump: Floats = np.exp(-0.5 * (away / width_h) ** 2)
    return bump


def _clouded(shape: Floats, noise: Floats, name: str, spread: float) -> Floats:
    """Return T × elements: loads wobble, clouds only take away, wind stays between calm and nameplate."""
    if name == "pv":
        sunny: Floats = shape[:, None] * (1 - spread * np.clip(0.5 + 0.5 * noise, 0, 2))
        return sunny
    if name == "wind":
        odds = np.log(shape / (1 - shape))[:, None] + spread * noise
        windy: Floats = 1 / (1 + np.exp(-odds))
        return windy
    wobbling: Floats = shape[:, None] * (1 + spread * noise)
    return wobbling


def _shared_noise(elements: Elements, found: tuple[str, Integers], steps: int, key: tuple[object, ...]) -> Floats:
    """Return T × elements of unit variance; neighbours share 70 % of it."""
    table, at = found
    common = persistent((*key, "common"), steps, PERSISTENCE)
    own = np.column_stack([persistent((*key, elements.names[table][k]), steps, PERSISTENCE) for k in at])
    together: Floats = np.sqrt(SHARED) * common[:, None] + np.sqrt(1 - SHARED) * own
    return together


def _block(elements: Elements, table: str, at: Integers, scale: Floats) -> Block:
    return Block(table, at, scale * elements.file_p_mw[table][at], scale * elements.file_q_mvar[table][at])
