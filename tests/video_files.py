"""Small films made by PyAV: every frame has its own grey, moving texture and a number of its own."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from aikz_label.adapters.video import priority


def texture(width: int, height: int, number: int) -> np.ndarray:
    """A picture that moves a little from frame to frame, RGB."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = np.sin((x + 3 * number) / 9) + np.sin((y - 2 * number) / 13)
    grey = 128 + 40 * waves
    rgb = np.stack([grey, 255 - grey, 90 + 0.5 * grey], 2)
    return np.clip(rgb, 0, 255).astype(np.uint8)


@priority.kept()
def film(
    kind: str = "mp4",
    codec: str = "libx264",
    *,
    size: tuple[int, int] = (320, 180),
    frames: int = 20,
    rate: int = 10,
    pix_fmt: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    muxer: Mapping[str, str] | None = None,
    audio: str = "",
    turn: int = 0,
    times: Mapping[int, int] | None = None,
    **attributes: Any,
) -> bytes:
    """A film.

    Args:
        kind: Container, as libav names it.
        codec: Encoder of the picture.
        size: Width and height, px.
        frames: How many.
        rate: Frames a second.
        pix_fmt: How pixels are stored.
        options: Of the encoder.
        muxer: Options of the container.
        audio: Encoder of a tone of the same length; none when empty.
        turn: Degrees, counterclockwise, by which it is turned when shown.
        times: Which frame is shown when, in units of the rate, where they are not evenly spaced.
        attributes: Of the encoder's context, such as `color_trc`.
    """
    with (
        tempfile.NamedTemporaryFile() as file,
        av.open(file.name, "w", format=kind, container_options=dict(muxer or {})) as out,
    ):
        given = {"g": "10", **(options or {})}
        stream = out.add_stream(codec, rate=rate, options=given)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        for name, value in attributes.items():
            setattr(stream.codec_context, name, value)
        if turn:
            stream.set_display_rotation(turn)
        sound = out.add_stream(audio, rate=48000, layout="stereo") if audio else None
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(texture(*size, number), "rgb24")
            frame = frame.reformat(format=pix_fmt)
            frame.pts = (times or {}).get(number, number)
            frame.time_base = Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound is not None:
            _tone(out, sound, frames / rate)
        out.close()
        return Path(file.name).read_bytes()


def _tone(out: Any, sound: Any, seconds: float) -> None:
    count, total = sound.codec_context.frame_size or 1024, int(seconds * 48000)
    name = sound.codec_context.format.name
    resampler = av.AudioResampler(name, "stereo", 48000)
    for start in range(0, total, count):
        at = np.arange(start, min(total, start + count)) / 48000
        wave = np.stack([np.sin(at * 440 * 6.283)] * 2).astype(np.float32) * 0.2
        frame = av.AudioFrame.from_ndarray(wave, "fltp", "stereo")
        frame.sample_rate, frame.pts = 48000, start
        for piece in resampler.resample(frame):
            out.mux(sound.encode(piece))
    out.mux(sound.encode(None))


def sound(kind: str) -> bytes:
    """A file of the same kind without any picture."""
    memory = io.BytesIO()
    with av.open(memory, "w", format=kind) as out:
        stream = out.add_stream("aac", rate=48000, layout="stereo")
        _tone(out, stream, 0.3)
    return memory.getvalue()
