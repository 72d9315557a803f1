"""What is installed is what is in the folders: no forgotten sub-package, no stray module at the root."""

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOT_INSTALLED = {"tests", "docs", "build", "dist", "runs"}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def packages_in(root: Path) -> set[str]:
    """Every folder with modules or built-in scenarios in it, as the package that it is."""
    found = set()
    for path in [*root.rglob("*.py"), *root.rglob("*.yaml")]:
        folders = path.relative_to(root).parts[:-1]
        if not any(part in NOT_INSTALLED or part.startswith(".") or part.endswith(".egg-info") for part in folders):
            found.add(".".join(["gridpact", *folders]))
    return found


def test_the_list_of_packages_is_complete_and_sorted() -> None:
    listed = project()["tool"]["setuptools"]["packages"]
    assert listed == sorted(packages_in(ROOT))


def test_a_forgotten_package_is_found(tmp_path: Path) -> None:
    for name in ("grid/solver.py", "grid/deep/er.py", "scenarios/library/a.yaml", "tests/t.py", ".venv/lib/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert packages_in(tmp_path) == {"gridpact.grid", "gridpact.grid.deep", "gridpact.scenarios.library"}


def test_only_the_package_itself_stands_at_the_root() -> None:
    assert sorted(path.name for path in ROOT.glob("*.py")) == ["__init__.py", "__main__.py"]


def test_tests_are_no_package() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_types_are_shipped() -> None:
    assert (ROOT / "py.typed").is_file()
    assert project()["tool"]["setuptools"]["package-data"]["gridpact"] == ["py.typed"]


def test_every_dependency_has_a_lower_bound() -> None:
    described = project()["project"]
    everything = [*described["dependencies"], *described["optional-dependencies"]["dev"]]
    assert [one for one in everything if ">=" not in one] == []


def test_the_command_exists() -> None:
    module, function = project()["project"]["scripts"]["gridpact"].split(":")
    path = ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")
    package = path.with_suffix("") / "__init__.py"
    source = (path if path.is_file() else package).read_text("utf-8")
    assert f"def {function}(" in source or f"import {function}" in source
