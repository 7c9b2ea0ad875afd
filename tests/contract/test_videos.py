"""Every row of the format table for video keeps the adapter contract."""

from __future__ import annotations

import video_files
from aikz_label.testing import AdapterContract


class _Video(AdapterContract):
    """A film with sound."""

    def sample(self) -> bytes:
        return video_files.film("mp4", audio="aac", frames=8)

    def stripped(self, marked: bytes) -> bytes:  # a film without its marker is one made again
        return self.sample()


class TestMp4(_Video):
    format = "mp4"


class Test3gp(_Video):
    format = "3gp"

    def sample(self) -> bytes:
        return video_files.film("3gp", audio="aac", frames=8)


class TestMov(_Video):
    format = "mov"

    def sample(self) -> bytes:
        return video_files.film("mov", audio="aac", frames=8)
