"""What an agent of mango's takes that does nothing, in kB: registered only, and started, with its inbox task.

    python tests/bench/mango_memory.py started 2000

In a process of its own, so that what others have left behind does not count. In simulated time our agents are
registered and never started: the queue hands them what they hear.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys

from mango import Agent
from staging import resident_kb

from gridpact.agents.runtime.container import LocalContainer

COUNT = 4000


def each_kb(how: str) -> float:
    """kB of one agent; `how`: registered or started. Measured in a fresh process."""
    command = [sys.executable, __file__, how, str(COUNT)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


async def _grown_kb(count: int, *, is_started: bool) -> float:
    container = LocalContainer(0.0)
    if is_started:
        await container.start()
        container.on_ready()
    gc.collect()
    before_kb = resident_kb()
    for number in range(count):
        container.register(Agent(), suggested_aid=f"bsp-{number}")
    await asyncio.sleep(0)  # every inbox task begins to wait
    grown_kb = resident_kb() - before_kb
    if is_started:
        await container.shutdown()
    return grown_kb


if __name__ == "__main__":
    asked, many = sys.argv[1], int(sys.argv[2])
    sys.stdout.write(f"{asyncio.run(_grown_kb(many, is_started=asked == 'started')) / many:.3f}\n")
