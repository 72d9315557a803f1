"""Networks that ship with pandapower, by the name of the function that makes them, and a few by shorter names.

The names stand here and not in pandapower, so that a scenario can be checked without importing it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..engine import uncompiled

SHORT: dict[str, tuple[str, dict[str, Any]]] = {
    "cigre_hv": ("create_cigre_network_hv", {}),
    "cigre_mv": ("create_cigre_network_mv", {"with_der": False}),
    "cigre_mv_der": ("create_cigre_network_mv", {"with_der": "all"}),
    "cigre_lv": ("create_cigre_network_lv", {}),
    "oberrhein": ("mv_oberrhein", {}),
}
BY_FUNCTION = (
    "GBnetwork", "GBreducednetwork", "case11_iwamoto", "case118", "case1354pegase", "case14", "case145", "case1888rte",
    "case24_ieee_rts", "case2848rte", "case2869pegase", "case30", "case300", "case3120sp", "case33bw", "case39",
    "case4gs", "case5", "case57", "case6470rte", "case6495rte", "case6515rte", "case6ww", "case89pegase", "case9",
    "case9241pegase", "case_ieee30", "case_illinois200", "create_cigre_network_hv", "create_cigre_network_lv",
    "create_cigre_network_mv", "create_dickert_lv_network", "create_kerber_dorfnetz",
    "create_kerber_landnetz_freileitung_1", "create_kerber_landnetz_freileitung_2", "create_kerber_landnetz_kabel_1",
    "create_kerber_landnetz_kabel_2", "create_kerber_vorstadtnetz_kabel_1", "create_kerber_vorstadtnetz_kabel_2",
    "create_synthetic_voltage_control_lv_network", "example_multivoltage", "example_simple",
    "four_loads_with_branches_out", "iceland", "ieee_european_lv_asymmetric", "kb_extrem_dorfnetz",
    "kb_extrem_dorfnetz_trafo", "kb_extrem_landnetz_freileitung", "kb_extrem_landnetz_freileitung_trafo",
    "kb_extrem_landnetz_kabel", "kb_extrem_landnetz_kabel_trafo", "kb_extrem_vorstadtnetz_1",
    "kb_extrem_vorstadtnetz_2", "kb_extrem_vorstadtnetz_trafo_1", "kb_extrem_vorstadtnetz_trafo_2", "lv_schutterwald",
    "mv_oberrhein", "panda_four_load_branch", "simple_four_bus_system", "simple_mv_open_ring_net",
)  # fmt: skip
NAMES = (*SHORT, *BY_FUNCTION)


def shipped(name: str) -> Any:
    """Return the pandapower network of a name in NAMES, the same at every call; KeyError for another name."""
    from pandapower import networks

    function, options = SHORT.get(name, (name, {}))
    if name not in NAMES:
        raise KeyError(name)
    maker: Callable[..., Any] = getattr(networks, function)
    with _drawn_alike(), uncompiled():  # some run a power flow before they return
        return maker(**options)


@contextmanager
def _drawn_alike() -> Iterator[None]:
    """Some of pandapower's networks draw cables from the global generator: seed it, and leave it as it was."""
    before = random.getstate()
    random.seed(0)
    try:
        yield
    finally:
        random.setstate(before)
