"""The C2PA engine: the only module that imports `c2pa`.

It signs, reads and validates; its exceptions never leave. Measured behaviour this relies on (c2pa-python 0.38.1):

* the default context fetches remote manifests and OCSP answers, so three switches turn the network off;
* default thumbnails cost ten times the signing and can abort the interpreter, so they are off;
* the engine's own word `Valid` means "intact, signed by anybody"; only `Trusted` is trusted;
* a damaged marker often surfaces as an exception rather than as `Invalid`;
* a context does not survive a fork, so contexts are kept per process.
"""

from __future__ import annotations

import io
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import c2pa  # noqa: TID251  # this is the one module that may

from aikz_label.errors import EngineError, LabelError, Refused, SigningError
from aikz_label.manifest import known
from aikz_label.manifest.binding import Binding, binding_in, binding_of, is_whole, without_file
from aikz_label.manifest.known import Belief, Signed
from aikz_label.manifest.reading import TRUST_URI, Reading, from_store
from aikz_label.trust import TrustKind, TrustList, of_kind
from aikz_label.trust.certificates import CLAIM_SIGNING, EMAIL_PROTECTION, span
from aikz_label.values import dataclass, replace

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey
    from aikz_label.trust.timestamping import Authority

__all__ = [
    "ANY",
    "FLOOR",
    "Parent",
    "Reading",
    "read",
    "read_unbound",
    "sign",
    "sign_detached",
    "version",
]

# Older native libraries verify signatures wrongly: CVE-2026-95633, CVE-2026-103294, CVE-2026-100119.
FLOOR = (0, 91, 1)
ANY = "application/octet-stream"  # keeps the engine from looking into a file
# Types by the name that the engine knows its reader and writer of the same structure by.
_KNOWN_AS = {"video/3gpp": "video/mp4", "video/x-msvideo": "video/avi"}


@dataclass(frozen=True, slots=True)
class Parent:
    """A marked file that another one is made from; becomes its parent ingredient.

    Attributes:
        source: The file, seekable.
        mime: Canonical media type; of any bytes when the engine is not to look for a marker in it.
        label: Identifier under which the definition's actions name it.
        reading: Its marker as it was read; taken from there where the engine does not find it in the file.
    """

    source: BinaryIO
    mime: str
    label: str
    reading: Reading


def version() -> str:
    """Version of the native library.

    Raises:
        EngineError: It is older than the floor.
    """
    text: str = c2pa.sdk_version()
    numbers = tuple(int(part) for part in text.partition("-")[0].split(".")[:3] if part.isdigit())
    if numbers < FLOOR:
        raise EngineError(
            f"The C2PA engine {text} is too old: it accepts signatures that are not valid.",
            code="engine-too-old",
            hint="pip install --upgrade 'c2pa-python>=0.38.1,<0.39'",
        )
    return text


def read(
    source: BinaryIO,
    mime: str,
    trust: tuple[TrustList, ...],
    store: bytes | None = None,
    *,
    found: Sequence[bytes] = (),
) -> Reading:
    """Read and validate the marker of a file; never raises on content.

    Args:
        source: Seekable stream at any position.
        mime: Canonical media type of the bytes.
        trust: Lists whose roots are believed.
        store: A marker from outside the file; one inside is then not looked at.
        found: Every store that the caller found in the file. The engine looks for itself; but it need not look up a
            signer whom it has believed before.
    """
    signed = known.read(found[0]) if store is None and len(found) == 1 else None
    belief = known.recall(trust, signed) if signed is not None else None
    if signed is not None and belief is not None:
        reading = _read_known(source, mime, trust, signed, belief)
        if reading is not None:
            return reading
    details: dict[str, Any] = {}
    try:
        with _reader(source, mime, store, _context(os.getpid(), trust)) as reader:
            said = json.loads(reader.json())
            whole = _store(reader, said)
            same = signed if signed is not None and signed.store == whole else None
            if same is not None:
                known.remember(trust, same, said, span)
            reading = from_store(said, whole, same and same.signature)
            if reading.problem == "exclusion":
                details = json.loads(reader.detailed_json())
    except c2pa.C2paError as error:
        return _from_error(error)
    except (ValueError, RecursionError) as error:  # JSON that is none
        return Reading("invalid", "damaged", codes=(type(error).__name__,))
    if reading.problem == "exclusion":  # which the engine says before it compares a byte
        binding = binding_of(details)
        if binding is None or not binding.fits(source):
            return replace(reading, problem="altered")
    return reading


