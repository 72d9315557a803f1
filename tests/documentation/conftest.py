"""Pages are followed in an empty folder."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from page_reader import Reader


@pytest.fixture
def follow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Reader]:
    """Do what a page says, from a heading on if one is named, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["gridpact"])
    monkeypatch.setitem(os.environ, "COLUMNS", "120")

    def followed(page: str, since: str = "") -> Reader:
        reader = Reader(tmp_path, capsys)
        reader.follow(page, since)
        return reader

    return followed
