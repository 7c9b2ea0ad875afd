"""What the metadata of a sound file says of AI."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from aikz_label.adapters.audio.container import SoundFile
from aikz_label.limits import Limits
from aikz_label.metadata import declarations
from aikz_label.metadata import xmp as packets
from aikz_label.report import Mirror

_MAX_PACKETS = 8
_MAX_TEXTS = 10_000
_KEYWORDS = {name.lower(): name for name in declarations.KEYWORDS}


def read(sound: SoundFile, limits: Limits) -> Iterator[Mirror]:
    """Every statement about AI in the metadata, ours and other tools'; keywords are read in any case of letters."""
    for packet in islice(sound.packets(), _MAX_PACKETS):
        if len(packet) <= limits.max_xmp:
            yield from packets.read(packet)
    known = (
        (text.carrier, _KEYWORDS[text.keyword.lower()], text.value)
        for text in islice(sound.texts(), _MAX_TEXTS)
        if text.keyword.lower() in _KEYWORDS
    )
    yield from declarations.in_texts(known)