def _read_known(
    source: BinaryIO, mime: str, trust: tuple[TrustList, ...], signed: Signed, belief: Belief
) -> Reading | None:
    """The same without a look at the lists; `None` where the answer would not be the same."""
    try:
        with _reader(source, mime, None, _context(os.getpid(), trust, look_up=False)) as reader:
            said = json.loads(reader.json())
            if _store(reader, said) != signed.store:
                return None
    except (c2pa.C2paError, ValueError, RecursionError):
        return None
    whole = known.completed(said, signed, belief)
    if whole is None:
        return None
    reading = from_store(whole, signed.store, signed.signature)
    return reading if reading.problem != "exclusion" else None


@contextmanager
def _reader(
    source: BinaryIO, mime: str, store: bytes | None, context: c2pa.Context
) -> Iterator[c2pa.Reader]:
    source.seek(0)
    with (
        _signals_wait(),
        c2pa.Reader(
            _KNOWN_AS.get(mime, mime), source, manifest_data=store, context=context
        ) as reader,
    ):
        yield reader


def _store(reader: c2pa.Reader, found: dict[str, Any]) -> bytes:
    """The C2PA store as the engine read it, from whatever carrier; empty when it gives none."""
    store = io.BytesIO()
    try:
        reader.resource_to_stream(f"self#jumbf=/c2pa/{found.get('active_manifest')}", store)
    except c2pa.C2paError:
        return b""
    return store.getvalue()


def read_unbound(store: bytes, trust: tuple[TrustList, ...]) -> tuple[Reading, Binding | None]:
    """Validate a store from outside, or from a carrier of ours, but for its binding; never raises on content.

    Returns:
        The reading as if the binding held, and the binding that the caller has to check; `None` when it is of a kind that
        only the engine can check, with the file.
    """
    signed = known.read(store)
    belief = known.recall(trust, signed) if signed is not None else None
    try:
        said = None
        if signed is not None and belief is not None:
            said, binding = _unbound(store, trust, signed, look_up=False)
            said = known.completed(said, signed, belief)
        if said is None:
            said, binding = _unbound(store, trust, signed, look_up=True)
            if signed is not None:
                known.remember(trust, signed, said, span)
    except c2pa.C2paError as error:
        return _from_error(error), None
    except (ValueError, RecursionError) as error:
        return Reading("invalid", "damaged", codes=(type(error).__name__,)), None
    return without_file(said, binding, store, signed and signed.signature), binding


def _unbound(
    store: bytes, trust: tuple[TrustList, ...], signed: Signed | None, *, look_up: bool
) -> tuple[dict[str, Any], Binding | None]:
    """What the engine says, and the binding: by its detailed answer, which is long, only where it must be."""
    context = _context(os.getpid(), trust, look_up=look_up)
    with _reader(io.BytesIO(b"\0"), ANY, store, context) as reader:
        said = json.loads(reader.json())
        binding = binding_in(signed) if signed is not None and is_whole(said) else None
        return said, binding or binding_of(json.loads(reader.detailed_json()))


def sign(
    source: BinaryIO,
    destination: BinaryIO,
    mime: str,
    manifest: dict[str, Any],
    key: SigningKey,
    parent: Parent | None = None,
) -> None:
    """Write `source` with a signed marker to `destination`.

    Args:
        source: The finished file, without a marker of its own.
        destination: Empty stream that reads, writes and seeks.
        mime: Canonical media type.
        manifest: The manifest definition.
        key: Who signs.
        parent: A marked file that this one was made from.

    Raises:
        OSError: The destination cannot be written.
        SigningError: The engine does not take the key or the certificate.
        Refused: The engine cannot write a marker into this file.
    """
    context = _context(os.getpid(), ())
    watched = _Watched(destination)

    def work(key: SigningKey) -> None:
        source.seek(0)
        destination.seek(0)
        destination.truncate()
        with _building(manifest, key, context, watched) as (signer, builder):
            _add_parent(builder, parent)
            builder.sign(signer, _KNOWN_AS.get(mime, mime), source, watched)

    _stamped_or_not(key, work)


