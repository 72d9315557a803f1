"""The write-ahead log: every input of every agent here, on the disk before what it leads to leaves.

    input ─▶ add ─▶ the agent reacts ─▶ flush ─▶ messages and orders leave ─▶ acknowledged
                                       (SQLite in WAL mode, one transaction for all since the last flush)

A process that is killed and started again reads it, and is where it was: an agent is the sum of its inputs
(`recovery.py`). Beside them stand notes of what is not an agent's, and the keys of what others have acknowledged, which
need not be sent again; to forget one of those does no harm, because receivers drop what they have heard.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ...errors import LogError

VERSION = "1"
_TABLES = """
CREATE TABLE IF NOT EXISTS inputs (number INTEGER PRIMARY KEY, agent TEXT NOT NULL, at_us INTEGER NOT NULL,
                                   text TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS inputs_of ON inputs (agent, number);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS acknowledged (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
"""


class Entry(NamedTuple):
    """One input: which one in the log, of whom, when, and what (as the journal writes it)."""

    number: int
    agent: str
    at_us: int
    text: str


class InputLog:
    """One log, of one process or one simulated run; without a path it is in memory."""

    def __init__(self, path: Path | None = None) -> None:
        """Open it, new or as it was left; LogError if it cannot be used."""
        self._shown = ":memory:" if path is None else str(path)
        self._open = False
        try:
            self._base = sqlite3.connect(self._shown, isolation_level=None, timeout=1.0)
            self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.executescript(_TABLES)
        except sqlite3.Error as error:
            raise LogError(f"{self._shown}: this log cannot be used: {error}") from None
        if self.noted("version") not in (None, VERSION):
            raise LogError(f"{self._shown}: this log was written by another version of gridpact")
        self.note("version", VERSION)

    def add(self, agent: str, at_us: int, text: str) -> None:
        """One input, which is safe after the next flush."""
        self._do("INSERT INTO inputs (agent, at_us, text) VALUES (?, ?, ?)", agent, at_us, text)

    def acknowledge(self, key: str) -> None:
        """What was sent under this key has arrived; safe after some later flush."""
        self._do("INSERT OR IGNORE INTO acknowledged VALUES (?)", key)

    def note(self, name: str, text: str) -> None:
        """Keep something by name, safe at once."""
        self._do("INSERT OR REPLACE INTO notes VALUES (?, ?)", name, text)
        self.flush()

    def noted(self, name: str) -> str | None:
        """What was kept by this name."""
        found = self._base.execute("SELECT text FROM notes WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def flush(self) -> None:
        """All of it is on the disk when this returns; LogError if the disk does not take it."""
        if self._open:
            try:
                self._base.execute("COMMIT")
            except sqlite3.Error as error:
                raise LogError(f"{self._shown}: {error}") from None
            self._open = False

    def entries(self, agent: str | None = None) -> Iterator[Entry]:
        """All inputs in their order, or those of one agent."""
        chosen = "" if agent is None else "WHERE agent = ?"
        rows = self._base.execute(
            f"SELECT number, agent, at_us, text FROM inputs {chosen} ORDER BY number",  # noqa: S608 - one of two texts
            () if agent is None else (agent,),
        )
        return (Entry(*row) for row in rows)

    def acknowledged(self) -> frozenset[str]:
        """The keys of all that has been acknowledged."""
        return frozenset(str(key) for (key,) in self._base.execute("SELECT key FROM acknowledged"))

    def close(self) -> None:
        """Flush and close it."""
        self.flush()
        self._base.close()

    def _do(self, statement: str, *values: object) -> None:
        try:
            if not self._open:
                self._base.execute("BEGIN")
                self._open = True
            self._base.execute(statement, values)
        except sqlite3.Error as error:
            raise LogError(f"{self._shown}: {error}") from None
