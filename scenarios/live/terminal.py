"""A run in progress on the terminal: how far it is, frequency, activated MW and limits, in one moving panel (rich)."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .picture import clock, figures
from .sight import Sight

MOST_FIGURES = 12


class Panel:
    """What rich draws again and again."""

    def __init__(self, sight: Sight, address: str | None) -> None:
        self._sight, self._address = sight, address

    def __rich__(self) -> RenderableType:
        """The panel as it is now."""
        return Group(*self._parts())

    def _parts(self) -> Iterator[RenderableType]:
        sight, moment = self._sight, self._sight.last()
        told = clock(sight, moment) if moment is not None else "assembling"
        yield Text(f"{sight.scenario.name}  {told}  {100 * sight.share:.0f} %")
        bar = Table.grid()
        bar.add_row(ProgressBar(total=1.0, completed=sight.share, width=60))
        yield bar
        if moment is not None:
            table = Table.grid(padding=(0, 2))
            for what, value in list(figures(sight, moment))[:MOST_FIGURES]:
                table.add_row(Text(what), Text(value))
            yield table
        if self._address is not None:
            yield Text(f"watch: {self._address}", style="bold")


def shown(sight: Sight, console: Console, address: str | None) -> Live:
    """A context in which the panel moves; it goes away at the end."""
    return Live(Panel(sight, address), console=console, refresh_per_second=4, transient=True)
