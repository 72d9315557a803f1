"""The sequence diagram of a run as SVG, one drawing a chapter, with the paper's steps."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from ..chronicle import Chapter, Happening, chapters, speakers
from ..record.run import Run

COLUMN, ROW, TOP, LEFT = 150.0, 22.0, 44.0, 90.0
MOST_ROWS = 400


class Drawn(NamedTuple):
    """One chapter: its heading, and its drawing – none if it went like another period."""

    heading: str
    svg: str
    rows: int


def drawn_chapters(run: Run) -> tuple[Drawn, ...]:
    """Every chapter of a run that differs from the ones before it."""
    names = speakers(run)
    return tuple(_drawn(chapter, names) for chapter in chapters(run))


def _drawn(chapter: Chapter, names: tuple[str, ...]) -> Drawn:
    heading = " · ".join(part for part in (chapter.stage, chapter.period) if part)
    if chapter.repeats:
        return Drawn(f"{heading}: as {chapter.repeats}", "", len(chapter.happenings))
    shown = chapter.happenings[:MOST_ROWS]
    left_out = len(chapter.happenings) - len(shown)
    heading += f" (the first {len(shown)}; {left_out} more in messages.jsonl)" if left_out else ""
    own = [name for name in names if any(name in (each.sender, each.receiver) for each in shown)]
    return Drawn(heading, _svg(shown, own), len(chapter.happenings))


def _svg(shown: tuple[Happening, ...], names: list[str]) -> str:
    width, height = LEFT * 2.6 + COLUMN * max(len(names) - 1, 1), TOP + ROW * (len(shown) + 1)
    x = {name: LEFT + COLUMN * number for number, name in enumerate(names)}
    parts = [f'<svg class="sequence" viewBox="0 0 {width:g} {height:g}" style="min-width:{width * 0.75:g}px">']
    for name, at in x.items():
        parts.append(f'<line class="life" x1="{at:g}" y1="{TOP - 14:g}" x2="{at:g}" y2="{height - 6:g}"/>')
        parts.append(f'<text class="who" x="{at:g}" y="{TOP - 22:g}">{escape(name)}</text>')
    for number, each in enumerate(shown):
        parts.append(_row(each, x, TOP + ROW * (number + 0.7)))
    return "\n".join((*parts, "</svg>"))


def _row(each: Happening, x: dict[str, float], y: float) -> str:
    text, start = escape(each.label), x.get(each.sender, LEFT)
    title = f"<title>{escape(each.order[0])} {escape(each.sender)}</title>"
    if not each.receiver:
        return f'<g>{title}<circle class="step" cx="{start:g}" cy="{y:g}" r="3.5"/>{_text(text, start + 8, y, "")}</g>'
    end = x[each.receiver]
    way = 1 if end > start else -1
    kind = "lost" if each.lost else "refuses" if each.refuses else "stream" if each.many > 1 else "said"
    head = f"{end - 7 * way:g},{y - 4:g} {end:g},{y:g} {end - 7 * way:g},{y + 4:g}"
    line = f'<line x1="{start:g}" y1="{y:g}" x2="{end:g}" y2="{y:g}"/><polyline points="{head}"/>'
    return f'<g class="{kind}">{title}{line}{_text(text, (start + end) / 2, y - 4, "middle")}</g>'


def _text(text: str, x: float, y: float, anchor: str) -> str:
    placed = f'text-anchor="{anchor}" y="{y:g}"' if anchor else f'y="{y + 4:g}"'
    return f'<text x="{x:g}" {placed}>{text}</text>'
