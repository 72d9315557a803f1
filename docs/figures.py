"""Draws docs/worked-example.png from runs of the built-in scenarios: `make figures`.

Line 3-8 and the frequency under each scheme: what the DSO's part in the negotiation changes.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib import dates

import gridpact

SCHEMES = {"blind": "#b3261e", "scenario-1": "#7a5c00", "scenario-2": "#5b3f9e", "scenario-1-dso": "#0b57d0"}
FROM, TO = "2026-03-02T11:58:00+01:00", "2026-03-02T13:04:00+01:00"


def main(runs: Path, picture: Path) -> None:
    """Run every scheme into `runs` and draw the picture."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 5.4), sharex=True, height_ratios=(3, 2))
    for scheme, colour in SCHEMES.items():
        telemetry = gridpact.run(scheme, out=runs / scheme).telemetry.set_index("at").loc[FROM:TO]
        above.plot(telemetry.index, telemetry["north.worst_loading_percent"], color=colour, label=scheme, lw=1.6)
        below.plot(telemetry.index, 1000 * (telemetry["frequency_hz"] - 50), color=colour, lw=1.2)
    above.axhline(100, color="black", lw=0.8, ls="--")
    above.set_ylabel("worst loading (%)")
    above.set_title("One disturbance, one grid, four ways of coordinating", loc="left", fontsize=11)
    above.legend(frameon=False, ncols=4, loc="upper left", fontsize=9)
    above.set_ylim(55, 170)
    below.set_ylabel("frequency − 50 Hz (mHz)")
    below.xaxis.set_major_formatter(dates.DateFormatter("%H:%M", tz="Europe/Brussels"))
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs"), Path(__file__).with_name("worked-example.png"))
