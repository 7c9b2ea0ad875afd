"""Signers that the engine has believed before.

From a certificate to a trust list is the longest way the engine goes: nearly half of what a small file costs. It is the
same for every file of a signer. Without a time-stamp the clock matters to it only by the dates of the certificates. So its
answer is remembered for the certificates and the lists that it was given for, as long as all of those certificates are
valid, and everything else is checked anew each time.

Only a store that can be read in one way is treated so: one manifest, its three boxes as they are always written, a
signature in exactly the form of the engine's own, without anything beside it that says more of the signer (time-stamps,
answers about revocation), and no assertion that names signers of its own. The engine must have read the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from aikz_label.manifest.answers import items, mapping
from aikz_label.manifest.cose import ALGORITHMS, MAX_CHAIN, Signature

_SUFFIX = b"\x00\x11\x00\x10\x80\x00\x00\xaa\x008\x9bq"  # of every type in JUMBF
_ROOT = b"c2pa" + _SUFFIX + b"\x03c2pa\0"
_PARTS = (
    b"c2as" + _SUFFIX + b"\x03c2pa.assertions\0",
    b"c2cl" + _SUFFIX + b"\x03c2pa.claim.v2\0",
    b"c2cs" + _SUFFIX + b"\x03c2pa.signature\0",
)
_NAMED = re.compile(
    rb"c2ma" + re.escape(_SUFFIX) + rb"\x03([\x21-\x7e]{1,200})\0", re.DOTALL
).fullmatch
# Assertions that say nothing of a signer. The type and the salt are the engine's business.
_SILENT = re.compile(
    rb".{12}" + re.escape(_SUFFIX[8:]) + rb"[\x03\x13]"
    rb"(?:c2pa\.(?:actions(?:\.v2)?|ai-disclosure|hash\.(?:data|boxes|bmff(?:\.v[23])?)|thumbnail\.claim(?:\.[a-z]+)?|metadata)"
    rb"|cawg\.(?:training-mining|metadata)|org\.aikz\.synthetic"
    rb"|stds\.(?:exif|iptc(?:\.photo-metadata)?|schema-org\.CreativeWork))(?:__\d{1,3})?\0",
    re.DOTALL,
).match
_BINDING = b"c2pa.hash.data"
_MOST_ASSERTIONS = 64
_MOST_CERTIFICATES = 16 * 1024  # bytes of a chain that is remembered
_MOST_SIGNERS = 256
_TRUSTED = "signingCredential.trusted"
_now = partial(datetime.now, UTC)


class Signed(NamedTuple):
    """A store that can be read in one way.

    Attributes:
        store: Its bytes.
        label: Name of its manifest.
        signature: The signature of that.
        bound: Content of its one binding, a `c2pa.hash.data`; empty when there is another, or none.
    """

    store: bytes
    label: str
    signature: Signature
    bound: bytes = b""


class Belief(NamedTuple):
    """What the engine said when it believed a signer.

    Attributes:
        words: Its explanation.
        uri: The list it found the signer on.
        begins: When the last of the certificates began to be valid.
        ends: When the first of them ends.
    """

    words: str
    uri: str
    begins: datetime
    ends: datetime


_believed: dict[tuple[Hashable, tuple[bytes, ...]], Belief] = {}


def recall(trust: Hashable, signed: Signed) -> Belief | None:
    """What the engine said of these certificates, if it believed them by these lists and none has expired since."""
    belief = _believed.get((trust, signed.signature.chain))
    return belief if belief is not None and belief.begins <= _now() < belief.ends else None


def remember(
    trust: Hashable,
    signed: Signed,
    found: Mapping[str, Any],
    span: Callable[[tuple[bytes, ...]], tuple[datetime, datetime]],
) -> None:
    """Note that the engine believed a signer, where the signature is that signer's.

    Args:
        trust: The lists it was given.
        signed: The store it read.
        found: What it said.
        span: Tells from when to when all certificates of a chain are valid; raises `ValueError` where one cannot be read.
    """
    results = mapping(found.get("validation_results"))
    active = mapping(results.get("activeManifest"))
    success, uri = items(active, "success"), results.get("trustListUri")
    chain = signed.signature.chain
    if (
        found.get("active_manifest") != signed.label
        or not _is_validated(success)
        or success[0] != _entry(signed, str(success[0].get("explanation")))
        or not isinstance(uri, str)
        or sum(map(len, chain)) > _MOST_CERTIFICATES
    ):
        return
    try:
        begins, ends = span(chain)
    except ValueError:
        return
    while len(_believed) >= _MOST_SIGNERS:
        for oldest in list(_believed)[:1]:  # in one step: another thread may be as far
            _believed.pop(oldest, None)
    _believed[trust, chain] = Belief(str(success[0]["explanation"]), uri, begins, ends)


def forget() -> None:
    """Begin anew."""
    _believed.clear()


def completed(found: dict[str, Any], signed: Signed, belief: Belief) -> dict[str, Any] | None:
    """What the engine would have said, had it been asked to look for the signer on the lists.

    Args:
        found: What it said without.
        signed: The store it read.
        belief: What it said of the signer before.

    Returns:
        `None` where it did not get as far as that.
    """
    results = found.get("validation_results")
    active = results.get("activeManifest") if isinstance(results, dict) else None
    success = active.get("success") if isinstance(active, dict) else None
    if (
        not isinstance(results, dict)
        or not isinstance(active, dict)
        or not isinstance(success, list)
        or found.get("active_manifest") != signed.label
        or not _is_validated(items(active, "success"))
    ):
        return None
    success.insert(0, _entry(signed, belief.words))
    results["trustListUri"] = belief.uri
    if found.get("validation_state") == "Valid":
        found["validation_state"] = "Trusted"
    return found


def _is_validated(success: list[Mapping[str, Any]]) -> bool:
    return any(item.get("code") == "claimSignature.validated" for item in success)


def _entry(signed: Signed, words: str) -> dict[str, str]:
    url = f"self#jumbf=/c2pa/{signed.label}/c2pa.signature"
    return {"code": _TRUSTED, "url": url, "explanation": words}


# --- a store that can be read in one way --------------------------------------------------------------------------------


def read(store: bytes) -> Signed | None:
    """The one manifest of a store and its signature; `None` for whatever is not plain."""
    try:
        return _read(store)
    except (IndexError, ValueError):
        return None


def _read(store: bytes) -> Signed | None:
    at, stop = _box(store, 0, len(store), b"jumb")
    at, end = _box(store, at, stop, b"jumd")
    if store[at:end] != _ROOT or stop != len(store):
        return None
    at, stop = _box(store, end, stop, b"jumb")
    at, end = _box(store, at, stop, b"jumd")
    name = _NAMED(store[at:end])
    if name is None or stop != len(store):
        return None
    contents = []
    for head in _PARTS:
        at, last = _box(store, end, stop, b"jumb")
        at, begin = _box(store, at, last, b"jumd")
        if store[at:begin] != head:
            return None
        contents.append((begin, last))
        end = last
    assertions, claim, signature = contents
    bound = _silent(store, *assertions)
    if end != stop or bound is None:
        return None
    payload = store[slice(*_only(store, *claim))]
    found = _signature(store[slice(*_only(store, *signature))], payload)
    return Signed(store, name[1].decode("ascii"), found, bound) if found is not None else None


def _box(store: bytes, at: int, end: int, kind: bytes) -> tuple[int, int]:
    """Where the content of a box begins and ends, which must be of this type and lie within what holds it."""
    size = int.from_bytes(store[at : at + 4])
    if store[at + 4 : at + 8] != kind or size < 8 or at + size > end:
        raise ValueError("box")
    return at + 8, at + size


def _only(store: bytes, at: int, end: int) -> tuple[int, int]:
    """The one box that fills a part."""
    begin, stop = _box(store, at, end, b"cbor")
    if stop != end:
        raise ValueError("more than one")
    return begin, stop


def _silent(store: bytes, at: int, end: int) -> bytes | None:
    """The content of the binding, where no assertion says anything of a signer."""
    bindings: list[tuple[bytes, bytes]] = []
    for _ in range(_MOST_ASSERTIONS):
        if at == end:
            name, content = bindings[0] if len(bindings) == 1 else (b"", b"")
            return content if name == _BINDING else b""
        begin, at = _box(store, at, end, b"jumb")
        begin, stop = _box(store, begin, at, b"jumd")
        if not _SILENT(store, begin, stop):
            return None
        if store.startswith(b"c2pa.hash.", begin + 17):
            name = store[begin + 17 : stop].partition(b"\0")[0]
            bindings.append((name, store[slice(*_only(store, stop, at))]))
    return None


def _signature(data: bytes, claim: bytes) -> Signature | None:
    """A `COSE_Sign1` with an algorithm and certificates in its protected header, and padding beside it."""
    if data[:2] != b"\xd2\x84":
        return None
    begin, at = _string(data, 2, 2)
    protected = data[begin:at]
    left, at = data[at] - 0xA0, at + 1
    for name in _PADDING:
        if data.startswith(name, at):
            _, at = _string(data, at + len(name), 2)
            left -= 1
    if left or data[at : at + 1] != b"\xf6":
        return None
    begin, end = _string(data, at + 1, 2)
    value = data[begin:end]
    found = _header(protected)
    if end != len(data) or found is None or sum(map(len, found[1])) > MAX_CHAIN:
        return None
    return Signature(*found, protected, value, claim, (), stamps_value=False)


_PADDING = (b"\x63pad", b"\x64pad2")


def _header(data: bytes) -> tuple[str, tuple[bytes, ...]] | None:
    """Algorithm and certificates."""
    head = next((head for head in _HEADS if data.startswith(head)), None)
    if head is None:
        return None
    at = len(head)
    if data[at] >> 5 == 2:
        begin, end = _string(data, at, 2)
        return (_HEADS[head], (data[begin:end],)) if end == len(data) else None
    count, at = data[at] - 0x80, at + 1
    if not 0 < count <= 16:
        return None
    chain = []
    for _ in range(count):
        begin, at = _string(data, at, 2)
        chain.append(data[begin:at])
    return (_HEADS[head], tuple(chain)) if at == len(data) else None


def _head(algorithm: int) -> bytes:
    """A map of two, the algorithm first, up to where the certificates begin."""
    value = -1 - algorithm
    number = bytes((0x20 | value,)) if value < 24 else bytes((0x38, value))
    return b"\xa2\x01" + number + b"\x18\x21"


_HEADS = {_head(number): name for number, name in ALGORITHMS.items()}


def _string(data: bytes, at: int, kind: int) -> tuple[int, int]:
    """Where the content of a CBOR string begins and ends."""
    head = data[at]
    length, at = head & 31, at + 1
    if head >> 5 != kind or length > 26:
        raise ValueError("string")
    if length > 23:
        width = 1 << length - 24
        length, at = int.from_bytes(data[at : at + width]), at + width
    if at + length > len(data):
        raise ValueError("length")
    return at, at + length
