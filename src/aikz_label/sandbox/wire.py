"""Frozen values as plain JSON and back, for pipes and journals.

The shape follows the dataclasses themselves: names are those of the code, a field that has its default is left out. No
class is ever named in the data, so what a hostile or damaged peer sends can only become a value of the type that the reader
asked for, or a `ValueError`.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from aikz_label.values import MISSING, fields, is_dataclass

T = TypeVar("T")

MAX_TEXT = 4096  # characters of one text that are kept; a report shows 300 of them


def dump(value: Any) -> Any:
    """A frozen dataclass as JSON: dictionaries, lists, text (cut to `MAX_TEXT`), numbers, truth values and `None`."""
    kind: Any = type(value)
    return _codec(kind).write(value)


def load(kind: type[T], data: object) -> T:
    """The value of a given type that `dump` made this of.

    Raises:
        ValueError: It cannot be one.
    """
    try:
        return cast("T", _codec(cast("Any", kind)).read(data))
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"not a {kind.__name__}") from error


class _Codec(NamedTuple):
    """How values of one type are written and read."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


@cache
def _codec(kind: Any) -> _Codec:  # noqa: PLR0911  # one line for each kind of type
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        return _union(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _Codec(_free, lambda data: dict(data.items()))
    if is_dataclass(kind):
        return _dataclass(cast("type", kind))
    if kind is datetime:
        return _Codec(datetime.isoformat, datetime.fromisoformat)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _Codec(lambda value: value.value, kind)
    if isinstance(kind, type) and issubclass(kind, Path):
        return _Codec(str, lambda data: kind(_checked(str, data)))
    if kind in {Any, object}:
        return _Codec(_free, lambda data: data)
    if kind is float:
        return _Codec(float, lambda data: float(_checked(int | float, data)))
    return _Codec(_cut if kind is str else lambda value: value, lambda data: _checked(kind, data))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _free(value: object) -> Any:
    """A value of no declared type, such as the words of a message."""
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {str(key): _free(item) for key, item in value.items()}
        case tuple() | list():
            return [_free(item) for item in value]
    return _cut(str(value))


def _checked(kind: Any, data: Any) -> Any:
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise TypeError(type(data).__name__)
    return data


def _tuple(arguments: tuple[Any, ...]) -> _Codec:
    if arguments[-1:] == (...,):
        item = _codec(arguments[0])
        return _Codec(
            lambda value: [item.write(one) for one in value],
            lambda data: tuple(map(item.read, _checked(list, data))),
        )
    items = [_codec(argument) for argument in arguments]
    return _Codec(
        lambda value: [item.write(one) for item, one in zip(items, value, strict=True)],
        lambda data: tuple(item.read(one) for item, one in zip(items, data, strict=True)),
    )


def _union(arguments: tuple[Any, ...]) -> _Codec:
    """Written by what the value is; read as the first type that takes it, truth values before words."""
    kinds = [kind for kind in arguments if kind is not types.NoneType]
    readers = [_codec(kind).read for kind in sorted(kinds, key=lambda kind: kind is not bool)]

    def write(value: Any) -> Any:
        kind: Any = type(value)
        return None if value is None else _codec(kind).write(value)

    def read(data: Any) -> Any:
        if data is None:
            return _checked(types.NoneType if types.NoneType in arguments else kinds[0], data)
        problem: Exception = TypeError(type(data).__name__)
        for reader in readers:
            try:
                return reader(data)
            except (TypeError, ValueError, AttributeError) as error:
                problem = error
        raise problem

    return _Codec(write, read)


def _dataclass(kind: type) -> _Codec:
    hints = _hints(kind)
    parts = [(field.name, field.default, _codec(hints[field.name])) for field in fields(kind)]
    readers = {name: codec.read for name, _, codec in parts}
    needed = {
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    }

    def write(value: Any) -> dict[str, Any]:
        written = {}
        for name, default, codec in parts:
            found = getattr(value, name)
            if found is not default and found != default:
                written[name] = codec.write(found)
        return written

    def read(data: Any) -> Any:
        if not needed <= data.keys():
            raise ValueError(f"{kind.__name__} lacks {', '.join(sorted(needed - data.keys()))}")
        return kind(**{name: readers[name](value) for name, value in data.items()})

    return _Codec(write, read)


def _hints(kind: type) -> dict[str, Any]:
    """What the annotations of our own classes mean; `typing.get_type_hints` says the same in five times the time."""
    return {
        name: eval(text, vars(sys.modules[base.__module__]))  # noqa: S307
        for base in reversed(kind.__mro__)
        for name, text in getattr(base, "__annotations__", {}).items()
    }
