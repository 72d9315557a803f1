"""What several seeds say: means with their 95 % intervals, and differences between schemes seed by seed.

The same seed means the same offers, disturbance and forecast errors in every scheme, so differences are paired: their
interval (Student's t) is that of the scheme's effect and not of the weather.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

CONFIDENCE = 0.95
NO_MEASURES = ("error_scale", "seed")


def summary(runs: pd.DataFrame, against: str) -> pd.DataFrame:
    """A row a scheme, error and measure: runs, mean with low and high, mean difference to `against` with low and high.

    With one seed there are no intervals, and where a run failed it is left out of both sides of its pair.
    """
    import pandas as pd

    names = [
        "error_scale", "scheme", "measure", "runs", "mean", "low", "high",
        "difference", "difference_low", "difference_high",
    ]  # fmt: skip
    return pd.DataFrame(_rows(runs[runs["status"] == "ok"], against), columns=names)


def _rows(runs: pd.DataFrame, against: str) -> Iterator[tuple[Any, ...]]:
    numbers = runs.select_dtypes("number").columns.drop([*NO_MEASURES])
    for scale, of_scale in runs.groupby("error_scale", sort=True, dropna=False):
        reference = of_scale[of_scale["scheme"] == against].set_index("seed")
        for scheme, own in of_scale.groupby("scheme", sort=False):
            by_seed = own.set_index("seed")
            for measure in numbers:
                values = by_seed[measure].dropna()
                if len(values):
                    difference = (values - reference[measure]).dropna()
                    spread = (*_interval(values), *_interval(difference))
                    yield scale, scheme, measure, len(values), *spread


def _interval(values: pd.Series[float]) -> tuple[float, float, float]:
    """Mean, and the bounds of its interval (NaN for a single value)."""
    from scipy.stats import t

    count = len(values)
    if count < 2:
        mean = float(values.mean()) if count else float("nan")
        return mean, float("nan"), float("nan")
    mean, half = float(values.mean()), float(t.ppf((1 + CONFIDENCE) / 2, count - 1) * values.sem())
    return mean, mean - half, mean + half
