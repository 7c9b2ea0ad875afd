"""Values are what the standard decorator makes of the same source: both are made, and asked the same."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import sys
import types

import pytest

import aikz_label
from aikz_label import values

SOURCE = '''
from __future__ import annotations

import abc
import copy
import dataclasses
import pickle
from typing import ClassVar, Generic, TypeVar

from {home} import dataclass, field, replace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Point:
    """Two numbers."""

    x: int
    y: float = 2.0
    KIND: ClassVar[str] = "flat"

    def moved(self) -> Point:
        return replace(self, x=self.x + 1)


@dataclass(frozen=True, slots=True)
class Named(Point):
    name: str = field(default="n", repr=False)
    near: tuple[int, ...] = field(default=(), compare=False)
    tag: str = field(default="t", kw_only=True)


@dataclass(slots=True)
class Bag:
    items: list[int] = field(default_factory=list)
    size: int = 0

    def __post_init__(self) -> None:
        self.size += len(self.items)


@dataclass(frozen=True, slots=True, eq=False)
class Handle:
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    first: int
    second: int = 1


@dataclass(frozen=True, slots=True)
class Own:
    a: int

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 7

    def __repr__(self) -> str:
        return "mine"


@dataclass(frozen=True, slots=True)
class OwnEq:
    a: int

    def __eq__(self, other: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Nothing:
    pass


@dataclass(frozen=True, slots=True)
class Box(Generic[T]):
    content: T


@dataclass(frozen=True, slots=True)
class Abstract(abc.ABC):
    a: int

    @abc.abstractmethod
    def told(self) -> int: ...


class Told(Abstract):
    __slots__ = ()

    def told(self) -> int:
        return self.a


@dataclasses.dataclass(frozen=True)
class Derived(Point):
    z: int = 3


def matched(value):
    match value:
        case Named(x, y, name):
            return "named", x, y, name
        case Point(x, y):
            return "point", x, y


def changed(value, name):
    setattr(value, name, 5)
    return getattr(value, name)


def without(value, name):
    delattr(value, name)


def itself():
    bag = Bag()
    bag.items.append(bag)
    return repr(bag)
'''

QUESTIONS = """
Point(1)
Point(1, 3)
Point(x=1, y=1)
Point()
Point(1, 2, 3)
Point(1, z=2)
Point.KIND
Point(1).moved()
Point(1) == Point(1)
Point(1) == Point(2)
Point(1) == (1, 2.0)
hash(Point(1)) == hash(Point(1))
Point(1) == Named(1)
hash(Point(1))
hash(Named(1))
Nothing() == Nothing()
hash(Nothing())
Nothing()
Handle(1) == Handle(1)
Named(1)
Named(1, name="b", tag="c", near=(1,))
Named(1, near=(1,)) == Named(1)
Named(1, name="b") == Named(1)
Named(1, 2, "a", (), "t")
Bag()
Bag([1, 2])
Bag() == Bag()
hash(Bag())
Bag().items is Bag().items
itself()
Options(1)
Options(first=1)
Own(1)
Own(1) == 5
hash(Own(1))
OwnEq(1) == 5
hash(OwnEq(1))
Box(1)
Box(float("nan")) == Box(float("nan"))
Abstract(1)
Told(3).told()
Derived(1)
Derived(1) == Derived(1)
matched(Point(1))
matched(Named(1))
Point.__match_args__
Options.__match_args__
Named.__match_args__
changed(Point(1), "x")
without(Point(1), "x")
changed(Bag(), "size")
changed(Bag(), "other")
pickle.loads(pickle.dumps(Named(1, 2, "b")))
pickle.loads(pickle.dumps(Bag([1])))
copy.deepcopy(Named(1))
copy.copy(Bag([1]))
replace(Named(1), y=9)
replace(Point(1), z=9)
dataclasses.replace(Named(1), tag="u")
dataclasses.asdict(Bag([1]))
dataclasses.astuple(Named(1))
[f.name for f in dataclasses.fields(Named)]
dataclasses.fields(Named(1))[2].default
dataclasses.is_dataclass(Bag)
dataclasses.is_dataclass(Bag())
Point.__slots__
Named.__slots__
Point.__doc__
Point.__qualname__
Point.__module__
hasattr(Point(1), "__dict__")
Point.__init__.__qualname__
[(p.name, p.kind, p.annotation) for p in inspect.signature(Named).parameters.values()]
typing.get_type_hints(Named.__init__)
str(inspect.signature(Bag))
str(inspect.signature(Options))
typing.get_type_hints(Point)
""".strip().splitlines()


def module(home):
    made = types.ModuleType("values_asked")
    sys.modules[made.__name__] = made
    exec(SOURCE.format(home=home), made.__dict__)
    made.inspect, made.typing = inspect, importlib.import_module("typing")
    return made


def answer(home, question):
    names = module(home).__dict__
    try:
        return repr(eval(question, names))
    except Exception as error:  # noqa: BLE001  # which one is part of the answer
        return f"{type(error).__name__}: {error}"
    finally:
        del sys.modules["values_asked"]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_value_answers_as_a_standard_one(question):
    assert answer("aikz_label.values", question) == answer("dataclasses", question)


def test_every_value_of_the_package_is_made_as_a_standard_one():
    asked = 0
    for found in pkgutil.walk_packages(aikz_label.__path__, "aikz_label."):
        if found.name.endswith("__main__"):
            continue
        try:
            home = importlib.import_module(found.name)
        except ImportError:  # an extra that is not installed
            continue
        for cls in vars(home).values():
            if isinstance(cls, type) and values.is_dataclass(cls) and cls.__module__ == found.name:
                standard = like(cls)
                assert str(inspect.signature(cls)) == str(inspect.signature(standard))
                assert (cls.__hash__ is None) == (standard.__hash__ is None), cls
                asked += 1
    assert asked > 200


def like(cls):
    """The class made anew by the standard decorator."""
    fields = [(one.name, one.type, like_field(one)) for one in dataclasses.fields(cls)]
    parameters = cls.__dataclass_params__
    return dataclasses.make_dataclass(
        cls.__name__, fields, frozen=parameters.frozen, eq=parameters.eq
    )


def test_a_class_without_slots_is_refused():
    with pytest.raises(TypeError, match="slots"):
        values.dataclass(slots=False)


def test_nothing_is_written_before_a_value_is_made():
    cls = module("aikz_label.values").Point
    assert not inspect.isfunction(cls.__dict__["__init__"])
    cls(1)
    assert inspect.isfunction(cls.__dict__["__init__"])


def like_field(one):
    return dataclasses.field(
        default=one.default, default_factory=one.default_factory, kw_only=one.kw_only
    )
