"""The tables of a report: headings and rows of text, taken from the record as it stands."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..record.limiting import lifted_and_renewed
from ..record.qualifying import qualifications
from ..record.run import Run

if TYPE_CHECKING:
    import pandas as pd

LIMIT_REQUEST = "gridpact.limit-request/1"
NUMBERS = (" MW", " MWh", " €", " %", " pu", "value", "bound", "payments")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its heading, its columns, its rows; `numbers` are the positions of columns to be set to the right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    @property
    def numbers(self) -> tuple[bool, ...]:
        """Which columns hold numbers."""
        return tuple(name.endswith(NUMBERS) for name in self.columns)


def sheets(run: Run) -> tuple[Sheet, ...]:
    """What was not qualified, limits with their binding constraints, rivals of a DSO that sells, payees, the books."""
    made = (_qualified(run), _limits(run), _rivals(run), _settlement(run), _books(run))
    return tuple(sheet for sheet in made if sheet.rows)


def _qualified(run: Run) -> Sheet:
    """What was qualified as asked is left out."""
    rows = tuple(
        (one.participant, one.resource, one.direction, _number(one.asked_mw), _number(one.qualified_mw), one.why)
        for one in qualifications(run.message_rows)
        if one.why
    )
    names = ("participant", "resource", "direction", "asked MW", "qualified MW", "binding, or reason")
    note = "Why it was not more: the constraint that binds in a planning case, a test, or why there was neither."
    return Sheet("Qualified for less than was asked", names, rows, note)


def _rivals(run: Run) -> Sheet:
    keys = ("asked_mw", "allowed_mw", "check_mw", "unfounded_mw")
    rows = tuple(
        (row["participant"], row["resource"], row["direction"], *(_number(row[key]) for key in keys))
        for row in (run.kpis.get("rivals") or {}).get("qualification", ())
    )
    names = ("participant", "resource", "direction", "asked MW", "allowed MW", "check MW", "unfounded MW")
    note = (
        "Scenario II: what the DSO let its rivals qualify for, and what a check made anew by nobody with offers allows."
    )
    return Sheet("Rivals of the DSO, and an independent check", names, rows, note)


def _limits(run: Run) -> Sheet:
    requests = [row for row in run.message_rows if row["type"] == LIMIT_REQUEST]
    return limits_sheet(requests, run.limits, run.scenario.time.start.tzinfo)


def limits_sheet(requests: Sequence[Mapping[str, Any]], limits: pd.DataFrame, zone: tzinfo | None) -> Sheet:
    """Limit requests as they were sent, and the same as limits.csv has them, as a table."""
    lifts, renewals = lifted_and_renewed(requests)
    rows = []
    for row in limits.to_dict("records"):
        if (row["message_id"], row["offer_id"]) in renewals:
            continue
        kind = "lifted" if (row["message_id"], row["offer_id"]) in lifts else str(row["kind"])
        bound = isinstance(row["element"], str)
        what = (str(row["element"]), str(row["quantity"]), f"{row['value']:g}", f"{row['bound']:g}", str(row["ground"]))
        rows.append(
            (
                row["sent_at"].tz_convert(zone).strftime("%H:%M:%S"),
                str(row["dso"]),
                str(row["participant"]),
                kind,
                _number(row["max_mw"]),
                *(what if bound else ("",) * 5),
            )
        )
    names = ("at", "DSO", "participant", "kind", "most MW", "element", "quantity", "value", "bound", "ground")
    note = (
        "With the constraint that binds, in AC: its value in the DSO's study, all orders on and this one without the "
        "limit, also where the element was measured beyond its bound. What only renews a limit is left out."
    )
    return Sheet("Limits in real time (INFO 8)", names, tuple(rows), note)


def _settlement(run: Run) -> Sheet:
    frame = run.settlement
    paid = frame[frame["kind"] == "balancing_energy"].assign(eur=lambda f: f["amount_eur"].astype(float))
    rows = [
        (str(payee), str(product), str(direction), _number(own["energy_mwh"].sum()), f"{own['eur'].sum():.2f}")
        for (payee, product, direction), own in paid.groupby(["payee", "product", "direction"], sort=True)
    ]
    names = ("payee", "product", "direction", "energy MWh", "paid €")
    return Sheet("Balancing energy", names, tuple(rows), "What the TSO pays; a negative amount is what it is paid.")


def _books(run: Run) -> Sheet:
    """A row an account: what it has got, by kind, and its balance."""
    held: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for kind, payer, payee, eur in run.settlement[["kind", "payer", "payee", "amount_eur"]].itertuples(index=False):
        held[str(payer)][str(kind)] -= Decimal(eur)
        held[str(payee)][str(kind)] += Decimal(eur)
    kinds = sorted({kind for own in held.values() for kind in own})
    rows = (
        (account, *(str(own[kind]) if kind in own else "" for kind in kinds), str(sum(own.values())))
        for account, own in sorted(held.items())
    )
    names = ("account", *(f"{kind.replace('_', ' ')} €" for kind in kinds), "balance €")
    return Sheet(
        "The books", names, tuple(rows), "+ an account has got it, − it has paid it: every column sums to zero."
    )


def _number(value: Any) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.3f}".rstrip("0").rstrip(".")
