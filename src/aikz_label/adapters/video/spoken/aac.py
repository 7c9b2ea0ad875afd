"""AAC-LC in a film."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from aikz_label.adapters.audio.aac import coding as aac
from aikz_label.adapters.video.spoken.codings import Form, Overlapping, least_bits
from aikz_label.adapters.video.spoken.tracks import Unspoken
from aikz_label.errors import Refused
from aikz_label.notice.sound import Samples

_PAIR = 1  # the element of two channels; 0 is that of one
# Windows that begin as long ones do, and that end so.
_BEGIN_LONG, _END_LONG = frozenset({0, 1}), frozenset({0, 3})


class Aac(Overlapping):
    """Packets of 1024 samples, each half of which is laid over the one before."""

    step = aac.FRAME
    delay = aac.CODER_DELAY
    like: ClassVar[str] = "noise"

    def __init__(self, form: Form, *, fixed: bool = False) -> None:
        super().__init__(form, fixed=fixed)
        found = aac.Config.read(form.setup)
        if found is None:
            raise Unspoken("codec", "AAC without its configuration")
        try:
            found.check("film")
        except Refused as refused:
            raise Unspoken("codec", "AAC that is not of the profile LC") from refused
        if found.rate != form.rate:
            raise Unspoken("codec", "HE-AAC")
        self._config = found

    def encode(self, sound: Samples, packets: Sequence[bytes], count: int) -> list[bytes]:
        """See `Coding.encode`."""
        most = 6144 * self.form.rate // aac.FRAME * self.form.channels
        bits = min(max(self.bits(packets), least_bits(self.form.channels)), most)
        coder = self.coder("aac", "fltp", bits, {"aac_pns": "0"})
        made = aac.Config.read(coder.extradata())
        same = made and (made.kind, made.rate, made.channels) == (
            self._config.kind,
            self._config.rate,
            self._config.channels,
        )
        if not same:
            raise Unspoken("codec", "AAC of an unusual configuration")
        return self.aligned(coder, sound, count)

    def joins(self, new: Sequence[bytes], behind: bytes) -> bool:
        """Only long windows fit each other whatever the encoders thought."""
        return window(new[-1]) in _END_LONG and window(behind) in _BEGIN_LONG


def window(packet: bytes) -> int:
    """The kind of window of the first element (ISO/IEC 14496-3, 4.4.2); -1 where it begins with something else."""
    bits = int.from_bytes(packet[:4].ljust(4, b"\0"))
    element = bits >> 29
    if element == _PAIR and bits >> 24 & 1:
        return bits >> 21 & 3
    if element in {0, _PAIR}:  # each channel tells its own, behind its gain
        skip = 7 if element == 0 else 8
        return bits >> (32 - skip - 8 - 3) & 3
    return -1
