"""What an audit finds, and the trail of what fulfils each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..errors import RecordError

Row = Mapping[str, Any]
Rows = Sequence[Row]


@dataclass(frozen=True, slots=True)
class Demand:
    """One step that was due: of which figure, about what, carrying which information, and what fulfils it."""

    step: str
    about: str
    wanted: str
    info: str | None
    fulfilled_by: tuple[str, ...]
    at: str | None

    @property
    def fulfilled(self) -> bool:
        """Whether something fulfils it."""
        return bool(self.fulfilled_by)

    def complaint(self) -> str:
        """The finding if nothing fulfils it."""
        info = f", {self.info}" if self.info else ""
        return f"step {self.step} ({self.wanted}{info}) is missing for {self.about}"


@dataclass
class Trail:
    """Collects demands and findings; a chain checks that its steps come one after the other."""

    demands: list[Demand] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def chain(self, about: str) -> Chain:
        """Begin a chain of steps about one thing."""
        return Chain(self, about)

    @contextmanager
    def doubting(self, complaint: str) -> Iterator[None]:
        """What cannot be followed, because the record says something else than it should, is a finding."""
        try:
            yield
        except RecordError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            self.findings.append(f"{complaint}: {error!r}")


@dataclass
class Chain:
    """Steps that must follow one another in time; it ends where a message was lost or refused."""

    trail: Trail
    about: str
    last_step: str = ""
    last_at: str = ""
    open: bool = True

    def message(self, step: str, wanted: str, found: Rows, info: str | None = None) -> Rows:
        """Demand a message; the chain goes on only if the first one found was received."""
        self._demand(step, wanted, info, tuple(row["id"] for row in found), [row["sent_at"] for row in found])
        self.open = self.open and bool(found) and found[0]["received_at"] is not None
        return found

    def event(self, step: str, wanted: str, found: Rows) -> Rows:
        """Demand an event."""
        ids = tuple(f"event {row['sequence']}" for row in found)
        self._demand(step, wanted, None, ids, [row["at"] for row in found])
        return found

    def _demand(self, step: str, wanted: str, info: str | None, ids: tuple[str, ...], times: Sequence[str]) -> None:
        if not self.open:
            return
        at = times[0] if times else None
        demand = Demand(step, self.about, wanted, info, ids, at)
        self.trail.demands.append(demand)
        if not demand.fulfilled:
            self.trail.findings.append(demand.complaint())
            return
        assert at is not None
        if moment_of(at) < moment_of(self.last_at):
            text = f"step {step} comes before step {self.last_step} for {self.about} ({at} < {self.last_at})"
            self.trail.findings.append(text)
        self.last_step, self.last_at = step, at


def moment_of(text: str) -> tuple[str, str]:
    """A recorded time as something that sorts, whether it has a fraction or not."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return whole, fraction
