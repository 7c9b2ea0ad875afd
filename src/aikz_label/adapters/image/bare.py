"""What containers share whose formats have no place for a marker, or for anything but pixels."""

from __future__ import annotations

from collections.abc import Iterator

from aikz_label.adapters.image.container import Container, Tags


class Unmarked(Container):
    """A format without a place for a marker: it gets a sidecar, bound to the whole file."""

    embeds = False

    @property
    def has_marker(self) -> bool:
        """There is no place for one."""
        return False

    def stores(self) -> Iterator[bytes]:
        """There is no place for one."""
        yield from ()

    def parts(self) -> Iterator[bytes]:
        """The whole file."""
        yield self.data


class Bare(Unmarked):
    """A format without a place for metadata either."""

    @property
    def xmp(self) -> None:
        """There is no place for it."""
        return

    @property
    def exif(self) -> None:
        """There is no place for it."""
        return

    def with_tags(self, tags: Tags) -> bytes:  # noqa: ARG002  # no place
        """The file as it is."""
        return bytes(self.data)
