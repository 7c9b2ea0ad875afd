"""Sound alone in containers of films, long enough to be spoken over."""

from __future__ import annotations

from functools import cache

import sound_files

RATE, SECONDS = 16_000, 10.0
FRAGMENTS = (("movflags", "empty_moov+default_base_moof"), ("frag_duration", "2000000"))
_FORMS = {"aac": "fltp", "libmp3lame": "fltp", "libopus": "flt", "mp2": "s16"}
_FORMS |= {"ac3": "fltp", "eac3": "fltp", "flac": "s16", "alac": "s16p", "pcm_s16le": "s16"}
_RATES = {"libopus": 48_000, "ac3": 48_000, "eac3": 48_000}


@cache  # Matroska gives every file a number of its own
def made(
    container: str,
    codec: str,
    options: tuple[tuple[str, str], ...] = (),
    seconds: float = SECONDS,
) -> bytes:
    """A programme in a container, as FFmpeg names both."""
    rate = _RATES.get(codec, RATE)
    sound = sound_files.programme(rate, seconds)
    wanted = {"strict": "experimental"} | dict(options)
    return sound_files.encoded((container, codec, _FORMS[codec]), sound, rate, options=wanted)
