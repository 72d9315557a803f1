"""Commands of the documentation, for tests that run them word for word: in a shell, with brokers at free ports.

What a page calls broker.example.org, at the default port, is a broker of the test's own on this machine.
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
SHELL = f'set -e\ngridpact() {{ "{sys.executable}" -m gridpact "$@"; }}\n'


def console(page: str) -> list[list[str]]:
    """The commands of each console block of a page."""
    found = re.findall(r"^```console\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [[line[2:] for line in block.splitlines() if line.startswith("$ ")] for block in found]


def files(page: str) -> dict[str, str]:
    """The files that a page shows, by their titles."""
    block = re.compile(r'^```\w+ title="([^"]*)"\n(.*?)^```$', re.DOTALL | re.MULTILINE)
    return dict(block.findall((DOCS / page).read_text("utf-8")))


def here(command: str, port: int) -> str:
    """A command for a broker on this machine, at a port that is free."""
    command = command.replace("mqtts://broker.example.org", f"mqtts://localhost:{port}")
    return command.replace("--host broker.example.org", f"--host localhost --port {port}")


async def begun(command: str, folder: Path) -> asyncio.subprocess.Process:
    """A command that runs in a shell, in a folder."""
    pipe = asyncio.subprocess.PIPE
    words = ("bash", "-c", SHELL + command)
    return await asyncio.create_subprocess_exec(*words, cwd=folder, stdout=pipe, stderr=pipe, start_new_session=True)


def end(process: asyncio.subprocess.Process) -> None:
    """End a command that has been begun, and what it has begun itself."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def shell(command: str, folder: Path) -> str:
    """What a command prints; it must succeed."""
    process = await begun(command, folder)
    said, complained = await process.communicate()
    assert process.returncode == 0, f"{command}: {complained.decode()}"
    return said.decode()
