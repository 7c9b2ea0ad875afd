"""Signers, named by a URI so that configuration and workers never hold a key.

    file:PATH                     a PEM file with key and chain, or PKCS#12           keyfile.py
    pkcs11:token=…;object=…?…     a key in a hardware module (RFC 7512)               device.py
    exec:PROGRAM?chain=PEM        a program that is given the bytes to sign           program.py
    anything else                 a plug-in: entry points of the group `aikz_label.signers`

Relative paths start from the configuration file that names them. A password or PIN never stands in the URI: the
URI says where it is, as `env:NAME`, `file:PATH` or `prompt` (secrets.py).

Whatever the kind, the certificate is checked before anything is signed, so that a wrong one is refused with a sentence, and
every signature that was made outside this process is checked before it is used.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from aikz_label.errors import LabelError, SigningError
from aikz_label.signing.secrets import Ask, Secrets
from aikz_label.values import dataclass, field, replace

if TYPE_CHECKING:
    from aikz_label.trust.timestamping import Authority

_SCHEMES = {
    "file": "aikz_label.signing.keyfile",
    "pkcs11": "aikz_label.signing.device",
    "exec": "aikz_label.signing.program",
}
PLUGINS = "aikz_label.signers"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a kind of signer opens; what a plug-in's factory returns.

    Attributes:
        chain: Certificates, PEM, leaf first, each signed by the next, without the root.
        sign: Signs the bytes it is given (not a digest of them) with the leaf's key and the algorithm that belongs to it:
            ECDSA with the hash of the curve's size (DER, or r and s one after the other), RSA-PSS with SHA-256 and a salt
            of 32 bytes, or Ed25519. What it raises is shown to the user, so it must hold no secret.
        key: The private key, PKCS#8 PEM, where it may leave its place; then `sign` is not needed.
    """

    chain: bytes
    sign: Callable[[bytes], bytes] | None = None
    key: bytes = field(default=b"", repr=False)


class Factory(Protocol):
    """Opens the signers of one scheme; a plug-in's entry point names one."""

    def __call__(self, uri: SignerUri, secrets: Secrets) -> Opened:
        """Open the signer, or raise an error that says what to do."""


@dataclass(frozen=True, slots=True)
class SignerUri:
    """A signer URI in its parts.

    Attributes:
        text: All of it.
        scheme: Such as `file`.
        path: What stands between scheme and query, as it is.
        options: The query, decoded, in order.
        base: Folder that relative paths start from.
    """

    text: str
    scheme: str
    path: str
    options: tuple[tuple[str, str], ...]
    base: Path

    @classmethod
    def parse(cls, text: str, base: Path) -> SignerUri:
        """Take a URI apart.

        Raises:
            SigningError: It is none.
        """
        scheme, _, rest = text.partition(":")
        path, mark, query = rest.partition("?")
        pairs = [item.partition("=") for item in query.split("&")] if mark else []
        if not path or not all(key and value for key, _, value in pairs):
            raise _not_understood(text)
        options = tuple((key, unquote(value)) for key, _, value in pairs)
        return cls(text, scheme, path, options, base)

    @property
    def location(self) -> Path:
        """The path as a place in the file system, percent-decoded, relative to the base."""
        path = self.path
        if path.startswith("//"):
            path = "/" + path[2:].partition("/")[2]
        return self.base / unquote(path)

    def option(self, name: str) -> str:
        """The one value of an option, or an empty string.

        Raises:
            SigningError: It is there twice.
        """
        values = [value for key, value in self.options if key == name]
        if len(values) > 1:
            raise _not_understood(self.text)
        return values[0] if values else ""

    def check_options(self, *known: str) -> None:
        """Refuse options that would be without effect.

        Raises:
            SigningError: One is not among those known.
        """
        if any(key not in known for key, _ in self.options):
            raise _not_understood(self.text)


def _not_understood(text: str) -> SigningError:
    return SigningError(
        f"The signer URI {text!r} cannot be understood.",
        code="signer-uri",
        hint="Use file:PATH, pkcs11:token=…;object=…, or exec:PROGRAM?chain=PEM.",
    )


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that is ready to sign, and the chain that goes into the marker.

    Attributes:
        algorithm: C2PA name of the algorithm, such as `es256`.
        chain: Certificates, PEM, leaf first.
        expires: End of the leaf's validity.
        key: The private key, PKCS#8 PEM; empty when it stays where it is. Never shown in a repr.
        sign: Signs and checks what it signed; used when there is no `key`.
        authority: Whom to ask for a time-stamp, if anybody.
    """

    algorithm: str
    chain: bytes
    expires: datetime
    key: bytes = field(default=b"", repr=False)
    sign: Callable[[bytes], bytes] | None = field(default=None, repr=False)
    authority: Authority | None = None

    def stamped_by(self, authority: Authority | None) -> SigningKey:
        """The same key, with time-stamps from an authority, or without."""
        return replace(self, authority=authority)


def load_signing_key(
    uri: str, base: Path, *, now: datetime | None = None, ask: Ask | None = None
) -> SigningKey:
    """Open the signer that a URI names and check that it can sign now.

    Args:
        uri: The signer URI.
        base: Folder that relative paths start from.
        now: The time to check the certificate against; the clock when `None`.
        ask: Asks a person for a password or PIN; `None` asks at the terminal, if there is one.

    Raises:
        SigningError: Wrong scheme, unsafe file mode, unreadable key, wrong password, a module that does not answer, or a
            certificate that is expired, not for signing, or not for this key.
        MissingDependency: The kind of signer needs a package that is not installed.
        OSError: A file cannot be read.
    """
    from aikz_label.signing import profile  # noqa: PLC0415  # 66 ms that only marking pays

    parts = SignerUri.parse(uri, base)
    opened = _open(parts, Secrets(base, ask))
    chain = profile.load_chain(opened.chain)
    profile.check_leaf(chain[0], now or datetime.now(UTC))
    profile.check_order(chain)
    algorithm = profile.algorithm(chain[0].public_key())
    sign = None
    if opened.key:
        profile.check_belongs(opened.key, chain[0])
    elif opened.sign is not None:
        sign = profile.Checked(opened.sign, chain[0], algorithm)
    else:
        raise SigningError("This signer has neither a key nor a way to sign.", code="signer-plugin")
    return SigningKey(
        algorithm=algorithm,
        chain=profile.pem(chain),
        expires=chain[0].not_valid_after_utc,
        key=opened.key,
        sign=sign,
    )


def _open(uri: SignerUri, secrets: Secrets) -> Opened:
    """The built-in kinds first: a plug-in cannot take one over."""
    if uri.scheme in _SCHEMES:
        factory: Factory = importlib.import_module(_SCHEMES[uri.scheme]).open_key
        return factory(uri, secrets)
    from importlib.metadata import entry_points  # noqa: PLC0415  # 30 ms that only a miss pays

    for point in entry_points(group=PLUGINS, name=uri.scheme):
        try:
            factory = point.load()
            return factory(uri, secrets)
        except (LabelError, OSError):
            raise
        except Exception as error:
            raise SigningError(
                f"The plug-in for {uri.scheme!r} does not work: {error} ({type(error).__name__}).",
                code="signer-plugin",
                hint="The message is the plug-in's own; look there.",
            ) from error
    raise SigningError(
        f"Signer scheme {uri.scheme!r} is not supported.",
        code="signer-scheme",
        hint="Use file:, pkcs11: or exec:, or install the plug-in that brings it.",
    )
