"""Order on every link: what is sent later arrives no earlier, as on one connection.

one message  ─▶ after the last arrival of its link
a volley     ─▶ as drawn, where nothing that could still be on its links is on its way; else each after its last
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from ....protocols.flow import Flow
from ...identity import ByIdentity

Link = tuple[str, str]


class Spoken(NamedTuple):
    """The links of a volley's flows, and the places of those that have several."""

    links: frozenset[Link]
    repeated: tuple[tuple[int, ...], ...]


class Queues:
    """The last arrival on every link; volleys are kept as they are until something else asks for one of their links."""

    def __init__(self) -> None:
        """Nothing is on its way."""
        self._free_at: dict[Link, int] = {}
        self._alone_until_us = 0  # the last arrival of anything that is not in a volley
        self._volleys: list[tuple[tuple[Flow, ...], Sequence[int], int]] = []
        self._spoken = ByIdentity(_spoken)

    def after_others(self, link: Link, arrives_us: int) -> int:
        """When something arrives that would by itself at `arrives_us`."""
        if self._volleys:
            self._spread()
        last_us = self._free_at.get(link, 0)
        found = self._free_at[link] = arrives_us if arrives_us > last_us else last_us
        self._alone_until_us = max(self._alone_until_us, found)
        return found

    def in_order(self, flows: tuple[Flow, ...], arrivals_us: list[int], now_us: int) -> list[int]:
        """The same of the messages of a volley, sent now; those of one link keep their order."""
        self._volleys = [one for one in self._volleys if one[2] > now_us]
        links, repeated = self._spoken.of(flows)
        between = any(not links.isdisjoint(self._spoken.of(others).links) for others, _, _ in self._volleys)
        for places in repeated:
            in_turn = accumulate([arrivals_us[place] for place in places], max)
            for place, at_us in zip(places, in_turn, strict=True):
                arrivals_us[place] = at_us
        if self._alone_until_us > now_us or between:
            return [self.after_others(flow.link, at_us) for flow, at_us in zip(flows, arrivals_us, strict=True)]
        self._volleys.append((flows, arrivals_us, max(arrivals_us)))
        return arrivals_us

    def _spread(self) -> None:
        """Volleys on their way are told link by link."""
        volleys, self._volleys = self._volleys, []
        for flows, arrivals_us, last_us in volleys:
            self._alone_until_us = max(self._alone_until_us, last_us)
            for flow, at_us in zip(flows, arrivals_us, strict=True):
                self._free_at[flow.link] = max(at_us, self._free_at.get(flow.link, 0))


def _spoken(flows: tuple[Flow, ...]) -> Spoken:
    places: dict[Link, list[int]] = {}
    for place, flow in enumerate(flows):
        places.setdefault(flow.link, []).append(place)
    return Spoken(frozenset(places), tuple(tuple(own) for own in places.values() if len(own) > 1))
