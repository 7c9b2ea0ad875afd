"""The marker of TIFF and DNG: tag 0xCD41 of the last page's directory (C2PA 2.4, A.3), appended.

The C2PA engine reads it well but writes it badly: of a file with several pages it makes one that other programs do not
open, and some layouts abort the interpreter. Here the file stays as it is, byte by byte, but for the pointer to its last
directory; the marker, and that directory with one tag more, follow at the end.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from aikz_label import engine
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.errors import Refused
from aikz_label.metadata import ifd
from aikz_label.metadata.ifd_editor import Editor

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey

_GUESS = 4096  # bytes of a marker, before its own length is known
_ROUNDS = 8  # until the hole fits; the first usually does


def write(
    source: BinaryIO,
    destination: BinaryIO,
    manifest: dict[str, Any],
    key: SigningKey,
    parent: engine.Parent | None,
) -> None:
    """Sign `source`, which holds no marker, into `destination`.

    Raises:
        NoCarrier: The engine would not find the marker in this file; it gets a sidecar.
        Refused: The marker cannot be made.
        SigningError: The key or certificate is not accepted.
    """
    source.seek(0)
    tiff = ifd.Tiff.read(source.read())
    if not _engine_reads(tiff):
        raise NoCarrier
    # how long a marker is depends on what it says, but for the digest: the first one only tells the length
    length = len(_signed(manifest, len(tiff.data), _GUESS, bytes(32), key, parent))
    for _ in range(_ROUNDS):
        editor = Editor(tiff)
        editor.change(tiff.pages[-1], {ifd.C2PA: (ifd.UNDEFINED, length, bytes(length))})
        data = memoryview(editor.buffer)  # a copy of a large picture would be one too many
        hole = ifd.Tiff.read(cast("bytes", editor.buffer)).pages[-1].get(ifd.C2PA)
        assert hole is not None
        before, after = data[: hole.at], data[hole.at + length :]
        digest = hashlib.sha256(before)
        digest.update(after)
        store = _signed(manifest, hole.at, length, digest.digest(), key, parent)
        if len(store) == length:
            destination.writelines((before, store, after))
            return
        length = len(store)
    raise Refused(
        "The marker's length does not settle.",
        code="engine-cannot-sign",
        hint="Please report this with the file.",
    )


def _signed(
    manifest: dict[str, Any],
    start: int,
    length: int,
    digest: bytes,
    key: SigningKey,
    parent: engine.Parent | None,
) -> bytes:
    """A marker bound to everything but its own place."""
    binding = {
        "exclusions": [{"start": start, "length": length}],
        "alg": "sha256",
        "hash": list(digest),
        "name": "jumbf manifest",
        "pad": [],
    }
    bound = {"label": "c2pa.hash.data", "created": True, "data": binding}
    whole = {**manifest, "assertions": [*manifest["assertions"], bound]}
    return engine.sign_detached(whole, key, parent)


def _engine_reads(tiff: ifd.Tiff) -> bool:
    """Whether the engine (0.91) finds its way: it takes offsets of BigTIFF's inner directories for 32 bits."""
    return not (tiff.big and any(page.get(ifd.SUBDIRECTORIES) for page in tiff.pages))
