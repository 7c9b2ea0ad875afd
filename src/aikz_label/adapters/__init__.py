"""Adapters: one per media family, all with the same seven methods and one that may be missing.

An adapter knows how its formats are built, nothing about law or trust. It returns facts; it never judges. Bytes that
cannot be what they claim raise `MediaProblem`, which `verify` turns into `unreadable` and `mark` into a refusal.

`mark` calls `read_marker`, `examine`, `render`, `check`, `write_marker` and `confirm`. `verify` calls `read_marker`,
`examine` and, when needed, `measure`; on request also `search`, where an adapter has it (see `Searching`). Streams are
seekable and are rewound by whoever reads them; a source is never written or closed. `aikz_label.testing.AdapterContract`
tests every promise made here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias, runtime_checkable

from aikz_label.engine import Parent, Reading
from aikz_label.formats import Format
from aikz_label.label import Label, Origin
from aikz_label.limits import Limits
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Message, Mirror, Notice, message
from aikz_label.trust import TrustList
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey


Progress: TypeAlias = Callable[[int, int], None]
"""Called with what is done and of how much, such as frames."""


class MediaProblem(Exception):
    """The content cannot be handled; `message` says why, in a code of the group `unreadable`."""

    def __init__(self, code: str, **args: object) -> None:
        super().__init__(code)
        self.message: Message = message(f"unreadable.{code}", **args)


@dataclass(frozen=True, slots=True)
class Order:
    """What to render.

    Attributes:
        label: What is declared; goes into the mirrors.
        languages: Languages of the notice, in order.
        profile: Numbers the notice must reach.
        notice: `auto`, `data` (among the data, where only programs read), or `none` to leave the content as it is.
        reason: Why there is no notice.
        limits: Caps while reading.
        when_too_small: `refuse` a picture on which no legible badge fits, or put a `strip` below it.
        previous: Placements of a notice that the input carries already; the new one takes their place.
        voices: The user's own recordings for spoken notices: paths by the name of the clip they replace.
        pages: Which pages of a document carry the notice: `all`, or only the `first`.
        stamp_as: How they carry it: in their `content`, or as an `annotation` above it.
        allow_signed: A document that people signed may get annotations.
        override_permissions: A document may be changed although its owner does not allow that.
        video_mode: `full` puts the notice into every frame of a film; `smart` only into the promised stretches.
        allow_reencode: A sound that takes no packets of a notice may be decoded and coded again as a whole.
        spoken: A film whose label declares an imitated voice gets the notice spoken over its sound too.
        progress: Told of long work.
    """

    label: Label
    languages: tuple[str, ...]
    profile: Profile
    notice: str
    reason: str
    limits: Limits
    when_too_small: str = "refuse"
    previous: tuple[Mapping[str, Any], ...] = ()
    voices: tuple[tuple[str, Path], ...] = ()
    pages: str = "all"
    stamp_as: str = "content"
    allow_signed: bool = False
    override_permissions: bool = False
    video_mode: str = "full"
    allow_reencode: bool = False
    spoken: bool = True
    progress: Progress | None = None

    def told(self, total: int) -> Callable[[int], None]:
        """What to call with the number of frames that are done, of so many."""
        progress = self.progress
        return (lambda done: progress(done, total)) if progress else (lambda _: None)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What `render` did.

    Attributes:
        notice: The notice as recorded, still without figures.
        warnings: What could not be written, one English sentence each.
        reference: The adapter's own note for `check`; nobody else looks into it.
    """

    notice: Notice
    warnings: tuple[str, ...]
    reference: Any


@dataclass(frozen=True, slots=True)
class Examined:
    """What the container says without its marker being validated.

    Attributes:
        mirrors: Unsigned statements.
        has_marker: Bytes of a C2PA marker are there, whole or not.
        figures: What the container itself says of figures that a notice is measured by, such as `short_side_px`; it
            overrules what a marker attests.
        unprotected: SHA-256, in hexadecimal, of the bytes that the marker's binding leaves out by specification; empty
            when it leaves out none. Signing must not change them.
        padding_used: Among those bytes, padding that should be empty holds something.
        decoded: This looked at the content itself, and not only at its structure.
        locked: What people would see is encrypted.
    """

    mirrors: tuple[Mirror, ...] = ()
    has_marker: bool = False
    figures: tuple[tuple[str, float], ...] = ()
    unprotected: str = ""
    padding_used: bool = False
    decoded: bool = False
    locked: bool = False


class Adapter(Protocol):
    """The seven methods; stateless, safe to share between threads.

    Attributes:
        notices: Kinds of notice that files of this family can carry.
    """

    notices: tuple[str, ...]

    def examine(self, source: BinaryIO, row: Format, limits: Limits, *, thorough: bool) -> Examined:
        """Walk the container and read the mirrors; cheap, decodes no content.

        Args:
            source: The file.
            row: Its format.
            limits: Caps.
            thorough: Also follow the structure to its end, so that a cut file is noticed.

        Raises:
            MediaProblem: Damaged, over a limit, or a variant that is not handled.
        """

    def render(
        self, source: BinaryIO, destination: BinaryIO, row: Format, order: Order
    ) -> Rendered:
        """Write the file with notice and mirrors and without any old marker; keep everything else.

        Raises:
            MediaProblem: As for `examine`, or the content cannot be decoded.
            Refused: It cannot be done without loss, or the notice would not be perceivable.
        """

    def check(
        self, painted: BinaryIO, row: Format, rendered: Rendered, order: Order
    ) -> Measurement | None:
        """Decode what `render` wrote, compare it with the source outside the notice, and measure the notice.

        Returns:
            The measurement, or `None` when no notice was asked for.

        Raises:
            Refused: Content outside the notice changed more than the format makes inevitable.
        """

    def confirm(self, painted: BinaryIO, signed: BinaryIO, row: Format) -> None:
        """Make sure that signing added the marker and changed nothing else.

        Raises:
            Refused: It did.
        """

    def measure(
        self,
        source: BinaryIO,
        row: Format,
        notice: Notice,
        origin: Origin,
        profile: Profile,
        limits: Limits,
    ) -> Measurement:
        """Measure the notice that a record describes; an unusable record gives the state `unknown`.

        Raises:
            MediaProblem: The content cannot be decoded.
        """

    def read_marker(self, source: BinaryIO, row: Format, trust: tuple[TrustList, ...]) -> Reading:
        """Read and validate the marker from this format's carrier."""

    def write_marker(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        row: Format,
        manifest: dict[str, Any],
        key: SigningKey,
        parent: Parent | None,
    ) -> None:
        """Sign `source` into `destination` with this format's carrier.

        Raises:
            Refused: The carrier cannot be written into this file.
            SigningError: The key or certificate is not accepted.
        """


@runtime_checkable
class Searching(Protocol):
    """What an adapter may offer besides: an optional eighth method."""

    def search(
        self, source: BinaryIO, row: Format, profile: Profile, limits: Limits
    ) -> Found | None:
        """Search the whole content for a notice of ours that nobody recorded.

        The work is bounded. A search that was given up gives a `Found` with the state `unknown`.

        Returns:
            The notice, or `None` when there is none that can be found.

        Raises:
            MediaProblem: The content cannot be decoded.
        """
