"""PCM, FLAC and ALAC in a film: what is not under the notice stays the same to the last bit."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.audio.flac import coding as flac_coding
from aikz_label.adapters.audio.waves import pcm
from aikz_label.adapters.video.spoken.codings import Coding, Form
from aikz_label.adapters.video.spoken.tracks import Unspoken
from aikz_label.notice.sound import Samples

_MOMENTS = 1024  # of what is called a packet of PCM here
_NAMES = re.compile(r"pcm_([suf])(8|16|24|32|64)(le|be)?")
_KINDS = {"s": pcm.SIGNED, "u": pcm.UNSIGNED, "f": pcm.FLOAT}
_LAWS = {"pcm_alaw": pcm.A_LAW, "pcm_mulaw": pcm.MU_LAW}
_HEAD = 34  # bytes of `STREAMINFO`


class Pcm(Coding):
    """Samples that are stored one by one."""

    def __init__(self, form: Form, *, fixed: bool = False) -> None:
        super().__init__(form, fixed=fixed)
        found = _NAMES.fullmatch(form.codec)
        if form.codec in _LAWS:
            self._stored = pcm.Coding(_LAWS[form.codec], 1, 8)
        elif found is not None:
            bits = int(found[2])
            kind = _KINDS[found[1]]
            self._stored = pcm.Coding(kind, bits // 8, bits, big=found[3] == "be")
        else:
            raise Unspoken("codec", f"samples stored as {form.codec}")

    def samples_of(self, packet: bytes) -> int:
        """See `Coding.samples_of`."""
        return len(packet) // (self._stored.width * self.form.channels)

    def packets(self, pieces: Sequence[bytes]) -> list[bytes]:
        """See `Coding.packets`."""
        step = _MOMENTS * self._stored.width * self.form.channels
        stream = b"".join(pieces)
        return [stream[at : at + step] for at in range(0, len(stream), step)]

    def encode(self, sound: Samples, packets: Sequence[bytes], count: int) -> list[bytes]:
        """See `Coding.encode`."""
        length = sum(map(self.samples_of, packets[:count]))
        whole = self._stored.kind in {pcm.SIGNED, pcm.UNSIGNED}
        scaled = unscaled(sound[:, :length], self._stored.bits) if whole else sound[:, :length]
        return self.packets([self._stored.encode(scaled)])


class Alac(Coding):
    """Apple's lossless coding."""

    def __init__(self, form: Form, *, fixed: bool = False) -> None:
        super().__init__(form, fixed=fixed)
        cookie = form.setup[12:36]
        usual = len(cookie) == 24 and tuple(cookie[6:9]) == (40, 10, 14)
        self._depth = cookie[5] if usual else 0
        self._step = int.from_bytes(cookie[:4])
        if self._step != 4096 or self._depth not in {16, 24} or form.channels > 2:
            raise Unspoken("codec", "ALAC of an unusual kind")

    def samples_of(self, packet: bytes) -> int:
        """See `Coding.samples_of`: the last packet may be shorter, and is never asked about."""
        return self._step if packet else 0

    def encode(self, sound: Samples, packets: Sequence[bytes], count: int) -> list[bytes]:  # noqa: ARG002
        """See `Coding.encode`."""
        kind = "s16p" if self._depth == 16 else "s32p"
        coder = Coder("film", "alac", self.form.rate, self.form.layout, kind)
        width = 16 if self._depth == 16 else 32
        part = unscaled(sound[:, : count * self._step], width)
        return list(coder.packets(part))[:count]


class Flac(Coding):
    """FLAC: each new frame has the number, the length and the depth of the old one."""

    def __init__(self, form: Form, *, fixed: bool = False) -> None:
        super().__init__(form, fixed=fixed)
        head = form.setup
        if len(head) < _HEAD:
            raise Unspoken("codec", "FLAC without its description")
        self._depth = ((head[12] & 1) << 4 | head[13] >> 4) + 1
        if self._depth > 24:
            raise Unspoken("codec", f"FLAC of {self._depth} bits")

    def samples_of(self, packet: bytes) -> int:
        """See `Coding.samples_of`."""
        length = flac_coding.head_length(packet)
        code = packet[2] >> 4 if length else 0
        if code in {6, 7}:
            _, width = flac_coding.read_number(packet)
            return int.from_bytes(packet[4 + width : 4 + width + code - 5]) + 1
        if code == 1:
            return 192
        return 576 << code - 2 if 2 <= code <= 5 else 256 << code - 8 if code else 0

    def encode(self, sound: Samples, packets: Sequence[bytes], count: int) -> list[bytes]:
        """See `Coding.encode`."""
        top = 2 ** (self._depth - 1)
        whole = np.clip(np.rint(sound.astype(np.float64) * top), -top, top - 1).astype(np.int64)
        made, at = [], 0
        for packet in packets[:count]:
            length = self.samples_of(packet)
            number, _ = flac_coding.read_number(packet)
            variable = bool(packet[1] & 1)
            part = whole[:, at : at + length]
            made.append(flac_coding.frame(part, self._depth, number, packet, variable=variable))
            at += length
        return made

    def described(self) -> bytes:
        """See `Coding.described`: without what was counted of the old frames, which may be unknown."""
        head = self.form.setup
        return head[:4] + bytes(6) + head[10:18] + bytes(16) + head[_HEAD:]


def unscaled(sound: Samples, bits: int) -> Samples:
    """Samples for encoders that make whole numbers of less than all of them: so they give back what was decoded."""
    top = 2.0 ** (bits - 1)
    return np.asarray(sound.astype(np.float64) * (top / (top - 1)), np.float64)
