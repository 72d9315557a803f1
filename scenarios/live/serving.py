"""Serves the page of a run in progress, to this machine only.

    GET /           the page, with plotly inside        GET /picture    what there is to see now, as JSON
    GET /diagrams   the grids' diagrams, which stay as they are

It listens on the loopback address at a free port, answers only requests that name that address (so no other page in
the browser can reach it under a name of its own), and has nothing but these to read.
"""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from types import TracebackType
from typing import Self

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from ..description.schema import Scenario
from ..report import merit as _  # noqa: F401 - with what it imports, so that the first picture does not take seconds
from ..report.rendering import own_text
from .picture import diagrams, picture
from .sight import Sight

ADDRESS = "127.0.0.1"
LAST_LOOK_S = 5.0  # whoever has looked this long ago is waited for when the run is over
EVERY_MS = 1000
SHARE = 0.1  # of the time, at most, that making pictures takes …
LONGEST_S = 5.0  # … but on a busy machine somebody who looks should see that it goes on


class Watch:
    """The server of one run, in a thread of its own; a context, after which nobody is served any more."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self._looked_s = self._next_s = 0.0
        self._saw_end, self._shown, self._making = False, b"", threading.Lock()
        page, watch = page_of(sight.scenario).encode(), self

        class Answer(BaseHTTPRequestHandler):
            """Answers one request."""

            def do_GET(self) -> None:
                """Answer with the page, or with what there is to see."""
                if self.headers.get("Host") not in watch.names:
                    self.send_error(HTTPStatus.FORBIDDEN, "this page is for this machine only")
                elif self.path == "/":
                    self._give(page, "text/html; charset=utf-8")
                elif self.path == "/picture":
                    self._give(watch.look(), "application/json")
                elif self.path == "/diagrams":
                    self._give(diagrams(watch.sight).encode(), "application/json")
                else:
                    self.send_error(HTTPStatus.NOT_FOUND)

            def _give(self, content: bytes, kind: str) -> None:
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Nobody wants a line for each look."""

        self._server = ThreadingHTTPServer((ADDRESS, 0), Answer)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="watch", daemon=True)

    @property
    def port(self) -> int:
        """The port that it has got."""
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self.port}/"

    @property
    def names(self) -> tuple[str, str]:
        """How a request may name this server."""
        return f"{ADDRESS}:{self.port}", f"localhost:{self.port}"

    def look(self) -> bytes:
        """What there is to see now, or was a moment ago: pictures are made so seldom that the run hardly notices."""
        with self._making:
            over, began_s = self.sight.over, time.monotonic()
            if over or began_s >= self._next_s:
                self._shown = picture(self.sight).encode()
                made_s = time.monotonic()
                self._next_s = made_s + min(LONGEST_S, (made_s - began_s) / SHARE)
            self._looked_s, self._saw_end = time.monotonic(), over
            return self._shown

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until whoever is looking has seen the end, a few seconds at most."""
        self.sight.finish()
        if kind is None and self._looked_s:
            deadline_s = self._looked_s + LAST_LOOK_S
            while not self._saw_end and time.monotonic() < deadline_s:
                time.sleep(0.05)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def page_of(scenario: Scenario) -> str:
    """The page with everything it needs inside."""
    surroundings = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    own = files(__package__)
    script = own.joinpath("page.js").read_text("utf-8")
    return surroundings.from_string(own.joinpath("page.html").read_text("utf-8")).render(
        scenario=scenario,
        every_ms=EVERY_MS,
        css=own_text("page.css"),
        legend=own_text("legend.html"),
        js=own_text("drawing.js") + Markup(script),  # noqa: S704 - a file of this package
        plotly=Markup(get_plotlyjs()),  # noqa: S704 - plotly's own
    )
