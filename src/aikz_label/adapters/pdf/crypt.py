"""The standard security handler: from a password to the key of a file, and from that to the keys of its objects.

RC4 and AES, revisions 2 to 6 (ISO 32000-1, 7.6; ISO 32000-2, 7.6.4). An update keeps the dictionary and the key;
nothing here can make a file less encrypted than it was.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from typing import Any

from aikz_label.adapters.pdf.objects import Dict, Ref, Value
from aikz_label.values import dataclass

_PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
MODIFY, ANNOTATE = 1 << 3, 1 << 5  # bits of /P: change the content; add comments


class Locked(ValueError):
    """The password is missing or wrong."""


class UnknownHandler(ValueError):
    """Encrypted in a way that is not the standard one."""


@dataclass(frozen=True, slots=True)
class Security:
    """How a file is encrypted, once its key is known.

    Attributes:
        key: Of the file.
        streams: `none`, `rc4`, `aes128` or `aes256`: how streams are encrypted.
        strings: The same for strings.
        metadata: Whether XMP is encrypted too.
        filters: There are crypt filters, so that a single stream can be left as it is.
        owner: The password was the owner's.
        permissions: The bits of /P.
    """

    key: bytes
    streams: str
    strings: str
    metadata: bool
    filters: bool
    owner: bool
    permissions: int

    def allows(self, *bits: int) -> bool:
        """Whether whoever has this password may do one of these."""
        return self.owner or any(self.permissions & bit for bit in bits)

    def decrypt(self, data: bytes, ref: Ref, *, stream: bool) -> bytes:
        """What the bytes of an object say; what cannot be decrypted is empty."""
        method = self.streams if stream else self.strings
        if method == "none":
            return data
        key = self._key(ref, method)
        if method == "rc4":
            return _rc4(key, data)
        if len(data) < 32 or len(data) % 16:
            data = data[: len(data) // 16 * 16]
            if len(data) < 32:
                return b""
        clear: bytes = _aes(key, data[:16]).decryptor().update(data[16:])
        return clear[: -clear[-1]] if 0 < clear[-1] <= 16 else clear

    def encrypt(self, data: bytes, ref: Ref, *, stream: bool) -> bytes:
        """The bytes of an object as they stand in the file."""
        method = self.streams if stream else self.strings
        if method == "none":
            return data
        key = self._key(ref, method)
        if method == "rc4":
            return _rc4(key, data)
        start, fill = os.urandom(16), 16 - len(data) % 16
        secret: bytes = _aes(key, start).encryptor().update(data + bytes([fill]) * fill)
        return start + secret

    def _key(self, ref: Ref, method: str) -> bytes:
        if method == "aes256":
            return self.key
        num, gen = ref.num & 0xFFFFFF, ref.gen & 0xFFFF  # a file may say more than fits
        salted = self.key + num.to_bytes(3, "little") + gen.to_bytes(2, "little")
        salted += b"sAlT" if method == "aes128" else b""
        return _md5(salted)[: min(len(self.key) + 5, 16)]


def unlock(encrypt: Dict, file_id: bytes, password: str) -> Security:
    """Find the key of a file.

    Args:
        encrypt: Its encryption dictionary, every reference in it resolved.
        file_id: First part of its /ID, or empty.
        password: The user's or the owner's; empty tries the empty one.

    Raises:
        Locked: The password is missing or wrong.
        UnknownHandler: Encrypted in a way that is not the standard one.
    """
    version, revision = _number(encrypt.get("V")), _number(encrypt.get("R"))
    if (
        encrypt.get("Filter") != "Standard"
        or version not in {1, 2, 4, 5}
        or revision not in range(2, 7)
    ):
        raise UnknownHandler
    owner, user = encrypt.get("O"), encrypt.get("U")
    if not isinstance(owner, bytes) or not isinstance(user, bytes):
        raise UnknownHandler
    metadata = encrypt.get("EncryptMetadata") is not False
    streams, strings = _methods(encrypt, version)
    permissions = _number(encrypt.get("P"))
    found = None
    for spelled in _spellings(password, revision):
        if revision >= 5:
            found = _new_key(encrypt, owner, user, spelled, revision)
        else:
            size = _key_size(encrypt, version)
            old = _Old(owner, user, permissions, file_id, size, revision, metadata)
            found = old.key(spelled)
        if found is not None:
            break
    if found is None:
        raise Locked
    return Security(found[0], streams, strings, metadata, version >= 4, found[1], permissions)


def _key_size(encrypt: Dict, version: int) -> int:
    bits = _number(encrypt.get("Length"))
    if version == 4:
        return 16
    if version == 1 or not 5 <= bits <= 128:
        return 5
    return bits if bits <= 16 else bits // 8  # some write it in bytes


def _methods(encrypt: Dict, version: int) -> tuple[str, str]:
    if version < 4:
        return "rc4", "rc4"
    filters = encrypt.get("CF")
    methods = {"None": "none", "V2": "rc4", "AESV2": "aes128", "AESV3": "aes256"}
    found = []
    for which in ("StmF", "StrF"):
        name = encrypt.get(which, "Identity")
        one = filters.get(str(name)) if isinstance(filters, dict) else None
        method = str(one.get("CFM")) if isinstance(one, dict) else ""
        if name == "Identity":
            method = "None"
        if method not in methods:
            raise UnknownHandler
        found.append(methods[method])
    return found[0], found[1]


def _spellings(password: str, revision: int) -> list[bytes]:
    """The bytes a password may stand for: UTF-8 (normalised) in new files, one of two code pages in old ones."""
    if revision >= 5:
        normal = unicodedata.normalize("NFKC", password).encode()[:127]
        plain = password.encode()[:127]
        return [normal] if normal == plain else [normal, plain]
    found = []
    for encoding in ("latin-1", "utf-8", "cp1251"):
        try:
            spelled = password.encode(encoding)[:32]
        except UnicodeEncodeError:
            continue
        if spelled not in found:
            found.append(spelled)
    return found


@dataclass(frozen=True, slots=True)
class _Old:
    """Revisions 2 to 4."""

    owner: bytes
    user: bytes
    permissions: int
    file_id: bytes
    size: int
    revision: int
    metadata: bool

    def key(self, password: bytes) -> tuple[bytes, bool] | None:
        """The key of the file, and whether the password is the owner's."""
        secret = self._owner_secret(password)
        inner = self.owner[:32]
        if self.revision == 2:
            inner = _rc4(secret, inner)
        else:
            for turn in range(19, -1, -1):
                inner = _rc4(bytes(byte ^ turn for byte in secret), inner)
        key = self._checked(inner)
        if key is not None:
            return key, True
        key = self._checked(password)
        return (key, False) if key is not None else None

    def _owner_secret(self, password: bytes) -> bytes:
        digest = _md5(_padded(password))
        if self.revision >= 3:
            for _ in range(50):
                digest = _md5(digest[: self.size])
        return digest[: self.size]

    def _checked(self, password: bytes) -> bytes | None:
        seed = _padded(password) + self.owner[:32]
        seed += (self.permissions & 0xFFFFFFFF).to_bytes(4, "little") + self.file_id
        if self.revision >= 4 and not self.metadata:
            seed += b"\xff" * 4
        key = _md5(seed)
        if self.revision >= 3:
            for _ in range(50):
                key = _md5(key[: self.size])
        key = key[: self.size]
        if self.revision == 2:
            return key if _rc4(key, _PADDING) == self.user[:32] else None
        proof = _rc4(key, _md5(_PADDING + self.file_id))
        for turn in range(1, 20):
            proof = _rc4(bytes(byte ^ turn for byte in key), proof)
        return key if proof == self.user[:16] else None


