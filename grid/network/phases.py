"""Loads and generators of single phases: all is balanced here, so each counts with what its phases have together.

asymmetric_load, asymmetric_sgen ─▶ load, sgen     as pandapower's own balanced power flow takes them
"""

from __future__ import annotations

from typing import Any

from ..engine import quiet

BALANCED = {"asymmetric_load": "load", "asymmetric_sgen": "sgen"}


def balanced(net: Any) -> tuple[str, ...]:
    """Move a network's unbalanced elements to the tables of balanced ones; returns what is to be told of it."""
    return tuple(_moved(net, table, target) for table, target in BALANCED.items() if len(net[table]))


def _moved(net: Any, table: str, target: str) -> str:
    import pandapower

    frame, create = net[table], {"load": pandapower.create_loads, "sgen": pandapower.create_sgens}[target]
    with quiet():
        create(
            net,
            frame.bus.tolist(),
            p_mw=frame[["p_a_mw", "p_b_mw", "p_c_mw"]].sum(axis=1).tolist(),
            q_mvar=frame[["q_a_mvar", "q_b_mvar", "q_c_mvar"]].sum(axis=1).tolist(),
            name=frame.name.tolist(),
            scaling=frame.scaling.tolist(),
            in_service=frame.in_service.tolist(),
        )
    net[table] = frame.iloc[:0]
    return f"{len(frame)} {table} are taken as balanced: each with the power of its phases together"
