"""The command line says what there is without importing what computes."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "pandas", "pyarrow", "scipy", "pandapower", "mango", "gridpact.protocols.stages")
READ = (*HEAVY, "pydantic", "ruamel", "gridpact.protocols", "gridpact.scenarios.schema")


def test_the_command_line_itself_imports_nothing_heavy() -> None:
    asked = f"import sys, gridpact.scenarios.cli; print(*[name for name in {READ!r} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert said.stdout.split() == []


def test_a_scenario_is_checked_without_what_computes_grids() -> None:
    checked = "from gridpact.scenarios.checking import checked; list(checked('afrr-day', {}, networks=False))"
    asked = f"import sys; {checked}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert said.stdout.split() == []
