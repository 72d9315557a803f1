"""KPI 2: quantity of flexibility activated – MW, MWh and number of offers, per product and direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..audit.activation import ORDERS
from ..audit.index import Index
from ..record.activation import VIA_DSO
from .energy import activated, demand_response, tick_h

if TYPE_CHECKING:
    import pandas as pd


def flexibility(index: Index) -> dict[str, Any]:
    """What was activated: of all participants, of demand response alone, and by participant."""
    power = activated(index)
    return {
        "by_product": {key: _product(index, power, *key.split(" ")) for key in _products(index)},
        "all": _amounts(index, power),
        "demand_response": _amounts(index, demand_response(index, power)),
        "by_participant": _by_participant(index, power),
    }


def _products(index: Index) -> list[str]:
    return [f"{need.product} {need.direction}" for need in index.scenario.market.needs]


def _product(index: Index, power: pd.DataFrame, product: str, direction: str) -> dict[str, Any]:
    said = index.typed(*ORDERS, product=product, direction=direction)
    orders = [order for order in said if order["protocol"] not in VIA_DSO]
    ordered = {order["receiver"] for order in orders}
    own = power[[name for name in power.columns if name in ordered]]
    return {
        "offers_activated": len({order["content"]["offer_id"] for order in orders}),
        "orders": len(orders),
        **{key: value for key, value in _amounts(index, own).items() if key.startswith(direction)},
    }


def _by_participant(index: Index, power: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The amounts of each on its own, all columns at once: a swarm has thousands."""
    found: dict[str, dict[str, float]] = {str(name): {} for name in power.columns}
    for way, frame in (("up", power.clip(lower=0.0)), ("down", (-power).clip(lower=0.0))):
        amounts = {"peak_mw": frame.max(), "mean_mw": frame.mean(), "mwh": frame.sum() * tick_h(index)}
        for what, by_name in amounts.items():
            for name, value in by_name.fillna(0.0).items():
                found[str(name)][f"{way}_{what}"] = float(value)
    return found


def _amounts(index: Index, power: pd.DataFrame) -> dict[str, float]:
    up, down = power.clip(lower=0.0).sum(axis=1), (-power).clip(lower=0.0).sum(axis=1)
    found: dict[str, float] = {}
    for name, series in (("up", up), ("down", down)):
        found[f"{name}_peak_mw"] = float(series.max()) if len(series) else 0.0
        found[f"{name}_mean_mw"] = float(series.mean()) if len(series) else 0.0
        found[f"{name}_mwh"] = float(series.sum()) * tick_h(index)
    return found