def sign_detached(manifest: dict[str, Any], key: SigningKey, parent: Parent | None = None) -> bytes:
    """Sign a definition that brings its own `c2pa.hash.data`; the engine reads no file and checks nothing of it.

    Its own way of signing outside a file copies the file and holds a gigabyte of it in memory.

    Returns:
        The C2PA store. Its length depends on the definition alone, but for the signature's few bytes.

    Raises:
        SigningError: The engine does not take the key or the certificate.
        Refused: The engine cannot make a marker of this definition.
    """
    context = _context(os.getpid(), (), verify_after_sign=False)

    def work(key: SigningKey) -> bytes:
        with _building(manifest, key, context, None) as (signer, builder):
            _add_parent(builder, parent)
            builder.set_no_embed()
            store: bytes = builder.sign(signer, ANY, io.BytesIO(b"\0"), io.BytesIO())
            return store

    return _stamped_or_not(key, work)


T = TypeVar("T")
_NO_STAMP = "no-time-stamp"


def _stamped_or_not(key: SigningKey, work: Callable[[SigningKey], T]) -> T:
    """Sign without a time-stamp where there is none to be had and the caller accepts that."""
    try:
        return work(key)
    except SigningError as error:
        if error.code != _NO_STAMP or key.authority is None or not key.authority.optional:
            raise
    return work(key.stamped_by(None))


def _add_parent(builder: c2pa.Builder, parent: Parent | None) -> None:
    if parent is None:
        return
    ingredient: dict[str, Any] = {
        "relationship": "parentOf",
        "label": parent.label,
        "title": "input",
    }
    reading = parent.reading
    if reading.outside:
        name = "parent.c2pa"
        ingredient |= {
            "active_manifest": reading.label,
            "validation_results": dict(reading.results or {}),
            "manifest_data": {"format": "application/c2pa", "identifier": name},
        }
        builder.add_resource(name, io.BytesIO(reading.store))
    parent.source.seek(0)
    mime = _KNOWN_AS.get(parent.mime, parent.mime)
    builder.add_ingredient(json.dumps(ingredient), mime, parent.source)


@contextmanager
def _building(
    manifest: dict[str, Any], key: SigningKey, context: c2pa.Context, watched: _Watched | None
) -> Iterator[tuple[c2pa.Signer, c2pa.Builder]]:
    """A signer and a builder; the engine's errors become ours."""
    remote = _Remote(key.sign) if key.sign is not None else None
    authority = key.authority
    try:
        with (
            _signals_wait(),
            _relay(authority) as address,
            _signer(key, remote, address) as signer,
            c2pa.Builder(manifest, context) as builder,
        ):
            yield signer, builder
    except c2pa.C2paError as error:
        if remote is not None and remote.error is not None:
            raise remote.error from None
        if authority is not None and authority.problems:
            raise SigningError(
                f"There is no time-stamp to be had from {authority.url}: {authority.problems[-1]}.",
                code=_NO_STAMP,
                hint="Try again later, name another authority, or accept a marker without (--tsa-failure without).",
            ) from None
        if watched is not None and watched.error is not None:  # a full disk is no fault of the file
            raise watched.error from error
        kind = _kind(error)
        if kind in {"Signature", "Verify"} and "ertificate" in str(error):
            raise SigningError(
                "The engine does not accept the signing certificate.", code="signer-profile"
            ) from error
        raise Refused(
            f"The C2PA engine cannot write a marker into this file ({kind or 'error'}).",
            code="engine-cannot-sign",
            hint="Re-save the file with the program that made it and try again.",
        ) from error


@contextmanager
def _relay(authority: Authority | None) -> Iterator[str]:
    """Where the engine gets time-stamps; empty for none."""
    if authority is None:
        yield ""
        return
    from aikz_label.trust.timestamping import relay  # noqa: PLC0415  # an HTTP server that most need not load

    with relay(authority) as address:
        yield address


