"""Security and cost: frequency quality, minutes and depth of violations, and what it all costs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...agents.market.settlement import Payment, balances
from ..audit.findings import Row
from ..audit.index import Index
from ..record.activation import settlement
from ..record.run import Run

if TYPE_CHECKING:
    import pandas as pd

STANDARD_RANGE_HZ = 0.05


def ticks_s(telemetry: pd.DataFrame) -> pd.Series[float]:
    """How long each tick lasts, in seconds: until the next one; the last as long as the one before."""
    lengths: pd.Series[float] = telemetry["at"].diff().dt.total_seconds().shift(-1)
    last = float(lengths.iloc[-2]) if len(lengths) > 1 else 0.0
    return lengths.fillna(last)


def integral_h(telemetry: pd.DataFrame, column: str) -> float:
    """Left rectangle over the ticks, in the column's unit times hours; 0 for a column that there is not."""
    if column not in telemetry:
        return 0.0
    return float((telemetry[column].fillna(0.0) * ticks_s(telemetry)).sum() / 3600)


def frequency(run: Run) -> dict[str, Any]:
    """Extremes of the frequency, between the ticks too, and minutes outside the standard range of ±50 mHz."""
    telemetry = run.outline
    if "frequency_hz" not in telemetry:
        return {}
    offset = telemetry["frequency_hz"] - run.scenario.area.nominal_hz
    names = [name if name in telemetry else "frequency_hz" for name in ("lowest_hz", "highest_hz")]
    lowest, highest = (telemetry[name] - run.scenario.area.nominal_hz for name in names)
    outside = ticks_s(telemetry)[offset.abs() > STANDARD_RANGE_HZ].sum() / 60
    nadir = telemetry["at"].iloc[int(lowest.to_numpy().argmin())]
    return {
        "nadir_mhz": float(1000 * lowest.min()),
        "nadir_at": nadir.isoformat().replace("+00:00", "Z"),
        "highest_mhz": float(1000 * highest.max()),
        "minutes_outside_50_mhz": float(outside),
        "final_mhz": float(1000 * offset.iloc[-1]),
    }


def violations(run: Run, *, shadow: bool = False) -> dict[str, dict[str, Any]]:
    """Per grid: minutes in violation, worst loading and voltages, and the loading beyond its limit in %·s.

    That is of the line or transformer that is loaded most by its own limit, be it its network's or the scenario's.
    `shadow`: of the state that would have been without real-time limits; only grids for which it was recorded.
    """
    telemetry = run.outline
    return {grid: _grid(run, grid, shadow=shadow) for grid in run.scenario.grids if _loading(grid, shadow) in telemetry}


def _loading(grid: str, shadow: bool) -> str:
    return f"{grid}.shadow_loading_percent" if shadow else f"{grid}.worst_loading_percent"


def _grid(run: Run, grid: str, *, shadow: bool) -> dict[str, Any]:
    telemetry, prefix = run.outline, "shadow_" if shadow else ""
    lasts_s, loading = ticks_s(telemetry), telemetry[_loading(grid, shadow)]
    lowest, highest = telemetry[f"{grid}.{prefix}vm_min_pu"], telemetry[f"{grid}.{prefix}vm_max_pu"]
    limit = telemetry.get(f"{grid}.{'shadow' if shadow else 'loading'}_limit_percent", math.nan)
    bad = violated(telemetry, grid, shadow=shadow)
    beyond = (loading - limit).clip(lower=0.0)
    return {
        "minutes": float(lasts_s[bad].sum() / 60),
        "minutes_without_power_flow": float(lasts_s[bad & lowest.isna()].sum() / 60),
        "percent_seconds": float((beyond * lasts_s).sum()),
        "worst_loading_percent": float(loading.max()),
        "lowest_vm_pu": float(lowest.min()),
        "highest_vm_pu": float(highest.max()),
    }


def violated(telemetry: pd.DataFrame, grid: str, *, shadow: bool = False) -> pd.Series[bool]:
    """At which ticks a loading or a voltage of a grid was beyond its limit, be it its network's or the scenario's."""
    column = f"{grid}.{'shadow_' if shadow else ''}violations"
    return telemetry[column] > 0 if column in telemetry else telemetry["at"].isna()


def cost(index: Index) -> dict[str, Any]:
    """What the TSO pays for balancing energy, by participant and kind, and where it leaves accounts; texts in EUR.

    Kinds are the TSO's own account: + is what it pays, − what it is paid; what others pay each other is +.
    """
    payments = [_payment(row) for row in settlement((), index.events)]
    paid: dict[str, Decimal] = defaultdict(Decimal)
    by_kind: dict[str, Decimal] = defaultdict(Decimal)
    for payment in payments:
        by_kind[payment.kind] += -payment.amount_eur if payment.payee == index.scenario.tso else payment.amount_eur
        if payment.kind == "balancing_energy":
            paid[payment.payee] += payment.amount_eur
    return {
        "balancing_energy_eur": str(sum(paid.values(), Decimal(0))),
        "by_participant_eur": _texts(paid),
        "by_kind_eur": _texts(by_kind),
        "balances_eur": _texts(balances(payments)),
    }


def _payment(row: Row) -> Payment:
    return Payment(row["period"], row["kind"], row["payer"], row["payee"], Decimal(row["amount_eur"]))


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: str(amount) for name, amount in sorted(amounts.items())}
