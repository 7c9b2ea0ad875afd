"""Trust lists: whom to believe about what.

A list is a file that somebody chose: a PEM bundle, one DER certificate, or a folder of such files. None is bundled,
and none is fetched: whom to believe is the caller's decision. Each list has a kind, and is believed for nothing
else.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from aikz_label.errors import TrustError
from aikz_label.trust import der
from aikz_label.values import dataclass

_BLOCK = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----\s([A-Za-z0-9+/=\s]+)-----END \1-----")
_SUFFIXES = {".pem", ".crt", ".cer", ".der", ".crl", ".txt"}
_MAX_BYTES = 8 * 1024 * 1024
_MAX_CRL_BYTES = 64 * 1024 * 1024
_MAX_FILES = 1000


class TrustKind(StrEnum):
    """What a list is believed for."""

    SIGNERS = "signers"
    """Authorities whose certificates may sign markers."""
    CERTIFICATES = "certificates"
    """Single certificates that may sign markers, whoever issued them."""
    TIME = "time"
    """Authorities whose certificates may sign time-stamps."""
    REVOKED = "revoked"
    """Revocation lists (CRL): certificates that are believed no longer."""


@dataclass(frozen=True, slots=True)
class TrustList:
    """Certificates or revocation lists under one name. Plain text inside, so that processes can hand it on.

    Attributes:
        name: Shown in reports as the list that believed a signer.
        pem: What is on it, PEM.
        self_issued: It holds only this machine's own root, made by `init`.
        kind: What it is believed for.
    """

    name: str
    pem: str
    self_issued: bool = False
    kind: TrustKind = TrustKind.SIGNERS

    def ders(self) -> tuple[bytes, ...]:
        """What is on it, DER."""
        return _ders(self.pem)

    def fingerprints(self) -> tuple[str, ...]:
        """SHA-256 of what is on it, in hexadecimal."""
        import hashlib  # noqa: PLC0415  # and with it OpenSSL

        return tuple(hashlib.sha256(block).hexdigest() for block in self.ders())


@lru_cache(maxsize=64)
def _ders(pem: str) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(found[2]) for found in _BLOCK.finditer(pem.encode("ascii")))


def load_trust_list(
    path: Path,
    *,
    name: str = "",
    self_issued: bool = False,
    kind: TrustKind = TrustKind.SIGNERS,
) -> TrustList:
    """Read a file of certificates, or of revocation lists.

    Args:
        path: The file, PEM or DER; text around PEM is ignored.
        name: Name of the list; the file's stem when empty.
        self_issued: It is this machine's own root.
        kind: What it is believed for.

    Raises:
        TrustError: There is nothing of that kind in it, or something that is damaged.
        OSError: It cannot be read.
    """
    data = path.read_bytes()
    revoked = kind is TrustKind.REVOKED
    if len(data) > (_MAX_CRL_BYTES if revoked else _MAX_BYTES):
        raise TrustError(f"{path} is too large for a trust list.")
    wanted = "X509 CRL" if revoked else "CERTIFICATE"
    blocks = [block for found, block in _contents(path, data) if found in {wanted, ""}]
    if not blocks:
        what = "revocation list" if revoked else "certificate"
        raise TrustError(
            f"{path} holds no {what}.",
            hint="A list is a file of certificates or of revocation lists, as PEM or DER.",
        )
    if revoked:
        _check_revocation_lists(path, blocks)
    elif not all(map(_is_certificate, blocks)):
        raise TrustError(f"{path} holds something that is not a certificate.")
    text = "".join(_pem(wanted, block) for block in dict.fromkeys(blocks))
    return TrustList(name or path.stem, text, self_issued, kind)


def load_trust_lists(path: Path, *, kind: TrustKind = TrustKind.SIGNERS) -> tuple[TrustList, ...]:
    """Read a file, or every file of a folder, each as a list of its own.

    Raises:
        TrustError: A list does not hold, or the folder holds none.
        OSError: It cannot be read.
    """
    if not path.is_dir():
        return (load_trust_list(path, kind=kind),)
    lists = tuple(load_trust_list(file, kind=kind) for file in list_files(path))
    if not lists:
        raise TrustError(
            f"The folder {path} holds no trust list.",
            hint="Put files ending in .pem, .crt, .cer or .crl into it.",
        )
    return lists


def list_files(folder: Path) -> list[Path]:
    """The files of a folder that can be lists, sorted by name.

    Raises:
        TrustError: There are far too many.
    """
    if not folder.is_dir():
        return []
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES and p.is_file())
    if len(files) > _MAX_FILES:
        raise TrustError(f"The folder {folder} holds more than {_MAX_FILES} lists.")
    return files


def of_kind(lists: Iterable[TrustList], *kinds: TrustKind) -> tuple[tuple[int, TrustList], ...]:
    """The lists of some kinds, each with its place among all."""
    return tuple((index, item) for index, item in enumerate(lists) if item.kind in kinds)


def _contents(path: Path, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Kind (empty where it is not said) and DER of everything in a file."""
    if data[:1] == b"\x30":
        yield "", data
        return
    for match in _BLOCK.finditer(data):
        try:
            block = base64.b64decode(b"".join(match[2].split()), validate=True)
        except binascii.Error as error:
            raise TrustError(f"{path} holds a certificate that is not valid base64.") from error
        yield match[1].decode("ascii"), block


def _is_certificate(block: bytes) -> bool:
    """Whether bytes have the outer shape of a certificate; hundreds are loaded, so no more is looked at."""
    try:
        content, algorithm, signature = der.parse(block).children()
    except ValueError:
        return False
    return (content.tag, algorithm.tag, signature.tag) == (
        der.SEQUENCE,
        der.SEQUENCE,
        der.BIT_STRING,
    )


def _pem(kind: str, block: bytes) -> str:
    text = base64.b64encode(block).decode("ascii")
    lines = (text[at : at + 64] for at in range(0, len(text), 64))
    return "\n".join((f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""))


def _check_revocation_lists(path: Path, lists: list[bytes]) -> None:
    from cryptography import x509  # noqa: PLC0415  # 66 ms that only these pay

    for block in lists:
        try:
            found = x509.load_der_x509_crl(block)
            partial = any(
                isinstance(extension.value, x509.DeltaCRLIndicator)
                for extension in found.extensions
            )
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            raise TrustError(f"{path} holds a revocation list that cannot be read.") from None
        if partial:
            raise TrustError(
                f"{path} holds a delta list, which says nothing without the list it belongs to.",
                hint="Get the complete revocation list from the authority.",
            )
