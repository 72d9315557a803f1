"""How a market of 10 to 10 000 BSPs grows: one market period through all stages, cost and memory per agent.

Each size runs in a process of its own (`swarms.py`, which also prints every stage). The cost of an agent is processor
time; the memory of an agent is what the process holds more when all are paid than before the scenario was read, shared
out, without what a mango agent takes that is registered (nobody starts it in simulated time). Grids are in it, and the
rows of telemetry that wait to be written: 256 of some ten numbers for each. What is needed after that, to make the
tables and figures of the record, is told by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import held_memory
from mango_memory import each_kb
from measuring import Row
from swarms import Figures, in_a_process

SIZES, SETTINGS = (10, 100, 1000, 10_000), ("journal=false",)
FLAT, MOST_S, MOST_KB = 1.2, 60.0, 20.0


def rows(quick: bool = False) -> Iterator[Row]:
    """Yield the rows of the table; `quick`: two small sizes."""
    mango_kb = each_kb("registered")
    yield _one("mango", "memory of an agent by itself, registered", mango_kb, "kB")
    yield _one("mango", "memory of an agent by itself, started", each_kb("started"), "kB")
    few, many = (20, 60) if quick else (200, 700)
    held_kb = held_memory.each_kb(few, many) - mango_kb
    words = f"one more of {many} BSPs"
    yield _one(words, "memory held by Python, all written, beyond mango's", held_kb, "kB", None if quick else MOST_KB)
    base_ms: float | None = None
    for count in SIZES[:2] if quick else SIZES:
        found = in_a_process(count, SETTINGS)
        each_ms = 1e3 * sum(found["seconds"].values()) / count
        reach_ms = None if base_ms is None or count <= 100 else FLAT * base_ms
        base_ms = each_ms if base_ms is None or count <= 100 else base_ms
        words = f"{count} BSPs in {found['grids']} grids"
        yield _one(words, "all stages, of an agent", each_ms, "ms", reach_ms)
        for stage, seconds in found["seconds"].items():
            yield _one(words, f"of that: {stage}", 1e3 * seconds / count, "ms")
        yield from _whole(words, found, mango_kb)


def _whole(words: str, found: Figures, mango_kb: float) -> Iterator[Row]:
    """The time of the whole, and the memory of an agent."""
    largest = found["bsps"] == SIZES[-1]
    wall = found["wall_s"]
    period_s = sum(wall[name] for name in ("offering", "activation", "settlement"))
    yield _one(words, "one market period: call to settlement", period_s, "s", MOST_S if largest else None)
    yield _one(words, "all stages, qualification to record", sum(wall.values()), "s", MOST_S if largest else None)
    record_kb = found["kb"]["record"] / found["bsps"]
    each_kb = sum(found["kb"].values()) / found["bsps"] - record_kb - mango_kb
    yield _one(words, "memory of an agent beyond mango's", each_kb, "kB", MOST_KB if found["bsps"] >= 1000 else None)
    yield _one(words, "memory for the tables of the record, after the run, of an agent", record_kb, "kB")


def _one(words: str, work: str, value: float, unit: str, reach: float | None = None) -> Row:
    return Row("swarm", words, work, value, value, value, 1, reach_ms=reach, unit=unit)
