"""How pandapower and the linear algebra under it are run: lazily, quietly, on one thread.

`import pandapower` takes two seconds, so it happens only where a grid is really built. Its deprecation warnings are not
the user's business, and what numba would compile of it takes seconds and is no faster below a thousand buses. One and
two BLAS threads differ in the last bits of an inverse, so bytes that must be reproducible are computed on one.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import threadpool_limits


@contextmanager
def single_threaded() -> Iterator[None]:
    """Run the block with one BLAS thread, so that results are the same to the last bit on every machine core count."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """Run the block without pandapower's deprecation warnings and log lines below errors."""
    logger = logging.getLogger("pandapower")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def uncompiled() -> Iterator[None]:
    """Run the block quietly and without what numba would compile of pandapower: seconds for one power flow."""
    from pandapower import auxiliary

    with quiet():
        installed = getattr(auxiliary, "NUMBA_INSTALLED", False)
        auxiliary.NUMBA_INSTALLED = False
        try:
            yield
        finally:
            auxiliary.NUMBA_INSTALLED = installed


def has_controllers(net: Any) -> bool:
    """Whether controllers of the network's own act on it in a power flow."""
    return "controller" in net and len(net.controller) > 0 and bool(net.controller.in_service.any())


def run_power_flow(net: Any, *, warm: bool = False, controlled: bool = False, tolerance_mva: float = 1e-9) -> bool:
    """Run pandapower's Newton–Raphson AC power flow in place; return whether it converged.

    `warm`: start from the results that are there · `controlled`: let the network's controllers act.
    """
    with quiet():
        import pandapower
        from pandapower.auxiliary import ControllerNotConverged

        init = "results" if warm else "auto"
        try:
            pandapower.runpp(
                net,
                algorithm="nr",
                init=init,
                tolerance_mva=tolerance_mva,
                max_iteration=30,
                numba=False,
                run_control=controlled,
            )
        except (pandapower.LoadflowNotConverged, ControllerNotConverged):
            return False
    return bool(net.converged)
