"""An aggregator's dispatch decides what each resource of its pool does of an order."""

from typing import Any

import numpy as np
import pytest

from gridpact.grid.resources.description import PoolDescription
from gridpact.grid.resources.dispatch import PoolView
from gridpact.grid.resources.pool import Pool
from gridpact.grid.resources.resource import ResourceError

POOL = PoolDescription(id="p", dfrs=6, buses=("1", "2"), up_mw=1.0, down_mw=1.0)


class First:
    """Fills the resources in their order, and keeps what it saw."""

    def __init__(self) -> None:
        self.views: list[PoolView] = []

    def targets(self, view: PoolView) -> Any:
        self.views.append(view)
        filled = np.minimum(np.cumsum(view.most_mw), abs(view.target_mw))
        return np.sign(view.target_mw) * np.diff(filled, prepend=0.0)


class Wrong:
    """Forgets somebody."""

    def targets(self, view: PoolView) -> Any:
        return np.zeros(5)


def test_the_default_follows_the_declared_scheme() -> None:
    pool = Pool(POOL, 1, 0)
    pool.set_target(0.3, 0)
    pool.advance(600_000_000)
    assert pool.power_mw() == pytest.approx(0.3)
    assert pool.ordered_mw == 0.3


def test_another_dispatch_moves_other_resources() -> None:
    first = First()
    pool = Pool(POOL, 1, 0, first)
    pool.set_target(-0.3, 0)
    (view,) = first.views
    assert (view.target_mw, len(view.kind), view.bus) == (-0.3, 6, (0, 1, 0, 1, 0, 1))
    assert view.shares.sum() == pytest.approx(1.0)
    pool.advance(600_000_000)
    assert pool.power_mw() == pytest.approx(-0.3)
    assert pool.power_by_bus() != Pool(POOL, 1, 0).power_by_bus()


def test_targets_for_another_number_of_resources_are_told_in_one_sentence() -> None:
    text = r"p: its dispatch Wrong gives targets of shape \(5,\), but it has 6"
    with pytest.raises(ResourceError, match=text):
        Pool(POOL, 1, 0, Wrong()).set_target(0.3, 0)
