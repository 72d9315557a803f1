"""What must hold for set-points by way of a DSO: each follows from one of the TSO's, and is not raised or turned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..record.limiting import LimitStep, limit_steps
from .index import Index

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE_MW = 1e-5


def subscribed(index: Index) -> Mapping[str, str]:
    """Whose set-points a DSO's subscription at the TSO is about, by conversation."""
    asked = index.typed("set-point-relay-subscription")
    return {row["conversation_id"]: row["content"]["participant"] for row in asked}


def own_limits(index: Index, dso: str) -> list[LimitStep]:
    """The limits of a DSO; they bind what it passes on from when it has asked for them."""
    rows = [row for row in index.typed("limit-request") if row["sender"] == dso]
    return limit_steps({**row, "received_at": None} for row in rows)


def not_raised(participant: str, passed: pd.DataFrame, by_tso: pd.DataFrame) -> Iterator[str]:
    """One finding, if a set-point that a DSO has passed on has no cause, or is more than that or another way."""
    causes = by_tso[(by_tso["about"] == participant) & by_tso["received_at"].notna()].set_index("id")
    unknown = passed[~passed["caused_by"].isin(causes.index)]
    if len(unknown):
        yield f"step 7.1: set-point {unknown.iloc[0]['id']} was passed on to {participant}, but the TSO had sent none"
        return
    heard = causes.loc[passed["caused_by"]]
    asked_mw, said_mw = heard["power_mw"].to_numpy(), passed["power_mw"].to_numpy()
    early = heard["received_at"].to_numpy() > passed["sent_at"].to_numpy()
    raised = (abs(said_mw) > abs(asked_mw) + TOLERANCE_MW) | (said_mw * asked_mw < 0) | early
    if raised.any():
        first = passed[raised].iloc[0]
        text = f"set-point {first['id']} of {first['power_mw']:g} MW was passed on to {participant}"
        yield f"step 7.1: {text}, the TSO had asked for {asked_mw[raised][0]:g} MW"
