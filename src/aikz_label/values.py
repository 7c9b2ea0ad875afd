"""Dataclasses that cost next to nothing until a value is made.

The standard decorator writes six methods for every class and compiles them while the module is imported: a millisecond a
class, and `verify` of one file meets sixty, which is more than the engine takes to start. Here `__init__` is written when
the first value is made, and all other methods are closures. To whoever uses it, and to the functions of the module
`dataclasses`, a class is what the standard decorator makes; so it is for a type checker.

Only what this package has is here: `slots=True`, and of `field` the options `default`, `default_factory`, `repr`, `compare`
and `kw_only`.
"""

from __future__ import annotations

import sys
from operator import attrgetter
from reprlib import recursive_repr

TYPE_CHECKING = False  # as typing says, without the 5 ms of importing it
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace  # noqa: TID251
    from typing import Any

__all__ = ["MISSING", "dataclass", "field", "fields", "is_dataclass", "replace"]

_FIELDS = "__value_fields__"
_MISSING = object()  # no default


class _Field:
    """What is known of one field, its attributes named as those of `dataclasses.Field`."""

    __slots__ = ("compare", "default", "default_factory", "kw_only", "name", "repr", "type")

    def __init__(
        self,
        *,
        default: object = _MISSING,
        default_factory: object = _MISSING,
        repr: bool = True,  # noqa: A002  # named as the standard's
        compare: bool = True,
        kw_only: bool | None = None,
    ) -> None:
        self.default, self.default_factory = default, default_factory
        self.repr, self.compare, self.kw_only = repr, compare, kw_only
        self.name, self.type = "", ""


def _dataclass(
    *, slots: bool, frozen: bool = False, eq: bool = True, kw_only: bool = False
) -> Callable[[type], type]:
    if not slots:
        raise TypeError("Only classes with slots are made here.")
    return lambda cls: _made(cls, frozen=frozen, eq=eq, kw_only=kw_only)


def _made(cls: type, *, frozen: bool, eq: bool, kw_only: bool) -> type:
    """The class with its methods: a new one, because slots cannot be added."""
    inherited: dict[str, _Field] = getattr(cls, _FIELDS, {})
    own = _own_fields(cls, kw_only=kw_only)
    every = inherited | own
    body = {name: value for name, value in cls.__dict__.items() if name not in own}
    for name in ("__dict__", "__weakref__"):
        body.pop(name, None)
    body["__qualname__"] = cls.__qualname__
    body["__slots__"] = tuple(name for name in own if name not in inherited)
    body[_FIELDS] = every
    for name in ("__dataclass_fields__", "__dataclass_params__"):
        body[name] = _Standard(frozen=frozen, eq=eq)
    body["__replace__"] = _replace
    body.setdefault("__match_args__", tuple(one.name for one in every.values() if not one.kw_only))
    body.setdefault("__init__", _Init(frozen=frozen))
    body.setdefault("__repr__", _repr_of([one.name for one in every.values() if one.repr]))
    if eq:
        _compare(body, [one.name for one in every.values() if one.compare], frozen=frozen)
    if frozen:
        _freeze(body, tuple(every))
    return type(cls)(cls.__name__, cls.__bases__, body)


def _own_fields(cls: type, *, kw_only: bool) -> dict[str, _Field]:
    found = {}
    for name, kind in cls.__annotations__.items():
        if str(kind).startswith("ClassVar"):
            continue
        given = cls.__dict__.get(name, _MISSING)
        one = given if isinstance(given, _Field) else _Field(default=given)
        one.name, one.type = name, kind
        one.kw_only = kw_only if one.kw_only is None else one.kw_only
        found[name] = one
    return found


# --- methods -------------------------------------------------------------------------------------


