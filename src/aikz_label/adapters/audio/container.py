"""What every kind of sound file offers: it is taken apart without decoding it, and put together again with more in it."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Protocol, Self

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio.pieces import Piece
from aikz_label.carriers.embedded import Place
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.errors import Refused
from aikz_label.limits import Limits
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.adapters.audio.decoding import Samples
    from aikz_label.adapters.audio.recoders import Coding, Recoder
    from aikz_label.carriers.room import Room
    from aikz_label.label import Label


@dataclass(frozen=True, slots=True)
class Insert:
    """A notice, coded as the file is.

    Attributes:
        at: Before which sample of the programme it goes.
        length: How many samples per channel it takes.
        coded: What the file's own `encode` made of it.
        instead: How many samples of an older notice, which start there, it replaces.
    """

    at: int
    length: int
    coded: Any
    instead: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the metadata: its kind, its keyword and itself."""

    carrier: str
    keyword: str
    value: str


@dataclass(frozen=True, slots=True)
class Coded:
    """A notice as a file's own coding has it.

    Attributes:
        data: For the file's own `assemble`.
        length: How many samples per channel it takes.
    """

    data: Any
    length: int


class Witness(Protocol):
    """Sees all that a decoder makes of a file."""

    def see(self, native: Any) -> None:
        """Take the next samples as the decoder gives them, one row for each moment."""


class SoundFile(ABC):
    """A sound file. Its sound stays where it is, and is copied, never coded again.

    Attributes:
        demuxer: FFmpeg's name of the format: no other parser may touch the file.
        embeds: The file has a place for a marker; else there is a sidecar.
        mirrored: `assemble` writes mirrors; else the code of films does.
    """

    demuxer: ClassVar[str]
    embeds: ClassVar[bool] = True
    mirrored: ClassVar[bool] = True
    source: BinaryIO

    @property
    def native(self) -> bool:
        """Whether the C2PA engine finds markers of others in such files."""
        return False

    @property
    def exact(self) -> bool:
        """Whether what the decoder makes of the programme does not depend on what it decoded before, to the last bit."""
        return True

    @property
    @abstractmethod
    def rate(self) -> int:
        """Samples per second, as the file says."""

    @classmethod
    def suited(cls, source: BinaryIO, limits: Limits) -> type[SoundFile]:  # noqa: ARG003  # few formats store sound in two ways
        """The class of a very file."""
        return cls

    @classmethod
    @abstractmethod
    def parse(cls, source: BinaryIO, limits: Limits, *, thorough: bool) -> Self:
        """Take a file apart.

        Raises:
            MediaProblem: It is not what its first bytes promise.
        """

    @abstractmethod
    def check_variant(self) -> None:
        """Refuse the variants that would lose something.

        Raises:
            Refused: This one would.
            OnlyOver: A notice can be spoken over it, and not go before it.
        """

    def check_decoded(self, rate: int) -> None:  # noqa: B027  # few codecs hide something
        """Refuse a file whose decoder makes more samples than the file tells of.

        Raises:
            Refused: It does.
        """

    def witness(self) -> Witness | None:
        """What a file says of its own sound, worked out anew while somebody else decodes it; few files say anything."""
        return None

    def witnessed(self, found: Witness) -> None:  # noqa: B027
        """Take what a witness of this file found, before a notice is put in."""

    def sealed(self, found: Witness) -> None:  # noqa: B027
        """Write what a witness found into this file, which is finished but for that."""

    def markers(self) -> Iterator[Place]:
        """Every C2PA marker in the file; none where the code of films reads its container, see `filmed`."""
        return iter(())

    def texts(self) -> Iterator[Text]:
        """The texts of its metadata, as `markers`."""
        return iter(())

    def packets(self) -> Iterator[bytes]:
        """Every XMP packet."""
        return iter(())

    @abstractmethod
    def places(self, seconds: Sequence[float], total: int) -> tuple[int, ...]:
        """The places nearest to some moments at which a notice can be put in, in samples of the programme.

        A format that takes none but the first gives that alone.

        Args:
            seconds: The moments, the start first; the end can be among them.
            total: How many samples the programme has.
        """

    def holds(self, places: Sequence[tuple[int, int]]) -> bool:  # noqa: ARG002  # any moment will do where samples are stored one by one
        """Whether all these stretches of the programme, of which a stranger's marker may tell many, can be taken out."""
        return True

    @abstractmethod
    def encode(self, samples: Samples) -> Coded:
        """A notice in the file's own coding; silence fills up its last unit."""

    def joined(self, at: int, coded: Coded, instead: int = 0) -> Coded:  # noqa: ARG002  # for codecs that remember what came before
        """The same notice for one place, with whatever makes the programme go on behind it as before."""
        return coded

    @abstractmethod
    def assemble(self, inserts: Sequence[Insert], label: Label, said: list[str]) -> Iterable[Piece]:
        """The file with notices and mirrors, and without a marker.

        Args:
            inserts: The notices, in order.
            label: What the mirrors say.
            said: Takes what could not be written, one English sentence each.
        """

    def played(self, decoded: int, rate: int) -> int:  # noqa: ARG002  # few files tell what their decoder does not
        """How many of the samples that a decoder makes are to be heard."""
        return decoded

    def recoder(self, coding: Coding) -> Recoder | None:  # noqa: ARG002  # most take notices as they stand
        """What codes such sound anew, where notices cannot be put among its own packets; `None` where nothing does.

        Args:
            coding: How its sound is coded now.

        Raises:
            Refused: No encoder takes it.
        """
        return None

    def dressed(
        self,
        fresh: Self,
        total: int,
        inserts: Sequence[Insert],
        label: Label,
        said: list[str],
    ) -> Iterable[Piece]:
        """The file with sound that was coded anew, notices and all, in the place of its own.

        Args:
            fresh: What a `Recoder` wrote: the same format, without any metadata.
            total: How many samples are played.
            inserts: Where notices are in it.
            label: What the mirrors say.
            said: Takes what could not be written, one English sentence each.
        """
        raise NotImplementedError

    def same_packets(self, painted: Self, inserts: Sequence[Insert]) -> bool:  # noqa: ARG002  # for codecs that make noise up
        """Whether two files hold the same packets besides those of notices, where decoders make up noise for some."""
        return False

    def room(self) -> Room:
        """Where a marker goes.

        Raises:
            NoCarrier: There is no place for one.
        """
        raise NoCarrier

    def unprotected(self) -> tuple[str, bool]:
        """Digest of the bytes that a binding leaves out by specification, and whether padding among them is used."""
        return "", False

    def parts(self) -> Iterator[Piece]:
        """Everything in the file that a marker does not change, in order; as `markers`."""
        return iter(())


