"""The one-line diagram of a grid as SVG, with what the page needs to colour it at any of its moments."""

from __future__ import annotations

import json
import math
from html import escape
from typing import Any

from .moments import Seen

WIDTH, HEIGHT, EDGE = 900.0, 520.0, 40.0
NAMED_UP_TO = 40


def one_line_svg(seen: Seen) -> str:
    """Buses as dots, branches as lines; the page colours them by `data-branch` and `data-bus`."""
    picture = seen.picture
    at = [_point(x, y) for x, y in picture.xy.tolist()]
    parts = [
        f'<svg class="grid" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="grid {escape(seen.grid)}">',
    ]
    for number, branch in enumerate(picture.branches):
        (x1, y1), (x2, y2) = at[branch.start], at[branch.end]
        path = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        parts.append(f'<line class="{branch.kind}" data-branch="{number}" {path}><title></title></line>')
    for number, (x, y) in enumerate(at):
        size = 9 if number in picture.sources else 6
        parts.append(f'<circle data-bus="{number}" cx="{x:.1f}" cy="{y:.1f}" r="{size}"><title></title></circle>')
        if len(at) <= NAMED_UP_TO:
            side = 'text-anchor="end" ' if x > WIDTH - 2 * EDGE else ""
            shift = -9 if side else 9
            parts.append(f'<text {side}x="{x + shift:.1f}" y="{y - 7:.1f}">{escape(picture.buses[number])}</text>')
    return "\n".join((*parts, "</svg>"))


def _point(x: float, y: float) -> tuple[float, float]:
    return EDGE + x * (WIDTH - 2 * EDGE), EDGE + (1 - y) * (HEIGHT - 2 * EDGE)


def moments_json(seen: Seen) -> str:
    """Clock times, names and values of all moments, as JSON that may stand in a page."""
    picture = seen.picture
    told = {
        "clocks": seen.clocks,
        "worst": seen.worst,
        "branches": [branch.name for branch in picture.branches],
        "buses": picture.buses,
        "loading_percent": _rounded(picture.loading_percent.tolist(), 2),
        "vm_pu": _rounded(picture.vm_pu.tolist(), 5),
    }
    return in_page(told)


def in_page(value: Any) -> str:
    """JSON for a script element: nothing in it can end the element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _rounded(rows: list[list[float]], digits: int) -> list[list[float | None]]:
    return [[round(value, digits) if math.isfinite(value) else None for value in row] for row in rows]
