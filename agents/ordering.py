"""Orders at whoever delivers – BSP, aggregator, DSO in scenario II: taken or refused, superseded, cancelled, over.

    Activate ─▶ at fault ─▶ Refuse
            └─▶ earlier orders of the same offer end, superseded ─▶ Activated, timers for its start and end

An offer has one order in force: the last one taken. It does not matter whether the order that it names as
superseded has ever arrived. What follows from the book – set-points, taps – is the caller's.
"""

from ..protocols.information.activation import Activate, Activated, ActivateWhen, ActivationEnded
from ..protocols.messages import Cancelled, CancelTooLate, Message, Refuse
from .actions import Action, Say, Wake
from .delivery import OrderBook

START, END = "activation/start/", "activation/end/"
Booked = tuple[OrderBook, tuple[Action, ...]]


def take(
    book: OrderBook, conversation_id: str, order: Activate | ActivateWhen, *, now_us: int, answer_us: int
) -> Booked:
    """Take an order, or refuse it with the reason; the book tells which (`conversation_id in book.tasks`)."""
    fault = book.fault(order, now_us)
    if fault is not None:
        return book, (Say(conversation_id, Refuse(reason=fault)),)
    ended = ActivationEnded(offer_id=order.offer_id, reason="superseded")
    before = book.orders_of(order.offer_id)
    for superseded in before:
        book = book.ended(superseded)
    scheduled = order.start > now_us
    status = Activated(offer_id=order.offer_id, product=order.product, status="scheduled" if scheduled else "activated")
    confirm = Say(conversation_id, status, order.end + answer_us)
    begin = (Wake(START + conversation_id, order.start),) if scheduled else ()
    endings = tuple(Say(superseded, ended) for superseded in before)
    return book.taken(conversation_id, order), (*endings, confirm, *begin, Wake(END + conversation_id, order.end))


def over(book: OrderBook, conversation_id: str) -> Booked:
    """An order's time has come to its end; nothing, if it has been superseded or cancelled before."""
    task = book.tasks.get(conversation_id)
    if task is None:
        return book, ()
    ended = ActivationEnded(offer_id=task.offer_id, reason="delivered")
    return book.ended(conversation_id), (Say(conversation_id, ended),)


def cancel(book: OrderBook, conversation_id: str) -> Booked:
    """The TSO cancels: stop, or say that it was over already."""
    answer: Message = CancelTooLate(reason="the order was over")
    if conversation_id in book.tasks:
        answer = Cancelled()
    return book.ended(conversation_id), (Say(conversation_id, answer),)
