"""What every page of ours is made with: a template, our style and script, plotly, all inside one file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from ..errors import RecordError


class Figure(NamedTuple):
    """A plot: where it stands in the page, plotly's JSON, and what one should know to read it."""

    id: str
    title: str
    json: Markup
    note: str = ""


def figure_of(name: str, title: str, figure: Any, note: str = "") -> Figure:
    """A plotly figure as it goes into a page."""
    text = figure.to_json().replace("<", "\\u003c")
    return Figure(name, title, Markup(text), note)  # noqa: S704 - nothing ends the script


def write_rendered(path: Path, template: str, **values: Any) -> Path:
    """Write a template of this package with its values; returns the path. RecordError if it cannot be written."""
    loader = PackageLoader(__package__, "")
    surroundings = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    plotly = Markup(get_plotlyjs())  # noqa: S704 - plotly's own
    own = {"css": own_text("page.css"), "js": own_text("drawing.js") + own_text("page.js"), "plotly": plotly}
    text = surroundings.get_template(template).render(**values, **own)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise RecordError(f"{path}: cannot be written: {error.strerror}") from None
    return path


def own_text(name: str) -> Markup:
    """A style or script of this package, to stand in a page."""
    return Markup(files(__package__).joinpath(name).read_text("utf-8"))  # noqa: S704 - a file of this package
