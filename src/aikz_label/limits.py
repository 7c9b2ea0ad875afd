"""How much of a hostile file is read before the answer is "over a limit"."""

from __future__ import annotations

from aikz_label.values import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps for one file; reaching one gives `unreadable` (verify) or a refusal (mark).

    Sources: `max_pixels` is the project's cap for uploads; Pillow's own bomb error is three times as high. The others
    bound what a picture's metadata may cost: the largest packet of the reference corpora is below a tenth of each.

    Attributes:
        max_bytes: Size of a file that is read whole, in bytes.
        max_pixels: Width times height of a picture.
        max_parts: Segments or chunks walked in one container.
        max_shown: Width times height times frames of an animation that is marked: all of them may have to be shown once to
            find a strip in each, which takes about a second for a tenth of the default.
        max_xmp: Size of an XMP packet that is parsed, in bytes.
        max_text: Size of a text that is decoded, in bytes; in memory it takes up to ten times that.
    """

    max_bytes: int = 512 * MIB
    max_pixels: int = 60_000_000
    max_parts: int = 100_000
    max_shown: int = 2_000_000_000
    max_xmp: int = MIB
    max_text: int = 64 * MIB

    @property
    def max_streamed(self) -> int:
        """Size of a file that is read as it goes, a block at a time, such as hours of sound, in bytes."""
        return 64 * self.max_bytes


DEFAULT = Limits()
NO_LIMITS = Limits(*(2**62,) * 6)  # for what we wrote ourselves
