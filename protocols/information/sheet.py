"""Measurements of many participants at one instant, of whom most say again what they have said before.

a, b, c measure ─▶ Sheet: what each said when it last changed, the time of all ─▶ its row: the message of now
"""

from collections.abc import Sequence
from typing import overload

from .activation import Measurement


class Sheet(Sequence[Measurement]):
    """Rows by listener: `who` is whose measurement each row is, `said` what each participant has to say.

    A participant that says the same as before, at another time, has the same object in `said`.
    """

    __slots__ = ("at_us", "said", "who")

    def __init__(self, at_us: int, said: tuple[Measurement, ...], who: Sequence[int]) -> None:
        """All are measured at `at_us`."""
        self.at_us, self.said, self.who = at_us, said, who

    def __len__(self) -> int:
        return len(self.who)

    def said_by(self, places: Sequence[int]) -> tuple[Measurement, ...]:
        """What the participants of these rows have to say, each as of when it last changed."""
        said, who = self.said, self.who
        return tuple([said[who[place]] for place in places])

    @overload
    def __getitem__(self, place: int) -> Measurement: ...

    @overload
    def __getitem__(self, place: slice) -> "Sheet": ...

    def __getitem__(self, place: int | slice) -> "Measurement | Sheet":
        if isinstance(place, slice):
            return Sheet(self.at_us, self.said, self.who[place])
        return measured_at(self.said[self.who[place]], self.at_us)


def measured_at(measurement: Measurement, at_us: int) -> Measurement:
    """The same measured at another time."""
    if measurement.measured_at == at_us:
        return measurement
    return measurement.model_copy(update={"measured_at": at_us})