def _signer(key: SigningKey, remote: _Remote | None, stamps: str) -> c2pa.Signer:
    """The engine's signer; `stamps` is where it gets time-stamps, or empty."""
    if remote is None:
        address = stamps.encode() or None
        info = c2pa.C2paSignerInfo(key.algorithm.encode(), key.chain, key.key, address)
        return c2pa.Signer.from_info(info)
    algorithm = c2pa.C2paSigningAlg[key.algorithm.upper()]
    chain = key.chain.decode("ascii")
    return c2pa.Signer.from_callback(remote, algorithm, chain, stamps or None)


class _Remote:
    """A signer outside this process that remembers its first error: the engine logs and swallows what a callback raises."""

    def __init__(self, sign: Callable[[bytes], bytes]) -> None:
        self._sign = sign
        self.error: Exception | None = None

    def __call__(self, data: bytes) -> bytes:
        try:
            return self._sign(data)
        except LabelError as error:
            self.error = self.error or error
        except Exception as error:  # noqa: BLE001  # a plug-in may raise anything
            kind = type(error).__name__
            self.error = self.error or SigningError(
                f"The signer failed: {error} ({kind}).",
                code="signer-plugin",
                hint="The message is the signer's own; look there.",
            )
        return b""  # the engine's word for "no signature"


class _Watched:
    """A stream that remembers the first error of the operating system: the engine swallows it in its callbacks."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._stream, name)

        def call(*arguments: Any) -> Any:
            try:
                return method(*arguments)
            except OSError as error:
                self.error = self.error or error
                raise

        return call


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Hold back Ctrl-C and termination while the engine calls back into Python.

    An exception raised inside such a callback is swallowed there: the run would go on as if nobody had asked it to stop.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    waiting = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in waiting}
    ours = {number: handler for number, handler in before.items() if callable(handler)}
    for number in ours:
        signal.signal(number, lambda got, _: arrived.append(got))
    try:
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        if arrived:
            signal.raise_signal(arrived[0])


@lru_cache(maxsize=16)
def _context(
    process: int,  # noqa: ARG001  # part of the key
    trust: tuple[TrustList, ...],
    *,
    verify_after_sign: bool = True,
    look_up: bool = True,
) -> c2pa.Context:
    version()
    kinds = {TrustKind.SIGNERS: "manifest", TrustKind.TIME: "tsa"}  # it knows no others
    anchors = [
        {
            "trust_kind": kinds[listed.kind],
            "trust_uri": f"{TRUST_URI}{index}",
            "trust_anchors": listed.pem,
        }
        for index, listed in of_kind(trust, *kinds)
    ]
    settings: dict[str, Any] = {
        "version": 1,
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
            "verify_after_sign": verify_after_sign,
            "verify_trust": look_up,
        },
        "core": {"allowed_network_hosts": [], "backing_store_memory_threshold_in_mb": 16},
        # the purposes of a whole context count, those of an anchor do not
        "trust": {"trust_config": f"{EMAIL_PROTECTION}\n{CLAIM_SIGNING}", "anchors": anchors},
    }
    try:
        return c2pa.Context.from_dict(settings)
    except c2pa.C2paError as error:
        raise EngineError(
            "The C2PA engine does not accept its settings.", code="engine-settings"
        ) from error


def _from_error(error: c2pa.C2paError) -> Reading:
    kind, text = _kind(error), str(error)
    if kind == "ManifestNotFound":
        return Reading("absent")
    if kind == "Remote" or "must fetch remote" in text:
        return Reading("absent", "remote")
    if kind in {"Io", "NotSupported"} or "asset could not be parsed" in text:
        return Reading("failed")  # the container, not the marker
    why = next((problem for words, problem in _SAID.items() if words in text), "damaged")
    return Reading("invalid", why, codes=(f"engine.{kind or 'error'}",))


# Exceptions that say what a status code would have said.
_SAID = {"claim version is too new": "version", "claim missing hard binding": "malformed"}


def _kind(error: c2pa.C2paError) -> str:
    """`Verify` of `Verify: unexpected end of file`: the engine names its errors only so."""
    name = type(error).__name__.removeprefix("_C2pa")
    return name if name != "C2paError" else str(error).partition(":")[0][:40]
