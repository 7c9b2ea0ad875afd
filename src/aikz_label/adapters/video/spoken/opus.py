"""Opus in a film."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from aikz_label.adapters.audio.packed.opus import samples_of
from aikz_label.adapters.video.spoken.codings import Form, Overlapping
from aikz_label.adapters.video.spoken.tracks import Unspoken
from aikz_label.notice.sound import Samples

_RATE = 48_000
_HEAD = b"OpusHead"
_SPEECH = 12  # configurations below code speech alone
_MILLISECONDS = {120: "2.5", 240: "5", 480: "10", 960: "20", 1920: "40", 2880: "60"}


class Opus(Overlapping):
    """Packets that are all of one length, as most are."""

    delay = 312
    settles: ClassVar[int] = 8

    def __init__(self, form: Form, *, fixed: bool = False) -> None:
        super().__init__(form, fixed=fixed)
        self._head = form.setup
        if not self._head.startswith(_HEAD) or len(self._head) < 19 or form.rate != _RATE:
            raise Unspoken("codec", "Opus without its head")

    def samples_of(self, packet: bytes) -> int:
        """See `Coding.samples_of`."""
        return samples_of(packet)

    def encode(self, sound: Samples, packets: Sequence[bytes], count: int) -> list[bytes]:
        """See `Coding.encode`."""
        lengths = set(map(samples_of, packets))
        self.step = lengths.pop()
        if lengths or self.step not in _MILLISECONDS:
            raise Unspoken("codec", "Opus whose packets are of several lengths")
        channels = self.form.channels
        bits = min(
            max(self.bits(packets), 48_000 * (channels + 1) // 2), 128_000 * (channels + 1) // 2
        )
        speech = packets[-1][0] >> 3 < _SPEECH
        options = {
            "application": "voip" if speech else "audio",
            "frame_duration": _MILLISECONDS[self.step],
            "vbr": "on",
        }
        if self._head[18]:
            options["mapping_family"] = str(self._head[18])
        coder = self.coder("libopus", "flt", bits, options)
        if self._head[18] and coder.extradata()[18:] != self._head[18:]:
            raise Unspoken("codec", "Opus that is put together in an unusual way")
        gain = 10 ** (int.from_bytes(self._head[16:18], "little", signed=True) / 256 / 20)
        return self.aligned(coder, (sound / np.float32(gain)).astype(np.float32), count)
