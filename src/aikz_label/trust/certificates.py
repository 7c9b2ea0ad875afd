"""What a certificate says, read without checking anything: names, dates, extensions.

This is for showing, and for deciding whether the engine's word about a chain is enough. Whether a certificate is to be
believed is decided in `credentials`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from aikz_label.trust import der

CLAIM_SIGNING = "1.3.6.1.4.1.62558.2.1"  # c2pa-kp-claimSigning
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
COMMON_NAME, SERIAL_NUMBER = "2.5.4.3", "2.5.4.5"
ORGANISATION, UNIT, ORGANISATION_ID = "2.5.4.10", "2.5.4.11", "2.5.4.97"
_ENCODINGS = {12: "utf-8", 18: "ascii", 19: "ascii", 20: "latin-1", 22: "ascii", 30: "utf-16-be"}
_MAX_BYTES = 64 * 1024
MAX_CHAIN = 16
# How Kazakhstan's authorities and ETSI write a BIN: OU=BIN051140000004, and organizationIdentifier=NTRKZ-051140000004.
_BIN = re.compile(r"(?:BIN|БИН|БСН|NTRKZ-|VATKZ-)[ :]?(\d{12})")

_BASIC, _KEY_USAGE, _PURPOSES = "2.5.29.19", "2.5.29.15", "2.5.29.37"
_ANY_PURPOSE = "2.5.29.37.0"
# Extensions that the engine looks at, or that restrict nothing.
_PLAIN = {
    _BASIC,
    _KEY_USAGE,
    _PURPOSES,
    "2.5.29.14",  # subjectKeyIdentifier
    "2.5.29.35",  # authorityKeyIdentifier
    "2.5.29.17",  # subjectAltName
    "2.5.29.18",  # issuerAltName
    "2.5.29.31",  # cRLDistributionPoints
    "2.5.29.32",  # certificatePolicies
    "1.3.6.1.5.5.7.1.1",  # authorityInfoAccess
}
# Extensions that restrict what is below, and that the engine does not look at.
_RESTRICTING = {
    "2.5.29.30",
    "2.5.29.36",
    "2.5.29.54",
}  # name and policy constraints, inhibitAnyPolicy


class Facts(NamedTuple):
    """What a certificate says of itself.

    Attributes:
        serial: Its number.
        issuer: Who issued it: the name as DER, to compare.
        subject: Whose it is, as DER.
        names: Parts of the subject by object identifier.
        begins: Start of its validity.
        ends: End of its validity.
        extensions: Whether each is critical, and its value, by object identifier.
    """

    serial: int
    issuer: bytes
    subject: bytes
    names: Mapping[str, tuple[str, ...]]
    begins: datetime
    ends: datetime
    extensions: Mapping[str, tuple[bool, bytes]]

    def name(self, part: str) -> str:
        """The first value of a part of the subject, or an empty string."""
        return self.names.get(part, ("",))[0]

    @property
    def title(self) -> str:
        """What to call its owner: untrusted text."""
        return self.name(COMMON_NAME) or self.name(ORGANISATION)

    @property
    def bin(self) -> str:
        """The business identification number that the subject carries, or an empty string."""
        for part in (UNIT, ORGANISATION_ID, SERIAL_NUMBER):
            for value in self.names.get(part, ()):
                if found := _BIN.fullmatch(value.strip()):
                    return found[1]
        return ""

    @property
    def purposes(self) -> frozenset[str]:
        """Extended key usages; empty when it has no such extension, or one that cannot be read."""
        _, value = self.extensions.get(_PURPOSES, (False, b""))
        try:
            return frozenset(item.oid() for item in der.parse(value).children())
        except der.Malformed:
            return frozenset()


@lru_cache(maxsize=256)
def facts(certificate: bytes) -> Facts:
    """Read a certificate (RFC 5280).

    Raises:
        Malformed: It is none.
    """
    if len(certificate) > _MAX_BYTES:
        raise der.Malformed("too large")
    try:
        fields = der.parse(certificate).expect(der.SEQUENCE).children()[0].children()
        if fields[0].tag == 0xA0:  # the version
            del fields[0]
        serial, _, issuer, validity, subject, _, *rest = fields
        begins, ends = (item.time() for item in validity.children())
        return Facts(
            serial=serial.integer(),
            issuer=issuer.whole,
            subject=subject.whole,
            names=_names(subject),
            begins=begins,
            ends=ends,
            extensions=_extensions(rest),
        )
    except (IndexError, ValueError) as error:
        raise der.Malformed("certificate") from error


def span(chain: Iterable[bytes]) -> tuple[datetime, datetime]:
    """From when to when all certificates of a chain are valid.

    Raises:
        Malformed: One of them is none.
    """
    every = [facts(certificate) for certificate in chain]
    return max(one.begins for one in every), min(one.ends for one in every)


def title(name: bytes) -> str:
    """What to call the owner of a name: untrusted text, empty when it cannot be read."""
    try:
        parts = _names(der.parse(name))
    except der.Malformed:
        return ""
    return next((parts[part][0] for part in (COMMON_NAME, ORGANISATION) if part in parts), "")


def _names(name: der.Item) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for relative in name.children():
        for pair in relative.children():
            kind, value = pair.children()
            text = value.content.decode(_ENCODINGS.get(value.tag, "utf-8"), "replace")
            found[kind.oid()] = (*found.get(kind.oid(), ()), text)
    return found


def _extensions(fields: list[der.Item]) -> dict[str, tuple[bool, bytes]]:
    found: dict[str, tuple[bool, bytes]] = {}
    for field in fields:
        if field.tag != 0xA3:
            continue
        (listed,) = field.children()
        for extension in listed.children():
            kind, *flag, value = extension.children()
            if kind.oid() in found:
                raise der.Malformed("an extension is there twice")
            critical = bool(flag) and flag[0].content != b"\0"
            found[kind.oid()] = critical, value.expect(der.OCTET_STRING).content
    return found


@lru_cache(maxsize=256)
def is_plain(chain: tuple[bytes, ...]) -> bool:
    """Whether the engine looks at everything that this chain says about what it may be used for.

    It does not look at name constraints, at critical extensions it does not know, or at what an authority's extended key
    usage leaves out, and it takes a leaf for time-stamps as one for claims.
    """
    if not 0 < len(chain) <= MAX_CHAIN:
        return False
    try:
        leaf, *authorities = map(facts, chain)
    except der.Malformed:
        return False
    ours = {CLAIM_SIGNING, EMAIL_PROTECTION}
    return (
        bool(leaf.purposes & ours)
        and all(
            _PURPOSES not in authority.extensions or authority.purposes & {*ours, _ANY_PURPOSE}
            for authority in authorities
        )
        and not any(
            kind in _RESTRICTING or (critical and kind not in _PLAIN)
            for certificate in (leaf, *authorities)
            for kind, (critical, _) in certificate.extensions.items()
        )
    )
