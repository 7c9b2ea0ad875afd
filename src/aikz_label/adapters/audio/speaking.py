"""Putting the spoken notice into a sound file, and making sure that nothing else in it became different."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from aikz_label import files
from aikz_label.adapters import MediaProblem, Order
from aikz_label.adapters.audio import comparing, decoding, pieces
from aikz_label.adapters.audio.comparing import changed
from aikz_label.adapters.audio.container import Coded, Insert, SoundFile, Witness
from aikz_label.adapters.audio.decoding import Decoding, Stretches
from aikz_label.adapters.audio.older import older
from aikz_label.adapters.audio.shifting import kept, outside, ranges
from aikz_label.errors import Refused
from aikz_label.notice import sound as notices
from aikz_label.notice import wording
from aikz_label.profile.sound import SoundProfile
from aikz_label.report import Found, Measurement, Notice, NoticeState
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from aikz_label.label import Origin


@dataclass(frozen=True, slots=True)
class Spoken:
    """Notices for one file.

    Attributes:
        source: The file.
        inserts: The notices, in order.
        notice: The record of them, without figures.
        programme: What the rest of the sound must still be.
        recoded: All of the sound was coded anew; `programme` is what that was decoded to.
    """

    source: SoundFile
    inserts: tuple[Insert, ...]
    notice: Notice
    programme: Programme
    recoded: bool = False


@dataclass(frozen=True, slots=True)
class Programme:
    """The sound without notices.

    Attributes:
        digest: Of the samples as the decoder gives them, of each channel where those are apart.
        length: How many moments it has.
        rate: How many there are in a second.
        layout: Its channels.
        loudness: LUFS, if it was measured.
    """

    digest: bytes
    length: int
    rate: int
    layout: str
    loudness: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A programme that was listened to, to make notices for it.

    Attributes:
        programme: What it is.
        loudness: How loud, moment by moment.
        codec: FFmpeg's name of its coding.
        bits: Bits per second of that.
    """

    programme: Programme
    loudness: Any
    codec: str
    bits: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.programme.length / self.programme.rate


def listened(source: SoundFile, old: Sequence[Insert], *, anyhow: bool = False) -> Heard:
    """Decode a programme, older notices aside.

    Args:
        source: The file.
        old: The notices.
        anyhow: Its decoder may make more of it than the file tells of.

    Raises:
        MediaProblem: The file cannot be decoded.
        Refused: No notice can be heard in it.
    """
    with decoding.opened(source.source, source.demuxer) as heard:
        if heard.rate < notices.MIN_RATE:
            raise _too_few(heard.rate)
        if heard.rate > notices.MAX_RATE:
            raise _too_many(heard.rate)
        if not anyhow:
            source.check_decoded(heard.rate)
        meter, witness = notices.Meter(heard.rate, heard.layout), source.witness()
        programme = programme_of(heard, kept(old), meter, witness)
        if witness is not None:
            source.witnessed(witness)
    if not programme.length:
        raise MediaProblem("damaged", detail_word="no-sound")
    loudness = meter.finish()
    programme = replace(programme, loudness=loudness.integrated())
    bits = max(round(heard.coded * 8 * heard.rate / heard.length), 1)
    return Heard(programme, loudness, heard.codec, bits)


def composed(heard: Heard, order: Order) -> notices.Composed:
    """The notice, as loud as the programme.

    Raises:
        Refused: It cannot be said as ordered.
    """
    numbers, programme = order.profile.sound, heard.programme
    script = notices.script(order.label.origin, order.languages, numbers, order.voices)
    return notices.compose(
        script,
        programme.rate,
        programme.layout,
        heard.loudness.integrated(),
        numbers,
        short=notices.is_short(heard.seconds, numbers),
    )


def recorded(order: Order, made: notices.Composed, inserts: Sequence[Insert], rate: int) -> Notice:
    """The record of notices in a finished file."""
    placements = tuple(
        made.placement(start / rate) | {"first": start, "samples": stop - start}
        for start, stop in ranges(inserts)
    )
    profile = order.profile.id
    return Notice("spoken", order.languages, wording.version(), profile, placements)


def rendered(source: SoundFile, destination: BinaryIO, order: Order, said: list[str]) -> Spoken:
    """Write a file with notices put in, and everything else as it is.

    Raises:
        MediaProblem: The file cannot be decoded.
        Refused: No notice can be heard in it.
    """
    found = spoken(source, order)
    written = source.assemble(found.inserts, order.label, said)
    files.pour(pieces.blocks(written, source.source), destination)
    return found


