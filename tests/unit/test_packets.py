"""Packets have the zeros behind them that decoders count on."""

from __future__ import annotations

import ctypes
import io

import av
import numpy as np
import pytest

from aikz_label.adapters.packets import packet_of
from aikz_label.adapters.video import films, rendering
from aikz_label.adapters.video.recoding import Decoder, Stretch
from aikz_label.formats import FORMATS
from aikz_label.limits import NO_LIMITS


@pytest.mark.parametrize("size", [1, 7, 64, 65_537])
def test_zeros_are_behind_the_bytes(size: int) -> None:
    packet = packet_of(b"\xff" * size)
    assert bytes(packet) == b"\xff" * size
    assert ctypes.string_at(packet.buffer_ptr + packet.buffer_size, 64) == bytes(64)


def test_no_bytes_make_an_empty_packet() -> None:
    assert packet_of(b"").size == 0


def test_a_film_is_decoded_as_players_decode_it() -> None:
    """MPEG-4 goes on reading where a frame ends, and conceals the errors that it finds there."""
    film = io.BytesIO(moving())
    with av.open(film) as container:
        container.streams.video[0].thread_count = 1
        wanted = [frame.to_ndarray() for frame in container.decode(video=0)]
    film.seek(0)
    taken = rendering.parse(film, FORMATS["avi"], NO_LIMITS)
    for _ in range(5):  # what is behind the bytes differs from time to time
        with films.open_film(film) as container:
            frames = Decoder(film, taken, container).frames(Stretch(0, len(taken.slots)))
            found = [frame.to_ndarray() for _, frame in frames]
        assert len(found) == len(wanted)
        assert all(map(np.array_equal, found, wanted))


def moving() -> bytes:
    """Three seconds of MPEG-4 in AVI: a disc that moves over a pattern."""
    made = io.BytesIO()
    with av.open(made, "w", format="avi") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 640, 360, "yuv420p", 400_000
        y, x = np.mgrid[:360, :640]
        for index in range(75):
            disc = (x - 40 - 7 * index) ** 2 + (y - 180) ** 2 < 60**2
            grey = np.where(disc, 255 - (x + index) % 200, (x * y // 64 + 3 * index) % 256)
            picture = np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    return made.getvalue()
