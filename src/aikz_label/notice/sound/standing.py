"""Whether notices that a record tells of still stand exactly where it says, before anybody takes them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

from aikz_label.label import Origin
from aikz_label.notice.sound.composing import AFTER_SENTENCE
from aikz_label.notice.sound.earcon import HEARING_RATE
from aikz_label.notice.sound.finding import AROUND, Finder, Placement, placement_of
from aikz_label.notice.sound.layouts import Samples
from aikz_label.notice.sound.listening import Heard, Listener
from aikz_label.notice.sound.loudness import SILENT
from aikz_label.profile.sound import SoundProfile
from aikz_label.texts import LANGUAGES

_EXACT = 0.03  # seconds: a codec smears by less
_LATE = 0.27  # seconds by which a decoder is late where no file tells of it: two packets of AAC at 8 kHz
_LENGTH = 0.03  # seconds by which a record may be wrong about a length; prints of own voices count in steps of 0.04
_PRINTED = 0.04


def standing(
    blocks: Iterable[Samples],
    rate: int,
    layout: str,
    records: Sequence[Mapping[str, Any]],
    profile: SoundProfile,
) -> tuple[bool, ...]:
    """Of each notice on record, whether it is heard there from its signal to its last word, and is as long as it says.

    Who wrote the record is not asked, so nothing in it is believed. Languages and origin are found out.

    Args:
        blocks: The sound to its end, `(channels, n)` each; what it raises passes through.
        rate: Sampling rate, Hz.
        layout: Channel layout, as FFmpeg writes it.
        records: The placements.
        profile: From which likeness on something is there.
    """
    wanted = [placement_of(record) for record in records]
    found = [False] * len(wanted)

    def passed(heard: Heard) -> bool:
        """Judge the notices of a stretch once it is over, so that nothing is kept of it."""
        begin, samples = heard.pieces[0]
        end = begin + len(samples) / HEARING_RATE
        for number, one in enumerate(wanted):
            if one is not None and begin <= one.start < end:
                found[number] = _stands(heard, one, profile)
        return True

    keep = ((one.start - AROUND, one.end + AROUND) for one in wanted if one is not None)
    listener = Listener(
        rate, layout, keep, programme=SILENT, passed=passed
    )  # how loud is not asked
    for block in blocks:
        listener.push(block)
    listener.finish()
    return tuple(found)


def _stands(heard: Heard, wanted: Placement, profile: SoundProfile) -> bool:
    for origin, languages in _scripts(wanted):
        found = Finder(heard, languages, origin, profile).place(wanted, anywhere=False)
        if not found.signal or not -_EXACT <= found.start - wanted.start <= _LATE:
            return False
        if len(found.clips) == len(languages) and found.whole >= profile.min_whole:
            return True
    return False


def _scripts(wanted: Placement) -> Iterator[tuple[Origin, tuple[str, ...]]]:
    """What a notice of that length can say."""
    slack = _LENGTH + _PRINTED * len(wanted.voices)
    for count in range(1, len(LANGUAGES) + 1):
        for languages in permutations(LANGUAGES, count):
            for origin in Origin:
                last = wanted.parts(origin, languages)[-1]
                seconds = last.start + last.seconds + AFTER_SENTENCE
                if abs(seconds - (wanted.end - wanted.start)) <= slack:
                    yield origin, languages
