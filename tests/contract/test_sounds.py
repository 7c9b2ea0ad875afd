"""Every row of the format table for sound keeps the adapter contract."""

from __future__ import annotations

import filmed_sounds as filmed
import sound_files
from aikz_label.testing import AdapterContract


class _Sound(AdapterContract):
    def sample(self) -> bytes:
        return sound_files.sample(self.format)

    def stripped(self, marked: bytes) -> bytes:
        return sound_files.remuxed(marked, self.format)


class TestWav(_Sound):
    format = "wav"


class TestMp3(_Sound):
    format = "mp3"


class TestFlac(_Sound):
    format = "flac"


class TestM4a(_Sound):
    format = "m4a"

    def changed(self, marked: bytes) -> bytes:
        """Another packet: what tells of the packets is at the end of the file."""
        at = marked.rindex(b"mdat") + 200
        return marked[:at] + bytes([marked[at] ^ 1]) + marked[at + 1 :]


class TestMka(_Sound):
    format = "mka"

    def sample(self) -> bytes:
        return filmed.made("matroska", "flac")

    def stripped(self, marked: bytes) -> bytes:  # a file without its marker is one made again
        return self.sample()


class TestAiff(_Sound):
    format = "aiff"
    sidecar = True


class TestAac(_Sound):
    format = "aac"
    sidecar = True


class TestOgg(_Sound):
    """Opus; FLAC and Vorbis in Ogg are in tests/unit/test_sound_ogg.py."""

    format = "ogg"