def _repr_of(names: list[str]) -> Callable[[Any], str]:
    @recursive_repr()
    def __repr__(self: Any) -> str:  # noqa: N807
        said = (f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({', '.join(said)})"

    return __repr__


def _compare(body: dict[str, Any], names: list[str], *, frozen: bool) -> None:
    parts = _parts_of(names)

    def __eq__(self: Any, other: object) -> bool:  # noqa: N807
        if other.__class__ is self.__class__:
            return bool(parts(self) == parts(other))
        return NotImplemented

    def __hash__(self: Any) -> int:  # noqa: N807
        return hash(parts(self))

    given = body.get("__hash__") is not None
    body.setdefault("__eq__", __eq__)
    if not given:
        body["__hash__"] = __hash__ if frozen else None


def _parts_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


def _freeze(body: dict[str, Any], names: tuple[str, ...]) -> None:
    """Let nothing change, but for what reads a pickle."""

    def __setattr__(self: Any, name: str, value: object) -> None:  # noqa: ARG001, N807
        raise _frozen(f"cannot assign to field {name!r}")

    def __delattr__(self: Any, name: str) -> None:  # noqa: ARG001, N807
        raise _frozen(f"cannot delete field {name!r}")

    def __getstate__(self: Any) -> list[Any]:  # noqa: N807
        return [getattr(self, name) for name in names]

    def __setstate__(self: Any, state: list[Any]) -> None:  # noqa: N807
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    for method in (__setattr__, __delattr__, __getstate__, __setstate__):
        body.setdefault(method.__name__, method)


def _frozen(problem: str) -> AttributeError:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415, TID251  # 10 ms that only a mistake costs

    return FrozenInstanceError(problem)


# --- what is written when it is needed -----------------------------------------------------------


class _Init:
    """Stands for `__init__` until somebody wants it."""

    def __init__(self, *, frozen: bool) -> None:
        self._frozen = frozen

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner: Any = owner

    def __get__(self, value: object, owner: type) -> Any:
        init = _written(self._owner, frozen=self._frozen)
        self._owner.__init__ = init
        return init if value is None else init.__get__(value)


class _Factory:
    def __repr__(self) -> str:
        return "<factory>"


_FACTORY = _Factory()


def _written(cls: type, *, frozen: bool) -> Any:
    """`__init__` as a person would write it, so that a value is made as quickly as can be."""
    known: dict[str, object] = {"_set": object.__setattr__, "_FACTORY": _FACTORY}
    first, later, body = ["self"], list[str](), list[str]()
    types: dict[str, object] = {}
    for one in fields(cls):
        parameter = value = name = one.name
        types[name] = one.type
        if one.default is not _MISSING:
            parameter = f"{name}=_default_{name}"
            known[f"_default_{name}"] = one.default
        elif one.default_factory is not _MISSING:
            parameter = f"{name}=_FACTORY"
            value = f"_make_{name}() if {name} is _FACTORY else {name}"
            known[f"_make_{name}"] = one.default_factory
        (later if one.kw_only else first).append(parameter)
        body.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join([*first, *(["*", *later] if later else [])])
    lines = "\n  ".join(
        [f"def __init__({parameters}):", *(f" {line}" for line in body or ["pass"])]
    )
    made: dict[str, Any] = {}
    exec(  # noqa: S102  # the text is made of names in the source
        f"def make({', '.join(known)}):\n  {lines}\n  return __init__",
        sys.modules[cls.__module__].__dict__,  # where type hints are looked up
        made,
    )
    init = made["make"](**known)
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__annotations__ = {**types, "return": None}
    return init


class _Standard:
    """Stands for what the module `dataclasses` knows of its own classes, until its functions are used on one of these."""

    def __init__(self, *, frozen: bool, eq: bool) -> None:
        self._frozen, self._eq = frozen, eq

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner: Any = owner
        self._name = name

    def __get__(self, value: object, owner: type) -> Any:
        import dataclasses  # noqa: PLC0415, TID251

        names = ("default", "default_factory", "repr", "compare", "kw_only")
        body: dict[str, Any] = {"__annotations__": {}}
        for one in fields(self._owner):
            options: dict[str, Any] = {name: getattr(one, name) for name in names}
            given = {name: option for name, option in options.items() if option is not _MISSING}
            body[one.name] = dataclasses.field(**given)
            body["__annotations__"][one.name] = one.type
        make: Any = dataclasses.dataclass(frozen=self._frozen, eq=self._eq)
        like = make(type(self._owner.__name__, (), body))
        self._owner.__dataclass_fields__ = like.__dataclass_fields__
        self._owner.__dataclass_params__ = like.__dataclass_params__
        return getattr(like, self._name)


# --- functions of values -------------------------------------------------------------------------


def _fields(value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, _FIELDS).values())


def _is_dataclass(value: object) -> bool:
    return hasattr(value, _FIELDS)


def _replace(value: Any, /, **changes: Any) -> Any:
    for name in getattr(value, _FIELDS):
        if name not in changes:
            changes[name] = getattr(value, name)
    return value.__class__(**changes)


if not TYPE_CHECKING:
    MISSING, dataclass, field, fields = _MISSING, _dataclass, _Field, _fields
    is_dataclass, replace = _is_dataclass, _replace
