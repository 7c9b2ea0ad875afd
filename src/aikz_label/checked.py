"""Names, numbers and times that people type or a file holds: checked before anybody is named by them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from aikz_label.errors import InvalidLabel

E = TypeVar("E", bound=StrEnum)

MAX_NAME = 200
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # letters and symbols that draw nothing


def parse_time(value: object) -> datetime:
    """Read an ISO 8601 time with a time zone, as UTC.

    Raises:
        InvalidLabel: It is none.
    """
    try:
        return utc(datetime.fromisoformat(value if isinstance(value, str) else ""))
    except ValueError as error:
        raise InvalidLabel("A time does not follow ISO 8601.") from error


def utc(time: object) -> datetime:
    """A time in UTC, which must say its zone.

    Raises:
        InvalidLabel: It says none, or is out of range.
    """
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise InvalidLabel("The label's time needs a time zone.", hint="Use datetime.now(UTC).")
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise InvalidLabel("The label's time is out of range.") from error


def check_bin(number: str) -> None:
    """Check the 12 digits of a BIN and that it does not have the shape of a person's IIN.

    The fifth digit of a BIN is the type of entity (4, 5 or 6); in an IIN it is the tens of the day of birth (0 to 3).

    Raises:
        InvalidLabel: The number is no BIN.
    """
    check_digits(number, "BIN")
    if number[4] in "0123":
        raise InvalidLabel(
            f"{number[:4]}… has the shape of a person's IIN, not of a BIN.",
            hint="Declare an IIN as such, with the person's explicit consent.",
        )


def check_digits(number: object, what: str) -> None:
    """Check digit of BIN and IIN: weighted sum modulo 11, a second set of weights when the first gives 10.

    Raises:
        InvalidLabel: There are not 12 digits, or the last does not fit.
    """
    if (
        not isinstance(number, str)
        or len(number) != 12
        or not number.isascii()
        or not number.isdigit()
    ):
        article = "An" if what == "IIN" else "A"
        raise InvalidLabel(
            f"{article} {what} has exactly 12 digits.", hint="Copy it without spaces."
        )
    digits = [int(c) for c in number]
    check = sum(w * d for w, d in zip(range(1, 12), digits, strict=False)) % 11
    if check == 10:
        second = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
        check = sum(w * d for w, d in zip(second, digits, strict=False)) % 11
    if check != digits[11]:
        raise InvalidLabel(
            f"The check digit of this {what} does not fit: a digit is wrong or two are swapped.",
            hint="Copy it again from the certificate of registration.",
        )


def clean(text: str, what: str) -> str:
    """NFC-normalised, trimmed, visible text of bounded length.

    Raises:
        InvalidLabel: It is empty, too long, or holds invisible characters.
    """
    if not isinstance(text, str):
        raise InvalidLabel(f"{what.capitalize()} must be text.")
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise InvalidLabel(f"{what.capitalize()} is empty.")
    if len(text) > MAX_NAME:
        raise InvalidLabel(f"{what.capitalize()} is longer than {MAX_NAME} characters.")
    if not is_visible(text):
        raise InvalidLabel(f"{what.capitalize()} holds control or invisible characters.")
    return text


def is_visible(text: str) -> bool:
    """Whether text holds no control, bidi, unassigned or blank-looking characters."""
    if text.isascii() and text.isprintable():
        return True
    return not any(unicodedata.category(c) in _INVISIBLE or c in _BLANK for c in text)


def choice(kind: type[E], value: object, what: str) -> E:
    """One of a few words, or the value that it stands for.

    Raises:
        InvalidLabel: It is none of them.
    """
    try:
        return kind(str(value))
    except ValueError as error:
        allowed = ", ".join(kind)
        raise InvalidLabel(f"{what} {value!r} is not one of: {allowed}.") from error


def text_of(data: Mapping[str, Any], key: str, default: str | None = None) -> str:
    """A text of a record.

    Raises:
        InvalidLabel: It is missing, or no text.
    """
    value = data.get(key, default)
    if not isinstance(value, str):
        raise InvalidLabel(f"`{key}` is missing or is not text.")
    return value
