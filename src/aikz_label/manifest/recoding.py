"""The record in a marker that all of a sound was coded again, for its notice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aikz_label.errors import InvalidLabel
from aikz_label.report import Recoding

_MOST_NAME = 100  # letters
_MOST_KBITS, _MOST_DB = 1e6, 200.0


def stored(done: Recoding) -> dict[str, Any]:
    """The record."""
    return {
        "from": {"codec": done.before, "kbits": done.before_kbits},
        "to": {"codec": done.after, "kbits": done.after_kbits},
        "snr_db": done.snr_db,
    }


def read(record: object) -> Recoding | None:
    """Read it back; `None` where there is none.

    Raises:
        InvalidLabel: It does not follow its schema.
    """
    if record is None:
        return None
    if not isinstance(record, Mapping):
        raise InvalidLabel("`notice.recoding` does not follow its schema.")
    ratio = number(record.get("snr_db"), -_MOST_DB, _MOST_DB)
    return Recoding(*_coding(record.get("from")), *_coding(record.get("to")), ratio)


def _coding(record: object) -> tuple[str, float]:
    codec = record.get("codec") if isinstance(record, Mapping) else None
    if not isinstance(record, Mapping) or not isinstance(codec, str) or len(codec) > _MOST_NAME:
        raise InvalidLabel("`notice.recoding` does not follow its schema.")
    return codec, number(record.get("kbits"), 0.0, _MOST_KBITS)


def number(value: object, least: float, most: float) -> float:
    """A figure of a record.

    Raises:
        InvalidLabel: It is none, or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise InvalidLabel("A figure is not a number, or not one that can be measured.")
    return float(value)
