"""What is declared about a file: origin, imitation, AI system and who answers for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aikz_label.checked import check_bin, check_digits, choice, clean, parse_time, text_of, utc
from aikz_label.errors import InvalidLabel
from aikz_label.values import dataclass, field


class Origin(StrEnum):
    """The two verbs of Art. 1(4): created («созданные», «жасаған») or altered («измененные», «өзгерткен»)."""

    CREATED = "created"
    ALTERED = "altered"


class Imitates(StrEnum):
    """The four objects of imitation of Art. 1(4)."""

    APPEARANCE = "appearance"
    VOICE = "voice"
    BEHAVIOUR = "behaviour"
    EVENT = "event"


class Role(StrEnum):
    """Who answers under Art. 21(3): the owner («собственник») or the holder («владелец») of the AI system."""

    OWNER = "owner"
    HOLDER = "holder"


class IdKind(StrEnum):
    """How a responsible party is identified."""

    BIN = "bin"
    FOREIGN = "foreign"
    IIN = "iin"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class System:
    """An AI system, by name and version (the version may be empty)."""

    name: str
    version: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean(self.name, "the system's name"))
        if self.version:
            object.__setattr__(self, "version", clean(self.version, "the system's version"))

    @classmethod
    def parse(cls, text: str) -> System:
        """Read `NAME` or `NAME/VERSION`; the last slash divides."""
        name, slash, version = text.rpartition("/")
        return cls(name, version) if slash and name else cls(text)

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsible:
    """Who answers for the file, and by which number they are found.

    Give at most one of `bin`, `registration` (with `country`) and `iin`. A natural person's IIN is personal data and goes
    into every labelled file, so it is taken only with `iin_consent=True`.

    Attributes:
        name: Name of the organisation or person.
        role: `owner` or `holder` of the AI system.
        bin: Kazakhstan's business identification number, 12 digits, check digit validated.
        registration: A number in a foreign register.
        country: ISO 3166-1 alpha-2 code of that register.
        iin: Kazakhstan's individual identification number, 12 digits.
        iin_consent: The person agrees that the IIN is published in every file.

    Raises:
        InvalidLabel: Any of them does not hold.
    """

    name: str
    role: Role
    bin: str = ""
    registration: str = ""
    country: str = ""
    iin: str = ""
    iin_consent: bool = False

    if TYPE_CHECKING:  # plain words are welcome

        def __init__(
            self,
            *,
            name: str,
            role: Role | str,
            bin: str = "",  # noqa: A002
            registration: str = "",
            country: str = "",
            iin: str = "",
            iin_consent: bool = False,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean(self.name, "the responsible party's name"))
        object.__setattr__(self, "role", choice(Role, self.role, "role"))
        if sum(map(bool, (self.bin, self.registration, self.iin))) > 1:
            raise InvalidLabel("Give one of BIN, foreign registration and IIN, not several.")
        if self.bin:
            check_bin(self.bin)
        if self.iin:
            if not self.iin_consent:
                raise InvalidLabel(
                    "An IIN is personal data and would be published in every labelled file.",
                    hint="Set iin_consent = true if the person agrees, or declare a BIN.",
                )
            check_digits(self.iin, "IIN")
        if bool(self.registration) != bool(self.country):
            raise InvalidLabel("A foreign registration needs its number and its country.")
        if self.registration:
            object.__setattr__(self, "registration", clean(self.registration, "the registration"))
            if len(self.country) != 2 or not self.country.isascii() or not self.country.isupper():
                raise InvalidLabel(
                    f"Country {self.country!r} is not a two-letter ISO 3166 code such as 'DE'."
                )

    @property
    def id_kind(self) -> IdKind:
        """Which kind of number identifies the party."""
        if self.bin:
            return IdKind.BIN
        if self.registration:
            return IdKind.FOREIGN
        return IdKind.IIN if self.iin else IdKind.NONE

    @property
    def id_value(self) -> str:
        """The number itself, or an empty string."""
        return self.bin or self.registration or self.iin

    def to_json(self) -> dict[str, str]:
        """The form it has in the marker and in reports."""
        data = {"name": self.name, "role": str(self.role), "id_kind": str(self.id_kind)}
        if self.id_value:
            data["id"] = self.id_value
        if self.country:
            data["country"] = self.country
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Responsible:
        """Read what `to_json` wrote.

        Raises:
            InvalidLabel: A field is missing or does not hold.
        """
        number, kind = text_of(data, "id", ""), text_of(data, "id_kind")
        keys = {"bin": "bin", "foreign": "registration", "iin": "iin"}
        if kind not in {*keys, "none"}:
            raise InvalidLabel("Unknown kind of identification.")
        ids: dict[str, Any] = {keys[kind]: number} if kind in keys else {}
        if kind == "iin":
            ids["iin_consent"] = True  # it is published already
        return cls(
            name=text_of(data, "name"),
            role=choice(Role, text_of(data, "role"), "role"),
            country=text_of(data, "country", ""),
            **ids,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What is declared about one file.

    Plain strings are accepted for every field that has a type of its own: `Label(origin="created", system="Name/1.0")`.

    Attributes:
        origin: `created` or `altered` by an AI system.
        imitates: What of a person, or which event, it imitates; may be empty.
        system: The AI system; `None` when it is not declared.
        responsible: Who answers for it; `mark` fills it from the configuration when it is `None`.
        created: When the label was made, UTC; `None` only for what other tools wrote without a time.
        reserve_training: Declare that the file may not be used for training (Art. 23(5)).

    Raises:
        InvalidLabel: A value is none of those allowed.
    """

    origin: Origin
    imitates: tuple[Imitates, ...] = ()
    system: System | None = None
    responsible: Responsible | None = None
    created: datetime | None = field(
        default_factory=lambda: datetime.now(UTC).replace(microsecond=0)
    )
    reserve_training: bool = False

    if TYPE_CHECKING:  # plain words are welcome

        def __init__(
            self,
            *,
            origin: Origin | str,
            imitates: Iterable[Imitates | str] = (),
            system: System | str | None = None,
            responsible: Responsible | None = None,
            created: datetime | None = ...,
            reserve_training: bool = False,
        ) -> None: ...

    def __post_init__(self) -> None:
        given: object = self.imitates
        words = (given,) if isinstance(given, str) else given
        if not isinstance(words, tuple | list | set | frozenset):
            raise InvalidLabel("`imitates` is a tuple of words, and may be empty.")
        chosen = {choice(Imitates, item, "imitates") for item in words}
        system: object = self.system
        if isinstance(system, str):
            system = System.parse(system)
        if not isinstance(system, System | None):
            raise InvalidLabel("`system` is a System or text such as 'Name/1.0'.")
        if not isinstance(self.responsible, Responsible | None):
            raise InvalidLabel("`responsible` is a Responsible.")
        object.__setattr__(self, "origin", choice(Origin, self.origin, "origin"))
        object.__setattr__(self, "imitates", tuple(i for i in Imitates if i in chosen))
        object.__setattr__(self, "system", system)
        if self.created is not None:
            object.__setattr__(self, "created", utc(self.created))

    def to_json(self) -> dict[str, Any]:
        """The form it has in the marker and in reports: text and lists of text only."""
        data: dict[str, Any] = {
            "origin": str(self.origin),
            "imitates": [str(i) for i in self.imitates],
        }
        if self.created is not None:
            data["created"] = self.created.isoformat().replace("+00:00", "Z")
        if self.system:
            data["system"] = {"name": self.system.name}
            if self.system.version:
                data["system"]["version"] = self.system.version
        if self.responsible:
            data["responsible"] = self.responsible.to_json()
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Label:
        """Read what `to_json` wrote.

        Raises:
            InvalidLabel: A field is missing or does not hold.
        """
        system, responsible = data.get("system"), data.get("responsible")
        imitates = data.get("imitates")
        if not isinstance(imitates, list) or len(imitates) > len(Imitates):
            raise InvalidLabel("`imitates` is not a list of the words allowed.")
        for name in ("system", "responsible"):
            if not isinstance(data.get(name), Mapping | None):
                raise InvalidLabel(f"`{name}` is not an object.")
        return cls(
            origin=choice(Origin, text_of(data, "origin"), "origin"),
            imitates=tuple(choice(Imitates, item, "imitates") for item in imitates),
            system=System(text_of(system, "name"), text_of(system, "version", ""))
            if system
            else None,
            responsible=Responsible.from_json(responsible) if responsible else None,
            created=parse_time(data.get("created")),
        )
