"""A plugin's mistake as one sentence: where it stands in its file, which plugin, agent and event, and what is right.

    react raises ───────────────────────────────▶ the line of its file that the error came through
    react returns no state with actions ────────▶ where react begins, and what it should return
    an action that the protocol does not let it ▶ where react begins, and what may be said

What was raised stays the cause.
"""

import inspect

from pydantic import ValidationError

from ..protocols.errors import LocalProtocolError
from .actions import Action
from .agent import Reaction, S
from .errors import PluginError, ReturnedError, line_in
from .events import Computed, Event, Heard, Rejected, RoundClosed, Sampled, Silence, Woken

RIGHT = "right is the next state and a tuple of actions"


def reaction(returned: Reaction[S]) -> Reaction[S]:
    """What a behaviour has returned, if it is a state and actions; ReturnedError with what would be right."""
    if not isinstance(returned, tuple) or isinstance(returned, Action) or len(returned) != 2:
        raise ReturnedError(f"react returned {_kind(returned)}; {RIGHT}: return state, ()")
    state, actions = returned
    if isinstance(actions, Action):
        raise ReturnedError(f"react returned one {_kind(actions)} and no tuple; {RIGHT}: return state, (action,)")
    if not isinstance(actions, tuple | list):
        raise ReturnedError(f"react returned {_kind(actions)} as its actions; {RIGHT}: return state, ()")
    for action in actions:
        if not isinstance(action, Action):
            raise ReturnedError(f"react returned {_kind(action)} among its actions, which is no action; {RIGHT}")
    return state, tuple(actions)


def mistake(plugin: str, behaviour: object, agent: str, at: str, error: Exception) -> PluginError:
    """Whose mistake an error is, and where; `at` is what the agent experienced, as `told`."""
    return PluginError(f"{_place(behaviour, error)}plugin {plugin}: {agent} at {at}: {_text(error)}")


def told(event: Event) -> str:
    """An event in a few words."""
    name = type(event).__name__
    match event:
        case Heard():
            return f"{name} {event.content.type_id} in {event.conversation.id}"
        case Silence() | Rejected():
            return f"{name} in {event.conversation.id}"
        case Woken(which) | Computed(which, _, _) | Sampled(which, _) | RoundClosed(which):
            return f"{name} {which}"
    return name


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _text(error: Exception) -> str:
    """One line: the text alone where it is a sentence of ours, else the error's name too."""
    if isinstance(error, ValidationError):
        wrong = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return f"{error.title}: {'; '.join(wrong)}"
    text = " ".join(str(error).split())
    return text if isinstance(error, ReturnedError | LocalProtocolError) else f"{type(error).__name__}: {text}"


def _place(behaviour: object, error: Exception) -> str:
    """File and line: the last line there that the error came through, else where react begins; empty if unknown."""
    react = getattr(type(behaviour), "react", None)
    code = getattr(inspect.unwrap(react), "__code__", None) if callable(react) else None
    if code is None:
        return ""
    return f"{code.co_filename}:{line_in(code.co_filename, error) or code.co_firstlineno}: "
