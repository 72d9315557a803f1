"""What every protocol's table must be like: checked when a table is made, TableError says what is wrong.

one meaning      no step and no silence twice; no not-understood, which stands outside all tables
one opening      the initiator opens, with the act that its FIPA protocol begins with
its own acts     each side says what its FIPA protocol lets it say; the initiator may always cancel, and is answered
one speaker      per state, but in a declared crossing; there both orders lead to the same state
one way out      every state can be reached and can end; silence is of somebody who is waited for
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .envelope import Side
from .errors import TableError
from .messages import Message, NotUnderstood, Performative

if TYPE_CHECKING:
    from .tables import Protocol, Step

START = "start"
Acts = frozenset[Performative]
DECISION: Acts = frozenset({Performative.ACCEPT_PROPOSAL, Performative.REJECT_PROPOSAL})
OUTCOME: Acts = frozenset({Performative.INFORM, Performative.FAILURE})
CONSENT: Acts = frozenset({Performative.REFUSE, Performative.AGREE}) | OUTCOME
BID: Acts = frozenset({Performative.PROPOSE, Performative.REFUSE}) | OUTCOME
# what opens, what else the initiator says, what the respondent says: FIPA SC00026 to SC00030, SC00035, SC00036
RULES: dict[str, tuple[Performative, Acts, Acts]] = {
    "fipa-request": (Performative.REQUEST, frozenset(), CONSENT),
    "fipa-query": (Performative.QUERY_REF, frozenset(), CONSENT),
    "fipa-request-when": (Performative.REQUEST_WHEN, frozenset(), CONSENT),
    "fipa-contract-net": (Performative.CFP, DECISION, BID),
    "fipa-iterated-contract-net": (Performative.CFP, DECISION, BID),
    "fipa-subscribe": (Performative.SUBSCRIBE, frozenset(), CONSENT),
    "fipa-propose": (Performative.PROPOSE, frozenset(), DECISION),
}


def check(protocol: "Protocol") -> None:
    """Refuse a table that contradicts itself (TableError)."""
    _no_step_twice(protocol)
    _no_silence_twice(protocol)
    _the_initiator_opens(protocol)
    _acts_are_its_own(protocol)
    _declared_states_exist(protocol)
    _one_speaker_per_state(protocol)
    _crossings_close(protocol)
    _somebody_is_waited_for(protocol)
    _every_state_reached(protocol)
    _every_state_ends(protocol)
    _paper_names_known_messages(protocol)


def _names(items: Iterable[str]) -> str:
    return ", ".join(f"'{item}'" for item in sorted(items))


def _no_step_twice(protocol: "Protocol") -> None:
    seen: set[tuple[str, Side, type[Message]]] = set()
    for step in protocol.steps:
        key = (step.state, step.speaker, step.message)
        if key in seen:
            raise TableError(f"{protocol.name}: {step.speaker} says {step.message.type_id} twice in '{step.state}'")
        if step.message is NotUnderstood:
            raise TableError(f"{protocol.name}: not-understood may come at any time, it is no step ('{step.state}')")
        seen.add(key)


def _no_silence_twice(protocol: "Protocol") -> None:
    waits = [silence.state for silence in protocol.silences]
    for state in waits:
        if waits.count(state) > 1:
            raise TableError(f"{protocol.name}: two silences in '{state}'")


def _the_initiator_opens(protocol: "Protocol") -> None:
    opening = [step for step in protocol.steps if step.state == START]
    if not opening or any(step.speaker is not Side.INITIATOR for step in opening):
        raise TableError(f"{protocol.name}: the initiator opens a conversation, nobody else")
    if any(then == START for _, then in _edges(protocol)):
        raise TableError(f"{protocol.name}: nothing leads back to '{START}'")
    if protocol.fipa not in RULES:
        raise TableError(f"{protocol.name}: unknown protocol '{protocol.fipa}'; known: {', '.join(sorted(RULES))}")
    begins = RULES[protocol.fipa][0]
    for step in opening:
        if step.message.performative is not begins:
            act = step.message.performative
            raise TableError(f"{protocol.name}: {protocol.fipa} opens with {begins}, not with {act}")


def _acts_are_its_own(protocol: "Protocol") -> None:
    """Cancelling is FIPA's meta-protocol: the initiator of any may say it, and inform or failure answers it."""
    begins, asked, answered = RULES[protocol.fipa]
    cancels = any(step.message.performative is Performative.CANCEL for step in protocol.steps)
    allowed = {
        Side.INITIATOR: asked | {begins, Performative.CANCEL},
        Side.RESPONDENT: answered | (OUTCOME if cancels else frozenset()),
    }
    for step in protocol.steps:
        act = step.message.performative
        if act not in allowed[step.speaker]:
            may = ", ".join(sorted(allowed[step.speaker]))
            what = f"{step.message.type_id} in '{step.state}' is {act}"
            raise TableError(f"{protocol.name}: {what}, but in {protocol.fipa} the {step.speaker} says one of {may}")


