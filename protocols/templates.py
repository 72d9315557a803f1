"""FIPA's interaction protocols as table templates; a stage fills them with its message types.

    request, query    ask → refuse | [agree] → failure | result           SC00026, SC00027, SC00028
    contract net      cfp → refuse | propose → accept | reject → result   SC00029
    subscribe         subscribe → refuse | agree → inform* → failure      SC00035
    propose           propose → accept | reject                           SC00036

A timeout is not a message: the waiting side goes to a state of its own (`expired`, `closed`, …) in which
an answer that still comes is heard as *late*. Agree may be skipped when the result comes in time, which
also makes a lost agree harmless.
"""

from collections.abc import Mapping, Sequence

from .envelope import Side
from .messages import Agree, Cancel, Cancelled, CancelTooLate, Failure, Message, Refuse
from .tables import START, Protocol, Silence, Step

I, R = Side.INITIATOR, Side.RESPONDENT  # noqa: E741 - the letters of the message ids
Messages = Sequence[type[Message]]


def request(  # noqa: PLR0913 - the parts of a FIPA request, all by keyword
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
    answers = (*results, Failure)
    steps = [
        Step(START, I, ask, "asked"),
        Step("asked", R, Refuse, "refused"),
        Step("asked", R, agree, "agreed"),
        *(Step(state, R, answer, _outcome(answer)) for state in ("asked", "agreed") for answer in answers),
        *(Step("expired", R, answer, "expired", late=True) for answer in (Refuse, agree, *answers)),
    ]
    if cancellable:
        steps += _cancel_steps(agree, answers)
    ends = {"expired"} | ({"done", "failed", "refused", "cancel_expired"} if cancellable else set())
    silences = [Silence("asked", "expired"), Silence("agreed", "expired")]
    if cancellable:
        silences += [Silence("cancelling", "cancel_expired"), Silence("over_cancelling", "done")]
    return Protocol(
        name,
        fipa,
        stage,
        by,
        of,
        tuple(steps),
        tuple(silences),
        frozenset(ends),
        frozenset({"asked", "agreed", "expired"} if cancellable else ()),
        paper or {},
    )


def _outcome(answer: type[Message]) -> str:
    return "failed" if answer is Failure else "done"


def _cancel_steps(agree: type[Message], answers: Messages) -> list[Step]:
    """The cancel meta-protocol, with every crossing: a cancel may meet any answer on its way."""
    asking = [Step(state, I, Cancel, "cancelling") for state in ("asked", "agreed", "expired")]
    over = [Step(state, I, Cancel, "over_cancelling") for state in ("done", "failed", "refused")]
    crossing = [Step("cancelling", R, answer, "over_cancelling") for answer in (*answers, Refuse)]
    replies = [
        Step("cancelling", R, agree, "cancelling"),
        Step("cancelling", R, Cancelled, "cancelled"),
        Step("cancelling", R, CancelTooLate, "cancelled"),
        Step("over_cancelling", R, CancelTooLate, "cancelled"),
        Step("over_cancelling", R, Cancelled, "cancelled"),
    ]
    late = (agree, *answers, Refuse, Cancelled, CancelTooLate)
    return asking + over + crossing + replies + [Step("cancel_expired", R, m, "cancel_expired", late=True) for m in late]


def query(  # noqa: PLR0913 - as request
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


def contract_net(  # noqa: PLR0913 - the parts of a FIPA contract net, all by keyword
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
    paper: Mapping[type[Message], str] | None = None,
) -> Protocol:
    """One party's share of a contract net: reply-by of the cfp is the deadline; a late proposal is rejected."""
    steps = (
        Step(START, I, cfp, "called"),
        Step("called", R, propose, "proposed"),
        Step("called", R, refuse, "refused"),
        Step("closed", R, propose, "late", late=True),
        Step("closed", R, refuse, "refused", late=True),
        Step("late", I, reject, "rejected"),
        Step("proposed", I, accept, "accepted"),
        Step("proposed", I, reject, "rejected"),
        Step("lapsed", I, accept, "lapsed_award", late=True),
        Step("lapsed", I, reject, "rejected", late=True),
        Step("lapsed_award", R, failure, "failed"),
        Step("accepted", R, result, "done"),
        Step("accepted", R, failure, "failed"),
        Step("unreported", R, result, "done", late=True),
        Step("unreported", R, failure, "failed", late=True),
    )
    silences = (Silence("called", "closed"), Silence("proposed", "lapsed", waits=R), Silence("accepted", "unreported"))
    ends = frozenset({"closed", "lapsed", "unreported"})
    return Protocol(name, "fipa-contract-net", stage, by, of, steps, silences, ends, paper=paper or {})


def subscribe(  # noqa: PLR0913 - the parts of a FIPA subscription, all by keyword
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
    steps = (
        Step(START, I, ask, "asked"),
        Step("asked", R, Refuse, "refused"),
        Step("asked", R, Agree, "streaming"),
        Step("asked", R, inform, "streaming"),
        Step("asked", R, Failure, "failed"),
        Step("expired", R, Agree, "streaming", late=True),
        Step("expired", R, inform, "streaming", late=True),
        Step("expired", R, Refuse, "refused", late=True),
        Step("streaming", R, inform, "streaming"),
        Step("streaming", R, Failure, "failed"),
        Step("streaming", I, Cancel, "cancelling"),
        Step("cancelling", R, inform, "cancelling"),
        Step("cancelling", R, Failure, "failed_cancelling"),
        Step("cancelling", R, Cancelled, "cancelled"),
        Step("failed", I, Cancel, "failed_cancelling"),
        Step("failed_cancelling", R, CancelTooLate, "cancelled"),
    )
    silences = (Silence("asked", "expired"), Silence("cancelling", "cancelled"), Silence("failed_cancelling", "cancelled"))
    ends, crossings = frozenset({"failed", "expired"}), frozenset({"streaming"})
    return Protocol(name, "fipa-subscribe", stage, by, of, steps, silences, ends, crossings, paper or {})


def propose(  # noqa: PLR0913 - the parts of a FIPA propose, all by keyword
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
