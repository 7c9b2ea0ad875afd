"""Comparing a finished film with its source: nothing may have changed but the frames that carry the notice."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from aikz_label.adapters import MediaProblem, Order, Rendered
from aikz_label.adapters.image.refusals import damaged
from aikz_label.adapters.video import cutting, films, hearing, measuring, rendering
from aikz_label.adapters.video.film import Film, Numbers, Slots
from aikz_label.adapters.video.recoding import Decoder
from aikz_label.adapters.video.rendering import Work
from aikz_label.adapters.video.watching import decoding
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.limits import NO_LIMITS
from aikz_label.report import Measurement

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

LEAST_PSNR = (
    28.0  # dB outside the badge, of the worst frame looked at: a film at the rate of its source
)
_LOOKS = 6  # places that are looked at
_FRAMES = 4  # at each
Streams: TypeAlias = "dict[int, tuple[str, object, object, str]]"


def check(painted: BinaryIO, row: Format, rendered: Rendered, order: Order) -> Measurement | None:
    """See `Adapter.check`."""
    if rendered.reference is None:
        return None
    work: Work = rendered.reference
    try:
        after = rendering.parse(painted, row, NO_LIMITS)
    except MediaProblem as problem:
        raise damaged("its structure no longer holds") from problem
    _compare_slots(work, after, painted)
    heard = {one.index for one in work.spoken if one.count}
    compare_streams(work.source, painted, heard, work.film.track)
    for one in work.spoken:
        if one.count:
            from aikz_label.adapters.video.spoken import proving  # noqa: PLC0415  # few films need it

            proving.check(work.source, painted, row, one)
    psnr = _compare_pictures(work, after, painted)
    if psnr < LEAST_PSNR:
        raise damaged(f"pixels outside the notice changed too much ({psnr:.1f} dB)")
    found = measuring.measure(
        painted, row, rendered.notice, order.label.origin, order.profile, NO_LIMITS
    )
    if work.spoken and hearing.is_hindered(found):
        reasons = " ".join(problem.text("en") for problem in found.problems)
        raise Refused(
            f"The notice spoken over this film is not perceivable. {reasons}",
            code="not-perceptible",
            hint="Use --no-spoken, and the notice is only shown.",
        )
    return found


def _compare_slots(work: Work, after: Film, painted: BinaryIO) -> None:
    """Every frame is there, shown when it was; those that were not coded again are the same bytes."""
    expected, found = work.film.merged(work.recoded).there, after.slots
    same = (
        len(found) == len(expected)
        and np.array_equal(found.size, expected.size)
        and np.array_equal(found.shown, expected.shown)
        and np.array_equal(found.key, expected.key)
        and _same(found.decoded, expected.decoded)
    )
    if not same:
        raise damaged("the times of its frames changed")
    kept = np.ones(len(work.film.slots), np.bool_)
    for run in work.recoded:
        kept[run.where] = False
    still = kept[work.film.merged(work.recoded).size > 0]
    if _digest(work.source, work.film.slots, kept) != _digest(painted, found, still):
        raise damaged("frames that should be copied changed")


def _same(one: Numbers | None, two: Numbers | None) -> bool:
    return one is two is None or (one is not None and two is not None and np.array_equal(one, two))


def _digest(source: BinaryIO, slots: Slots, wanted: NDArray[np.bool_]) -> bytes:
    digest = hashlib.sha256()
    for start, size in zip(slots.start[wanted].tolist(), slots.size[wanted].tolist(), strict=True):
        source.seek(start)
        digest.update(source.read(size))
    return digest.digest()


def compare_streams(
    source: BinaryIO, painted: BinaryIO, heard: set[int], track: int | None
) -> None:
    """All other streams are the same, packet for packet, and so are the durations; of sounds with a notice, the times.

    Args:
        source: The file.
        painted: The finished one.
        heard: Which of its sounds have got a notice.
        track: Number of the picture, which is compared elsewhere; `None` where there is none.

    Raises:
        Refused: They are not.
    """
    with films.open_film(source) as one, films.open_film(painted) as two:
        if _streams(one, heard, track) != _streams(two, heard, track):
            raise damaged("another stream of it changed")
        if one.duration != two.duration:
            raise damaged("its duration changed")


def _streams(container: InputContainer, heard: set[int], track: int | None) -> Streams:
    shown = films.picture(container, track).index if track is not None else -1
    spoken = {container.streams.audio[index].index for index in heard}
    digests = {stream.index: hashlib.sha256() for stream in container.streams}
    guessed = "matroska" in container.format.name  # which stores no duration of a stream
    with decoding():
        for packet in container.demux():
            index = packet.stream_index
            if index != shown and index in digests and packet.size:
                # of sound, libav finds durations out by looking ahead, and not always
                lasts = packet.duration if packet.stream.type == "subtitle" else 0
                digests[index].update(f"{packet.pts} {packet.dts} {lasts} ".encode())
                if index not in spoken:
                    digests[index].update(bytes(packet))
    return {
        index: (
            container.streams[index].type,
            None if guessed else container.streams[index].duration,
            container.streams[index].start_time,
            digest.hexdigest(),
        )
        for index, digest in digests.items()
        if index != shown  # its times are those of its slots
    }


def _compare_pictures(work: Work, after: Film, painted: BinaryIO) -> float:
    """The worst likeness of some frames outside the notice."""
    worst = math.inf
    with films.open_film(work.source) as one, films.open_film(painted) as two:
        before_decoder = Decoder(work.source, work.film, one)
        after_decoder = Decoder(painted, after, two)
        for rank in _looks(work):
            before = dict(before_decoder.near(rank, _FRAMES))
            found = dict(after_decoder.near(rank, _FRAMES))
            if rank not in found:
                raise damaged("it no longer decodes")
            for place in before.keys() & found.keys():
                worst = min(worst, _psnr(before[place], found[place], work.stamp.box))
    return worst


def _looks(work: Work) -> Iterator[int]:
    """Places of keyframes that were coded again."""
    slots = work.film.slots
    wanted = np.zeros(len(slots), np.bool_)
    for run in work.recoded:
        wanted[run.where] = True
    places = slots.rank[wanted & slots.key]
    if not len(places):
        return
    chosen = np.unique(np.linspace(0, len(places) - 1, _LOOKS).round().astype(int))
    yield from (int(places[i]) for i in chosen)


def _psnr(before: VideoFrame, after: VideoFrame, box: tuple[int, int, int, int]) -> float:
    """Likeness of two frames' first plane outside a box, dB."""
    left, top, width, height = box
    dtype = "<u2" if before.format.components[0].bits > 8 else "u1"
    scale = 2 ** before.format.components[0].bits - 1
    one, two = (cutting.plane(f, 0, dtype).astype(np.float32) for f in (before, after))
    squares = (one[:, : before.width] - two[:, : before.width]) ** 2
    squares[top : top + height, left : left + width] = 0
    mean = float(squares.mean())
    return 10 * math.log10(scale**2 / mean) if mean else math.inf
