"""What was measured, as JSON and back: by the types of its dataclasses, undefined as null."""

import collections.abc
import dataclasses
import json
import math
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")


def to_json(value: Any) -> str:
    """A dataclass as text; the same value gives the same text."""
    return json.dumps(_plain(dataclasses.asdict(value)), indent=1, ensure_ascii=False) + "\n"


def from_json(kind: type[T], text: str) -> T:
    """The `kind` that `to_json` wrote; a field that an older writer did not know keeps its default.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Point:
    ...     x: float
    ...     names: tuple[str, ...] = ()
    >>> from_json(Point, to_json(Point(float("nan"), ("a",))))
    Point(x=nan, names=('a',))
    """
    return typing.cast(T, _read(kind, json.loads(text)))


def _read(kind: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        wanted = typing.get_type_hints(kind)
        known = {name: each for name, each in value.items() if name in wanted}
        return kind(**{name: _read(wanted[name], each) for name, each in known.items()})  # type: ignore[operator]
    if origin is types.UnionType:
        inner = next(each for each in arguments if each is not types.NoneType)
        return None if value is None else _read(inner, value)
    if origin is tuple:
        many = len(arguments) == 2 and arguments[1] is Ellipsis
        kinds = [arguments[0]] * len(value) if many else arguments
        return tuple(_read(each, item) for each, item in zip(kinds, value, strict=True))
    if origin in (dict, collections.abc.Mapping):
        return {name: _read(arguments[1], each) for name, each in value.items()}
    if kind is float:
        return math.nan if value is None else float(value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, collections.abc.Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
