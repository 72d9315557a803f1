"""Draws the pictures of docs/ from runs of the built-in scenarios: `make figures`.

worked-example.png    line 3-8 and the frequency under each scheme: what the DSO's part in the negotiation changes
frequency-trip.png    a trip: frequency, and how the reserves take over from each other, with the DSO's limit, without
comparison.png        cost and violations of every scheme against the scale of the forecast error, three seeds each
"""

import sys
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib import dates
from matplotlib.axes import Axes

import gridpact

SCHEMES = {"blind": "#b3261e", "scenario-1": "#7a5c00", "scenario-2": "#5b3f9e", "scenario-1-dso": "#0b57d0"}
FAMILIES = {**SCHEMES, "scenario-2-dso": "#16939b", "scenario-1-dso-pro-rata": "#e07b00"}
WIDTHS = {"scenario-1": 5.5, "scenario-1-dso": 3.5, "scenario-2": 2.0}
FROM, TO = "2026-03-02T11:58:00+01:00", "2026-03-02T13:04:00+01:00"
TRIP = ("2026-03-02T12:01:00+01:00", "2026-03-02T12:20:00+01:00")
LIMIT = ("2026-03-02T12:34:00+01:00", "2026-03-02T12:42:00+01:00")
RESERVES = {"FCR": "#b3261e", "aFRR": "#0b57d0", "mFRR": "#1b7f3b"}
TWIN = {"color": "#777777", "lw": 1.2, "ls": (0, (4, 2))}


def worked_example(runs: Path, picture: Path) -> None:
    """Run every scheme into `runs` and draw the picture."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 5.4), sharex=True, height_ratios=(3, 2))
    for scheme, colour in SCHEMES.items():
        telemetry = gridpact.run(scheme, out=runs / scheme).telemetry.set_index("at").loc[FROM:TO]
        width = 3.5 if scheme == "scenario-1" else 1.5  # else scenario-2 would hide it
        above.plot(telemetry.index, telemetry["north.worst_loading_percent"], color=colour, label=scheme, lw=width)
        below.plot(telemetry.index, 1000 * (telemetry["frequency_hz"] - 50), color=colour, lw=0.8 * width)
    above.axhline(100, color="black", lw=0.8, ls="--")
    above.set_ylabel("worst loading (%)")
    above.set_title("One disturbance, one grid, four ways of coordinating", loc="left", fontsize=11)
    above.legend(frameon=False, ncols=4, loc="upper left", fontsize=9)
    above.set_ylim(55, 150)
    below.set_ylabel("frequency − 50 Hz (mHz)")
    below.xaxis.set_major_formatter(dates.DateFormatter("%H:%M", tz="Europe/Brussels"))
    _finished([above, below])
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


def comparison(runs: Path, picture: Path) -> None:
    """Compare all schemes in the quarter-hour of the wind front, at five scales of the forecast error."""
    settings = {"time.market_time_units": 1, "time.first_delivery": "2026-03-02T12:30:00+01:00"}
    base = gridpact.load_scenario("scenario-1-dso", settings)
    made = gridpact.compare(base, seeds=(1, 2, 3), errors=(0, 0.5, 1, 1.5, 2), out=runs / "comparison")
    figure, axes = plt.subplots(3, 1, figsize=(9, 8), sharex=True, height_ratios=(3, 3, 2))
    for place, measure in zip(axes, ("total_eur", "total_eur", "violation_minutes"), strict=True):
        shown = made.summary[made.summary["measure"] == measure]
        for scheme, own in shown.groupby("scheme", sort=False):
            place.plot(own["error_scale"], own["mean"], label=scheme, **_look(str(scheme)))
    axes[0].set_yscale("log")
    axes[0].set_ylabel("cost of a quarter-hour (EUR)")
    axes[1].set_ylabel("the lower part of it (EUR)")
    axes[1].set_ylim(80, 400)
    axes[2].set_ylabel("violation (min)")
    axes[2].set_xlabel("scale of the forecast error")
    _finished(list(axes))
    figure.suptitle("What it costs to be wrong, and what the DSO can do about it", x=0.085, ha="left", fontsize=11)
    figure.legend(*axes[0].get_legend_handles_labels(), frameon=False, ncols=4, fontsize=8, loc="lower center")
    figure.align_ylabels()
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    figure.savefig(picture, dpi=110)


def _look(scheme: str) -> dict[str, Any]:
    """A colour a family; dashed without limits in real time; broad what would be hidden by a line upon it."""
    if scheme == "ideal":
        return {"ls": ":", "color": "black", "lw": 1.5}
    family = scheme.removesuffix("-static")
    dashed = {"ls": (0, (4, 2)), "marker": "s"} if scheme.endswith("-static") else {"marker": "o"}
    return {"color": FAMILIES[family], "lw": WIDTHS.get(family, 1.3), "ms": 3.5, "alpha": 0.85, **dashed}


def frequency_trip(runs: Path, picture: Path) -> None:
    """Run the trip with the DSO's limit and without it, at the same seed, and draw both."""
    limited = gridpact.run("frequency-trip", out=runs / "frequency-trip", **{"ticks.measurement_s": 1})
    without = {"coordination.real_time_limits": False, "ticks.measurement_s": 1}
    twin = gridpact.run("frequency-trip", out=runs / "frequency-trip-twin", **without)
    products = {name: provider.qualify for name, provider in limited.scenario.providers.items()}
    figure, axes = plt.subplots(
        3, 2, figsize=(10.5, 7.4), sharex="col", width_ratios=(5, 3), height_ratios=(4, 4, 3), squeeze=False
    )
    for column, window in enumerate((TRIP, LIMIT)):
        both = [run.telemetry.set_index("at").loc[window[0] : window[1]] for run in (limited, twin)]
        _frequency(axes[0, column], *both)
        _reserves(axes[1, column], both[0], products)
        _loading(axes[2, column], *both)
        axes[2, column].xaxis.set_major_locator(dates.MinuteLocator(range(0, 60, (5, 2)[column])))
        axes[2, column].xaxis.set_major_formatter(dates.DateFormatter("%H:%M", tz="Europe/Brussels"))
    _captions(axes)
    _finished(list(axes.flat))
    figure.align_ylabels()
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


