"""Where the names in a one-line diagram stand: beside their bus, where they cover the least of all else.

buses, branches, lines of text per bus ─▶ of eight places around each bus the freest ─▶ a label each
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

Point = tuple[float, float]
LINE_PX, LETTER_PX, BESIDE_PX, STEP_PX = 27.0, 12.5, 10.0, 9.0  # letters as on a phone: on a screen they are smaller
LINE_EM = 1.15
AROUND = ((1, -1), (1, 1), (-1, -1), (-1, 1), (0, -1), (0, 1), (1, 0), (-1, 0))
ANCHORS = {1: "start", 0: "middle", -1: "end"}


class Box(NamedTuple):
    """A rectangle of the drawing, px."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, point: Point) -> bool:
        """Whether a point lies in it."""
        return self.left <= point[0] <= self.right and self.top <= point[1] <= self.bottom

    def shared_px2(self, other: Box) -> float:
        """The area that two have in common."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)


class Label(NamedTuple):
    """Where a bus's text stands, to which side it runs; `first_em`: from `y` to its first line, in letters' heights."""

    x: float
    y: float
    anchor: str
    first_em: float = 0.35


def labels(
    at: Sequence[Point], ends: Sequence[tuple[int, int]], texts: Sequence[Sequence[str]], frame: Box
) -> list[Label]:
    """A place for the lines of text of each bus; `ends`: the buses that a branch joins."""
    crowd = [*at, *(point for start, end in ends for point in _along(at[start], at[end]))]
    taken: list[Box] = []
    found: list[Label] = []
    for (x, y), lines in zip(at, texts, strict=True):
        tried = [(side, _box(x, y, side, lines)) for side in AROUND]
        covers = [_covered(box, crowd, taken, frame) for _, box in tried]
        side, box = tried[covers.index(min(covers))]
        taken.append(box)
        found.append(_label(x, y, side, len(lines)))
    return found


def _label(x: float, y: float, side: tuple[int, int], lines: int) -> Label:
    """It grows away from its bus, whatever the size of the letters."""
    across, down = side
    first_em = {1: 0.85, 0: 0.35 - LINE_EM * (lines - 1) / 2, -1: -0.2 - LINE_EM * (lines - 1)}[down]
    return Label(x + across * BESIDE_PX, y + _away(side), ANCHORS[across], first_em)


def _away(side: tuple[int, int]) -> float:
    return side[1] * (4.0 if side[0] else BESIDE_PX)


def _along(start: Point, end: Point) -> Iterator[Point]:
    steps = int(max(abs(end[0] - start[0]), abs(end[1] - start[1])) / STEP_PX)
    for step in range(1, steps):
        share = step / steps
        yield start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _box(x: float, y: float, side: tuple[int, int], lines: Sequence[str]) -> Box:
    width, height = LETTER_PX * max(map(len, lines)), LINE_PX * len(lines)
    across, down = side
    left = x + across * BESIDE_PX - width * (1 - across) / 2
    top = y + _away(side) - height * (1 - down) / 2
    return Box(left, top, left + width, top + height)


def _covered(box: Box, crowd: Sequence[Point], taken: Sequence[Box], frame: Box) -> float:
    """How much a label would cover of branches, dots and other labels, or lose beyond the frame."""
    outside = (box.right - box.left) * (box.bottom - box.top) - box.shared_px2(frame)
    hidden = sum(STEP_PX**2 for point in crowd if box.holds(point))
    return 5 * outside + hidden + 2 * sum(box.shared_px2(other) for other in taken)
