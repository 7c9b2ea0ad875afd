"""Text that is no file: what a language model answers, whole or piece by piece.

A text in memory is plain text, whatever it looks like: three lines above it, and the marker in invisible characters at its
end. So it goes wherever a string goes, and needs no second file.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aikz_label import profile
from aikz_label.adapters.text.decoded import Decoded
from aikz_label.adapters.text.plain import PlainText
from aikz_label.api import mark, verify
from aikz_label.asked import Trust, open_signer, order_for, settings_of
from aikz_label.config import Config
from aikz_label.errors import Refused
from aikz_label.label import Label
from aikz_label.limits import DEFAULT
from aikz_label.report import Report

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey

_JAMO = range(0x1100, 0x1200)  # letters that compose with the one before them
_KIRAT_RAI = range(0x16D63, 0x16D6B)
_MOST_HELD = 100  # more accents than any letter has


def mark_text(
    text: str,
    label: Label,
    *,
    languages: Sequence[str] | str = (),
    profile_name: str = profile.DEFAULT,
    signer: str | SigningKey = "",
    on_existing: str = "refuse",
    allow_normalise: bool = False,
    config: str | Path | Config | None = None,
) -> str:
    """Label a text: the notice above it, again below a long one, and the signed marker at its end.

    Taking the notice and the marker away again gives the same text. It costs two signatures, never more than five. Open
    the signer and the configuration once when there are many texts.

    Args:
        text: The text, in composed form (NFC), as nearly all text is.
        label: What is declared.
        languages: Languages of the notice, in order; the configuration's or the profile's when empty.
        profile_name: Profile whose numbers the notice must reach.
        signer: Signer URI, or what `open_signer` opened; the configuration's when empty.
        on_existing: What to do with a text that carries a marker already: `refuse`, `update` or `replace` it.
        allow_normalise: Compose a text that is not.
        config: A configuration or the path of one; the user's own when `None`.

    Raises:
        Refused: This text cannot be marked.
        UsageError: An argument cannot be right.
        SigningError: There is no usable signer.
    """
    settings = settings_of(config)
    order = order_for(label, languages, "auto", "", profile_name, settings, DEFAULT)
    source = Decoded(_checked(text, compose=allow_normalise))
    document = PlainText(source)
    if document.first() is None:  # so that its first line is prose, whatever the text looks like
        source = Decoded(document.compose(label.origin, order.languages) + source.text)
    result = mark(
        source.bytes(),
        None,
        label,
        languages=order.languages,
        profile_name=profile_name,
        signer=signer,
        on_existing=on_existing,
        sidecar="never",
        as_format="text",
        config=settings,
    )
    assert result.data is not None
    return result.data.decode()


def verify_text(
    text: str,
    *,
    trust: Trust | None = None,
    measure: bool = False,
    profile_name: str = profile.DEFAULT,
    config: str | Path | Config | None = None,
) -> Report:
    """Say what a text declares and whether it holds; any kind of text, as `verify` finds it. Content never raises.

    Args:
        text: The text with everything it came with: a marker at its end draws nothing and is lost in a look at the screen.
        trust: As for `verify`.
        measure: As for `verify`.
        profile_name: As for `verify`.
        config: As for `verify`.

    Raises:
        TrustError: A trust list does not hold.
        UsageError: No such profile.
    """
    data = text.encode("utf-8", "surrogatepass")  # half a character is no text, and reported so
    return verify(data, trust=trust, measure=measure, profile_name=profile_name, config=config)


def stream_text(
    pieces: Iterable[str],
    label: Label,
    *,
    languages: Sequence[str] | str = (),
    profile_name: str = profile.DEFAULT,
    signer: str | SigningKey = "",
    config: str | Path | Config | None = None,
) -> Iterator[str]:
    """Label a text while it is being written: the notice first, then every piece as it comes, the marker last.

    All that is given together is the text as `mark_text` gives it, composed (NFC). A piece is held back by a character or
    two, which may compose with the next. If the reader goes away or `pieces` raises, there is no marker: what was sent is
    `incomplete`.

    Args:
        pieces: The text, in parts of any size.
        label: As for `mark_text`.
        languages: As for `mark_text`.
        profile_name: As for `mark_text`.
        signer: As for `mark_text`.
        config: As for `mark_text`.

    Raises:
        Refused: The text is empty, too large, or carries a marker already; only known at its end.
        UsageError: An argument cannot be right.
        SigningError: There is no usable signer.
    """
    settings = settings_of(config)
    order = order_for(label, languages, "auto", "", profile_name, settings, DEFAULT)
    key = open_signer(signer, settings)
    notice = PlainText(Decoded("")).compose(label.origin, order.languages)

    def parts() -> Iterator[str]:
        sent, held = [notice], ""
        yield notice
        for piece in pieces:
            held += piece
            at = _boundary(held)
            settled, held = unicodedata.normalize("NFC", held[:at]), held[at:]
            if settled:
                sent.append(settled)
                yield settled
        text = "".join([*sent, held])
        _checked(text[len(notice) :], compose=True)
        whole = mark_text(
            text,
            order.label,
            languages=order.languages,
            profile_name=profile_name,
            signer=key,
            allow_normalise=True,
            config=settings,
        )
        yield whole[sum(map(len, sent)) :]

    return parts()


def _checked(text: str, *, compose: bool) -> str:
    """The text, if it can carry a marker.

    Raises:
        Refused: It is empty, no Unicode, or not composed.
    """
    if not text:
        raise Refused("The text is empty.", code="empty", hint="There is nothing to label.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Refused(
            "This text holds half of a character (a lone surrogate), which no file can hold.",
            code="encoding",
            hint="Decode what it was made from without `surrogatepass`.",
        ) from None
    if compose:
        return unicodedata.normalize("NFC", text)
    if not unicodedata.is_normalized("NFC", text):
        raise Refused(
            "This text is not composed (NFC), and a marker would not survive on its way.",
            code="not-composed",
            hint="Use allow_normalise=True; it looks the same.",
        )
    return text


def _boundary(text: str) -> int:
    """Where the last character starts that cannot compose with what stands before it."""
    for at in range(len(text) - 1, max(0, len(text) - _MOST_HELD), -1):
        if _opens(text[at]):
            return at
    return 0


def _opens(letter: str) -> bool:
    if letter < "\u0300":
        return True
    code = ord(letter)
    mark = unicodedata.category(letter).startswith("M") or unicodedata.combining(letter)
    return not (mark or code in _JAMO or code in _KIRAT_RAI)
