"""Trust lists: which root certificates are believed to vouch for a signer.

A list is a PEM file that somebody chose. None is bundled: which roots to believe is the caller's decision.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path

from aikz_label.errors import TrustError

CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1"  # c2pa-kp-claimSigning
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"

_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_MAX_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TrustList:
    """Root certificates under one name.

    Attributes:
        name: Shown in reports as the list that believed a signer.
        pem: The certificates, PEM.
        self_issued: It holds only this machine's own root, made by `init`.
    """

    name: str
    pem: str
    self_issued: bool = False


def load_trust_list(path: Path, *, name: str = "", self_issued: bool = False) -> TrustList:
    """Read a PEM bundle of root certificates.

    Args:
        path: The file; text around the certificates is ignored.
        name: Name of the list; the file's stem when empty.
        self_issued: It is this machine's own root.

    Raises:
        TrustError: No certificate in it, or one that is not base64 of an ASN.1 sequence.
        OSError: It cannot be read.
    """
    data = path.read_bytes()
    if len(data) > _MAX_BYTES:
        raise TrustError(f"{path} is too large for a trust list.")
    blocks = []
    for match in _BLOCK.finditer(data):
        try:
            der = base64.b64decode(b"".join(match[1].split()), validate=True)
        except binascii.Error as error:
            raise TrustError(f"{path} holds a certificate that is not valid base64.") from error
        if not _is_sequence(der):
            raise TrustError(f"{path} holds something that is not a certificate.")
        blocks.append(match[0].decode("ascii").replace("\r", ""))
    if not blocks:
        raise TrustError(
            f"{path} holds no certificate.", hint="A trust list is a PEM file of root certificates."
        )
    return TrustList(name or path.stem, "\n".join(blocks) + "\n", self_issued)


def _is_sequence(der: bytes) -> bool:
    """Whether bytes are one ASN.1 sequence of a length a certificate can have, and nothing after it."""
    return der[:2] == b"\x30\x82" and 4 + int.from_bytes(der[2:4]) == len(der)
