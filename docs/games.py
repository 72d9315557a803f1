"""Makes the two tables of games in docs/new-strategy.md: `python docs/games.py`.

each strategy ─▶ a quarter-hour under scenario I with the DSO, full compensation ─▶ MW, EUR, EUR beyond cost
each policy of the DSO ─▶ the same under scenario II ─▶ what it excluded of its rivals, beside the independent check
"""

import sys
import tempfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import gridpact
from gridpact.scenarios.record.run import Run

COSTS = {"bsp-a": 60.0, "bsp-b": 70.0, "bsp-c": 80.0}
ENERGY, LIMITS = "balancing_energy", "limit_compensation"
BASE = """
gridpact: 1
name: games
extends: scenario-1-dso
time: {start: 2026-03-02T11:45:00+01:00, first_delivery: 2026-03-02T12:30:00+01:00, market_time_units: 1,
       gate_closure_min: 6, cfp_lead_min: 4, tail_min: 2}
ticks: {control_s: 20, measurement_s: 20, monitoring_s: 20}
coordination: {limit_compensation: full}
market: {test: {hold_min: 0.5}}
area: {disturbances: [{at: "12:29:00", mw: -8.5, name: loss of infeed}]}
participants:
  bsp-a: {applies_at: "11:45:05", offers: [{direction: up, quantity_mw: 2, price_eur_per_mwh: 60}]}
  bsp-b: {applies_at: "11:45:08", offers: [{direction: up, quantity_mw: 2, price_eur_per_mwh: 70}]}
  bsp-c: {applies_at: "11:45:11", offers: [{direction: up, quantity_mw: 2, price_eur_per_mwh: 80}]}
  agg-1: {applies_at: "11:45:14"}
  bsp-d: null
  bsp-e: null
  gen-t: {applies_at: "11:45:20"}
"""
OWN_COST = "participants.bsp-c.offers.0.price_eur_per_mwh"
SHARED = {"coordination.limit_split": "pro_rata"}
DEAR = {OWN_COST: "100"}
HALF = "{name: withholding, parameters: {share: 0.5, markup_eur_per_mwh: 15}}"
MORE = "{name: padding, parameters: {factor: 1.25, behind: [unit-c]}}"
BELOW = "{name: increase-decrease, parameters: {below_eur_per_mwh: 20, behind: [unit-c]}}"
KEPT = "{name: as-agreed, parameters: {margin: 0.1}}"
GAMES: dict[str, dict[str, str]] = {
    "shared caps, all truthful": SHARED,
    "– A withholds half, 15 EUR/MWh dearer": {**SHARED, "participants.bsp-a.strategy": HALF},
    "– C pads by 1.25": {**SHARED, "participants.bsp-c.strategy": MORE},
    "C costs 100 EUR/MWh, all truthful": DEAR,
    "– C bids 20 EUR/MWh below its cost": {**DEAR, "participants.bsp-c.strategy": BELOW},
}
POLICIES: dict[str, dict[str, str]] = {
    "as agreed": {},
    "as agreed, and keeps back a tenth": {"participants.dso-north.strategy": KEPT},
}
OF_GAMES = (
    "",
    "A, B, C accepted MW",
    "paid, EUR",
    "of it for limits",
    "beyond their costs",
    "all energy, EUR",
    "all limits",
)
OF_POLICIES = ("the DSO limits", "rivals' MW excluded", "by the check", "unfounded")


def games(folder: Path) -> list[str]:
    """The lines of the table of games, from a run each."""
    lines = _head(OF_GAMES)
    for game, settings in GAMES.items():
        costs = COSTS | ({"bsp-c": float(settings[OWN_COST])} if OWN_COST in settings else {})
        lines.append(_line(game, *_earned(_run(folder, settings), costs)))
    return lines


def policies(folder: Path) -> list[str]:
    """The lines of the table of what a DSO does to its rivals in scenario II."""
    lines = _head(OF_POLICIES)
    for policy, settings in POLICIES.items():
        rivals = _run(folder, {**settings, "coordination.scheme": "scenario-2"}).kpis["rivals"]
        judged = (f"{rivals[key]:.2f}" for key in ("excluded_mw", "check_excluded_mw", "unfounded_mw"))
        lines.append(_line(policy, *judged))
    return lines


def _run(folder: Path, settings: dict[str, str]) -> Run:
    (folder / "games.yaml").write_text(BASE, encoding="utf-8")
    return gridpact.run(gridpact.load_scenario(folder / "games.yaml", settings), out=folder / "run")


def _earned(run: Run, costs: dict[str, float]) -> Iterator[str]:
    """Accepted MW, EUR paid, EUR of it for limits, EUR beyond their costs, each of A, B and C; of everybody."""
    taken = run.merit_order.groupby("participant")["accepted_mw"].sum()
    paid: Any = run.settlement[run.settlement["kind"].isin([ENERGY, LIMITS])]
    paid = paid.assign(eur=paid["amount_eur"].map(Decimal).astype(float))
    eur = {(name, kind): _sum(paid, name, kind, "eur") for name in costs for kind in (ENERGY, LIMITS)}
    spent = {name: cost * _sum(paid, name, ENERGY, "energy_mwh") for name, cost in costs.items()}
    yield ", ".join(f"{taken.get(name, 0.0):.2f}" for name in costs)
    yield _each(eur[name, ENERGY] + eur[name, LIMITS] for name in costs)
    yield _each(eur[name, LIMITS] for name in costs)
    yield _each(eur[name, ENERGY] + eur[name, LIMITS] - spent[name] for name in costs)
    yield from (f"{paid[paid['kind'] == kind]['eur'].sum():.1f}" for kind in (ENERGY, LIMITS))


def _sum(paid: Any, name: str, kind: str, column: str) -> float:
    return float(paid[(paid["payee"] == name) & (paid["kind"] == kind)][column].sum())


def _each(values: Iterable[float]) -> str:
    return ", ".join(f"{round(value, 1) + 0.0:.1f}" for value in values)


def _head(columns: tuple[str, ...]) -> list[str]:
    return [_line(*columns), "|" + "---|" * len(columns)]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        sys.stdout.write("\n".join((*games(Path(made)), "", *policies(Path(made)))) + "\n")
