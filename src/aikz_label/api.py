"""The two verbs, top to bottom.

    mark    sniff → examine → render notice and mirrors → decode, compare, measure → sign → confirm → verify → name it
    verify  sniff → read the marker → examine → measure if needed → judge

Nothing touches bytes after signing. Nothing that is not verified is ever left at the destination.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

from aikz_label import formats, limits, profile, rules
from aikz_label.adapters import Progress
from aikz_label.asked import (
    Moment,
    Trust,
    authority_for,
    believing,
    check_choice,
    open_signer,
    order_for,
    settings_of,
)
from aikz_label.carriers import sidecar as sidecars
from aikz_label.checking import verify_stream
from aikz_label.config import Config
from aikz_label.errors import SourceError, UsageError
from aikz_label.files import output
from aikz_label.joining import Believing
from aikz_label.label import Label
from aikz_label.limits import Limits
from aikz_label.report import Evidence, Report, message
from aikz_label.sources import Source, open_any
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey

__all__ = ["MarkResult", "mark", "open_signer", "verify"]

Destination: TypeAlias = "str | Path | BinaryIO | None"

_WARN_BEFORE_EXPIRY = timedelta(days=365)
_ON_EXISTING = ("refuse", "update", "replace")
_PAGES, _STAMP_AS = ("all", "first"), ("content", "annotation")
_WHEN_TOO_SMALL = ("refuse", "strip")
_SIDECAR = ("auto", "always", "never")
_VIDEO_MODES = ("full", "smart")


@dataclass(frozen=True, slots=True)
class MarkResult:
    """What `mark` did.

    Attributes:
        report: The report of the finished file, as `verify` gives it.
        path: Where it is; `None` when it was not written to a path.
        data: Its bytes when no destination was given; else `None`.
        warnings: What the caller should know, one English sentence each.
        sidecar: The bytes of its sidecar when it has one and was not written to a path; keep them with the file, under
            its name and `.c2pa`.
        sidecar_path: Where its sidecar is; `None` without one.
    """

    report: Report
    path: Path | None
    data: bytes | None
    warnings: tuple[str, ...]
    sidecar: bytes | None = None
    sidecar_path: Path | None = None


def mark(
    source: Source,
    destination: Destination,
    label: Label,
    *,
    languages: Sequence[str] | str = (),
    notice: str = "auto",
    notice_reason: str = "",
    when_too_small: str = "refuse",
    pages: str = "all",
    stamp_as: str = "content",
    profile_name: str = profile.DEFAULT,
    signer: str | SigningKey = "",
    tsa: str = "",
    tsa_failure: str = "",
    on_existing: str = "refuse",
    sidecar: str = "auto",
    overwrite: bool = False,
    as_format: str = "",
    allow_normalise: bool | str = False,
    password: str = "",
    allow_signed: bool = False,
    override_permissions: bool = False,
    video_mode: str = "full",
    allow_reencode: bool = False,
    spoken: bool = True,
    progress: Progress | None = None,
    config: str | Path | Config | None = None,
    caps: Limits = limits.DEFAULT,
) -> MarkResult:
    """Label a file: draw the notice, write the mirrors, sign the marker, check the result.

    The source is only read. The destination appears whole and verified, or not at all.

    Args:
        source: A path, bytes, a binary stream, or a PIL image straight from a generator.
        destination: A path, a writable binary stream, or `None` to get the bytes in the result. A PIL image takes its
            format from the destination's suffix, PNG without one.
        label: What is declared. `responsible` and `system` come from the configuration when it leaves them out.
        languages: Languages of the notice, in order; the configuration's or the profile's when empty.
        notice: `auto`; `data` to write it among the data of a table or a JSON object, which programs read; or `none` to
            leave the content as it is (the verdict then stays `incomplete`).
        notice_reason: Why there is no notice; needed with `none`, recorded in the marker.
        when_too_small: What to do with a picture on which no legible badge fits: `refuse` it, or put a `strip` below it,
            which makes it higher, and wider where it is too narrow for any letters. Animations always get one, since it
            hides nothing while they move; those too narrow only with `strip`.
        pages: Which pages of a PDF get the stamp: `all`, or only the `first`.
        stamp_as: How a page of a PDF carries it: in its `content`, or as an `annotation` above it, which leaves the content
            as it is and which viewers can hide.
        profile_name: Profile whose numbers the notice must reach.
        signer: Signer URI, or what `open_signer` opened; the configuration's when empty.
        tsa: Address of an authority for time-stamps (RFC 3161); the configuration's when empty, and `none` for none.
            It is asked over the network.
        tsa_failure: When there is no time-stamp to be had: `fail`, or `without` to mark without one, which the report
            then says; the configuration's when empty.
        on_existing: What to do with a file that carries a marker already: `refuse`, `update` (the input becomes the
            parent) or `replace` (the old marker is dropped).
        sidecar: Where the marker goes: `auto` into the file, or into a sidecar when its format has no place for one;
            `always` into a sidecar, for any file whatever; `never`, which refuses formats that would need one.
        overwrite: Replace an existing destination and its sidecar.
        as_format: What kind of text this is, where its lines do not tell: a format such as `csv`, a language such as
            `python`, or `name` when the file's name says so.
        video_mode: Where a film carries the notice: `full`, in every frame; or `smart`, in the first seconds, again every
            five minutes and at the end, so that all other frames are copied instead of coded anew.
        allow_reencode: Decode and code again as a whole what else would be refused, because packets of a notice cannot be
            put among its own: HE-AAC, Vorbis and others. The report then says from what to what.
        spoken: Whether a film whose label declares an imitated `voice` gets the notice spoken over the start of its sound
            too, if the configuration does not forbid it; the marker records when it does not.
        progress: Called with what is done and of how much, such as frames, while a film is coded.
        allow_normalise: Convert a text to composed UTF-8 (NFC), without which it cannot carry its marker; the name of its
            code page where it is not Unicode.
        password: Of an encrypted document, the user's or the owner's; it stays encrypted as it is.
        allow_signed: Label a document that people signed, by annotations that leave the signed bytes as they are; viewers
            will say that something was added. Without it, such a document is refused.
        override_permissions: Label an encrypted document although its owner does not allow changes.
        config: A configuration or the path of one; the user's own when `None`.
        caps: Limits while reading.

    Raises:
        Refused: This file cannot be marked without damage or doubt; nothing is written.
        UsageError: An argument cannot be right.
        SigningError: There is no usable signer.
        OSError: Reading or writing failed; nothing is left at the destination.
    """
    from aikz_label.marking import Job, mark_stream  # noqa: PLC0415  # verifying needs none of it
    from aikz_label.sources.text import Said  # noqa: PLC0415

    settings = settings_of(config)
    order = order_for(label, languages, notice, notice_reason, profile_name, settings, caps)
    check_choice("when_too_small", when_too_small, _WHEN_TOO_SMALL)
    check_choice("pages", pages, _PAGES)
    check_choice("stamp_as", stamp_as, _STAMP_AS)
    check_choice("on_existing", on_existing, _ON_EXISTING)
    check_choice("sidecar", sidecar, _SIDECAR)
    check_choice("video_mode", video_mode, _VIDEO_MODES)
    order = replace(
        order,
        when_too_small=when_too_small,
        pages=pages,
        stamp_as=stamp_as,
        allow_signed=allow_signed,
        override_permissions=override_permissions,
        video_mode=video_mode,
        allow_reencode=allow_reencode,
        spoken=spoken and order.spoken,
        progress=progress,
    )
    target = Path(destination) if isinstance(destination, str | Path) else None
    if target is None and destination is not None and not hasattr(destination, "write"):
        raise UsageError(f"Cannot write to {type(destination).__name__}.")
    said = Said(as_format, _name(source, target), allow_normalise, password)
    key = open_signer(signer, settings)
    key = key.stamped_by(authority_for(tsa, tsa_failure, settings))
    with ExitStack() as stack:
        # the destination outermost: it gets its name only after the source was found unchanged
        if target is None:
            signed: BinaryIO = io.BytesIO()
        else:
            output.check_not_source(_as_file(source), target)
            beside = sidecars.path_for(target)
            publish = stack.enter_context(output.companion(beside, target, overwrite=overwrite))
            signed = stack.enter_context(output.atomic_output(target, overwrite=overwrite))
        with open_any(source, caps, target) as given:
            stream, notes = said.converted(given, caps)
            believed = Believing(settings.trust)
            job = Job(stream, _beside(source), order, key, believed, on_existing, sidecar, said)
            done = mark_stream(job, signed)
        if target is not None:
            publish(done.store, signed)
    warnings = notes + done.warnings + _expiry_warning(key, done.report)
    warnings += _suffix_warning(target, done.report)
    data = None
    if isinstance(signed, io.BytesIO):
        data = signed.getvalue()
        if destination is not None:
            assert not isinstance(destination, str | Path)
            destination.write(data)
            data = None
    report = done.report.at(str(target or ""))
    if target is None or done.store is None:
        return MarkResult(report, target, data, warnings, done.store)
    beside = sidecars.path_for(target)
    warnings += (f"The marker is in {beside.name}: keep it beside the file.",)
    return MarkResult(report, target, data, warnings, sidecar_path=beside)


def verify(
    source: str | Path | bytes | BinaryIO,
    *,
    trust: Trust | None = None,
    at: Moment | None = None,
    ocsp: str = "",
    sidecar: bytes | str | Path | None = None,
    measure: bool = False,
    password: str = "",
    profile_name: str = profile.DEFAULT,
    config: str | Path | Config | None = None,
    caps: Limits = limits.DEFAULT,
) -> Report:
    """Say what a file declares and whether it holds. Offline, and content never raises.

    In-process: native decoders and the engine run in the caller's process and cannot be stopped from here. For uploads from
    strangers there is `verify_many`, which isolates every file.

    Args:
        source: A path, bytes or a binary stream.
        trust: PEM files, folders of them, or trust lists of any kind, instead of the configuration's.
        at: Check as of this time: certificates, time-stamps and revocation. A time with its zone, or ISO 8601 text; a
            date alone means its end, UTC.
        ocsp: URL of an OCSP responder to ask about the signer's certificate. Nothing else here uses a network.
        sidecar: The file's sidecar, as bytes or a path. Without one, it is looked for beside a path, as
            `<name.ext>.c2pa` and `<stem>.c2pa`; bytes and streams have nothing beside them.
        measure: Measure the notice even when a trusted signer attests it; where none is on record, search the whole
            picture for one.
        password: Of an encrypted document. Its marker is checked without; its notice is measured only with it.
        profile_name: Profile whose numbers the notice must reach.
        config: A configuration or the path of one; the user's own when `None`.
        caps: Limits while reading.

    Raises:
        SourceError: The path is not a regular file.
        OSError: The file cannot be opened.
        TrustError: A trust list does not hold.
        UsageError: No such profile, or a time or an address that cannot be right.
    """
    numbers = profile.load_profile(profile_name)
    lists = believing(trust, config, at, ocsp)
    try:
        with open_any(source, caps, None) as stream:
            beside = sidecars.given(sidecar) if sidecar is not None else _beside(source)
            report = verify_stream(
                stream, lists, numbers, caps, measure=measure, beside=beside, password=password
            )
    except SourceError as error:
        if error.code != "source-changed":
            raise
        report = rules.judge(Evidence(problem=message("unreadable.changed")), numbers)
    return report.at(str(source) if isinstance(source, str | Path) else "")


def _beside(source: Source) -> sidecars.Sidecar | None:
    return sidecars.find(Path(source)) if isinstance(source, str | Path) else None


def _name(source: Source, target: Path | None) -> str:
    return str(source) if isinstance(source, str | Path) else str(target or "")


def _as_file(source: Source) -> Path | BinaryIO:
    return Path(source) if isinstance(source, str) else cast("Path | BinaryIO", source)


def _suffix_warning(target: Path | None, report: Report) -> tuple[str, ...]:
    """The format is never changed, so a name can promise another one."""
    suffix = target.suffix.lower() if target else ""
    promised = next((row for row in formats.FORMATS.values() if suffix in row.suffixes), None)
    is_now = formats.FORMATS.get(report.format)
    if promised is None or is_now is None or suffix in is_now.suffixes:
        return ()
    if promised.family == is_now.family == "text":
        return ()  # whoever knows better has said so
    return (f"The file is {is_now.title}, although its name ends in {suffix}.",)


def _expiry_warning(key: SigningKey, report: Report) -> tuple[str, ...]:
    if report.marker.signed_at or key.expires - datetime.now(UTC) >= _WARN_BEFORE_EXPIRY:
        return ()
    end = f"{key.expires:%Y-%m-%d}"
    return (
        f"The certificate ends on {end}; this marker has no trusted time-stamp and turns invalid then.",
    )
