"""Tap changers of a prepared network: what is repaired, who may step them, and between which positions.

the scenario's (taps) ──┐
the file's ─▶ repaired ─┴─▶ not stepped: off-circuit, or moved by a controller ─▶ ranges, senses
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..description.grid import TapChanger
from ..errors import NetworkError

LOW_VOLTAGE_KV = 1.0
NOT_STEPPED = "not_stepped"  # column of a prepared network's transformers: taps that no order can step in operation
TYPES = ("Ratio", "Symmetrical", "Ideal", "Tabular")


def set_taps(net: Any, taps: TapChanger | None, notes: list[str]) -> None:
    """Give every transformer the scenario's tap changer, or repair the file's; tell it in `notes`.

    Raises NetworkError where the scenario gives tap changers that a controller of the network's would move.
    """
    trafo = net.trafo
    trafo[NOT_STEPPED] = False
    if len(net.trafo3w):
        _repair(net.trafo3w, notes, "three-winding transformers", ("hv", "mv", "lv"))
    if not len(trafo):
        return
    moved = trafo.index.isin(_controlled(net))
    if taps is not None:
        if moved.any():
            what = f"controllers of the network move the taps of transformer {trafo.index[moved][0]}"
            raise NetworkError(f"{what}: leave out the scenario's tap changers (taps), or take them out of service")
        _replace(trafo, taps, notes)
        return
    _repair(trafo, notes, "transformers", ("hv", "lv"))
    _refuse_untabulated(net)
    movable = trafo.tap_max > trafo.tap_min
    off_circuit = (trafo.vn_lv_kv < LOW_VOLTAGE_KV) & ~moved
    trafo[NOT_STEPPED] = off_circuit | moved
    if (off_circuit & movable).any():
        what = f"the taps of {(off_circuit & movable).sum()} transformers to below {LOW_VOLTAGE_KV:g} kV are taken"
        notes.append(f"{what} as off-circuit: they stay where they are, unless the scenario gives tap changers (taps)")
    if moved.any():
        notes.append(
            f"the taps of {moved.sum()} transformers are moved by the network's own controllers, by nobody else"
        )


def _controlled(net: Any) -> set[int]:
    """The transformers whose taps a controller in service moves."""
    if "controller" not in net or not len(net.controller):
        return set()
    found: set[int] = set()
    for controller in net.controller.object[net.controller.in_service.astype(bool)]:
        moves = hasattr(controller, "tap_pos") or getattr(controller, "variable", None) == "tap_pos"
        if moves and getattr(controller, "element", None) == "trafo":
            found |= {int(index) for index in np.atleast_1d(controller.element_index)}
    return found


def _replace(trafo: Any, taps: TapChanger, notes: list[str]) -> None:
    values = {"tap_side": taps.side, "tap_neutral": 0.0, "tap_min": float(taps.min), "tap_max": float(taps.max)}
    values |= {"tap_step_percent": taps.step_percent, "tap_step_degree": 0.0, "tap_pos": float(taps.position)}
    for column, value in (values | {"tap_changer_type": "Ratio"}).items():
        trafo[column] = value
    trafo["tap_dependency_table"] = False
    reach = f"{taps.min} … {taps.max} × {taps.step_percent:g} % on the {taps.side} side"
    notes.append(f"{len(trafo)} transformers have the scenario's tap changers: {reach}, position {taps.position}")


def _repair(trafo: Any, notes: list[str], what: str, sides: tuple[str, ...]) -> None:
    for column, value in (("tap_dependency_table", False), ("tap_changer_type", None)):
        if column not in trafo:
            trafo[column] = value
    trafo["tap_dependency_table"] = trafo.tap_dependency_table.eq(True)
    usable = trafo.tap_side.isin(sides) & trafo.tap_step_percent.notna() & trafo.tap_neutral.notna()
    untyped = usable & ~trafo.tap_dependency_table & ~trafo.tap_changer_type.isin(TYPES[:3])
    if untyped.any():
        trafo["tap_changer_type"] = trafo.tap_changer_type.astype(object)
        trafo.loc[untyped, "tap_changer_type"] = "Ratio"
        told = "had tap data without tap_changer_type: taken as Ratio, where pandapower's runpp leaves them out"
        notes.append(f"{int(untyped.sum())} {what} {told}")
    trafo["tap_pos"] = trafo.tap_pos.where(trafo.tap_pos.notna(), trafo.tap_neutral).fillna(0.0).astype(float)


def _refuse_untabulated(net: Any) -> None:
    for trafo in net.trafo[net.trafo.tap_dependency_table].itertuples():
        told = "trafo_characteristic_table" in net and "id_characteristic_table" in net.trafo
        if not told or int(trafo.tap_pos) not in set(_table(net, trafo).step):
            what = f"the taps of transformer {trafo.Index} hang on a table (tap_dependency_table)"
            raise NetworkError(f"{what}, but the network's trafo_characteristic_table lacks position {trafo.tap_pos:g}")


def tap_ranges(net: Any) -> tuple[tuple[int, int], ...]:
    """Return (lowest, highest) position per transformer; (position, position) where taps do not act, or not on load."""
    ranges = []
    for trafo in net.trafo.itertuples():
        here = 0 if np.isnan(trafo.tap_pos) else int(trafo.tap_pos)
        acts = trafo.tap_changer_type in TYPES and trafo.tap_side in ("hv", "lv") and not getattr(trafo, NOT_STEPPED)
        ends = (trafo.tap_min, trafo.tap_max)
        low, high = map(int, ends) if acts and np.isfinite(ends).all() else (here, here)
        ranges.append(_tabulated(_table(net, trafo), here, low, high) if trafo.tap_dependency_table else (low, high))
    return tuple(ranges)


def _table(net: Any, trafo: Any) -> Any:
    """A transformer's rows of the characteristic table, by position."""
    rows = net.trafo_characteristic_table
    return rows[rows.id_characteristic == trafo.id_characteristic_table].sort_values("step")


def _tabulated(table: Any, here: int, low: int, high: int) -> tuple[int, int]:
    """The positions around the present one that the characteristic table tells without a gap."""
    known: set[int] = set(np.asarray(table.step, dtype=int).tolist())
    ends: list[int] = []
    for end, step in ((low, -1), (high, 1)):
        position = here
        while position != end and position + step in known:
            position += step
        ends.append(position)
    return ends[0], ends[1]


def tap_senses(net: Any) -> tuple[int, ...]:
    """Return per transformer whether a higher position raises (+1) or lowers (−1) the voltage below it."""
    signs = (-1 if side == "hv" else 1 for side in net.trafo.tap_side)
    return tuple(sign * _growth(net, trafo) for sign, trafo in zip(signs, net.trafo.itertuples(), strict=True))


def _growth(net: Any, trafo: Any) -> int:
    """Whether the voltage of the side with taps grows (+1) or shrinks (−1) with the position."""
    if not trafo.tap_dependency_table:
        return -1 if trafo.tap_step_percent < 0 else 1
    ratio = _table(net, trafo).voltage_ratio
    return -1 if ratio.iloc[-1] < ratio.iloc[0] else 1
