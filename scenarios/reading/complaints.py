"""Turns what pydantic finds into sentences: place, key, what is wrong, what would be right."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..description.schema import Scenario
from ..errors import ScenarioError, right_names
from .source import Located, Steps

_QUANTITY = re.compile(r"\s*([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*([A-Za-zµ%€°/]+)\s*")
_UNITS = {"mw": "MW", "s": "s", "min": "min", "pu": "pu", "hz": "Hz", "mhz": "mHz", "percent": "%", "mwh": "MWh"}
_FACTORS = {("kw", "mw"): 1e-3, ("w", "mw"): 1e-6, ("gw", "mw"): 1e3, ("min", "s"): 60.0, ("h", "s"): 3600.0}
_FACTORS |= {("s", "min"): 1 / 60, ("h", "min"): 60.0, ("ms", "s"): 1e-3, ("hz", "mhz"): 1e3, ("mhz", "hz"): 1e-3}
_FACTORS |= {("%", "pu"): 0.01, ("mw", "mw"): 1.0, ("s", "s"): 1.0, ("min", "min"): 1.0, ("%", "percent"): 1.0}


def checked(located: Located) -> Scenario:
    """Validate located values as a scenario; raises ScenarioError with a sentence per finding."""
    try:
        return Scenario.model_validate(located.values)
    except ValidationError as error:
        # a misspelt key also leaves the right one missing: say the misspelling first
        found = sorted(error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden")
        sentences = [_sentence(each, located) for each in _meant(found, located.values)]
        raise ScenarioError(*dict.fromkeys(sentences)) from None


def _meant(found: list[ErrorDetails], values: Any) -> list[ErrorDetails]:
    """Without those of a union's other branches: that a mapping is no number, where a value in it is too large."""
    paths = [_path_of(each, values)[0] for each in found]
    shapes = [each["type"].endswith("_type") for each in found]
    ends = [len(path) + (not shape) for path, shape in zip(paths, shapes, strict=True)]
    inside = {path[:depth] for path, end in zip(paths, ends, strict=True) for depth in range(end)}
    triples = zip(found, paths, shapes, strict=True)
    return [each for each, path, shape in triples if not (shape and path in inside)]


def _sentence(found: ErrorDetails, located: Located) -> str:
    path, whole = _path_of(found, located.values)
    key = ".".join(map(str, path)) or "the scenario"
    return f"{located.place(path)}: {key}: {_text(found, path, whole)}"


def _path_of(found: ErrorDetails, values: Any) -> tuple[Steps, bool]:
    """The path in the file; pydantic also names the branch of a union, which stands in no file."""
    if found["type"] == "consistency":
        return tuple(found["ctx"]["path"]), True
    path: list[str | int] = []
    current = values
    for step in found["loc"]:
        if not _has(current, step):
            continue
        current = current[step]
        path.append(step)
    return tuple(path), not found["loc"] or found["loc"][-1] == (path[-1] if path else None)


def _has(current: Any, step: str | int) -> bool:
    if isinstance(current, Mapping):
        return step in current
    return isinstance(current, list) and isinstance(step, int) and step < len(current)


def _text(found: ErrorDetails, path: Steps, whole: bool) -> str:
    kind, value = found["type"], found["input"]
    if kind == "extra_forbidden":
        decimal = "a decimal is written with a point, not a comma; " if str(path[-1]).isdigit() else ""
        return f"unknown key; {decimal}{right_names(path[-1], known_keys(path[:-1], found))}"
    if kind == "missing":
        return f'the key "{found["loc"][-1]}" is missing'
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return f"kind is {_given(value)}, but it must be one of tso, dso, bsp, aggregator"
    if kind in ("consistency", "value_error"):
        return found["msg"].removeprefix("Value error, ")
    if kind in ("float_type", "float_parsing", "int_parsing", "int_type") and isinstance(value, str):
        return _number_text(str(path[-1]), value, found)
    if "datetime" in kind or kind == "timezone_aware":
        return f"{value!r} is no date with a time zone; write for example 2026-03-02T12:00:00+01:00"
    if kind in ("model_type", "dict_type", "mapping_type", "model_attributes_type"):
        keys = ", ".join(known_keys(path, found)[:4])
        return f"it should be a mapping of keys{f' such as {keys}' if keys else ''}, but it is {value!r}"
    told = found["msg"][:1].lower() + found["msg"][1:]
    return told if isinstance(value, Mapping | list) else f"{told.replace('input', 'it', 1)}, but it is {value!r}"


def _given(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, Mapping) else value
    return "missing" if kind is None else repr(kind)


def _number_text(key: str, value: str, found: ErrorDetails) -> str:
    match = _QUANTITY.fullmatch(value)
    unit = key.rpartition("_")[2]
    if match is None or unit not in _UNITS:
        return f"it should be a plain number, but it is {value!r}"
    factor = _FACTORS.get((match[2].lower(), unit))
    right = f", here {float(match[1]) * factor:g}" if factor is not None else ""
    return f"it is {value!r}, but the key says the unit: write a plain number in {_UNITS[unit]}{right}"


def known_keys(path: Steps, found: ErrorDetails | None = None) -> tuple[str, ...]:
    """The keys that the schema knows at a path; empty where keys are free. `found` tells a participant's kind."""
    tags = tuple(str(step) for step in found["loc"]) if found is not None else ()
    annotation: Any = Scenario
    for step in path:
        annotation = _below(annotation, step, tags)
    model = _model(annotation, tags)
    return tuple(model.model_fields) if model is not None else ()


def _below(annotation: Any, step: str | int, tags: tuple[str, ...]) -> Any:
    model = _model(annotation, tags)
    if model is not None:
        named = model.model_fields.get(str(step))
        return None if named is None else named.annotation
    for choice in _choices(annotation):
        if get_origin(choice) in (dict, Mapping):
            return get_args(choice)[1]
        if get_origin(choice) in (tuple, list):
            return get_args(choice)[0]
    return None


def _model(annotation: Any, tags: tuple[str, ...]) -> type[BaseModel] | None:
    models = [c for c in _choices(annotation) if isinstance(c, type) and issubclass(c, BaseModel)]
    tagged = [m for m in models if _tag(m) in tags]
    return next(iter(tagged or models), None)


def _tag(model: type[BaseModel]) -> str | None:
    kind = model.model_fields.get("kind")
    return next(iter(get_args(kind.annotation)), None) if kind is not None else None


def _choices(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Annotated:
        return _choices(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(choice for part in get_args(annotation) for choice in _choices(part))
    return (annotation,)
