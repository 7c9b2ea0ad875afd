"""A silent frame of MPEG layer III that uses all its bytes up, so that nothing is left to those behind it.

A file that was cut out of a longer one begins with frames that take bytes from some that are not there: its decoder says
nothing until it has all that a frame needs. Behind a frame that leaves bytes over, it would take those and decode noise.
"""

from __future__ import annotations

from aikz_label.adapters.audio.mp3.mpeg import Head

_MOST = (1 << 12) - 1  # bits that a granule can have
# Behind how many bits it has: no large values, no gain, no scale factors, a long window, no tables; and of small values
# those of table B (ISO/IEC 11172-3), in which ones mean zeros. Whatever is more than that is stuffing.
_ZEROS = {3: 46, 2: 50, 0: 50}  # bits between them, by version


def frame(head: Head, kbits: int) -> bytes:
    """The frame.

    Args:
        head: Head of a frame of the file.
        kbits: Its rate; a lower one is taken where a frame of that rate has more bytes than can be used up.
    """
    channels, granules = (1 if head.mono else 2), (2 if head.version == 3 else 1)
    parts = channels * granules
    allowed = [k for k in head.all_kbits() if k <= max(kbits, head.all_kbits()[0])]
    for each in reversed(allowed):
        found = head.with_kbits(each)
        bits = (found.size - found.main) * 8
        if bits <= parts * _MOST:
            break
    before = head.side * 8 - parts * (12 + _ZEROS[head.version] + 1)
    side = "0" * before
    for part in range(parts):
        length = bits // parts + (part < bits % parts)
        side += f"{length:012b}" + "0" * _ZEROS[head.version] + "1"
    return found.stored + int(side, 2).to_bytes(head.side) + b"\xff" * (found.size - found.main)
