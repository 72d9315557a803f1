"""What every part of a description has in common: frozen, no unknown keys, no infinities."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Base of every part of a grid description."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