def _new_key(
    encrypt: Dict, owner: bytes, user: bytes, password: bytes, revision: int
) -> tuple[bytes, bool] | None:
    """Revisions 5 and 6: the file's key is stored, encrypted by either password."""
    owner, user = owner[:48], user[:48]
    for whose, extra, wrapped in ((owner, user, encrypt.get("OE")), (user, b"", encrypt.get("UE"))):
        if len(whose) < 48 or not isinstance(wrapped, bytes) or len(wrapped) < 32:
            continue
        if _hash(password, whose[32:40], extra, revision) == whose[:32]:
            secret = _hash(password, whose[40:48], extra, revision)
            key = _aes(secret, bytes(16)).decryptor().update(wrapped[:32])
            return key, whose is owner
    return None


def _hash(password: bytes, salt: bytes, extra: bytes, revision: int) -> bytes:
    """Algorithm 2.B; revision 5 is its first line."""
    digest = hashlib.sha256(password + salt + extra).digest()
    if revision == 5:
        return digest
    turn, last = 0, 0
    while turn < 64 or last > turn - 32:
        block = (password + digest + extra) * 64
        block = _aes(digest[:16], digest[16:32]).encryptor().update(block)
        kind = ("sha256", "sha384", "sha512")[sum(block[:16]) % 3]
        digest = hashlib.new(kind, block).digest()
        turn, last = turn + 1, block[-1]
    return digest[:32]


def _padded(password: bytes) -> bytes:
    return (password + _PADDING)[:32]


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _rc4(key: bytes, data: bytes) -> bytes:
    from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: PLC0415

    # the library takes keys of certain sizes; to RC4 a key and its repetition are the same
    size = next((size for size in (5, 7, 8, 10, 16, 20, 24, 32) if size % len(key) == 0), 0)
    if not size:
        return _rc4_by_hand(key, data)
    key *= size // len(key)
    return Cipher(ARC4(key), None).encryptor().update(data)


def _rc4_by_hand(key: bytes, data: bytes) -> bytes:
    state, second = list(range(256)), 0
    for first in range(256):
        second = second + state[first] + key[first % len(key)] & 0xFF
        state[first], state[second] = state[second], state[first]
    out, first, second = bytearray(), 0, 0
    for byte in data:
        first = first + 1 & 0xFF
        second = second + state[first] & 0xFF
        state[first], state[second] = state[second], state[first]
        out.append(byte ^ state[state[first] + state[second] & 0xFF])
    return bytes(out)


def _aes(key: bytes, start: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    return Cipher(algorithms.AES(key), modes.CBC(start))


def _number(value: Value) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
