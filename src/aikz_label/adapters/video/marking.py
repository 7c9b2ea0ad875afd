"""The marker of a video."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from aikz_label import engine
from aikz_label.formats import Format
from aikz_label.trust import TrustList

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey


def read_marker(source: BinaryIO, row: Format, trust: tuple[TrustList, ...]) -> engine.Reading:
    """See `Adapter.read_marker`."""
    return engine.read(source, row.mime, trust)


def write_marker(
    source: BinaryIO,
    destination: BinaryIO,
    row: Format,
    manifest: dict[str, Any],
    key: SigningKey,
    parent: engine.Parent | None,
) -> None:
    """See `Adapter.write_marker`."""
    engine.sign(source, destination, row.mime, manifest, key, parent)


def confirm(painted: BinaryIO, signed: BinaryIO, row: Format) -> None:
    """See `Adapter.confirm`."""
