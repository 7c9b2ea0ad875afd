"""SVT-AV1 takes real-time priority where it may, that is, as root; it is given back before the first frame is out."""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from aikz_label.adapters.video.coding import Encoder, Task

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux has these priorities")


def real_time() -> list[str]:
    tasks = Path("/proc/self/task").iterdir()
    return [task.name for task in tasks if os.sched_getscheduler(int(task.name)) == os.SCHED_FIFO]


def frames():
    frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8)).reformat(format="yuv420p")
    for number in range(3):
        frame.pts = number
        yield frame


def test_the_encoder_does_so():
    """Why there is something to give back; a version that does not would make the module superfluous."""
    if os.geteuid():
        pytest.skip("only root gets such a priority")
    context = av.CodecContext.create("libsvtav1", "w")
    context.width = context.height = 64
    context.pix_fmt, context.time_base = "yuv420p", Fraction(1, 25)
    context.options = {"preset": "10"}
    try:
        context.encode(next(frames()))
        assert real_time()
    finally:
        for task in Path("/proc/self/task").iterdir():
            os.sched_setscheduler(int(task.name), os.SCHED_OTHER, os.sched_param(0))


def test_no_thread_keeps_it():
    first = next(frames())
    encoder = Encoder(
        Task(
            "av1",
            "Main",
            first,
            Fraction(25),
            50_000,
            reordered=False,
            startcodes=False,
            shape=None,
        )
    )
    for frame in frames():
        encoder.encode(frame)
        assert not real_time()
    encoder.encode(None)
    assert not real_time()
