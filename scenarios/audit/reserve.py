"""What must hold for containment reserve (FCR): awarded within offer, qualification and need; paid within the award."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from .findings import Row
from .index import Index

TOLERANCE_MW = 1e-5


def reserved(index: Index) -> Iterator[str]:
    """Every award and every line of a statement."""
    offers = {offer["offer_id"]: offer for row in index.typed("reserve-offers") for offer in row["content"]["offers"]}
    awarded: dict[str, float] = {}
    by_period: dict[str, float] = defaultdict(float)
    for row in index.typed("reserve-award"):
        for award in row["content"]["awards"]:
            yield from _award(index, row, award, offers.get(award["offer_id"]))
            awarded[award["offer_id"]] = award["quantity_mw"]
            by_period[award["delivery_start"]] += award["quantity_mw"]
    rules = index.scenario.market.fcr
    for start, together_mw in by_period.items():
        if rules is None or together_mw > rules.need_mw + TOLERANCE_MW:
            need = f"{rules.need_mw:g} MW are needed" if rules else "none is called for"
            yield f"reserve from {start}: {together_mw:g} MW are awarded, {need}"
    for row in index.typed("reserve-statement"):
        for line in row["content"]["lines"]:
            if line["quantity_mw"] != awarded.get(line["offer_id"]):
                yield f"reserve statement of {line['offer_id']}: it is not what was awarded"


def _award(index: Index, row: Row, award: Row, offer: Row | None) -> Iterator[str]:
    if offer is None or offer["participant"] != row["receiver"]:
        yield f"reserve award of {award['offer_id']}: {row['receiver']} has not offered it"
        return
    most = [
        verdict["max_mw"]
        for told in index.typed("qualified", applicant=row["receiver"])
        for verdict in told["content"]["verdicts"]
        if verdict["resource"] == award["resource"]
    ]
    qualified_mw = min(most) if len(most) == 2 else 0.0
    if award["quantity_mw"] > min(offer["quantity_mw"], qualified_mw) + TOLERANCE_MW:
        text = f"{offer['quantity_mw']:g} MW are offered and {qualified_mw:g} MW qualified in both directions"
        yield f"reserve award of {award['offer_id']}: {award['quantity_mw']:g} MW, but {text}"
