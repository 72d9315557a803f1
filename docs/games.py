"""Makes the table of games in docs/new-strategy.md: `python docs/games.py`.

each strategy ─▶ a quarter-hour under scenario I with the DSO, shared caps, full compensation ─▶ MW, EUR
             └─▶ the same under scenario II ─▶ what the DSO excluded of its rivals, beside the independent check
"""

import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import gridpact
from gridpact.scenarios.record.run import Run

GAMERS = ("bsp-a", "bsp-b", "bsp-c")
BASE = """
gridpact: 1
name: games
extends: scenario-1-dso
time: {start: 2026-03-02T10:30:00+01:00, first_delivery: 2026-03-02T12:30:00+01:00, market_time_units: 1, tail_min: 1}
coordination: {limit_split: pro_rata, limit_compensation: full}
area: {disturbances: [{at: "12:28:00", mw: -8.5, name: loss of infeed}]}
participants:
  bsp-a: {applies_at: "10:30:05", offers: [{direction: up, quantity_mw: 2, price_eur_per_mwh: 60}]}
  bsp-b: {applies_at: "10:30:08", offers: [{direction: up, quantity_mw: 2, price_eur_per_mwh: 70}]}
  bsp-c: {applies_at: "10:30:11", offers: [{direction: up, quantity_mw: 2, price_eur_per_mwh: 80}]}
  agg-1: {applies_at: "10:30:14"}
  bsp-d: null
  bsp-e: null
  gen-t: {applies_at: "10:30:20"}
"""
GAMES: dict[str, dict[str, object]] = {
    "all truthful": {},
    "A withholds half, 15 EUR/MWh dearer": {
        "participants.bsp-a.strategy": "{name: withholding, parameters: {share: 0.5, markup_eur_per_mwh: 15}}"
    },
    "C pads by 1.25": {"participants.bsp-c.strategy": "{name: padding, parameters: {factor: 1.25, behind: [unit-c]}}"},
    "C bids 25 EUR/MWh below its cost": {
        "participants.bsp-c.strategy": "{name: increase-decrease,"
        " parameters: {below_eur_per_mwh: 25, behind: [unit-c]}}"
    },
    "the DSO keeps back a tenth": {"participants.dso-north.strategy": "{name: as-agreed, parameters: {margin: 0.1}}"},
}


def table(folder: Path) -> list[str]:
    """The lines of the table, from two runs a game."""
    (folder / "games.yaml").write_text(BASE)
    columns = (
        "game", "A, B, C accepted MW", "what they are paid, EUR", "of it for limits", "cost of all, EUR",
        "rivals' MW excluded in scenario II", "by the check", "unfounded",
    )  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for game, settings in GAMES.items():
        first, second = (_run(folder, scheme, settings) for scheme in ("scenario-1-dso", "scenario-2"))
        rivals = second.kpis["rivals"]
        judged = [f"{rivals[key]:.2f}" for key in ("excluded_mw", "check_excluded_mw", "unfounded_mw")]
        lines.append(f"| {' | '.join([game, *_figures(first), *judged])} |")
    return lines


def _run(folder: Path, scheme: str, settings: dict[str, object]) -> Run:
    scenario = gridpact.load_scenario(folder / "games.yaml", {**settings, "coordination.scheme": scheme})
    return gridpact.run(scenario, out=folder / "runs" / scheme)


def _figures(run: Run) -> list[str]:
    """Accepted MW, EUR paid, EUR for limits, each of A, B and C; EUR of everybody for energy and limits."""
    taken = run.merit_order.groupby("participant")["accepted_mw"].sum()
    paid = run.settlement.assign(eur=run.settlement["amount_eur"].map(Decimal))
    own = [paid[(paid["payee"] == name) & (paid["payer"] == "tso")] for name in GAMERS]
    limits = [one[one["kind"] == "limit_compensation"]["eur"].sum() for one in own]
    everybody = paid[paid["kind"].isin(["balancing_energy", "limit_compensation"]) & (paid["payer"] == "tso")]
    return [
        ", ".join(f"{taken.get(name, 0.0):.2f}" for name in GAMERS),
        ", ".join(f"{sum(one['eur'], Decimal(0)):.2f}" for one in own),
        ", ".join(f"{eur:.2f}" for eur in limits),
        f"{sum(everybody['eur'], Decimal(0)):.2f}",
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        sys.stdout.write("\n".join(table(Path(made))) + "\n")
