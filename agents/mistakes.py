"""A plugin's mistake as one sentence: where it stands in its file, which plugin, agent and event, and what is right.

    react raises ───────────────────────────────▶ the line of its file that the error came through
    react returns no state with actions ────────▶ where react begins, and what it should return
    an action that nobody could carry out ──────▶ where react begins, and what is wrong with it
    an action that the protocol does not let it ▶ where react begins, and what may be said
    a study that fails, or answers in no words ─▶ the same for `run`

What was raised stays the cause.
"""

import inspect
from collections.abc import Mapping
from numbers import Real

from pydantic import ValidationError

from ..protocols.envelope import Topic
from ..protocols.errors import LocalProtocolError
from ..protocols.messages import Message
from ..protocols.tables import Protocol
from .actions import Action, Actuate, Compute, Forget, Note, Observe, Open, Publish, PublishEach, Say, Wake
from .agent import Reaction, S
from .errors import PluginError, ReturnedError, line_in
from .events import Computed, Event, Heard, Rejected, RoundClosed, Sampled, Silence, Woken

RIGHT = "right is the next state and a tuple of actions"
_TEXT, _TIME, _SEVERAL = (str,), (int,), (tuple, list)
_TEXT_OR_NONE, _TIME_OR_NONE = (str, type(None)), (int, type(None))
_SAID = {"reply_by_us": _TIME_OR_NONE, "caused_by": _TEXT_OR_NONE}
_MADE_OF: Mapping[type[Action], Mapping[str, tuple[type, ...]]] = {
    Open: {"protocol": (Protocol,), "topic": (Topic,), "content": (Message,), **_SAID, "round_id": _TEXT_OR_NONE},
    Say: {"conversation_id": _TEXT, "content": (Message,), **_SAID},
    Publish: {"conversation_ids": _SEVERAL, "content": (Message,), "caused_by": _TEXT_OR_NONE},
    PublishEach: {"conversation_ids": _SEVERAL, "contents": _SEVERAL},
    Wake: {"timer": _TEXT, "at_us": _TIME},
    Forget: {"timer": _TEXT},
    Compute: {"key": _TEXT},
    Observe: {"source": _TEXT, "every_us": _TIME, "until_us": _TIME},
    Actuate: {"target": _TEXT, "value": (Real,)},
    Note: {"stage": _TEXT, "step": _TEXT_OR_NONE, "evidence": (Mapping,)},
}
_NAMES = {str: "a text", int: "a whole number", Real: "a number", type(None): "None"}
_NAMES |= {tuple: "a tuple", list: "a list", Mapping: "a mapping", Message: "a message"}


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


def sound(action: Action) -> Action:
    """An action that can be carried out; ReturnedError with what is wrong with it."""
    for name, kinds in _MADE_OF[type(action)].items():
        value = getattr(action, name)
        if not isinstance(value, kinds):
            right = " or ".join(_NAMES.get(kind, kind.__name__) for kind in kinds)
            raise ReturnedError(f"react returned {_kind(action)} with {name} {value!r}; right is {right}")
    if isinstance(action, Observe) and action.every_us <= 0:
        raise ReturnedError(f"react returned Observe with every_us {action.every_us}; right is 1 or more")
    if isinstance(action, Note):
        _check_evidence(action.evidence)
    return action


def _check_evidence(value: object) -> None:
    """What a record in JSON has a word for: texts, numbers, None, messages, mappings and lists of these."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _check_evidence(str(key))
            _check_evidence(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_evidence(inner)
    elif hasattr(value, "__float__"):
        float(value)
    elif value is not None and not hasattr(value, "model_dump"):
        right = "right are texts, numbers, None, and mappings and tuples of these"
        raise ReturnedError(f"react returned Note with {_kind(value)} in its evidence, which JSON cannot say; {right}")


def failed(plugin: str, study: object, error: Exception) -> PluginError:
    """A plugin's study has failed, and where."""
    name = f"study {_kind(study)} of grid {getattr(study, 'grid', None)}"
    return PluginError(f"{_place(study, error, 'run')}plugin {plugin}: {name}: {_text(error)}")


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


def _place(whose: object, error: Exception, method: str = "react") -> str:
    """File and line: the last line that the error came through, else where the method begins; empty if unknown."""
    begun = getattr(type(whose), method, None)
    code = getattr(inspect.unwrap(begun), "__code__", None) if callable(begun) else None
    if code is None:
        return ""
    return f"{code.co_filename}:{line_in(code.co_filename, error) or code.co_firstlineno}: "
