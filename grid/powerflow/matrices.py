"""What a network's admittances are made into before anything is solved, once for all grids that have the same ones.

    admittances ─▶ digest ─▶ made before, and still in use? the very same : inverse, balance, rows of branches

Grids of a large scenario are mostly copies of a few networks that differ in who is connected to them, and the inverse
of a network's admittance matrix is the largest thing that a grid holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import scipy.sparse as sp

from ..arrays import Complexes, Integers, handy
from .admittance import Admittance
from .fixed_point import FixedPoint, fixed_point_of
from .newton import Balance


@dataclass(frozen=True, eq=False)
class Matrices:
    """Derived of an admittance matrix, internal numbering; never changed.

    ybus, rows: as in `Admittance` · below (n): position below the source, −1 at it · fixed_point: None where a voltage
    is held.
    """

    ybus: sp.csr_matrix
    rows: sp.csr_matrix
    balance: Balance
    reference_rows: Complexes
    branch_rows: Any
    below: Integers
    fixed_point: FixedPoint | None


_in_use: WeakValueDictionary[bytes, Matrices] = WeakValueDictionary()


def matrices_of(adm: Admittance) -> Matrices:
    """Return what is derived of admittances; the same object for equal ones."""
    key = _digest(adm)
    made = _in_use.get(key)
    if made is None:
        made = _in_use[key] = _made(adm)
    return made


def _digest(adm: Admittance) -> bytes:
    """Equal for equal matrices, to the last bit, and equal buses with a given voltage."""
    parts = [part for each in (adm.ybus, adm.rows) for part in (each.data, each.indices, each.indptr)]
    parts += [adm.reference, adm.v_reference, adm.held, adm.vm_held_pu]
    digest = sha256()
    for part in parts:
        digest.update(f"{part.dtype}{part.shape}".encode())
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.digest()


def _made(adm: Admittance) -> Matrices:
    yqq = sp.csc_matrix(adm.ybus[adm.others][:, adm.others])
    source = -(adm.ybus[adm.others][:, adm.reference] @ adm.v_reference)
    held = np.searchsorted(adm.others, adm.held)
    below = np.full(adm.ybus.shape[0], -1)
    below[adm.others] = np.arange(len(adm.others))
    return Matrices(
        adm.ybus,
        adm.rows,
        Balance(sp.csr_matrix(yqq), source, held, adm.vm_held_pu),
        adm.ybus[adm.reference].toarray(),
        handy(adm.rows),
        below,
        None if len(held) else fixed_point_of(yqq, source),
    )
