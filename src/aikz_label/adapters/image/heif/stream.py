"""The pictures of a track, one after another, to planes and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image import bmff
from aikz_label.adapters.image.heif import hevc, libavif
from aikz_label.adapters.image.heif.coders import IDENTITY, LOSSLESS, MOST_PIXELS, QUALITIES, near
from aikz_label.adapters.image.heif.items import Property, read_meta
from aikz_label.adapters.image.heif.tracks import read_tracks
from aikz_label.adapters.packets import packet_of
from aikz_label.limits import NO_LIMITS
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from aikz_label.adapters.image.heif.planes import Planes
    from aikz_label.adapters.image.heif.tracks import Track

Pictures = Callable[[], Iterator["Planes"]]
_HOW = {  # decoder, and the box that it begins with
    b"av01": ("libdav1d", b"av1C"),
    b"hvc1": ("hevc", b"hvcC"),
    b"hev1": ("hevc", b"hvcC"),
}
_LEAST = (
    75  # quality: pictures that move may have been compressed hard, and should not grow for nothing
)
KINDS = frozenset(_HOW)


@dataclass(frozen=True, slots=True)
class Coded:
    """What takes the place of a track's samples.

    Attributes:
        configuration: The whole box that a decoder begins with.
        samples: In the order in which they are decoded and shown.
        sync: The samples that a player can begin with; `None` when all are.
    """

    configuration: bytes
    samples: tuple[bytes, ...]
    sync: frozenset[int] | None


def decode(track: Track, most_pixels: int) -> Iterator[Planes]:
    """The pictures in the order in which they are shown; there are as many as samples.

    Raises:
        MediaProblem: One cannot be decoded, or is not of the size that the track tells.
    """
    import av  # noqa: PLC0415  # loads FFmpeg

    name, configuration = _HOW[track.kind]
    count = 0
    try:
        decoder = av.CodecContext.create(name, "r")
        decoder.extradata = track.first(configuration)
        decoder.options = {"max_pixels": str(most_pixels)}
        decoder.thread_count = 1  # closed early, one with threads may wait for ever
        for frame in _frames(decoder, track):
            planes = hevc.planes_of(frame)
            count += 1
            if planes.size != track.coded_size or frame.is_corrupt or count > len(track.samples):
                break
            yield planes
        else:
            if count == len(track.samples):
                return
    except MemoryError:
        raise MediaProblem("damaged", detail_word="decoder") from None
    except MediaProblem:
        raise
    except Exception as error:  # decoders raise whatever they like on hostile bytes
        raise MediaProblem("damaged", detail_word="decoder") from error
    raise MediaProblem("damaged", detail_word="decoder")


def _frames(decoder: Any, track: Track) -> Iterator[Any]:
    for data, (start, _) in zip(track.data(), track.times, strict=True):
        packet = packet_of(data)
        packet.pts = start
        yield from decoder.decode(packet)
    yield from decoder.decode(None)


def encode(track: Track, pictures: Pictures, *, lossless: bool) -> Coded:
    """The same track with other pictures, at the first quality that keeps each of them well enough.

    A player can begin where it could before.

    Args:
        track: As it was.
        pictures: Gives all pictures, once for each call.
        lossless: Nothing may be lost.

    Raises:
        Refused: The encoder does not take them.
        MediaProblem: They cannot be decoded.
    """
    first = next(pictures())
    lossless = lossless or first.coding.matrix == IDENTITY
    keys = _shown_in_order(track)
    encoder = _av1 if track.kind == b"av01" else _hevc
    for quality in (LOSSLESS,) if lossless else (_LEAST, *QUALITIES):
        coded = encoder(pictures(), quality, keys)
        if quality == LOSSLESS or _all_near(track, coded, pictures()):
            break
    return coded


def _shown_in_order(track: Track) -> frozenset[int] | None:
    """The samples to begin with, counted in the order in which they are shown."""
    if track.sync is None:
        return None
    order = sorted(range(len(track.samples)), key=lambda index: track.times[index][0])
    return frozenset(place for place, index in enumerate(order) if index in track.sync)


def _av1(pictures: Iterator[Planes], quality: int, keys: frozenset[int] | None) -> Coded:
    """By libavif, whose file is taken apart again."""
    whole = libavif.encode_all(pictures, quality, keys)
    boxes = {box.kind: box for box in bmff.walk(whole, 0, len(whole), NO_LIMITS)}
    if b"moov" in boxes:
        track = read_tracks(whole, boxes[b"moov"], NO_LIMITS)[0]
        configuration, samples, sync = track.first(b"av1C"), tuple(track.data()), track.sync
    else:  # of a single picture
        items = read_meta(whole, boxes[b"meta"], NO_LIMITS).items
        (item,) = (one for one in items if one.kind == b"av01")
        configuration, samples, sync = item.first(b"av1C"), (item.data,), None
    return Coded(bmff.pack(b"av1C", configuration), samples, sync)


def _hevc(pictures: Iterator[Planes], quality: int, keys: frozenset[int] | None) -> Coded:
    configuration, samples = hevc.encode_all(pictures, quality, keys)
    return Coded(configuration.box, samples, keys)


def _all_near(track: Track, coded: Coded, wanted: Iterator[Planes]) -> bool:
    found = decode(holding(track, coded), MOST_PIXELS)
    return all(near(one, other) for one, other in zip(wanted, found, strict=True))


def holding(track: Track, coded: Coded) -> Track:
    """The same track with other samples, all in the order in which they are shown."""
    stops = list(accumulate(map(len, coded.samples), initial=0))
    described = tuple(
        Property(coded.configuration, essential=True)
        if one.kind == coded.configuration[4:8]
        else one
        for one in track.described
    )
    return replace(
        track,
        described=described,
        samples=tuple(pairwise(stops)),
        chunks=((0, stops[-1]),),
        times=tuple(sorted(track.times)),
        sync=coded.sync,
        whole=b"".join(coded.samples),
    )
