"""The carrier that the C2PA engine reads and writes itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

from aikz_label import engine
from aikz_label.formats import Format
from aikz_label.manifest import jumbf
from aikz_label.trust import TrustList

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey


def read(
    source: BinaryIO, row: Format, trust: tuple[TrustList, ...], stores: Iterable[bytes]
) -> engine.Reading:
    """Read and validate the marker in a file; the engine gets none with a store whose lengths lie.

    Args:
        source: The file.
        row: Its format.
        trust: Lists whose roots are believed.
        stores: Every store that its adapter found in it.
    """
    found = tuple(stores)
    if not all(map(jumbf.lengths_fit, found)):
        return engine.Reading("invalid", "damaged", codes=("jumbf.length",))
    return engine.read(source, row.mime, trust, found=found)


class NativeCarrier:
    """The two marker methods of an adapter whose formats the engine handles well."""

    def read_marker(
        self, source: BinaryIO, row: Format, trust: tuple[TrustList, ...]
    ) -> engine.Reading:
        """Read and validate the marker in the file."""
        return engine.read(source, row.mime, trust)

    def write_marker(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        row: Format,
        manifest: dict[str, Any],
        key: SigningKey,
        parent: engine.Parent | None,
    ) -> None:
        """Sign `source` into `destination`."""
        engine.sign(source, destination, row.mime, manifest, key, parent)
