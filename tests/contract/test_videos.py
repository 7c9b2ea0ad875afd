"""Every row of the format table for video keeps the adapter contract."""

from __future__ import annotations

from functools import cache

import video_files
from aikz_label.testing import AdapterContract


@cache
def _film(kind: str, codec: str, audio: str) -> bytes:
    """Made once: Matroska gives every file a number of its own."""
    return video_files.film(kind, codec, audio=audio, size=(240, 136), frames=6)


class _Video(AdapterContract):
    """A film with sound."""

    def sample(self) -> bytes:
        return _film("mp4", "libx264", "aac")

    def stripped(self, marked: bytes) -> bytes:  # a film without its marker is one made again
        return self.sample()


class TestMp4(_Video):
    format = "mp4"


class Test3gp(_Video):
    format = "3gp"

    def sample(self) -> bytes:
        return _film("3gp", "libx264", "aac")


class TestMov(_Video):
    format = "mov"

    def sample(self) -> bytes:
        return _film("mov", "libx264", "aac")


class TestAvi(_Video):
    """Frames come without times, and the encoder's headers stand in the frames."""

    format = "avi"

    def sample(self) -> bytes:
        return _film("avi", "mpeg4", "libmp3lame")


class TestMkv(_Video):
    format = "mkv"

    def sample(self) -> bytes:
        return _film("matroska", "libx264", "aac")


class TestWebM(_Video):
    format = "webm"

    def sample(self) -> bytes:
        return _film("webm", "libvpx", "libopus")
