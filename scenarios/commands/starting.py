"""`gridpact new`: a commented scenario to start from, on the benchmark grid or on a network of the user's own.

network ─▶ three buses with load, sizes from what the loads draw ─▶ start.yaml.jinja ─▶ FILE
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined
from pydantic import ValidationError

from ...grid.description.grid import GridDescription
from ..description.schema import LONGEST_NAME
from ..errors import ScenarioError
from ..reading.shelf import library

BENCHMARK = "cigre_mv_der"
PRICES = (60, 70, 80)
SHARE, OF_BUS = 0.06, 10.0


class Standing(NamedTuple):
    """Units of a grid, each with its bus and MW, and further lines of the grid."""

    units: tuple[tuple[int, float], ...]
    settings: tuple[str, ...] = ()


def write_start(path: Path, *, network: str | None = None, file: Path | None = None) -> Path:
    """Write a scenario that passes `gridpact check`, on a network by name or a pandapower JSON of the user's own.

    Raises ScenarioError if the file is already there, or the network is none.
    """
    if path.exists():
        raise ScenarioError(f"{path}: there is a file already; name another one")
    if network is not None and file is not None:
        raise ScenarioError("--network names a built-in network and --file one of yours: use one of the two")
    standing = _benchmark() if file is None and network in (None, BENCHMARK) else _of(network, file)
    text = _text(path, standing, _source(path, network, file))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be written: {error.strerror}") from None
    return path


def _benchmark() -> Standing:
    """CIGRE's medium-voltage grid with its loads at 80 %: as it ships it is in violation already."""
    zips = "zip_percent: {z: 40, i: 30, p: 30}   # constant impedance, current, power: how loads depend on voltage"
    taps = "taps: {side: hv, step_percent: 1.5}"
    return Standing(
        ((9, 2.5), (11, 2.5), (8, 2.5)), ("load_scaling: 0.8", "storage_scaling: 0.0", "source_vm_pu: 1.03", taps, zips)
    )


def _of(network: str | None, file: Path | None) -> Standing:
    """Three of the buses that have loads, spread over the network; sizes by what all loads draw, and those there."""
    from ...grid.errors import NetworkError
    from ...grid.network.phases import balanced
    from ...grid.network.source import load

    try:
        named = {"network": network} if file is None else {"file": str(file)}
        net = load(GridDescription.model_validate(named))
        balanced(net)
    except ValidationError as error:
        raise ScenarioError(f"--network {network}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    except NetworkError as error:
        raise ScenarioError(str(error)) from None
    loads = net.load[net.load.in_service & (net.load.p_mw * net.load.scaling > 0)]
    buses = [int(bus) for bus in loads.bus.drop_duplicates()]
    if not buses:
        raise ScenarioError(
            "this network has no loads (load, asymmetric_load) that draw, so nothing tells where units could stand"
        )
    spread = dict.fromkeys(buses[len(buses) * part // 4] for part in (1, 2, 3))
    drawn = (loads.p_mw * loads.scaling).groupby(loads.bus).sum()
    most_mw = SHARE * float(drawn.sum())
    return Standing(tuple((bus, _round(min(most_mw, OF_BUS * float(drawn[bus])))) for bus in spread))


def _round(mw: float) -> float:
    """To two digits."""
    return float(f"{mw:.2g}")


def _source(path: Path, network: str | None, file: Path | None) -> str:
    if file is None:
        return f"network: {network or BENCHMARK}   # ships with pandapower; or `file: mine.json`, or `simbench: CODE`"
    stands = file.resolve()
    folder = path.parent.resolve()
    return f"file: {json.dumps(str(stands.relative_to(folder) if stands.is_relative_to(folder) else stands))}"


def _text(path: Path, standing: Standing, source: str) -> str:
    surroundings = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    template = (library() / "start.yaml.jinja").read_text("utf-8")
    names = [f"bsp-{letter}" for letter in "abc"]
    units = [
        {"name": name, "id": f"unit-{name[-1]}", "bus": bus, "mw": f"{mw:g}", "price": price}
        for name, (bus, mw), price in zip(names, standing.units, PRICES, strict=False)
    ]
    told = {"units": units, "source": source, "settings": standing.settings, **_sizes([mw for _, mw in standing.units])}
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", path.stem).lstrip("-_.")[:LONGEST_NAME]
    title = "Offers in a distribution grid, and a dear one on the transmission grid"
    return surroundings.from_string(template).render(file=path, name=name or "mine", title=title, grid="north", **told)


def _sizes(offers_mw: Sequence[float]) -> dict[str, Any]:
    """What grows with the offers: the need, the area, its disturbance, and the smallest bid."""
    need_mw = _round(1.6 * sum(offers_mw))
    step = 10.0 ** (math.floor(math.log10(min(offers_mw))) - 2)
    sizes = {
        "need_mw": need_mw,
        "min_bid_mw": 10 * step,
        "bid_step_mw": step,
        "trigger_mw": _round(need_mw / 25),
        "area_mw": _round(80 * need_mw),
        "self_regulation": _round(0.8 * need_mw),
        "droop": _round(8 * need_mw),
        "fcr_mw": _round(1.6 * need_mw),
        "loss_mw": _round(0.7 * need_mw),
    }
    return {name: f"{mw:.12g}" for name, mw in sizes.items()}
