"""What becomes of an encoder's errors."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import pytest

from aikz_label.adapters.video import films
from aikz_label.adapters.video.coding import Encoder, Task
from aikz_label.errors import Refused


@pytest.mark.parametrize(
    ("error", "wanted"), [(av.error.MemoryError, MemoryError), (av.error.ExternalError, Refused)]
)
def test_a_lack_of_memory_is_no_refusal(
    error: type[av.FFmpegError], wanted: type[Exception]
) -> None:
    with pytest.raises(wanted):
        fails(error)


def test_an_encoder_that_does_not_say_why_fails_for_memory_where_there_is_little() -> None:
    """As x264, in the children of `mark` of many."""
    resource = pytest.importorskip("resource")
    found = re.search(r"VmSize:\s+(\d+)", Path("/proc/self/status").read_text())
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (int(found[1]) * 1024 + (64 << 20), before[1]))
    try:
        with pytest.raises(MemoryError):
            fails(av.error.ExternalError)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize(
    ("told", "wanted"), [("1", 1), ("", 0), ("4,2", 0), ("-1", 0), ("9" * 30, 64)]
)
def test_the_environment_says_how_many_threads(monkeypatch, told: str, wanted: int) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert films.threads() == wanted


def fails(error: type[av.FFmpegError]) -> None:
    def encode(frame: av.VideoFrame | None) -> None:
        raise error(12, "avcodec_send_frame()")

    frame = av.VideoFrame(64, 64, "yuv420p")
    rest = {"reordered": False, "startcodes": True, "shape": None}
    encoder = Encoder(Task("h264", "Main", frame, Fraction(25), 50_000, **rest))
    encoder._context = SimpleNamespace(is_open=True, encode=encode)
    encoder.encode(frame)
