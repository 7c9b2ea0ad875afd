"""Sound: WAV, MP3, FLAC, M4A, Ogg, AIFF and ADTS. A notice goes before the programme, which stays as it is, bit by bit."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from aikz_label import engine, files
from aikz_label.adapters import Examined, MediaProblem, Order, Rendered
from aikz_label.adapters.audio import mirrors, pieces
from aikz_label.adapters.audio.container import SoundFile
from aikz_label.carriers import embedded, native
from aikz_label.carriers import room as rooms
from aikz_label.carriers.native import NativeCarrier
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.errors import Refused
from aikz_label.formats import Format
from aikz_label.label import Origin
from aikz_label.limits import NO_LIMITS, Limits
from aikz_label.profile import Profile
from aikz_label.report import Found, Measurement, Notice
from aikz_label.trust import TrustList

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey

_MULTIPLE = "claim.multiple"
_ANEW = {"needs-reencode", "notice-stays"}  # refusals that coding a sound anew can help
_MOST_PLACES = 8
_MOST_MIRRORS = 50


class AudioAdapter(NativeCarrier):
    """All sound files; the classes of containers know the formats."""

    notices = ("spoken",)

    def examine(self, source: BinaryIO, row: Format, limits: Limits, *, thorough: bool) -> Examined:
        """See `Adapter.examine`."""
        sound = _parse(source, row, limits, thorough=thorough)
        found = tuple(islice(mirrors.read(sound, limits), _MOST_MIRRORS))
        there = next(sound.markers(), None) is not None
        return Examined(found, there, (), *sound.unprotected())

    def read_marker(
        self, source: BinaryIO, row: Format, trust: tuple[TrustList, ...]
    ) -> engine.Reading:
        """See `Adapter.read_marker`; where a marker stands as we write it, no other parser looks at the file."""
        kind = _container(row.name)
        if not kind.embeds:
            return engine.Reading("absent")
        try:
            sound = _parse(source, row, NO_LIMITS, thorough=False)
        except MediaProblem:
            return engine.Reading("failed")
        places = list(islice(sound.markers(), _MOST_PLACES))
        if kind.room is SoundFile.room:
            return native.read(source, row, trust, (place.store or b"" for place in places))
        reading = embedded.read(places, _MULTIPLE, trust, source)
        if sound.native and embedded.MALFORMED in reading.codes:  # bound in another way than ours
            return super().read_marker(source, row, trust)
        return reading

    def render(
        self, source: BinaryIO, destination: BinaryIO, row: Format, order: Order
    ) -> Rendered:
        """See `Adapter.render`."""
        sound = _parse(source, row, order.limits, thorough=True)
        said: list[str] = []
        if order.notice == "none":
            _check_silent(sound)
            files.pour(pieces.blocks(sound.assemble((), order.label, said), source), destination)
            notice = Notice("none", profile=order.profile.id, reason=order.reason)
            return Rendered(notice, tuple(said), None)
        from aikz_label.adapters.audio import speaking  # noqa: PLC0415  # numpy and FFmpeg

        try:
            sound.check_variant()
            spoken = speaking.rendered(sound, destination, order, said)
        except Refused as refusal:
            if refusal.code not in _ANEW or not order.allow_reencode:
                raise
            from aikz_label.adapters.audio import recoding  # noqa: PLC0415

            said.clear()
            anew = recoding.rendered(sound, destination, order, said)
            if anew is None:
                raise
            spoken = anew
        return Rendered(spoken.notice, tuple(said), spoken)

    def check(
        self, painted: BinaryIO, row: Format, rendered: Rendered, order: Order
    ) -> Measurement | None:
        """See `Adapter.check`."""
        if rendered.reference is None:
            return None
        from aikz_label.adapters.audio import speaking  # noqa: PLC0415

        written = _parse(painted, row, NO_LIMITS, thorough=True)
        return speaking.check(rendered.reference, written, order.label.origin, order)

    def write_marker(
        self,
        source: BinaryIO,
        destination: BinaryIO,
        row: Format,
        manifest: dict[str, Any],
        key: SigningKey,
        parent: engine.Parent | None,
    ) -> None:
        """See `Adapter.write_marker`."""
        kind = _container(row.name)
        if not kind.embeds:
            raise NoCarrier
        if kind.room is SoundFile.room:
            super().write_marker(source, destination, row, manifest, key, parent)
            return
        room = _parse(source, row, NO_LIMITS, thorough=False).room()
        rooms.sign(room, destination, manifest, key, parent)

    def confirm(self, painted: BinaryIO, signed: BinaryIO, row: Format) -> None:
        """See `Adapter.confirm`: all parts that a marker leaves alone are the same."""
        before, after = (
            _parse(stream, row, NO_LIMITS, thorough=True) for stream in (painted, signed)
        )
        if next(after.markers(), None) is None or _digest(before) != _digest(after):
            raise Refused(
                "Signing changed more of this file than the marker.",
                code="content-changed",
                hint="Nothing was written. Re-save the file with another program and try again.",
            )

    def measure(
        self,
        source: BinaryIO,
        row: Format,
        notice: Notice,
        origin: Origin,
        profile: Profile,
        limits: Limits,
    ) -> Measurement:
        """See `Adapter.measure`."""
        from aikz_label.adapters.audio import speaking  # noqa: PLC0415

        sound = _parse(source, row, limits, thorough=False)
        return speaking.measure(sound, notice, origin, profile.sound)

    def search(
        self, source: BinaryIO, row: Format, profile: Profile, limits: Limits
    ) -> Found | None:
        """See `Searching.search`."""
        from aikz_label.adapters.audio import speaking  # noqa: PLC0415

        return speaking.search(_parse(source, row, limits, thorough=False), profile.sound)


ADAPTER = AudioAdapter()


@cache
def _container(name: str) -> type[SoundFile]:
    """The class of a format, imported when the first such file comes."""
    module, kind = {
        "wav": ("waves.wav", "Wav"),
        "mp3": ("mp3.container", "Mp3"),
        "m4a": ("m4a.container", "M4a"),
        "mka": ("mka.container", "Mka"),
        "aiff": ("waves.aiff", "Aiff"),
        "ogg": ("ogg.container", "Ogg"),
        "aac": ("aac.adts", "Adts"),
        "flac": ("flac.container", "Flac"),
    }[name]
    found: type[SoundFile] = getattr(import_module(f"{__name__}.{module}"), kind)
    return found


def mirrored(source: BinaryIO, row: Format, limits: Limits) -> bool:
    """Whether mirrors are written together with notices."""
    return _container(row.name).suited(source, limits).mirrored


def _parse(source: BinaryIO, row: Format, limits: Limits, *, thorough: bool) -> SoundFile:
    kind = _container(row.name).suited(source, limits)
    return kind.parse(source, limits, thorough=thorough)


def _check_silent(sound: SoundFile) -> None:
    """Refuse a sound that cannot get a marker alone either; nothing is coded anew for that, whatever people allow."""
    try:
        sound.check_variant()
    except Refused as refusal:
        if refusal.code != "needs-reencode":
            raise
        hint = "Convert it to WAV or FLAC and mark that; without a notice nothing is coded again."
        raise Refused(str(refusal), code=refusal.code, hint=hint) from refusal


def _digest(sound: SoundFile) -> bytes:
    hashed = hashlib.sha256()
    for block in pieces.blocks(sound.parts(), sound.source):
        hashed.update(block)
    return hashed.digest()
