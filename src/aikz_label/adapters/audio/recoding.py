"""Notices in sound among whose packets none can be put: all of it is decoded, and coded again with them.

Only when people allow it. What comes out is decoded once more and compared with the source, moment by moment: it is as long
to the sample, and the programme is louder than what the second coding put into it by so many decibels, which are recorded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np

from aikz_label import files
from aikz_label.adapters.audio import comparing, decoding, pieces, speaking
from aikz_label.adapters.audio.container import Insert, SoundFile
from aikz_label.adapters.audio.decoding import Stretches
from aikz_label.adapters.audio.older import older, stays
from aikz_label.adapters.audio.recoders import Coding, Recoder
from aikz_label.adapters.audio.shifting import kept, outside
from aikz_label.adapters.audio.speaking import Heard, Spoken
from aikz_label.errors import Refused
from aikz_label.limits import MIB, NO_LIMITS
from aikz_label.notice import sound as notices
from aikz_label.report import Recoding
from aikz_label.values import replace

if TYPE_CHECKING:
    from aikz_label.adapters import Order
    from aikz_label.adapters.audio.decoding import Samples

LEAST_SNR = 10.0  # decibels; below, more bits are tried
_TRIES = 4
_IN_MEMORY = 16 * MIB


def rendered(
    source: SoundFile, destination: BinaryIO, order: Order, said: list[str]
) -> Spoken | None:
    """Write a file with notices in it, all of whose sound is coded anew; `None` where nothing codes such sound.

    Raises:
        MediaProblem: The file cannot be decoded.
        Refused: There is no encoder for it, none that keeps the programme like itself, or an older notice stays.
    """
    old = older(source, order, anywhere=True)
    if old and old[0].at:  # what is late when it is decoded needs the silence of a first notice
        raise stays()
    heard = speaking.listened(source, old, anyhow=True)
    made = speaking.composed(heard, order)
    programme = heard.programme
    gone = sum(one.instead for one in old)
    played = source.played(programme.length + gone, programme.rate)
    length = played - gone
    codec = heard.codec
    if codec == "aac LC" and programme.rate == 2 * source.rate:
        codec = "aac HE-AAC"  # which some of its decoder's profiles do not tell
    coding = Coding(codec, programme.rate, programme.layout, heard.bits)
    recoder = source.recoder(coding)
    if recoder is None:
        return None
    if not old:
        times = (0.0, *notices.plan(heard.loudness, order.profile.sound))
        places = (min(round(second * programme.rate), length) for second in times)
        old = tuple(Insert(at, 0, None) for at in dict.fromkeys(places))
    inserts = _filled(old, made.samples, length, recoder)
    total = length + sum(insert.length for insert in inserts)
    stretches = (*kept(inserts)[:-1], (kept(inserts)[-1][0], played))
    for _ in range(_TRIES):
        with cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)) as coded:
            recoder.write(_late(_mixed(source, inserts, stretches), recoder.early), coded)
            fresh = type(source).parse(coded, NO_LIMITS, thorough=True)
            snr = comparing.likeness(source, stretches, fresh, outside(inserts))
            if snr >= LEAST_SNR:
                spoken = _finished(source, fresh, inserts, heard, coding, snr, order, made, said)
                written = source.dressed(fresh, total, inserts, order.label, said)
                files.pour(pieces.blocks(written, source.source), destination)
                return spoken
        better = recoder.richer()
        if better == recoder:
            break
        recoder = better
    raise Refused(
        "This sound cannot be coded again without becoming another one.",
        code="content-changed",
        hint="Nothing was written. Convert it to WAV or FLAC and mark that.",
    )


def _finished(
    source: SoundFile,
    fresh: SoundFile,
    inserts: tuple[Insert, ...],
    heard: Heard,
    before: Coding,
    snr: float,
    order: Order,
    made: notices.Composed,
    said: list[str],
) -> Spoken:
    """The record of what was done, and the same in a sentence."""
    with decoding.opened(fresh.source, fresh.demuxer) as again:
        programme = speaking.programme_of(again, outside(inserts), None)
        bits = round(again.coded * 8 * again.rate / again.length)
        after = Coding(again.codec, again.rate, again.layout, bits)
    record = Recoding(
        before.title,
        round(before.bits / 1000, 1),
        after.title,
        round(bits / 1000, 1),
        round(snr, 1),
    )
    said.append(
        f"All of the sound was decoded and coded again: {record.before} of {record.before_kbits:g} kbit/s became "
        f"{record.after} of {record.after_kbits:g} kbit/s, the difference is {record.snr_db:g} dB below it."
    )
    notice = speaking.recorded(order, made, inserts, heard.programme.rate)
    return Spoken(source, inserts, replace(notice, recoding=record), programme, recoded=True)


def _filled(
    places: Sequence[Insert], samples: Samples, programme: int, recoder: Recoder
) -> tuple[Insert, ...]:
    """The notices; behind the first one so much silence that all together is a length that the file can tell."""
    length = samples.shape[1]
    whole = programme + length * len(places)
    silence = np.zeros((samples.shape[0], -whole % recoder.step), np.float32)
    first = np.concatenate((samples, silence), axis=1)
    return tuple(
        Insert(one.at, content.shape[1], content, one.instead)
        for one, content in zip(places, (first, *[samples] * (len(places) - 1)), strict=True)
    )


def _mixed(source: SoundFile, inserts: Sequence[Insert], stretches: Stretches) -> Iterator[Samples]:
    """The programme with its notices."""
    waiting = list(inserts)
    with decoding.opened(source.source, source.demuxer) as heard:
        for _, parts in decoding.cut(heard.blocks(), stretches):
            for number, part in parts:
                while len(inserts) - len(waiting) < number:
                    yield waiting.pop(0).coded
                yield part.samples
    for insert in waiting:
        yield insert.coded


def _late(blocks: Iterable[Samples], early: int) -> Iterator[Samples]:
    """The same from some moment on: what is left out is silence, and comes back when it is decoded."""
    for block in blocks:
        yield block[:, early:]
        early = max(early - block.shape[1], 0)
