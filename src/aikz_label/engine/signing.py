"""Write a marker: into a file, or a store of its own; the engine's errors become ours."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from aikz_label.engine.context import ANY, context, kind, known_as, signals_wait
from aikz_label.engine.library import c2pa
from aikz_label.errors import LabelError, Refused, SigningError
from aikz_label.manifest.reading import Reading
from aikz_label.values import dataclass

if TYPE_CHECKING:
    from aikz_label.signing import SigningKey
    from aikz_label.trust.timestamping import Authority

T = TypeVar("T")
_NO_STAMP = "no-time-stamp"


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
    within = context(os.getpid(), ())
    watched = _Watched(destination)

    def work(key: SigningKey) -> None:
        source.seek(0)
        destination.seek(0)
        destination.truncate()
        with _building(manifest, key, within, watched) as (signer, builder):
            _add_parent(builder, parent)
            builder.sign(signer, known_as(mime), source, watched)

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
    within = context(os.getpid(), (), verify_after_sign=False)

    def work(key: SigningKey) -> bytes:
        with _building(manifest, key, within, None) as (signer, builder):
            _add_parent(builder, parent)
            builder.set_no_embed()
            store: bytes = builder.sign(signer, ANY, io.BytesIO(b"\0"), io.BytesIO())
            return store

    return _stamped_or_not(key, work)


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
    builder.add_ingredient(json.dumps(ingredient), known_as(parent.mime), parent.source)


@contextmanager
def _building(
    manifest: dict[str, Any], key: SigningKey, within: c2pa.Context, watched: _Watched | None
) -> Iterator[tuple[c2pa.Signer, c2pa.Builder]]:
    """A signer and a builder; the engine's errors become ours."""
    remote = _Remote(key.sign) if key.sign is not None else None
    authority = key.authority
    try:
        with (
            signals_wait(),
            _relay(authority) as address,
            _signer(key, remote, address) as signer,
            c2pa.Builder(manifest, within) as builder,
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
        name = kind(error)
        if name in {"Signature", "Verify"} and "ertificate" in str(error):
            raise SigningError(
                "The engine does not accept the signing certificate.", code="signer-profile"
            ) from error
        raise Refused(
            f"The C2PA engine cannot write a marker into this file ({name or 'error'}).",
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
