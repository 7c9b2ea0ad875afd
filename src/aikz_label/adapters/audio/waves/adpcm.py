"""Compressed samples in WAV and AIFF that FFmpeg also encodes, and the length of their blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aikz_label.adapters.audio.container import refuse_variant
from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.audio.recoders import Coding, Muxed, Recoder, Sndfile

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of each codec: kind of samples that its encoder takes.
_FORMS: Mapping[str, str] = {
    "adpcm_ima_wav": "s16p",
    "adpcm_ms": "s16",
    "adpcm_yamaha": "s16",
    "adpcm_ima_qt": "s16p",
}
_CHANNELS = {"mono": 1, "1 channels": 1, "stereo": 2, "2 channels": 2}
_BLOCKS = {32 << shift for shift in range(9)}  # bytes that an encoder takes
_USUAL = 1024
_PACKED = 64  # samples of a packet of IMA in AIFF
_GSM_BLOCK = 320  # samples of a block of GSM in WAV


def recoder(title: str, container: str, coding: Coding, block: int) -> Recoder:
    """What codes such samples anew, in blocks of as many bytes where an encoder makes them.

    Raises:
        Refused: There is no encoder of them.
    """
    codec, channels = coding.codec, _CHANNELS.get(coding.layout, 0)
    if codec == "gsm_ms" and channels == 1:
        return Sndfile(coding.rate, 1, (container.upper(), "GSM610"), step=_GSM_BLOCK)
    form = _FORMS.get(codec)
    if form is None or not channels:
        raise refuse_variant(title, f"nothing here codes {coding.layout} sound in {codec}")
    layout = "mono" if channels == 1 else "stereo"
    bare = {"fflags": "+bitexact"}
    if codec == "adpcm_ima_qt":
        return Muxed(container, Coder(title, codec, coding.rate, layout, form), bare, step=_PACKED)
    size = block if block in _BLOCKS and block > 16 * channels else _USUAL
    step = {
        "adpcm_ima_wav": (size // channels - 4) * 2 + 1,
        "adpcm_ms": (size // channels - 7) * 2 + 2,
        "adpcm_yamaha": size * 2 // channels,
    }[codec]
    coder = Coder(title, codec, coding.rate, layout, form, options={"block_size": str(size)})
    return Muxed(container, coder, bare, step=step)
