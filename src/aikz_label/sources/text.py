"""What a caller knows about a file and its bytes do not tell: the kind of a text, its encoding, a document's password."""

from __future__ import annotations

import codecs
import io
import unicodedata
from pathlib import PurePath
from typing import BinaryIO

from aikz_label import formats
from aikz_label.errors import Refused, UsageError
from aikz_label.formats import FORMATS, Format, languages
from aikz_label.limits import Limits
from aikz_label.values import dataclass, field, replace

# Kinds that carry their marker in themselves only when they are composed UTF-8. Markup needs no conversion and names its
# encoding; JSON and SRT have no place for a marker in any encoding.
_CONVERTED = frozenset(("text", "csv", "tsv", "markdown", "source", "yaml", "toml", "vtt"))
_HEAD = 64 * 1024
_PROSE = frozenset(("text", "markdown"))


@dataclass(frozen=True, slots=True)
class Said:
    """What the caller said about a file.

    Attributes:
        kind: Name of a kind, `name` to let the file's name decide, or empty to let its bytes decide.
        name: The file's name, as far as it is known.
        convert: Whether it may be converted to composed UTF-8; the name of its code page where that is not Unicode.
        password: Of an encrypted document.
    """

    kind: str = ""
    name: str = ""
    convert: bool | str = False
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Find the caller's mistakes.

        Raises:
            UsageError: No such kind, or no such code page.
        """
        if self.kind and self.kind != languages.BY_NAME:
            languages.kind(self.kind)
        if self.convert and isinstance(self.convert, str):
            _check_codec(self.convert)

    def of(self, row: Format) -> Format:
        """The row for a text, or the row given for anything else.

        Args:
            row: What its bytes look like.

        Raises:
            Refused: It was said to be a text and is none, or its name promises more than its lines tell.
        """
        promised = languages.by_suffix(PurePath(self.name).suffix)
        if row.family != "text":
            if self.kind in {"", languages.BY_NAME}:
                return row
            raise Refused(
                f"This is no text, but {row.title}.",
                code="not-a-text",
                hint="Leave --as out for this file.",
            )
        if self.kind == languages.BY_NAME:
            return _row(promised) if promised else row
        if self.kind:
            return _row(languages.kind(self.kind))
        if row.name in _PROSE and promised and promised.row not in _PROSE:
            raise Refused(
                f"The lines of this text do not tell whether it is what its name says, "
                f"{promised.language or promised.row}, and a notice for people could break it.",
                code="ambiguous-text",
                hint=f"Use --as {promised.language or promised.row} if its name is right, or --as {row.name}.",
            )
        return row

    def check_readable(self, source: BinaryIO) -> None:
        """Say of a file whose bytes look like nothing that is known what a text may need.

        Args:
            source: The file.

        Raises:
            Refused: It was said to be a text, or its name says so, and nobody named its code page.
        """
        by_name = languages.by_suffix(PurePath(self.name).suffix)
        text = by_name if self.kind in {"", languages.BY_NAME} else self.kind
        if text and not isinstance(self.convert, str) and not _is_unicode(source):
            raise Refused(
                "This may be a text, but it is in no Unicode encoding.",
                code="encoding",
                hint="If it is one, name its code page, such as windows-1251: --allow-normalise --encoding NAME.",
            )

    def converted(self, source: BinaryIO, caps: Limits) -> tuple[BinaryIO, tuple[str, ...]]:
        """The text as composed UTF-8, if the caller allows that and it is needed; and what was done, in a sentence.

        Args:
            source: Any file.
            caps: Limits while reading.

        Raises:
            Refused: It is not in the code page that was named.
        """
        if not self.convert:
            return source, ()
        row = formats.sniff(source)
        size = source.seek(0, io.SEEK_END)
        source.seek(0)
        fits = size <= min(
            caps.max_text, caps.max_bytes
        )  # else it is refused with its reason later
        if not fits or not (row is None or row.name in _CONVERTED):
            return source, ()
        data = source.read(size)
        source.seek(0)
        encoding = _unicode(data) or (self.convert if isinstance(self.convert, str) else "")
        if not encoding:
            return source, ()
        try:
            text = data.decode(encoding)
        except ValueError:
            raise Refused(
                f"This text is not in {encoding}: some of its bytes mean nothing there.",
                code="encoding",
                hint="Name the code page it was written in.",
            ) from None
        result = unicodedata.normalize("NFC", text.removeprefix("\ufeff")).encode()
        if data == result or data == b"\xef\xbb\xbf" + result:
            return source, ()
        note = f"The text was converted to composed UTF-8; it was {encoding.upper()} before."
        return io.BytesIO(result), (note,)


def _check_codec(name: str) -> None:
    try:
        b" ".decode(name)
    except LookupError:
        raise UsageError(
            f"There is no code page {name!r}.", hint="Such as windows-1251 or koi8-r."
        ) from None
    except ValueError:  # it is there, and one byte is too few for it
        pass


def _row(kind: languages.Kind) -> Format:
    return replace(FORMATS[kind.row], language=kind.language)


def _unicode(data: bytes) -> str:
    """The Unicode encoding these bytes are in, if any."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        data.decode()
    except ValueError:
        return ""
    return "utf-8"


def _is_unicode(source: BinaryIO) -> bool:
    """Its beginning is UTF-8: then it is something else that keeps it from being a text."""
    source.seek(0)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(source.read(_HEAD))
    except UnicodeDecodeError:
        return False
    return True
