"""From a grid description to a prepared pandapower network: limits, taps, loads, connection points.

    source.load ─▶ refuse what has no model ─▶ fold scaling ─▶ loads, taps, limits ─▶ connection points

What was filled in or repaired is told in notes, because benchmark grids lack limits and tap changers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Floats
from ..description.grid import DEFAULT_LIMITS, GridDescription, ZipPercent
from ..errors import NetworkError
from .copies import beside
from .phases import balanced
from .points import ConnectionPoint, bus_index
from .slack import slack_generators
from .sound import refuse_broken
from .source import load
from .taps import set_taps

POINT_TYPE = "connection point"
TABLES = ("load", "sgen", "storage")  # whose powers make a state
UNLIMITED_KA = 99999.0
ZIP_COLUMNS = ("const_z_p_percent", "const_i_p_percent", "const_z_q_percent", "const_i_q_percent")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A network that is ready to be compiled, its connection points as the last generators, and what was repaired."""

    net: Any
    notes: tuple[str, ...]


def build(description: GridDescription, points: Sequence[ConnectionPoint] = ()) -> Prepared:
    """Return the prepared network of a description with its connection points.

    Scaling is folded into `p_mw` and `q_mvar`; what is out of service is set to zero. Raises NetworkError.
    """
    net = load(description)
    refuse_broken(net)
    notes = list(balanced(net))
    _refuse_unusable(net)
    _fold_scaling(net)
    _scale(net, description)
    _set_zip(net, description.zip_percent)
    set_taps(net, description.taps, notes)
    _set_limits(net, description, notes)
    _connect(net, points)
    return Prepared(net, tuple(notes))


def reconnected(net: Any, before: int, points: Sequence[ConnectionPoint]) -> Any:
    """Return a prepared network with other connection points than the last `before` of its generators.

    All else is the very same, so neither may be changed. Raises NetworkError.
    """
    other = beside(net, "sgen")
    other["sgen"] = net.sgen.iloc[: len(net.sgen) - before].copy()
    _connect(other, points)
    return other


def _refuse_unusable(net: Any) -> None:
    if not len(net.bus) or not (net.ext_grid.in_service.any() or slack_generators(net).any()):
        raise NetworkError("the network needs buses and an external grid (ext_grid) in service as its connection")
    for table in ("bus", "load", "sgen", "storage", "line", "trafo", "trafo3w", "gen", "ext_grid"):
        if not net[table].index.is_unique:
            raise NetworkError(f"the indices of the network's {table} table must be unique")
    for table in TABLES:
        values = net[table][["p_mw", "q_mvar"]].to_numpy(dtype=float)
        if not np.isfinite(values).all():
            raise NetworkError(f"every {table} of the network needs a finite p_mw and q_mvar")


def _fold_scaling(net: Any) -> None:
    for table in TABLES:
        frame = net[table]
        factor = frame.scaling.fillna(1.0).astype(float) * frame.in_service.astype(bool)
        frame["p_mw"], frame["q_mvar"] = frame.p_mw * factor, frame.q_mvar * factor
        frame["scaling"] = 1.0


def _scale(net: Any, description: GridDescription) -> None:
    """Keep what the file says beside the scaled value, because profiles and planning cases start from the former."""
    for table, scale in (("load", description.load_scaling), ("sgen", 1.0), ("storage", description.storage_scaling)):
        frame = net[table]
        frame["file_p_mw"], frame["file_q_mvar"] = frame.p_mw, frame.q_mvar
        frame["p_mw"], frame["q_mvar"] = frame.p_mw * scale, frame.q_mvar * scale
    if description.source_vm_pu is not None:
        net.ext_grid["vm_pu"] = description.source_vm_pu


def zip_shares(net: Any) -> Floats:
    """Return the ZIP shares of a network's loads in percent (loads × 4, in the order of ZIP_COLUMNS)."""
    shares: Floats = net.load[list(ZIP_COLUMNS)].to_numpy(dtype=float)
    return shares


def _set_zip(net: Any, shares: ZipPercent | None) -> None:
    for column in ZIP_COLUMNS:
        if column not in net.load:
            net.load[column] = 0.0
        elif shares is None:
            net.load[column] = net.load[column].fillna(0.0)
    if shares is not None:
        net.load[list(ZIP_COLUMNS)] = (shares.z, shares.i, shares.z, shares.i)


def _set_limits(net: Any, description: GridDescription, notes: list[str]) -> None:
    limits = description.limits
    _set_line_ratings(net, limits.line_max_i_ka, notes)
    columns = [(table, "max_loading_percent", "loading_percent") for table in ("line", "trafo", "trafo3w")]
    columns += [("bus", "min_vm_pu", "vm_min_pu"), ("bus", "max_vm_pu", "vm_max_pu")]
    for table, column, field in columns:
        frame, given = net[table], getattr(limits, field)
        value = float(DEFAULT_LIMITS[field] if given is None else given)
        if column not in frame:
            frame[column] = np.nan
        missing = frame[column].isna()
        if given is not None or missing.all():
            frame[column] = value
        else:
            frame[column] = frame[column].fillna(value).astype(float)
        if given is None and missing.any():
            notes.append(f"{int(missing.sum())} of {len(frame)} {table} had no {column}: {value} assumed")
    crossed = net.bus.index[net.bus.min_vm_pu > net.bus.max_vm_pu]
    if len(crossed):
        low, high = net.bus.loc[crossed[0], ["min_vm_pu", "max_vm_pu"]]
        raise NetworkError(
            f"the lowest voltage allowed at bus {crossed[0]}, {low:g} pu, must not be above the highest, {high:g} pu: "
            "see limits.vm_min_pu, limits.vm_max_pu and the network's min_vm_pu, max_vm_pu"
        )


def _set_line_ratings(net: Any, rating_ka: float | None, notes: list[str]) -> None:
    """Lines without a current rating get the scenario's, or one that never binds: NaN would hide every overload."""
    if not len(net.line):
        return
    unrated = ~(net.line.max_i_ka > 0) | (net.line.max_i_ka >= UNLIMITED_KA)
    if not unrated.any():
        return
    net.line.loc[unrated, "max_i_ka"] = UNLIMITED_KA if rating_ka is None else rating_ka
    said = "they are not limited (limits.line_max_i_ka gives one)" if rating_ka is None else f"{rating_ka:g} kA assumed"
    notes.append(f"{int(unrated.sum())} of {len(net.line)} lines had no current rating max_i_ka: {said}")


def _connect(net: Any, points: Sequence[ConnectionPoint]) -> None:
    import pandapower

    names = net.bus.name.where(net.bus.name.notna(), "")
    buses = [(int(index), str(name)) for index, name in names.items()]
    taken = set(net.sgen.name.dropna().astype(str))
    for point in points:
        if point.name in taken:
            raise NetworkError(f'connection point "{point.name}" has the name of another generator; names are unique')
        taken.add(point.name)
    if not points:
        return
    columns = set(net.sgen)
    p_mw, q_mvar = [point.baseline_mw for point in points], [point.baseline_mvar for point in points]
    names, at = [point.name for point in points], [bus_index(point.bus, buses) for point in points]
    created = pandapower.create_sgens(net, at, p_mw=p_mw, q_mvar=q_mvar, name=names, type=POINT_TYPE)
    net.sgen.drop(columns=[name for name in net.sgen if name not in columns], inplace=True)
    net.sgen.loc[created, "file_p_mw"], net.sgen.loc[created, "file_q_mvar"] = p_mw, q_mvar
