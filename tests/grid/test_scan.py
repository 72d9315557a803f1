"""A network file is searched before it is read: nothing that it names is imported, no code, no other file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from gridpact.grid.description.grid import GridDescription
from gridpact.grid.engine import quiet
from gridpact.grid.errors import NetworkError
from gridpact.grid.network.building import build
from gridpact.grid.network.scan import refuse_foreign_modules
from gridpact.grid.network.source import load

EVIL = {"_module": "evil_module", "_class": "X", "_object": "{}"}


def refused(text: str, words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        refuse_foreign_modules(text, "net.json")
    assert "evil_module" not in sys.modules


def within_a_table(cell: Any) -> str:
    """A table of a network whose one cell is an object, as pandapower's reader would decode it."""
    frame = {"columns": ["object"], "index": [0], "data": [[cell]]}
    table = {"_module": "pandas.core.frame", "_class": "DataFrame", "_object": json.dumps(frame), "orient": "split"}
    return json.dumps({"_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": {"controller": table}})


CELLS = (EVIL, [EVIL], json.dumps(EVIL), json.dumps(json.dumps(EVIL)), {"a": json.dumps([EVIL])})
CODE = (("builtins", "eval"), ("builtins", "function"), ("pandapower", "function"), ("numpy", "method"))


@pytest.mark.parametrize("cell", CELLS)
def test_a_foreign_module_is_found_at_any_depth(cell: Any) -> None:
    refused(within_a_table(cell), "names the module 'evil_module'")


def test_a_foreign_module_in_a_file_is_refused_and_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evil_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "net.json").write_text(within_a_table(EVIL))
    with pytest.raises(NetworkError, match="evil_module"):
        build(GridDescription(file=str(tmp_path / "net.json")))
    assert "evil_module" not in sys.modules


def test_what_only_another_reader_would_understand_is_refused_not_skipped() -> None:
    lenient = '{"columns": ["a"], "data": [["x" , {"_module": "evil_module"}],]}'
    refused(json.dumps({"_module": "pandas", "_class": "DataFrame", "_object": lenient}), "a string that may hide")
    escaped = '{"columns": ["a"],, "data": "\\u005fmodule"}'
    refused(json.dumps({"_object": escaped}), "a string that may hide")


def test_of_two_equal_keys_none_is_believed() -> None:
    refused('{"_module": "evil_module", "_module": "pandas", "_class": "DataFrame"}', "two entries _module")


@pytest.mark.parametrize(
    ("module", "kind"),
    [("builtins", "eval"), ("builtins", "function"), ("pandapower", "function"), ("numpy", "method")],
)
def test_code_is_no_data(module: str, kind: str) -> None:
    refused(json.dumps({"_module": module, "_class": kind, "_object": "exec"}), "which is code")


def test_a_module_that_only_begins_like_an_allowed_one_is_foreign() -> None:
    refused(json.dumps({"_module": "pandapower_evil", "_class": "X"}), "pandapower_evil")
    refused(json.dumps({"_module": ["pandapower"], "_class": "X"}), "names the module")


def test_a_table_may_not_stand_in_another_file() -> None:
    refused(
        json.dumps({"_module": "pandas", "_class": "DataFrame", "_object": "/etc/x.json"}), "refers to another file"
    )


def test_a_network_that_pandapower_itself_refuses_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "net.json").write_text(within_a_table({"_module": "numpy", "_class": "load", "_object": "x"}))
    with pytest.raises(NetworkError, match="not a readable pandapower network"):
        build(GridDescription(file=str(tmp_path / "net.json")))


@pytest.mark.parametrize("name", ["cigre_mv_der", "example_multivoltage"])
def test_what_pandapower_itself_writes_passes(name: str, tmp_path: Path) -> None:
    import pandapower.control

    net = load(GridDescription(network=name))
    with quiet():
        pandapower.control.ConstControl(net, "load", "p_mw", element_index=0, profile_name="a")
        pandapower.to_json(net, str(tmp_path / "net.json"))
    assert len(build(GridDescription(file=str(tmp_path / "net.json"))).net.bus) == len(net.bus)
