"""FIPA's interaction protocols as table templates; a stage fills them with its message types.

    request, query    ask → refuse | [agree] → failure | result           SC00026, SC00027, SC00028
    contract net      cfp → refuse | propose → accept | reject → result   SC00029; called again: SC00030
    subscribe         subscribe → refuse | agree → inform* → failure      SC00035
    propose           propose → accept | reject                           SC00036

A timeout is not a message: the waiting side goes to a state of its own (`expired`, `closed`, …) in which
an answer that still comes is heard as *late*. Agree may be skipped when the result comes in time, which
also makes a lost agree harmless. An agree of a protocol's own may put off the deadline, as one that says until when an
order runs; the common one may not, so that nobody is kept waiting by an answer that says nothing.

Cancel, where a table has it, is the initiator's, and may cross anything that is still on its way:

    asked, agreed ── cancel ─▶ cancelling ── inform-done(cancel) | failure(too late) ─▶ cancelled
                                  │ an answer that was on its way
                                  ▼
    answered ──── cancel ──▶ over_cancelling ────────────────── failure(too late) ────▶ cancelled

The cancel of a request whose answer has not come in time may be said again, because what is cancelled may still be
going on, or its answer may have been lost: who has answered it before answers again.

Neither side may be left hanging by a lost message, nor hear something that the table does not know: the
tests walk two sides through every order, silence and loss.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from .envelope import Side
from .errors import TableError
from .messages import Agree, Cancel, Cancelled, CancelTooLate, Failure, Message, Refuse
from .tables import START, Protocol, Silence, Step

I, R = Side.INITIATOR, Side.RESPONDENT  # noqa: E741 - the letters of the message ids
Messages = Sequence[type[Message]]
CANCELLING, OVER_CANCELLING, CANCEL_EXPIRED = "cancelling", "over_cancelling", "cancel_expired"
CANCEL_REPLIES: Messages = (Cancelled, CancelTooLate)
CANCEL_SILENCES = (Silence(CANCELLING, CANCEL_EXPIRED), Silence(OVER_CANCELLING, CANCEL_EXPIRED))


def request(
    name: str,
    *,
    stage: str,
    ask: type[Message],
    by: str,
    of: str,
    results: Messages,
    agree: type[Message] = Agree,
    paper: Mapping[type[Message], str] | None = None,
    fipa: str = "fipa-request",
    cancellable: bool = False,
) -> Protocol:
    """A request (or query): `by` asks, `of` refuses, agrees, fails or gives one of `results`."""
    answers: Messages = (*results, Failure)
    late: Messages = (Refuse, agree, *answers)
    steps = [
        Step(START, I, ask, "asked"),
        Step("asked", R, Refuse, "refused"),
        Step("asked", R, agree, "agreed", puts_off=agree is not Agree),
        *(Step(state, R, answer, _outcome(answer)) for state in ("asked", "agreed") for answer in answers),
        *(Step("expired", R, answer, "expired", late=True) for answer in late),
    ]
    silences = [Silence("asked", "expired"), Silence("agreed", "expired")]
    ends: set[str] = {"expired"}
    crossings: set[str] = set()
    if cancellable:
        over = {"done", "failed", "refused"}
        live = {"asked", "agreed", "expired"}
        steps += _cancel_steps(going=(agree,), ending=(Refuse, *answers), live=sorted(live), over=sorted(over))
        steps += _cancel_again_steps()
        silences += CANCEL_SILENCES
        crossings = live | {CANCELLING, OVER_CANCELLING, CANCEL_EXPIRED, "cancelled"}
        ends |= over | {"cancelled", CANCEL_EXPIRED}
    parts = (tuple(steps), tuple(silences), frozenset(ends), frozenset(crossings))
    return Protocol(name, fipa, stage, by, of, *parts, paper or {})


def _outcome(answer: type[Message]) -> str:
    return "failed" if answer is Failure else "done"


def _cancel_steps(*, going: Messages, ending: Messages, live: Sequence[str], over: Sequence[str]) -> list[Step]:
    """The cancel meta-protocol: in `live` states it may be said, in `over` ones it comes too late.

    `going` are the respondent's messages after which it goes on, `ending` those that end what was asked.
    """
    return [
        *(Step(state, I, Cancel, CANCELLING) for state in live),
        *(Step(state, I, Cancel, OVER_CANCELLING, crossed=True) for state in over),
        *(Step(CANCELLING, R, message, CANCELLING, crossed=True) for message in going),
        *(Step(CANCELLING, R, message, OVER_CANCELLING, crossed=True) for message in ending),
        *(Step(CANCELLING, R, reply, "cancelled") for reply in CANCEL_REPLIES),
        Step(OVER_CANCELLING, R, CancelTooLate, "cancelled"),
        *(Step(CANCEL_EXPIRED, R, m, CANCEL_EXPIRED, late=True) for m in (*going, *ending, *CANCEL_REPLIES)),
    ]


def _cancel_again_steps() -> list[Step]:
    """A cancel whose answer has not come in time is said again, and answered again if it has been answered before."""
    heard = (CANCELLING, OVER_CANCELLING, "cancelled")
    return [
        Step(CANCEL_EXPIRED, I, Cancel, CANCELLING),
        *(Step(state, I, Cancel, state, crossed=True) for state in heard),
        *(Step("cancelled", R, reply, "cancelled", again=True) for reply in CANCEL_REPLIES),
        Step(OVER_CANCELLING, R, Cancelled, "cancelled", crossed=True),
    ]


def query(
    name: str,
    *,
    stage: str,
    ask: type[Message],
    by: str,
    of: str,
    results: Messages,
    paper: Mapping[type[Message], str] | None = None,
) -> Protocol:
    """A query-ref: `by` asks for a value, `of` informs, or refuses or fails."""
    return request(name, stage=stage, ask=ask, by=by, of=of, results=results, paper=paper, fipa="fipa-query")


def request_when(
    name: str,
    *,
    stage: str,
    ask: type[Message],
    by: str,
    of: str,
    results: Messages,
    agree: type[Message] = Agree,
    paper: Mapping[type[Message], str] | None = None,
    cancellable: bool = True,
) -> Protocol:
    """A request-when: as a request, to be carried out when the condition that `ask` names has come true."""
    fipa = "fipa-request-when"
    told = partial(request, name, stage=stage, ask=ask, by=by, of=of, results=results, agree=agree)
    return told(paper=paper, fipa=fipa, cancellable=cancellable)


def contract_net(
    name: str,
    *,
    stage: str,
    by: str,
    of: str,
    cfp: type[Message],
    propose: type[Message],
    refuse: type[Message],
    accept: type[Message],
    reject: type[Message],
    result: type[Message],
    failure: type[Message],
    rounds: int = 1,
    paper: Mapping[type[Message], str] | None = None,
) -> Protocol:
    """One party's share of a contract net: reply-by of the cfp is the deadline; a late proposal is rejected.

    With more `rounds` than one it is FIPA's iterated contract net: instead of accepting or rejecting, the
    initiator may call again, at most so often in all; whom it does not call again, it rejects.
    """
    if rounds < 1:
        raise TableError(f"{name}: a contract net has at least 1 round, not {rounds}")
    calls: list[Step] = []
    for number in range(1, rounds + 1):
        again = f"called{_ordinal(number + 1)}" if number < rounds else None
        calls += _bids(cfp, (propose, refuse), (accept, reject), suffix=_ordinal(number), again=again)
    steps = (
        Step(START, I, cfp, "called"),
        *calls,
        Step("late", I, reject, "rejected"),
        *_reports(result, failure),
    )
    suffixes = [_ordinal(number) for number in range(1, rounds + 1)]
    called = [Silence(f"called{suffix}", f"closed{suffix}") for suffix in suffixes]
    proposed = [Silence(f"proposed{suffix}", f"lapsed{suffix}", waits=R) for suffix in suffixes]
    ends = frozenset({"unreported", *(silence.then for silence in (*called, *proposed))})
    fipa = "fipa-contract-net" if rounds == 1 else "fipa-iterated-contract-net"
    silences = (*called, *proposed, Silence("accepted", "unreported"))
    return Protocol(name, fipa, stage, by, of, steps, silences, ends, paper=paper or {})


def _reports(result: type[Message], failure: type[Message]) -> list[Step]:
    """What follows an award."""
    return [
        Step("lapsed_award", R, failure, "failed"),
        Step("accepted", R, result, "done"),
        Step("accepted", R, failure, "failed"),
        Step("unreported", R, result, "done", late=True),
        Step("unreported", R, failure, "failed", late=True),
    ]


def _ordinal(number: int) -> str:
    """What the states of a round are called by; those of the first have no number."""
    return "" if number == 1 else f"_{number}"


def _bids(cfp: type[Message], answers: Messages, decisions: Messages, *, suffix: str, again: str | None) -> list[Step]:
    """One round: propose or refuse, in time or late; then accept, reject, or call again."""
    propose, refuse = answers
    accept, reject = decisions
    called, closed, proposed, lapsed = (f"{state}{suffix}" for state in ("called", "closed", "proposed", "lapsed"))
    steps = [
        Step(called, R, propose, proposed),
        Step(called, R, refuse, "refused"),
        Step(closed, R, propose, "late", late=True),
        Step(closed, R, refuse, "refused", late=True),
        Step(proposed, I, accept, "accepted"),
        Step(proposed, I, reject, "rejected"),
        Step(lapsed, I, accept, "lapsed_award", late=True),
        Step(lapsed, I, reject, "rejected", late=True),
    ]
    if again is not None:
        steps += [Step(proposed, I, cfp, again), Step(lapsed, I, cfp, again, late=True)]
    return steps


def subscribe(
    name: str,
    *,
    stage: str,
    ask: type[Message],
    by: str,
    of: str,
    inform: type[Message],
    paper: Mapping[type[Message], str] | None = None,
) -> Protocol:
    """A subscription: informs follow until the respondent fails or the initiator cancels."""
    over, live = ("failed", "refused"), ("asked", "expired", "streaming")
    steps = (
        Step(START, I, ask, "asked"),
        Step("asked", R, Refuse, "refused"),
        Step("asked", R, Failure, "failed"),
        *(Step("asked", R, message, "streaming") for message in (Agree, inform)),
        Step("expired", R, Refuse, "refused", late=True),
        Step("expired", R, Failure, "failed", late=True),
        *(Step("expired", R, message, "streaming", late=True) for message in (Agree, inform)),
        Step("streaming", R, inform, "streaming"),
        Step("streaming", R, Failure, "failed"),
        *_cancel_steps(going=(Agree, inform), ending=(Refuse, Failure), live=live, over=over),
    )
    silences = (Silence("asked", "expired"), *CANCEL_SILENCES)
    ends = frozenset({*over, "expired", CANCEL_EXPIRED})
    return Protocol(name, "fipa-subscribe", stage, by, of, steps, silences, ends, frozenset(live), paper or {})


def propose(
    name: str,
    *,
    stage: str,
    offer: type[Message],
    by: str,
    to: str,
    accept: type[Message],
    reject: type[Message],
    paper: Mapping[type[Message], str] | None = None,
) -> Protocol:
    """A proposal: `by` proposes, `to` accepts or rejects it with a reason."""
    steps = (
        Step(START, I, offer, "proposed"),
        Step("proposed", R, accept, "accepted"),
        Step("proposed", R, reject, "rejected"),
        Step("expired", R, accept, "expired", late=True),
        Step("expired", R, reject, "expired", late=True),
    )
    silences = (Silence("proposed", "expired"),)
    return Protocol(name, "fipa-propose", stage, by, to, steps, silences, frozenset({"expired"}), paper=paper or {})
