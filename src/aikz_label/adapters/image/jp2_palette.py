"""Palettes of JP2 files (ITU-T T.800, I.5.3.4 and I.5.3.5): one channel of indices, and a table of colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aikz_label.adapters.image.container import refuse_variant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aikz_label.adapters.image.j2k import Codestream
    from aikz_label.adapters.image.picture import Picture

_EIGHT_BITS = 7


def check(table: bytes, mapping: bytes, stream: Codestream) -> None:
    """Refuse all but the usual kind: every column of a table of bytes is a colour, or the last one opacity.

    Raises:
        Refused: It is another kind.
    """
    count, columns = _shape(table)
    usual = b"".join(b"\0\0\1" + bytes([column]) for column in range(columns))
    if (
        len(stream.components) != 1
        or columns not in {3, 4}
        or table[3 : 3 + columns] != bytes([_EIGHT_BITS]) * columns
        or not 0 < count <= 256
        or len(table) != 3 + columns + count * columns
        or mapping not in {usual, b""}
        or stream.components[0].depth > 8
    ):
        raise refuse_variant("JPEG 2000", "its palette is of a rare kind")


def _shape(table: bytes) -> tuple[int, int]:
    return int.from_bytes(table[:2]), table[2] if len(table) > 2 else 0


def picture(table: bytes, indices: NDArray[Any]) -> Picture:
    """The indices with their colours."""
    from PIL import Image  # noqa: PLC0415

    from aikz_label.adapters.image.picture import PillowPicture  # noqa: PLC0415

    count, columns = _shape(table)
    colours = table[3 + columns :]
    height, width = indices.shape[:2]
    image = Image.frombytes("P", (width, height), indices.tobytes())
    rows = [colours[i * columns : i * columns + columns] for i in range(count)]
    image.putpalette([level for row in rows for level in row[:3]])
    if columns == 4:
        image.info["transparency"] = bytes(row[3] for row in rows)
    return PillowPicture(image)


def stored(table: bytes, painted: Picture, stream: Codestream) -> tuple[NDArray[Any], bytes]:
    """A painted picture as indices and a table.

    Raises:
        Refused: It needs more colours than the indices have bits for.
    """
    import numpy as np  # noqa: PLC0415

    from aikz_label.adapters.image import palette  # noqa: PLC0415
    from aikz_label.adapters.image.picture import PillowPicture  # noqa: PLC0415

    assert isinstance(painted, PillowPicture)
    levels = painted.image.getpalette("RGB") or []
    count, columns = len(levels) // 3, _shape(table)[1]
    if count > 2 ** stream.components[0].depth:
        raise refuse_variant("JPEG 2000", "its palette has no room for black and white")
    opacities = palette.opacities(painted.image, count)
    rows = [bytes([*levels[3 * i : 3 * i + 3], opacities[i]][:columns]) for i in range(count)]
    if len(set(rows)) < count:
        raise refuse_variant(
            "JPEG 2000", "its palette has a colour twice, which some decoders read as a shorter one"
        )
    head = count.to_bytes(2) + table[2 : 3 + columns]
    return np.asarray(painted.image)[..., None], head + b"".join(rows)
