"""Conformance of our own: what we ship passes what we ask of others, over a broker and by the command line."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any


async def test_our_own_bsp_conforms(brokers: Any, tmp_path: Path) -> None:
    async with brokers("own") as broker:
        common = (sys.executable, "-m", "gridpact")
        host = ("host", "conformance", "--agents", "bsp-a", "--broker", str(broker), "--out", str(tmp_path / "part"))
        hosting = await asyncio.create_subprocess_exec(*common, *host, "--quiet")
        told = ("--speed", "150", "--patience", "2", "--out", str(tmp_path / "report.json"))
        try:
            trying = await asyncio.create_subprocess_exec(
                *common, "conform", "--broker", str(broker), *told, stdout=asyncio.subprocess.PIPE
            )
            said, _ = await trying.communicate()
        finally:
            hosting.kill()
            await hosting.wait()
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [one for one in report["findings"] if one["verdict"] != "right"] == []
    assert report["conforms"]
    assert trying.returncode == 0
    assert "bsp-a conforms" in said.decode()
