"""Read and validate a marker: by the engine, which looks a signer up once in a process and then only recalls it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from aikz_label.engine.context import ANY, context, kind, known_as, signals_wait
from aikz_label.engine.library import c2pa
from aikz_label.manifest import known
from aikz_label.manifest.binding import Binding, binding_in, binding_of, is_whole, without_file
from aikz_label.manifest.known import Belief, Signed
from aikz_label.manifest.reading import Reading, from_store
from aikz_label.trust import TrustList
from aikz_label.trust.certificates import span
from aikz_label.values import replace


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
        with _reader(source, mime, store, context(os.getpid(), trust)) as reader:
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
        with _reader(source, mime, None, context(os.getpid(), trust, look_up=False)) as reader:
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
    source: BinaryIO, mime: str, store: bytes | None, within: c2pa.Context
) -> Iterator[c2pa.Reader]:
    source.seek(0)
    with (
        signals_wait(),
        c2pa.Reader(known_as(mime), source, manifest_data=store, context=within) as reader,
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
    within = context(os.getpid(), trust, look_up=look_up)
    with _reader(io.BytesIO(b"\0"), ANY, store, within) as reader:
        said = json.loads(reader.json())
        binding = binding_in(signed) if signed is not None and is_whole(said) else None
        return said, binding or binding_of(json.loads(reader.detailed_json()))


def _from_error(error: c2pa.C2paError) -> Reading:
    name, text = kind(error), str(error)
    if name == "ManifestNotFound":
        return Reading("absent")
    if name == "Remote" or "must fetch remote" in text:
        return Reading("absent", "remote")
    if name in {"Io", "NotSupported"} or "asset could not be parsed" in text:
        return Reading("failed")  # the container, not the marker
    why = next((problem for words, problem in _SAID.items() if words in text), "damaged")
    return Reading("invalid", why, codes=(f"engine.{name or 'error'}",))


# Exceptions that say what a status code would have said.
_SAID = {"claim version is too new": "version", "claim missing hard binding": "malformed"}