def spoken(source: SoundFile, order: Order) -> Spoken:
    """Compose the notices for a file.

    Raises:
        MediaProblem: The file cannot be decoded.
        Refused: No notice can be heard in it.
    """
    old = older(source, order)
    heard = listened(source, old)
    made = composed(heard, order)
    coded = source.encode(made.samples)
    programme = heard.programme
    if not old:
        times = (0.0, *notices.plan(heard.loudness, order.profile.sound))
        old = tuple(
            Insert(at, 0, None) for at in dict.fromkeys(source.places(times, programme.length))
        )
    inserts = tuple(_insert(source, one, coded) for one in old)
    return Spoken(source, inserts, recorded(order, made, inserts, programme.rate), programme)


def _insert(source: SoundFile, place: Insert, coded: Coded) -> Insert:
    ready = source.joined(place.at, coded, place.instead)
    return Insert(place.at, ready.length, ready.data, place.instead)


def check(said: Spoken, painted: SoundFile, origin: Origin, order: Order) -> Measurement:
    """Decode what was written, compare the programme, and listen to the notices.

    Raises:
        Refused: Something besides the notices changed.
    """
    numbers = order.profile.sound
    with decoding.opened(painted.source, painted.demuxer) as heard:
        if (heard.rate, heard.layout) != (said.programme.rate, said.programme.layout):
            raise changed()
        known = said.programme.loudness  # believed once the programme turns out to be the same
        ear = notices.Listening(heard.rate, heard.layout, said.notice, origin, numbers, known)
        witness = said.source.witness() if not said.recoded else None
        found = programme_of(heard, outside(said.inserts), ear, witness)
    if found.length != said.programme.length or not _same(said, painted, found):
        raise changed()
    if witness is not None:
        painted.sealed(witness)
    return ear.finish()


def _same(said: Spoken, painted: SoundFile, found: Programme) -> bool:
    if found.digest == said.programme.digest:
        return True
    if said.recoded:
        return False
    if said.source.exact:
        return said.source.same_packets(painted, said.inserts)
    stretches = kept(said.inserts), outside(said.inserts)
    return comparing.alike(said.source, stretches[0], painted, stretches[1])


def measure(
    source: SoundFile, notice: Notice, origin: Origin, numbers: SoundProfile
) -> Measurement:
    """Listen to the notices of a record."""
    if notice.kind != "spoken":
        return Measurement(NoticeState.UNKNOWN)
    with decoding.opened(source.source, source.demuxer) as heard:
        blocks = (block.samples for block in heard.blocks())
        return notices.measure(blocks, heard.rate, heard.layout, notice, origin, numbers)


def search(source: SoundFile, numbers: SoundProfile) -> Found | None:
    """Listen for a notice that nobody recorded."""
    with decoding.opened(source.source, source.demuxer) as heard:
        blocks = (block.samples for block in heard.blocks())
        return notices.search(blocks, heard.rate, heard.layout, numbers)


def programme_of(
    heard: Decoding, stretches: Stretches, ear: Any, witness: Witness | None = None
) -> Programme:
    """Decode all; `ear` gets everything if it listens for notices, and the programme if it measures that."""
    rows = heard.channels if heard.planar else 1
    hashed, length = [hashlib.sha256() for _ in range(rows)], 0
    everything = isinstance(ear, notices.Listening)
    for block, parts in decoding.cut(heard.blocks(), stretches):
        if everything and not ear.skips(len(block)):
            ear.push(block.samples)
        if witness is not None:
            witness.see(block.native)
        for _, part in parts:
            for row, one in zip(
                part.native.T if heard.planar else [part.native], hashed, strict=True
            ):
                one.update(np.ascontiguousarray(row).data)
            length += len(part)
            if ear is not None and not everything:
                ear.push(part.samples)
    digest = b"".join(one.digest() for one in hashed)
    return Programme(digest, length, heard.rate, heard.layout)


def _too_few(rate: int) -> Refused:
    return Refused(
        f"Speech cannot be understood at {rate} samples a second.",
        code="not-perceptible",
        hint=f"Convert it to at least {notices.MIN_RATE} samples a second.",
    )


def _too_many(rate: int) -> Refused:
    return Refused(
        f"A notice of {rate} samples a second would take too much memory.",
        code="over-limit",
        hint=f"Convert it to at most {notices.MAX_RATE} samples a second.",
    )
