"""The sequence diagram of a run as SVG, one drawing a chapter, with the paper's steps."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from html import escape
from typing import NamedTuple

from ..diagrams.chronicle import Chapter, Happening, chapters, speakers
from ..record.run import Run
from .merit import period_clock

COLUMN, ROW, TOP, LEFT = 150.0, 24.0, 44.0, 100.0
MOST_ROWS = 400


class Drawn(NamedTuple):
    """One chapter: its heading, and its drawing – none if it went like another period."""

    heading: str
    svg: str
    rows: int


def drawn_chapters(run: Run) -> tuple[Drawn, ...]:
    """Every chapter of a run that differs from the ones before it."""
    names, zone = speakers(run), run.scenario.time.start.tzinfo
    return tuple(_drawn(chapter, names, zone) for chapter in chapters(run))


def _drawn(chapter: Chapter, names: tuple[str, ...], zone: tzinfo | None) -> Drawn:
    heading = f"{chapter.stage}{_period(chapter.period, zone)}"
    if chapter.repeats:
        return Drawn(f"{heading}: as{_period(chapter.repeats, zone)}", "", len(chapter.happenings))
    shown = chapter.happenings[:MOST_ROWS]
    left_out = len(chapter.happenings) - len(shown)
    heading += f" (the first {len(shown)}; {left_out} more in messages.jsonl)" if left_out else ""
    own = [name for name in names if any(name in (each.sender, each.receiver) for each in shown)]
    return Drawn(heading, _svg(shown, own, zone), len(chapter.happenings))


def _period(period: str, zone: tzinfo | None) -> str:
    return f" for {period_clock(period, zone)}" if period else ""


def _svg(shown: tuple[Happening, ...], names: list[str], zone: tzinfo | None) -> str:
    width, height = LEFT * 2.6 + COLUMN * max(len(names) - 1, 1), TOP + ROW * (len(shown) + 1)
    x = {name: LEFT + COLUMN * number for number, name in enumerate(names)}
    parts = [f'<svg class="sequence" viewBox="0 0 {width:g} {height:g}" style="min-width:{width * 0.85:g}px">']
    for name, at in x.items():
        parts.append(f'<line class="life" x1="{at:g}" y1="{TOP - 14:g}" x2="{at:g}" y2="{height - 6:g}"/>')
        parts.append(f'<text class="who" x="{at:g}" y="{TOP - 22:g}">{escape(name)}</text>')
    before = ""
    for number, each in enumerate(shown):
        y, clock = TOP + ROW * (number + 0.7), _clock(each, zone)
        parts.append(_row(each, x, y))
        if clock != before:
            parts.append(f'<text class="when" x="4" y="{y + 4:g}">{clock}</text>')
            before = clock
    return "\n".join((*parts, "</svg>"))


def _clock(each: Happening, zone: tzinfo | None) -> str:
    """When it happened, to the second."""
    return f"{datetime.fromisoformat(each.order[0]).replace(tzinfo=UTC).astimezone(zone):%H:%M:%S}"


def _row(each: Happening, x: dict[str, float], y: float) -> str:
    text, start = escape(each.label), x.get(each.sender, LEFT)
    title = f"<title>{escape(each.order[0])} {escape(each.sender)}</title>"
    if not each.receiver:
        return f'<g>{title}<circle class="step" cx="{start:g}" cy="{y:g}" r="3.5"/>{_text(text, start + 8, y)}</g>'
    end = x[each.receiver]
    way = 1 if end > start else -1
    kind = "lost" if each.lost else "refuses" if each.refuses else "stream" if each.many > 1 else "said"
    head = f"{end - 7 * way:g},{y - 4:g} {end:g},{y:g} {end - 7 * way:g},{y + 4:g}"
    line = f'<line x1="{start:g}" y1="{y:g}" x2="{end:g}" y2="{y:g}"/><polyline points="{head}"/>'
    far = escape(max(each.sender, each.receiver, key=lambda name: x.get(name, LEFT)))
    text += f'<tspan class="far"> {far}</tspan>'  # who it is between can be read where the other end is out of sight
    return f'<g class="{kind}">{title}{line}{_text(text, min(start, end) + 10, y - 8)}</g>'


def _text(text: str, x: float, y: float) -> str:
    return f'<text x="{x:g}" y="{y + 4:g}">{text}</text>'
