"""Putting the spoken notice into a sound file, and making sure that nothing else in it became different."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from aikz_label.adapters import MediaProblem, Order
from aikz_label.adapters.audio import decoding
from aikz_label.adapters.audio.container import Coded, Insert, SoundFile
from aikz_label.adapters.audio.decoding import Decoding, Stretches
from aikz_label.adapters.audio.shifting import kept, ranges
from aikz_label.errors import Refused
from aikz_label.notice import sound as notices
from aikz_label.notice import wording
from aikz_label.profile.sound import SoundProfile
from aikz_label.report import Found, Measurement, Notice, NoticeState

if TYPE_CHECKING:
    from aikz_label.label import Origin

_NEAR = (
    2.0**-16
)  # half a step of 16 bits: the difference where a decoder remembers what came before


@dataclass(frozen=True, slots=True)
class Spoken:
    """Notices for one file.

    Attributes:
        source: The file.
        inserts: The notices, in order.
        notice: The record of them, without figures.
        programme: What the rest of the sound must still be.
    """

    source: SoundFile
    inserts: tuple[Insert, ...]
    notice: Notice
    programme: Programme


@dataclass(frozen=True, slots=True)
class Programme:
    """The sound without notices.

    Attributes:
        digest: Of the samples of each channel as the decoder gives them.
        length: How many moments it has.
        rate: How many there are in a second.
        layout: Its channels.
    """

    digest: bytes
    length: int
    rate: int
    layout: str


def spoken(source: SoundFile, order: Order) -> Spoken:
    """Compose the notices for a file.

    Raises:
        MediaProblem: The file cannot be decoded.
        Refused: No notice can be heard in it.
    """
    old = _older(source, order)
    numbers = order.profile.sound
    with decoding.opened(source.source, source.demuxer) as heard:
        if heard.rate < notices.MIN_RATE:
            raise _too_few(heard.rate)
        source.check_decoded(heard.rate)
        meter = notices.Meter(heard.rate, heard.layout)
        programme = _programme(heard, kept(old), meter)
        layout = heard.layout
    if not programme.length:
        raise MediaProblem("damaged", detail_word="no-sound")
    loudness = meter.finish()
    seconds = programme.length / programme.rate
    script = notices.script(order.label.origin, order.languages, numbers, order.voices)
    made = notices.compose(
        script,
        programme.rate,
        layout,
        loudness.integrated(),
        numbers,
        short=notices.is_short(seconds, numbers),
    )
    coded = source.encode(made.samples)
    if not old:
        times = (0.0, *notices.plan(loudness, numbers))
        old = tuple(
            Insert(at, 0, None) for at in dict.fromkeys(source.places(times, programme.length))
        )
    inserts = tuple(_insert(source, one, coded) for one in old)
    placements = tuple(
        made.placement(start / programme.rate) | {"first": start, "samples": stop - start}
        for start, stop in ranges(inserts)
    )
    profile = order.profile.id
    record = Notice("spoken", order.languages, wording.version(), profile, placements)
    return Spoken(source, inserts, record, programme)


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
        ear = notices.Listening(heard.rate, heard.layout, said.notice, origin, numbers)
        found = _programme(heard, _outside(said.inserts), ear)
    same = found.length == said.programme.length
    if same and said.source.exact:
        same = found.digest == said.programme.digest
        same = same or said.source.same_packets(painted, said.inserts)
    elif same:
        same = _alike(said, painted)
    if not same:
        raise changed()
    return ear.finish()


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


def _older(source: SoundFile, order: Order) -> tuple[Insert, ...]:
    """Where a new notice takes the place of one that the file has; only what can be heard there is taken out."""
    found = [_place(record) for record in order.previous]
    places = sorted(place for place in found if place is not None)
    if not places or len(places) != len(found):
        return ()
    overlap = any(first[1] > second[0] for first, second in pairwise(places))
    if overlap or not source.holds(places):
        return ()
    languages, version = order.languages, wording.version()
    record = Notice("spoken", languages, version, order.profile.id, order.previous)
    figures = dict(measure(source, record, order.label.origin, order.profile.sound).figures)
    if figures.get("earcon", 0.0) < order.profile.sound.min_earcon:
        return ()
    return tuple(Insert(start, 0, None, stop - start) for start, stop in places)


def _place(record: Mapping[str, Any]) -> tuple[int, int] | None:
    start, length = record.get("first"), record.get("samples")
    if not isinstance(start, int) or not isinstance(length, int):
        return None
    if not 0 <= start < 1 << 40 or not 0 < length < 1 << 40:
        return None
    return start, start + length


def _outside(inserts: Sequence[Insert]) -> Stretches:
    """The stretches of the finished file that are programme."""
    found, at = [], 0
    for start, stop in ranges(inserts):
        found.append((at, start))
        at = stop
    return (*found, (at, -1))


def _programme(
    heard: Decoding,
    stretches: Stretches,
    ear: Any,
) -> Programme:
    """Decode all; `ear` gets everything if it listens for notices, and the programme if it measures that."""
    hashed, length = [hashlib.sha256() for _ in range(heard.channels)], 0
    everything = isinstance(ear, notices.Listening)
    for block, parts in decoding.cut(heard.blocks(), stretches):
        if everything:
            ear.push(block.samples)
        for _, part in parts:
            for channel, one in zip(part.native.T, hashed, strict=True):
                one.update(np.ascontiguousarray(channel).data)
            length += len(part)
            if not everything:
                ear.push(part.samples)
    digest = b"".join(one.digest() for one in hashed)
    return Programme(digest, length, heard.rate, heard.layout)


def _alike(said: Spoken, painted: SoundFile) -> bool:
    """Whether two programmes are the same to half a step of 16 bits."""
    source = said.source
    with (
        decoding.opened(source.source, source.demuxer) as before,
        decoding.opened(painted.source, painted.demuxer) as after,
    ):
        first = _samples(before, kept(said.inserts))
        second = _samples(after, _outside(said.inserts))
        return _closest(first, second) <= _NEAR


def _samples(heard: Decoding, stretches: Stretches) -> Iterator[Any]:
    for _, parts in decoding.cut(heard.blocks(), stretches):
        for _, part in parts:
            yield part.samples


def _closest(first: Iterator[Any], second: Iterator[Any]) -> float:
    """The largest difference between two streams of samples that are cut into other blocks."""
    worst, left, right = 0.0, None, None
    while True:
        left = next(first, None) if left is None else left
        right = next(second, None) if right is None else right
        if left is None or right is None:
            return worst if left is right else 1.0
        count = min(left.shape[1], right.shape[1])
        worst = max(worst, float(np.abs(left[:, :count] - right[:, :count]).max()))
        left = left[:, count:] if count < left.shape[1] else None
        right = right[:, count:] if count < right.shape[1] else None


def changed() -> Refused:
    """The refusal to deliver a file whose programme became different."""
    return Refused(
        "Putting the notice in would change the programme of this file.",
        code="content-changed",
        hint="Nothing was written. Convert it to WAV or FLAC and mark that.",
    )


def _too_few(rate: int) -> Refused:
    return Refused(
        f"Speech cannot be understood at {rate} samples a second.",
        code="not-perceptible",
        hint=f"Convert it to at least {notices.MIN_RATE} samples a second.",
    )
