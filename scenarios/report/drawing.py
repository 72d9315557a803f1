"""The one-line diagram of a grid as SVG, with what the page needs to colour it at any of its moments."""

from __future__ import annotations

import json
import math
from html import escape
from typing import Any

from ...grid.arrays import Floats
from ...grid.moments.one_line import OneLine
from .moments import Seen

WIDTH, HEIGHT, EDGE = 900.0, 520.0, 40.0
NAMED_UP_TO, DENSE_UP_TO = 40, 400


def one_line_svg(grid: str, picture: OneLine) -> str:
    """Buses as dots, branches as lines; the page colours them by `data-branch` and `data-bus`."""
    at = [_point(x, y) for x, y in picture.xy.tolist()]
    box = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}"'
    parts = [f'<svg class="{size_class(len(at))}" {box} role="img" aria-label="grid {escape(grid)}">']
    for number, branch in enumerate(picture.branches):
        (x1, y1), (x2, y2) = at[branch.start], at[branch.end]
        path = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        parts.append(f'<line class="{branch.kind}" data-branch="{number}" {path}><title></title></line>')
    for number, (x, y) in enumerate(at):
        source = ' class="source"' if number in picture.sources else ""
        parts.append(f'<circle data-bus="{number}"{source} cx="{x:.1f}" cy="{y:.1f}"><title></title></circle>')
        if len(at) <= NAMED_UP_TO:
            side = 'text-anchor="end" ' if x > WIDTH - 2 * EDGE else ""
            shift = -9 if side else 9
            parts.append(f'<text {side}x="{x + shift:.1f}" y="{y - 7:.1f}">{escape(picture.buses[number])}</text>')
    return "\n".join((*parts, "</svg>"))


def size_class(buses: int) -> str:
    """How large dots and lines may be, as the style has it."""
    return "grid" if buses <= NAMED_UP_TO else "grid dense" if buses <= DENSE_UP_TO else "grid dense tiny"


def _point(x: float, y: float) -> tuple[float, float]:
    return EDGE + x * (WIDTH - 2 * EDGE), EDGE + (1 - y) * (HEIGHT - 2 * EDGE)


def moments_json(seen: Seen) -> str:
    """Clock times, names and values of all moments, as JSON that may stand in a page."""
    picture = seen.picture
    told = {
        "clocks": seen.clocks,
        "worst": seen.worst,
        **names_told(picture),
        **values_told(picture.vm_pu, picture.loading_percent),
    }
    return in_page(told)


def names_told(picture: OneLine) -> dict[str, Any]:
    """Names of branches and buses, and what each may bear: loading, lowest and highest voltage."""
    least_pu, most_pu = _rounded(picture.allowed_pu.T.tolist(), 5)
    return {
        "branches": [branch.name for branch in picture.branches],
        "buses": picture.buses,
        "most_percent": _rounded([[branch.most_percent for branch in picture.branches]], 2)[0],
        "least_pu": least_pu,
        "most_pu": most_pu,
    }


def values_told(vm_pu: Floats, loading_percent: Floats) -> dict[str, Any]:
    """Voltages (moments × buses) and loadings (moments × branches) as the page takes them."""
    return {"loading_percent": _rounded(loading_percent.tolist(), 2), "vm_pu": _rounded(vm_pu.tolist(), 5)}


def in_page(value: Any) -> str:
    """JSON for a script element: nothing in it can end the element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _rounded(rows: list[list[float]], digits: int) -> list[list[float | None]]:
    return [[round(value, digits) if math.isfinite(value) else None for value in row] for row in rows]
