"""Random generators that hang on nothing but a text: who asks, what for, and the seed; not on the order of calls."""

from __future__ import annotations

from hashlib import sha256

import numpy as np


def generator(key: str) -> np.random.Generator:
    """Return a fresh generator for a key; equal keys draw equal numbers, on every machine and in every process."""
    return np.random.Generator(np.random.PCG64(int.from_bytes(sha256(key.encode()).digest()[:16], "big")))
