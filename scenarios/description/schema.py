"""What a scenario is: the parts of its YAML file as frozen models, with the times that follow from them.

    time + ticks + links     when, how often, how late messages are (`times.py`)
    swarm                    participants, grids and needs that are drawn, not listed (`swarm/`)
    short_names              names that --set may use for long paths
    coordination + market    who checks what; what is needed, and the rules of it (`market.py`)
    area + grids             the physics it happens in
    faults                   what goes wrong on the way, and who dies, in simulated time (`faults.py`)
    participants             who takes part, with units, pools and offers (`participants.py`)

A single model checks itself here; what must fit together across parts is in `consistency.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from ...grid.area.description import AreaDescription
from ...grid.description.grid import GridDescription
from ...grid.description.part import Part
from ...grid.description.uncertainty import located_series
from ..swarm import SwarmDescription, expand
from .consistency import check_together
from .faults import FaultRules
from .files import NamedFile, Steps, files_of, with_files
from .hosts import Hosting
from .market import Coordination, Market, Scheme
from .participants import (
    AggregatorDescription,
    BspDescription,
    DsoDescription,
    Participant,
    Provider,
    TsoDescription,
)
from .times import Links, Ticks, Times

LONGEST_NAME = 80


class Scenario(Part):
    """Everything a run follows from; together with the seed it determines the record to the byte.

    `journal`: whether every input of every agent is kept, so that the run can be replayed.
    """

    gridpact: Literal[1] = 1
    gridpact_version: str | None = None
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=LONGEST_NAME)
    title: str = ""
    seed: int = Field(default=1, ge=0, lt=2**63)
    time: Times
    ticks: Ticks = Ticks()
    links: Links = Links()
    coordination: Coordination = Coordination()
    market: Market = Market()
    area: AreaDescription = AreaDescription()
    grids: dict[str, GridDescription]
    participants: dict[str, Participant]
    hosting: Hosting = Hosting()
    swarm: SwarmDescription | None = None
    short_names: dict[str, str] = Field(default={})
    plugins: tuple[str, ...] = ()
    journal: bool = True
    faults: FaultRules | None = None
    _folders: tuple[Path, ...] = PrivateAttr(default=())
    _places: Mapping[tuple[str | int, ...], str] = PrivateAttr(default={})

    @field_validator("plugins")
    @classmethod
    def _named_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", name):
                raise ValueError(f'"{name}" cannot name a Python module: write my_module, without path and .py')
            if value.count(name) > 1:
                raise ValueError(f'the plugin "{name}" is named twice')
        return value

    @field_validator("short_names")
    @classmethod
    def _short(cls, value: dict[str, str]) -> dict[str, str]:
        for name, path in value.items():
            if not re.fullmatch(r"[A-Za-z_]\w*", name) or name in cls.model_fields:
                raise ValueError(f'"{name}" cannot be a short name: it is a key of every scenario, or no plain word')
            if not re.fullmatch(r"\w+(\.[^.\s]+)*", path) or path.partition(".")[0] not in cls.model_fields:
                raise ValueError(f'short name "{name}": "{path}" is no path of a scenario, as swarm.bsps is')
        return value

    @model_validator(mode="after")
    def _is_completed_by_its_swarm(self) -> Self:
        expand(self)
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        check_together(self)
        return self

    def __eq__(self, other: object) -> bool:
        """Whether it says the same, wherever it was read from."""
        return isinstance(other, Scenario) and self.model_dump() == other.model_dump()

    __hash__ = None  # type: ignore[assignment]

    @property
    def scheme(self) -> Scheme:
        """The coordination scheme."""
        return self.coordination.scheme

    @property
    def has_dso(self) -> bool:
        """Whether DSOs take part at all."""
        return self.scheme != "blind"

    @cached_property
    def tso(self) -> str:
        """The TSO's name."""
        return next(name for name, who in self.participants.items() if isinstance(who, TsoDescription))

    @cached_property
    def dsos(self) -> Mapping[str, DsoDescription]:
        """The DSOs that take part, by name (none in `blind`)."""
        named = {name: who for name, who in self.participants.items() if isinstance(who, DsoDescription)}
        return named if self.has_dso else {}

    @cached_property
    def connected(self) -> Mapping[str, Provider]:
        """BSPs and aggregators by name, in the order of the file, whoever operates what they have."""
        kinds = (BspDescription, AggregatorDescription)
        return {name: who for name, who in self.participants.items() if isinstance(who, kinds)}

    @cached_property
    def providers(self) -> Mapping[str, Provider]:
        """Those of them that take part themselves; in scenario II a DSO may stand in their place (`operated`)."""
        chosen = self.coordination
        away = self.scheme == "scenario-2" and (chosen.operator == "dso" or chosen.resources == "cvr")
        return {name: who for name, who in self.connected.items() if who.on_transmission or not away}

    @cached_property
    def operated(self) -> Mapping[str, str]:
        """The DSO that operates the units or the pool of a BSP or aggregator in its place, by the name of these."""
        if self.coordination.resources == "cvr" or self.coordination.operator == "bsps":
            return {}
        return {name: self._operators[who.grid] for name, who in self.connected.items() if name not in self.providers}

    @cached_property
    def _operators(self) -> Mapping[str, str]:
        return {dso.grid: name for name, dso in self.dsos.items()}

    def dso_of(self, grid: str) -> str | None:
        """The name of a grid's DSO, or None."""
        return self._operators.get(grid)

    def applies_at_us(self, name: str) -> int:
        """When a provider applies for qualification; the start if it does not say."""
        clock = self.connected[name].applies_at
        return self.time.start_us if clock is None else self.time.at_clock(clock)

    @property
    def folder(self) -> Path | None:
        """Where its relative files are meant from; None for a scenario that was not loaded from a file."""
        return self._folders[0] if self._folders else None

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where its plugins are looked for: where its own file stands, then the files that it extends."""
        return self._folders

    def located_grid(self, name: str) -> GridDescription:
        """A grid's description with files as paths from where the scenario's own file stands, and with its seeds."""
        grid = self.grids[name]
        changes: dict[str, object] = {}
        if grid.file is not None:
            changes["file"] = self._located(grid.file)
        if grid.series is not None:
            changes["series"] = located_series(grid.series, self._located, self.seed)
        if grid.forecast_error is not None and grid.forecast_error.seed is None:
            changes["forecast_error"] = grid.forecast_error.model_copy(update={"seed": self.seed})
        return grid.model_copy(update=changes)

    def _located(self, file: str) -> str:
        return file if self.folder is None else str(self.folder / file)

    def located_area(self) -> AreaDescription:
        """The area with the `file` of a recording as a path from where the scenario's own file stands."""
        recorded = self.area.recorded
        if recorded is None or self.folder is None:
            return self.area
        return self.area.model_copy(
            update={"recorded": recorded.model_copy(update={"file": str(self.folder / recorded.file)})}
        )

    def files(self) -> tuple[NamedFile, ...]:
        """Every file that it names, located: networks, series, disturbances, plugins."""
        return files_of(self)

    def with_files(self, names: Mapping[Steps, str]) -> Scenario:
        """The same scenario with other names for its files, by where they are named."""
        return with_files(self, names)

    @property
    def places(self) -> Mapping[tuple[str | int, ...], str]:
        """File and line of every value of its grids, market and participants, for what is only found later."""
        return self._places

    def placed_in(self, *folders: Path, places: Mapping[tuple[str | int, ...], str] | None = None) -> Scenario:
        """The same scenario, whose relative files are meant from the first folder; the place is never recorded.

        Plugins are also looked for in the others: those of the files that it extends.
        """
        copy = self.model_copy()
        copy._folders, copy._places = folders, places or {}
        return copy