def _declared_states_exist(protocol: "Protocol") -> None:
    unknown = (protocol.ends | protocol.crossings) - protocol.states
    if unknown:
        raise TableError(f"{protocol.name}: declared, but in no step: {_names(unknown)}")


def _one_speaker_per_state(protocol: "Protocol") -> None:
    for state in sorted(protocol.states):
        speakers = {step.speaker for step in protocol.steps if step.state == state}
        if len(speakers) > 1 and state not in protocol.crossings:
            raise TableError(f"{protocol.name}: both sides speak in '{state}', which is not declared a crossing")
        if len(speakers) < 2 and state in protocol.crossings:
            raise TableError(f"{protocol.name}: '{state}' is declared a crossing, but only one side speaks there")


def _crossings_close(protocol: "Protocol") -> None:
    """Two messages that pass each other: each side hears the other's after its own, and both end up together."""
    for state in sorted(protocol.crossings):
        here = [step for step in protocol.steps if step.state == state and not step.late]
        for mine in (step for step in here if step.speaker is Side.INITIATOR):
            for theirs in (step for step in here if step.speaker is Side.RESPONDENT):
                _one_crossing_closes(protocol, mine, theirs)


def _one_crossing_closes(protocol: "Protocol", mine: "Step", theirs: "Step") -> None:
    here = protocol.next_state.get((mine.then, theirs.speaker, theirs.message))
    there = protocol.next_state.get((theirs.then, mine.speaker, mine.message))
    if here is None or there is None or here.then != there.then:
        pair = f"{mine.message.type_id} and {theirs.message.type_id}"
        raise TableError(f"{protocol.name}: {pair} cross in '{mine.state}' and do not lead to the same state")


def _somebody_is_waited_for(protocol: "Protocol") -> None:
    for silence in protocol.silences:
        state, side = silence.state, silence.waits
        if not any((step.state, step.speaker) == (state, side.other) for step in protocol.steps):
            raise TableError(f"{protocol.name}: the {side} waits in '{state}', where nobody else may speak")
        if protocol.waits(silence.then, side):
            raise TableError(f"{protocol.name}: after silence in '{state}' the {side} would wait again, without end")


def _edges(protocol: "Protocol") -> list[tuple[str, str]]:
    spoken = [(step.state, step.then) for step in protocol.steps]
    return spoken + [(silence.state, silence.then) for silence in protocol.silences]


def _closure(start: set[str], edges: list[tuple[str, str]]) -> set[str]:
    reached, frontier = set(start), set(start)
    while frontier:
        frontier = {then for state, then in edges if state in frontier} - reached
        reached |= frontier
    return reached


def _every_state_reached(protocol: "Protocol") -> None:
    lost = protocol.states - _closure({START}, _edges(protocol))
    if lost:
        raise TableError(f"{protocol.name}: no way leads to {_names(lost)}")


def _every_state_ends(protocol: "Protocol") -> None:
    backwards = [(then, state) for state, then in _edges(protocol)]
    stuck = protocol.states - _closure(set(protocol.final), backwards)
    if stuck:
        raise TableError(f"{protocol.name}: no way out of {_names(stuck)}")


def _paper_names_known_messages(protocol: "Protocol") -> None:
    for message in protocol.paper:
        if message not in protocol.messages:
            raise TableError(f"{protocol.name}: the paper's step {protocol.paper[message]} names {message.type_id}")
