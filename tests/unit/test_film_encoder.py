"""What becomes of an encoder's errors."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import av
import pytest

from aikz_label.adapters.video.coding import Encoder, Task
from aikz_label.errors import Refused


@pytest.mark.parametrize(
    ("error", "wanted"), [(av.error.MemoryError, MemoryError), (av.error.ExternalError, Refused)]
)
def test_a_lack_of_memory_is_no_refusal(
    error: type[av.FFmpegError], wanted: type[Exception]
) -> None:
    def encode(frame: av.VideoFrame | None) -> None:
        raise error(12, "avcodec_send_frame()")

    frame = av.VideoFrame(64, 64, "yuv420p")
    rest = {"reordered": False, "startcodes": True, "shape": None}
    encoder = Encoder(Task("h264", "Main", frame, Fraction(25), 50_000, **rest))
    encoder._context = SimpleNamespace(is_open=True, encode=encode)
    with pytest.raises(wanted):
        encoder.encode(frame)