def _frequency(axes: Axes, limited: pd.DataFrame, twin: pd.DataFrame) -> None:
    axes.axhline(0, color="black", lw=0.8)
    axes.plot(twin.index, 1000 * (twin["frequency_hz"] - 50), label="twin run without the limit", **TWIN)
    axes.plot(limited.index, 1000 * (limited["frequency_hz"] - 50), color="black", lw=1.5, label="frequency")
    for telemetry, colour in ((limited, "black"), (twin, TWIN["color"])):
        lowest, nadir_mhz = telemetry["lowest_hz"].idxmin(), 1000 * (telemetry["lowest_hz"].min() - 50)
        if colour == "black" or not telemetry["frequency_hz"].equals(limited["frequency_hz"]):
            text = f"{nadir_mhz:.0f} mHz".replace("-", "−")
            beside = (8, -3) if nadir_mhz < -50 else (-30, -17)
            place = {"xytext": beside, "textcoords": "offset points", "fontsize": 9, "color": colour}
            axes.annotate(text, (lowest, nadir_mhz), **place)


def _reserves(axes: Axes, telemetry: pd.DataFrame, products: dict[str, str]) -> None:
    """What each product gives, + up, and the disturbance that they have to make up for."""
    axes.axhline(0, color="black", lw=0.8)
    for product, colour in RESERVES.items():
        names = [f"{name}.activated_mw" for name, own in products.items() if own == product]
        power_mw = telemetry["fcr_mw"] if product == "FCR" else telemetry[names].sum(axis=1)
        axes.plot(telemetry.index, power_mw, color=colour, lw=1.5, label=product)
    axes.plot(telemetry.index, telemetry["afrr_demand_mw"], color=RESERVES["aFRR"], lw=0.9, ls=":", label="aFRR demand")


def _loading(axes: Axes, limited: pd.DataFrame, twin: pd.DataFrame) -> None:
    axes.axhline(100, color="black", lw=0.8, ls="--")
    axes.plot(twin.index, twin["north.worst_loading_percent"], label="without the limit", **TWIN)
    axes.plot(limited.index, limited["north.worst_loading_percent"], color="#7a5c00", lw=1.5, label="worst loading")
    axes.set_ylim(60, 125)


def _captions(axes: "list[list[Axes]]") -> None:
    (frequency, dip), (power, bridged), (loading, _) = axes
    frequency.set_title("A power station of 8.5 MW trips in an area of 1 GW", loc="left", fontsize=11)
    dip.set_title("Limited by the DSO; if not, line 3-8 trips", loc="left", fontsize=11)
    frequency.set_ylabel("frequency − 50 Hz (mHz)")
    power.set_ylabel("activated (MW, + up)")
    loading.set_ylabel("worst loading (%)")
    frequency.legend(frameon=False, fontsize=9, loc="center right")
    power.legend(frameon=False, fontsize=9, ncols=2, loc="center right")
    loading.legend(frameon=False, fontsize=9, loc="upper left")
    bridged.set_ylim(power.get_ylim())


def _finished(pictures: list[Axes]) -> None:
    for axes in pictures:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)


if __name__ == "__main__":
    folder, here = Path(sys.argv[1] if len(sys.argv) > 1 else "runs"), Path(__file__)
    worked_example(folder, here.with_name("worked-example.png"))
    frequency_trip(folder, here.with_name("frequency-trip.png"))
    comparison(folder, here.with_name("comparison.png"))
