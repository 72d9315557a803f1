"""How the energy of orders is counted: at every reading, what is asked for and delivered until the next one.

    reading ─▶ rate: W·µs of each offer from this reading to the next ─▶ counted, once or for many equal readings

What is delivered in a direction is shared by what was asked for in it; what goes the wrong way is nothing. Of offers
under control each is filled in merit order, and the last takes what is left. As long as the readings, the orders and
the time they are for stay the same, each reading counts the same: integers, so that many at once make no difference.
"""

from typing import NamedTuple

from immutables import Map

from .changes import INFINITY_US, replace
from .delivery import OrderBook, Task
from .market.settlement import watt_us


class Rate(NamedTuple):
    """W·µs (offer, asked for, delivered) that each reading counts; `until_us`: readings before it count the same."""

    lines: tuple[tuple[str, int, int], ...]
    until_us: int


IDLE = Rate((), INFINITY_US)


def metered(book: OrderBook, activated_mw: float, lasts_us: int, at_us: int) -> OrderBook:
    """Count the energy asked for and delivered until the next reading, or the order's end if that is earlier."""
    book = caught_up(book, activated_mw, lasts_us, at_us)
    return counted(book, rate(book, activated_mw, at_us, at_us + lasts_us), 1, at_us + lasts_us)


def caught_up(book: OrderBook, activated_mw: float, lasts_us: int, at_us: int) -> OrderBook:
    """Count whole readings that were missed since energy was last counted, because a host was down."""
    since_us = book.counted_us
    missed_us = (at_us - since_us) // lasts_us * lasts_us if since_us else 0
    if missed_us <= 0 or not (activated_mw or book.wanted_mw or book.orders()):
        return book
    until_us = since_us + missed_us
    return counted(book, rate(book, activated_mw, since_us, until_us), 1, until_us)


def rate(book: OrderBook, activated_mw: float, since_us: int, until_us: int) -> Rate:
    """What is asked for at the beginning of a span of time, and delivered in it; W·µs."""
    if not (activated_mw or book.wanted_mw or book.orders()):
        return IDLE
    _, holds_until_us, (_, asked, anything, ways) = book.in_place(since_us)
    if not activated_mw and not anything:
        return Rate((), holds_until_us)
    got, lines = _got_mw(asked, ways, activated_mw), []
    for number, (task, power_mw) in enumerate(asked):
        lasts_us, got_mw = min(until_us, task.end_us) - since_us, got.get(number, 0.0)
        if power_mw or got_mw:
            lines.append((task.offer_id, watt_us(power_mw, lasts_us), watt_us(got_mw, lasts_us)))
            whole_until_us = task.end_us - (until_us - since_us) + 1
            holds_until_us = min(holds_until_us, max(whole_until_us, since_us + 1))
    return Rate(tuple(line for line in lines if line[1] or line[2]), holds_until_us)


def counted(book: OrderBook, rate: Rate, readings: int, until_us: int) -> OrderBook:
    """The book after so many readings at a rate, the last of which counts until `until_us`.

    Where nothing is counted, readings that are missed from here on count for nothing.
    """
    if not rate.lines:
        return replace(book, counted_us=0) if book.counted_us else book
    requested, delivered = book.requested, book.delivered
    for offer_id, asked, got in rate.lines:
        requested = _added(requested, offer_id, readings * asked)
        delivered = _added(delivered, offer_id, readings * got)
    return replace(book, requested=requested, delivered=delivered, counted_us=until_us)


def _added(energy: Map[str, int], offer_id: str, more: int) -> Map[str, int]:
    return energy.set(offer_id, energy.get(offer_id, 0) + more) if more else energy


def _got_mw(asked: list[tuple[Task, float]], ways: dict[str, list[int]], activated_mw: float) -> dict[int, float]:
    """MW delivered of each task; what is still delivered when nothing may be asked for is shared by the orders."""
    if not activated_mw:
        return {}
    same, delivered_mw = ways["up" if activated_mw > 0 else "down"], abs(activated_mw)
    if any(asked[n][0].controlled for n in same):
        return _filled(asked, same, delivered_mw)
    shares = [asked[n][1] for n in same]
    if sum(shares) <= 0:
        shares = [asked[n][0].power_mw for n in same]
    whole_mw = sum(shares)
    return {n: delivered_mw * share_mw / whole_mw for n, share_mw in zip(same, shares, strict=True)} if whole_mw else {}


def _filled(asked: list[tuple[Task, float]], same: list[int], delivered_mw: float) -> dict[int, float]:
    got = {}
    for n in same:
        got[n] = delivered_mw if n == same[-1] else min(delivered_mw, asked[n][0].power_mw)
        delivered_mw -= got[n]
    return got
