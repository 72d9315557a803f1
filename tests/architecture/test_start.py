"""Nobody waits for the import of what is not needed: to say what there is, to check a scenario, to run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("numpy", "pandas", "pyarrow", "scipy", "pandapower", "mango", "gridpact.protocols.stages")
READ = (*HEAVY, "pydantic", "ruamel", "gridpact.protocols", "gridpact.scenarios.description.schema")
PAGE = ("jinja2", "gridpact.scenarios.live.sight", "gridpact.scenarios.report")


def imported(names: tuple[str, ...], *lines: str, there: Path | None = None) -> list[str]:
    """Which of the modules a process has imported after these lines."""
    asked = f"import sys; print(*[name for name in {names!r} if name in sys.modules])"
    ran = [sys.executable, "-c", "\n".join((*lines, asked))]
    return subprocess.run(ran, check=True, capture_output=True, text=True, cwd=there).stdout.split()


def test_the_command_line_itself_imports_nothing_heavy() -> None:
    assert imported(READ, "import gridpact.scenarios.cli") == []


def test_a_scenario_is_checked_without_what_computes_grids() -> None:
    check = "from gridpact.scenarios.check.checking import checked", "list(checked('afrr-day', {}, networks=False))"
    assert imported(HEAVY, *check) == []


def test_a_run_that_nobody_watches_imports_no_page(tmp_path: Path) -> None:
    needs = (
        "from pathlib import Path",
        "from gridpact.scenarios.operation import running",
        "from gridpact.scenarios.reading import loading",
    )
    opened = "running._writer(loading.load_scenario('blind'), Path('record'), None, realtime=False)"
    assert imported(PAGE, *needs, opened, there=tmp_path) == []
