"""The file of the journal: one JSON object per line, compressed in blocks beside the run."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from .cells import moment
from .clerk import Clerk

BLOCK_LINES = 2048


class JournalFile:
    """Lines in the order of the inputs; `rows` counts them."""

    def __init__(self, path: Path, clerk: Clerk) -> None:
        self._file = path.open("wb")
        self._packed = gzip.GzipFile(filename="", mode="wb", compresslevel=4, fileobj=self._file, mtime=0)
        self._clerk = clerk
        self._waiting: list[str] = []
        self._names: dict[str, str] = {}
        self._second, self._at = -1, ""
        self.rows = 0

    def add(self, agent: str, at_us: int, text: str) -> None:
        """One input, as JSON."""
        second, rest_us = divmod(at_us, 1_000_000)
        if second != self._second:
            self._second, self._at = second, (moment(second * 1_000_000) or "")[:-1]
        at = f"{self._at}.{rest_us:06d}Z" if rest_us else f"{self._at}Z"
        name = self._names.get(agent) or self._names.setdefault(agent, json.dumps(agent, ensure_ascii=False))
        self._waiting.append(f'{{"sequence":{self.rows},"agent":{name},"at":"{at}","input":{text}}}\n')
        self.rows += 1
        if len(self._waiting) == BLOCK_LINES:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self._clerk.do(self._packed.close)
        self._clerk.do(self._file.close)

    def _flush(self) -> None:
        block, self._waiting = self._waiting, []
        self._clerk.do(lambda: self._write(block))

    def _write(self, block: list[str]) -> None:
        self._packed.write("".join(block).encode())
