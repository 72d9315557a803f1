"""The version of gridpact that runs, as recorded with every run."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

SOURCE_VERSION = "0.1.0"


def _installed() -> str:
    try:
        return version("gridpact")
    except PackageNotFoundError:
        return SOURCE_VERSION


VERSION = _installed()
