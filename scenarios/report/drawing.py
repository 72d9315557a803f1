"""The one-line diagram of a grid as SVG, with what the page needs to colour it at any of its moments."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from ...grid.arrays import Floats
from ...grid.moments.one_line import OneLine
from .labels import LINE_EM, Box, Label, labels
from .marking import SIGNS, Mark
from .moments import Seen

WIDTH, HEIGHT, EDGE = 900.0, 520.0, 40.0
NAMED_UP_TO, DENSE_UP_TO = 40, 400
MOST_NAMES, MOST_AT_A_BUS = 24, 3


def one_line_svg(grid: str, picture: OneLine, marks: Sequence[Mark] = ()) -> str:
    """Buses as dots, branches as lines, who stands where; the page colours by `data-branch` and `data-bus`."""
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
    parts += _named(picture, at, marks) if len(at) <= NAMED_UP_TO else _signed(at, marks)
    return "\n".join((*parts, "</svg>"))


def _named(picture: OneLine, at: Sequence[tuple[float, float]], marks: Sequence[Mark]) -> Iterator[str]:
    """Names of buses, and below each those of who stands there."""
    standing = [[mark for mark in marks if mark.bus == number] for number in range(len(at))]
    most = MOST_AT_A_BUS if len(marks) <= MOST_NAMES else 0
    own = [list(_names(here, most)) for here in standing]
    texts = [[name, *(text for text, _, _ in lines)] for name, lines in zip(picture.buses, own, strict=True)]
    ends = [(branch.start, branch.end) for branch in picture.branches]
    for label, name, lines in zip(labels(at, ends, texts, Box(0, 0, WIDTH, HEIGHT)), picture.buses, own, strict=True):
        yield _text(label, 0, escape(name))
        for line, (text, kind, told) in enumerate(lines, start=1):
            yield _text(label, line, f"{escape(text)}<title>{escape(told)}</title>", f"party {kind}")


def _names(here: Sequence[Mark], most: int) -> Iterator[tuple[str, str, str]]:
    """(text, kind, what is told) of those at a bus; where they are too many, how many of each kind."""
    if len(here) <= most:
        yield from ((f"{SIGNS[mark.kind]} {mark.name}", mark.kind, mark.text) for mark in here)
    elif here:
        counted = Counter(mark.kind for mark in here)
        text = " ".join(f"{SIGNS[kind]} {counted[kind]}" for kind in SIGNS if kind in counted)
        yield text, here[0].kind, "\n".join(mark.text for mark in here)


def _text(label: Label, line: int, content: str, classes: str = "name") -> str:
    place = f'x="{label.x:.1f}" y="{label.y:.1f}" dy="{label.first_em + LINE_EM * line:.2f}em"'
    return f'<text class="{classes}" text-anchor="{label.anchor}" {place}>{content}</text>'


def _signed(at: Sequence[tuple[float, float]], marks: Sequence[Mark]) -> Iterator[str]:
    """A sign at each bus at which somebody stands: there is no room for names."""
    for bus, kind in sorted({(mark.bus, mark.kind) for mark in marks}):
        told = "\n".join(mark.text for mark in marks if (mark.bus, mark.kind) == (bus, kind))
        label = Label(*at[bus], "middle")
        yield _text(label, 0, f"{SIGNS[kind]}<title>{escape(told)}</title>", f"party {kind}")


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
