"""What one run of a sweep lists and another does not: amounts are 0 there, everything else is missing."""

from gridpact.scenarios.sweep.points import Point
from gridpact.scenarios.sweep.table import table

BUSY = {
    "cost": {"by_kind_eur": {"balancing_energy": "12.50"}, "balances_eur": {"bsp-a": "12.50"}},
    "real_time_limits": {"overload_percent_seconds": {"north": {"line 3-8": 60.0}}},
    "kpi_1": {"information": {"INFO 8": {"sent": 2, "latency_p95_ms": 11.0}}},
}
QUIET = {
    "cost": {"by_kind_eur": {}, "balances_eur": {}},
    "real_time_limits": {"overload_percent_seconds": {"north": {}}},
    "kpi_1": {"information": {}},
}


def point(seed: int) -> Point:
    return Point((("seed", str(seed)),))


def test_amounts_that_did_not_occur_are_nothing_so_that_means_are_right() -> None:
    found = table([(point(1), {"kpis": BUSY}), (point(2), {"kpis": QUIET})])
    assert found["cost.by_kind_eur.balancing_energy"].tolist() == [12.5, 0.0]
    assert found["cost.balances_eur.bsp-a"].mean() == 6.25
    assert found["real_time_limits.overload_percent_seconds.north.line 3-8"].tolist() == [60.0, 0.0]
    assert found["kpi_1.information.INFO 8.sent"].tolist() == [2, 0]


def test_what_is_no_amount_and_what_has_failed_is_missing() -> None:
    found = table([(point(1), {"kpis": BUSY}), (point(2), {"kpis": QUIET}), (point(3), {"error": "no power flow"})])
    assert found["kpi_1.information.INFO 8.latency_p95_ms"].isna().tolist() == [False, True, True]
    assert found["cost.by_kind_eur.balancing_energy"].isna().tolist() == [False, False, True]