def size_of(source: BinaryIO, limits: Limits) -> int:
    """Size of a file that is read as it goes.

    Raises:
        MediaProblem: It is over the limit.
    """
    size = source.seek(0, io.SEEK_END)
    if size > limits.max_streamed:
        raise MediaProblem("over-limit", what_word="bytes", found=size, limit=limits.max_streamed)
    return size


class OnlyOver(Exception):  # as `MediaProblem`: it says what is there
    """A notice cannot go before the packets of a sound, but it can be spoken over the first of them.

    Args:
        title: Name of the format, for people.
        detail: What is in the way.
    """

    def __init__(self, title: str, detail: str) -> None:
        super().__init__(f"A notice cannot go before this kind of {title}: {detail}.")


def needs_recoding(title: str, detail: str) -> Refused:
    """The refusal of a sound that takes a notice only when all of it is decoded and coded again."""
    return Refused(
        f"A notice cannot be put into this {title} as it stands: {detail}.",
        code="needs-reencode",
        hint="Use --allow-reencode to have all of it decoded and coded again, or convert it to WAV or FLAC.",
    )


def refuse_variant(title: str, detail: str, hint: str = "") -> Refused:
    """The refusal for a kind of file that would lose something."""
    return Refused(
        f"This kind of {title} cannot be marked without loss: {detail}.",
        code="unsupported-variant",
        hint=hint or "Convert it to WAV or FLAC and mark that.",
    )
