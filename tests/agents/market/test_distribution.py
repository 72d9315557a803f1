"""How a demand is shared by the offers under control."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.agents.market.distribution import Portion, Walk, by_participant, shares
from gridpact.grid.resources.description import Response, UnitDescription
from gridpact.grid.resources.unit import Unit

S = 1_000_000
TEN = tuple(Portion(f"offer-{n}", f"bsp-{n}", 10.0) for n in range(10))
WALK = Walk("q", 0, TEN, TEN)


def test_down_the_merit_order_the_last_is_taken_in_part() -> None:
    assert [(p.offer_id, mw) for p, mw in shares(WALK, 24.5, "merit_order")] == [
        ("offer-0", 10.0),
        ("offer-1", 10.0),
        ("offer-2", 4.5),
    ]


def test_pro_rata_everybody_gives_the_same_share() -> None:
    assert {mw for _, mw in shares(WALK, 25.0, "pro_rata")} == {2.5}


def test_down_is_negative_and_from_the_other_list() -> None:
    walk = Walk("q", 0, (), (Portion("d", "bsp", 3.0),))
    assert shares(walk, -2.0, "merit_order") == [(walk.down[0], -2.0)]
    assert shares(walk, 2.0, "merit_order") == []


def test_offers_of_one_participant_add_up_to_one_set_point() -> None:
    walk = Walk("q", 0, (Portion("a", "bsp", 1.0), Portion("b", "bsp", 1.0)), ())
    assert by_participant(shares(walk, 1.5, "merit_order")) == {"bsp": 1.5}


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=12),
    st.integers(-30_000, 30_000),
    st.sampled_from(["merit_order", "pro_rata"]),
)
def test_shares_add_up_to_the_demand_as_far_as_there_is_any_and_keep_every_offers_bound(
    sizes_kw: list[int], demand_kw: int, distribution: str
) -> None:
    portions = tuple(Portion(str(n), str(n), kw / 1000) for n, kw in enumerate(sizes_kw))
    walk = Walk("q", 0, portions, portions)
    found = shares(walk, demand_kw / 1000, distribution)  # type: ignore[arg-type]
    assert all(abs(mw) <= portion.most_mw + 1e-9 for portion, mw in found)
    assert len({mw > 0 for _, mw in found}) <= 1
    wanted = min(abs(demand_kw), sum(sizes_kw))
    assert abs(sum(round(abs(mw) * 1000) for _, mw in found) - wanted) <= 0


@pytest.mark.parametrize("wanted_mw", [10.0, 25.0, 50.0, 75.0, 100.0])
@pytest.mark.parametrize("distribution", ["merit_order", "pro_rata"])
def test_the_time_to_full_delivery_is_that_of_theory(distribution: str, wanted_mw: float) -> None:
    """Ten bids of 10 MW that ramp at 10 MW in 300 s: in merit order 300 s, pro rata 300 s · X / 100 MW."""
    response = Response(reaction_s=0.0, preparation_s=0.0, ramping_s=300.0, deactivation_s=300.0)
    units = {p.offer_id: Unit(UnitDescription(id=p.offer_id, up_mw=10.0), response, 0) for p in TEN}
    for portion, mw in shares(WALK, wanted_mw, distribution):  # type: ignore[arg-type]
        units[portion.offer_id].set_target(mw, 0)
    reached_s = next(s for s in range(400) if sum(u.power_at(s * S) for u in units.values()) >= wanted_mw - 1e-6)
    assert reached_s == pytest.approx(300 if distribution == "merit_order" else 3 * wanted_mw, rel=0.02)
