"""Imports go one way, and each engine is known in one room only."""

import ast
import sys
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("protocols", "agents", "grid", "scenarios")
MAY_IMPORT = {
    "protocols": {"protocols"},
    "grid": {"grid"},
    "agents": {"agents", "protocols", "grid"},
    "scenarios": set(ROOMS),
}
ONLY_IN = {"mango": "agents/runtime", "aiomqtt": "agents/runtime", "amqtt": "agents/runtime", "pandapower": "grid"}
PROTOCOLS_MAY_USE = {"pydantic", "pydantic_core", "immutables"}
NO_CLOCK_OR_NETWORK = {"asyncio", "random", "secrets", "socket", "time"}


def imported(path: PurePosixPath, source: str) -> list[tuple[int, str]]:
    """(line, absolute module) of every import; modules of this package begin with `gridpact`."""
    package = ["gridpact", *path.parent.parts]
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "gridpact" else [module]
            found += [(node.lineno, name) for name in names]
    return found


def wrong_imports(path: PurePosixPath, source: str) -> list[str]:
    """One sentence for each import that the file's room may not have."""
    return [
        f"{path}:{line} {why}"
        for line, module in imported(path, source)
        for why in [_wrong_room(path, module) or _wrong_engine(path, module)]
        if why
    ]


def _wrong_room(path: PurePosixPath, module: str) -> str:
    own, parts = path.parts[0], module.split(".")
    if parts[0] != "gridpact" or own not in MAY_IMPORT:
        return ""
    target = parts[1] if len(parts) > 1 else "the root"
    return "" if target in MAY_IMPORT[own] else f"{own} may not import {target} ({module})"


def _wrong_engine(path: PurePosixPath, module: str) -> str:
    top = module.split(".", maxsplit=1)[0]
    home = ONLY_IN.get(top)
    if home and not path.is_relative_to(home):
        return f"{top} may be imported in {home}/ only"
    if path.parts[0] != "protocols" or top == "gridpact":
        return ""
    if top in NO_CLOCK_OR_NETWORK or (top not in sys.stdlib_module_names and top not in PROTOCOLS_MAY_USE):
        return f"protocols/ has no clock and no I/O and stands on pydantic alone, not on {top}"
    return ""


def package_files() -> list[PurePosixPath]:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return sorted(PurePosixPath(path.relative_to(ROOT)) for path in files)


def test_imports_go_one_way() -> None:
    wrong = [why for path in package_files() for why in wrong_imports(path, (ROOT / path).read_text("utf-8"))]
    assert wrong == []


def test_the_rooms_are_looked_at() -> None:
    assert {path.parts[0] for path in package_files()} == set(ROOMS)


@pytest.mark.parametrize(
    ("path", "source", "sentence"),
    [
        ("protocols/desk.py", "from ..agents import tso", "protocols may not import agents (gridpact.agents)"),
        ("protocols/stages/a.py", "from ...grid.limits.activation import Allowed", "protocols may not import grid"),
        ("grid/powerflow/solver.py", "from ...protocols.messages import Offer", "grid may not import protocols"),
        ("grid/powerflow/solver.py", "from ... import agents", "grid may not import agents (gridpact.agents)"),
        ("grid/powerflow/solver.py", "import gridpact.scenarios.run", "grid may not import scenarios"),
        ("grid/powerflow/solver.py", "import gridpact", "grid may not import the root"),
        ("agents/tso/agent.py", "def f():\n    from ...scenarios import run", "agents/tso/agent.py:2 agents may not"),
        ("agents/tso/agent.py", "import mango", "mango may be imported in agents/runtime/ only"),
        ("scenarios/run.py", "from aiomqtt import Client", "aiomqtt may be imported in agents/runtime/ only"),
        ("scenarios/run.py", "import pandapower.networks as nw", "pandapower may be imported in grid/ only"),
        ("agents/runtime_x/a.py", "import mango", "mango may be imported in agents/runtime/ only"),
        ("protocols/desk.py", "import numpy as np", "not on numpy"),
        ("protocols/desk.py", "from time import monotonic", "not on time"),
    ],
)
def test_an_import_against_the_rules_is_found(path: str, source: str, sentence: str) -> None:
    (why,) = wrong_imports(PurePosixPath(path), source)
    assert sentence in why


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "agents/tso/agent.py",
            "from ...protocols.messages import Offer\nfrom ...grid.limits.activation import Allowed",
        ),
        ("agents/runtime/host.py", "import mango\nfrom aiomqtt import Client\nfrom ..tso.agent import Tso"),
        (
            "grid/network/building.py",
            "import pandapower as pp\nfrom ..errors import NetworkError\nfrom .. import clock",
        ),
        ("scenarios/run.py", "from ..agents.runtime import host\nfrom ..grid.plant import plant"),
        ("protocols/desk.py", "import heapq\nfrom pydantic import BaseModel\nfrom .errors import ProtocolError"),
    ],
)
def test_an_import_within_the_rules_is_not(path: str, source: str) -> None:
    assert wrong_imports(PurePosixPath(path), source) == []
