"""What a network's tables must hold so that a power flow means something: said of the element, before pandapower fails.

RULES: table ─▶ column ─▶ what its values must be. Elements out of service may hold anything; columns that a table does
not have are pandapower's own business.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from ..arrays import Booleans
from ..errors import NetworkError

Rule = Literal[
    "positive", "not negative", "finite", "positive or empty", "not negative or empty", "a whole number or empty"
]
RULES: dict[str, dict[str, Rule]] = {
    "bus": {"vn_kv": "positive", "min_vm_pu": "positive or empty", "max_vm_pu": "positive or empty"},
    "ext_grid": {"vm_pu": "positive"},
    "gen": {"p_mw": "finite", "vm_pu": "positive"},
    "line": {
        "length_km": "positive",
        "r_ohm_per_km": "not negative",
        "x_ohm_per_km": "finite",
        "c_nf_per_km": "not negative",
        "parallel": "positive",
        "max_i_ka": "not negative or empty",
        "max_loading_percent": "positive or empty",
    },
    "trafo": {
        "sn_mva": "positive",
        "vn_hv_kv": "positive",
        "vn_lv_kv": "positive",
        "vk_percent": "positive",
        "vkr_percent": "not negative",
        "pfe_kw": "finite",
        "i0_percent": "finite",
        "parallel": "positive",
        "max_loading_percent": "positive or empty",
        **{f"tap_{which}": "a whole number or empty" for which in ("min", "max", "pos")},
    },
    "trafo3w": {
        **{f"sn_{side}_mva": "positive" for side in ("hv", "mv", "lv")},
        **{f"vn_{side}_kv": "positive" for side in ("hv", "mv", "lv")},
        "max_loading_percent": "positive or empty",
    },
    "impedance": {"sn_mva": "positive", "rft_pu": "finite", "xft_pu": "finite"},
}
ENDS = {
    **dict.fromkeys(("ext_grid", "gen", "load", "sgen", "storage", "shunt", "ward", "xward", "motor"), ("bus",)),
    **dict.fromkeys(("line", "impedance", "dcline"), ("from_bus", "to_bus")),
    "trafo": ("hv_bus", "lv_bus"),
    "trafo3w": ("hv_bus", "mv_bus", "lv_bus"),
    "switch": ("bus",),
}


def refuse_broken(net: Any) -> None:
    """Raise NetworkError for the first value with which no power flow, or no limit, can be computed."""
    for table, columns in ENDS.items():
        for column in columns:
            _refuse(net, table, column, net[table][column].isin(net.bus.index), "the index of a bus of the network")
    for table, rules in RULES.items():
        for column, rule in rules.items():
            if column in net[table]:
                values = pd.to_numeric(net[table][column], errors="coerce").to_numpy(dtype=float)
                _refuse(net, table, column, _kept(values, rule), rule)
    line = net.line
    if len(line):
        short = (line.r_ohm_per_km.to_numpy(dtype=float) == 0) & (line.x_ohm_per_km.to_numpy(dtype=float) == 0)
        _refuse(net, "line", "x_ohm_per_km", ~short, "more than 0 where r_ohm_per_km is 0 (or put a bus–bus switch)")


def _kept(values: Any, rule: Rule) -> Booleans:
    found: Booleans = np.isfinite(values)
    if rule.startswith("positive"):
        found = found & (values > 0)
    elif rule.startswith("a whole number"):
        found = found & (np.rint(values) == values)
    elif rule.startswith("not negative"):
        found = found & (values >= 0)
    return found | np.isnan(values) if rule.endswith("empty") else found


def _refuse(net: Any, table: str, column: str, right: Any, rule: str) -> None:
    frame = net[table]
    wrong = ~np.asarray(right, dtype=np.bool_)
    if "in_service" in frame:
        wrong &= frame.in_service.to_numpy(dtype=np.bool_)
    if wrong.any():
        first = frame.index[wrong][0]
        others = f" (and of {int(wrong.sum()) - 1} more)" if wrong.sum() > 1 else ""
        value = frame.at[first, column]
        raise NetworkError(f"{column} of {table} {first}{others} in the network is {value}; it must be {rule}")
