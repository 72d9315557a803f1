"""How a market grows: one period through all stages at 10, 100, 1000 … BSPs, seconds and kB per agent, by stage.

    python tests/bench/swarms.py --sizes 10,100,1000 [--json swarms.json] [--profile DIR]

Each size runs in a process of its own, so that memory is its own. Seconds are processor time of that process: a busy
machine changes them less than the clock. `ratio` compares a size's cost per agent with that of 100 (flat: 1).
With --profile the functions whose own time per agent grows most between the sizes are listed.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from staging import STAGES, staged

BASE = 100
# The same calendar at every size: what 50 BSPs a grid take to be tested, one after the other.
CALENDAR_BSPS = 50
Figures = dict[str, Any]


def market(bsps: int, settings: dict[str, str]) -> Callable[[], Any]:
    """The scenario of a size; the calendar is that of full grids, whatever the size."""
    from gridpact.scenarios.reading.loading import load_scenario

    own = {"aggregators": "0", "time.market_time_units": "1", **settings}
    first = load_scenario("swarm", {**own, "bsps": str(CALENDAR_BSPS)}).time.first_delivery
    assert first is not None
    first += timedelta(minutes=15)  # a grid whose draw takes longer than that of the first has room too
    return lambda: load_scenario("swarm", {**own, "bsps": str(bsps), "time.first_delivery": first.isoformat()})


def measured(bsps: int, settings: dict[str, str], profile: Path | None) -> Figures:
    """One market period of a swarm, stage by stage."""
    from gridpact.scenarios.operation.running import run

    with tempfile.TemporaryDirectory() as folder:  # imports and first compilations are not counted
        run(market(5, settings)(), out=Path(folder) / "warm")
    profiler = cProfile.Profile()
    if profile is not None:
        profiler.enable()
    scenario, figures = staged(market(bsps, settings))
    profiler.disable()
    if profile is not None:
        profiler.dump_stats(profile / f"{bsps}.pstats")
    return {"bsps": bsps, "grids": len(scenario.grids), **asdict(figures)}


def table(rows: Sequence[Figures]) -> Iterator[str]:
    """Milliseconds and kB per agent by stage, and the whole against that of 100 BSPs."""
    yield (
        f"{'BSPs':>6} {'grids':>5} "
        + " ".join(f"{name[:8]:>9}" for name in STAGES)
        + f" {'all ms':>9} {'ratio':>6} {'kB':>7}"
    )
    whole = {row["bsps"]: sum(row["seconds"].values()) / row["bsps"] for row in rows}
    base = whole.get(BASE, whole[rows[0]["bsps"]])
    for row in rows:
        count = row["bsps"]
        cells = " ".join(f"{1000 * row['seconds'][name] / count:>9.2f}" for name in STAGES)
        kb = sum(row["kb"].values()) / count
        yield f"{count:>6} {row['grids']:>5} {cells} {1000 * whole[count]:>9.2f} {whole[count] / base:>6.2f} {kb:>7.0f}"
        cells = " ".join(f"{row['kb'][name] / count:>9.1f}" for name in STAGES)
        yield f"{'kB':>12} {cells}"


def growing(folder: Path, sizes: Sequence[int], most: int = 25) -> Iterator[str]:
    """The functions whose own time per agent grows most from the smallest to the largest size profiled."""
    small, large = (_own_times(folder / f"{size}.pstats") for size in (sizes[0], sizes[-1]))
    rows = []
    for where, (calls, own_s) in large.items():
        calls_then, then_s = small.get(where, (0, 0.0))
        growth_ms = 1000 * (own_s / sizes[-1] - then_s / sizes[0])
        rows.append((growth_ms, calls_then / sizes[0], calls / sizes[-1], where))
    for growth_ms, then, now, where in sorted(rows, reverse=True)[:most]:
        yield f"{growth_ms:+9.3f} ms an agent, calls an agent {then:9.1f} -> {now:9.1f}  {where}"


def _own_times(path: Path) -> dict[str, tuple[int, float]]:
    stats: dict[tuple[str, int, str], tuple[Any, ...]] = pstats.Stats(str(path)).stats  # type: ignore[attr-defined]
    found: dict[str, tuple[int, float]] = {}
    for (file, line, name), (_, calls, own_s, *_rest) in stats.items():
        where = f"{'/'.join(Path(file).parts[-3:])}:{line} {name.partition(' at 0x')[0]}"
        found[where] = (found.get(where, (0, 0.0))[0] + calls, found.get(where, (0, 0.0))[1] + own_s)
    return found


def in_a_process(bsps: int, settings: Sequence[str], profile: Path | None = None) -> Figures:
    """Measure one size in a fresh process."""
    command = [sys.executable, __file__, "--one", str(bsps)]
    command += [part for setting in settings for part in ("--set", setting)]
    command += ["--profile", str(profile)] if profile else []
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default="10,100,1000")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--profile", type=Path)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    settings = dict(setting.partition("=")[::2] for setting in arguments.set)
    if arguments.one:
        sys.stdout.write(json.dumps(measured(arguments.one, settings, arguments.profile)) + "\n")
        return
    if arguments.profile:
        arguments.profile.mkdir(parents=True, exist_ok=True)
    sizes = [int(size) for size in arguments.sizes.split(",")]
    rows = []
    for size in sizes:
        rows.append(in_a_process(size, arguments.set, arguments.profile))
        sys.stdout.write("\n".join(table(rows)) + "\n\n")
        sys.stdout.flush()
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    if arguments.profile:
        sys.stdout.write("\n".join(growing(arguments.profile, sizes)) + "\n")


if __name__ == "__main__":
    main()
