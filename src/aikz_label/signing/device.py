"""`pkcs11:token=…;object=…?module-path=…&pin-source=WHERE[&x-chain=PEM]` (RFC 7512): a key that never leaves its device.

`token`, `serial`, `manufacturer` and `model` choose the token, `object` and `id` the private key. `pin-source` is
`env:NAME`, `file:PATH` or `prompt`. Without `x-chain` the certificates are looked for on the token: the leaf under
the key's `id`, and its issuers among the others.

A wrong PIN is never tried twice by one process, because tokens lock. A session is shared by all threads, one at a
time, and opened again when the device was taken out and put back.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

from aikz_label.errors import MissingDependency, SigningError
from aikz_label.signing import Opened, SignerUri, profile
from aikz_label.signing.secrets import Hidden, Secrets
from aikz_label.values import dataclass, field

if TYPE_CHECKING:
    from cryptography import x509

_CHOOSES_TOKEN = ("token", "serial", "manufacturer", "model")
_CHOOSES_KEY = ("object", "id", "type")
_MAX_CERTIFICATES = 64
_LOCK = threading.RLock()  # modules are told that only one thread calls them
_REFUSED: set[bytes] = set()  # digests of token and PIN that were wrong
_OPEN: dict[tuple[object, ...], Device] = {}


def open_key(uri: SignerUri, secrets: Secrets) -> Opened:
    """Log in, find the key, and find its certificates.

    Raises:
        MissingDependency: The extra `pkcs11` is not installed.
        SigningError: The URI, the module, the token, the PIN or the key is not right.
        OSError: The file of certificates cannot be read.
    """
    try:
        import pkcs11  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        raise MissingDependency("A pkcs11: signer", "pkcs11") from error
    uri.check_options("module-path", "pin-source", "x-chain", "pin-value")
    if uri.option("pin-value"):
        raise SigningError(
            "A PIN in a signer URI would be shown in process lists and logs.",
            code="signer-secret",
            hint="Use pin-source=env:NAME, pin-source=file:PATH or pin-source=prompt.",
        )
    where = _attributes(uri)
    module = uri.option("module-path")
    if not module:
        raise SigningError(
            "The signer URI does not say which PKCS#11 module to load.",
            code="signer-uri",
            hint="Add ?module-path=/path/to/the/module.so from the vendor of the device.",
        )
    chain = uri.option("x-chain")
    certificates = (uri.base / chain).read_bytes() if chain else None
    device = _device(uri, module, where, secrets)
    with _LOCK, _complaints():
        if certificates is None:
            certificates = profile.pem(_chain(device))
        leaf = profile.load_chain(certificates)[0]
    return Opened(certificates, Signing(device, profile.algorithm(leaf.public_key())))


def _attributes(uri: SignerUri) -> dict[str, str]:
    """The path attributes, still percent-encoded."""
    pairs = [part.partition("=") for part in uri.path.split(";")]
    found = {key: value for key, _, value in pairs}
    known = {*_CHOOSES_TOKEN, *_CHOOSES_KEY}
    if (
        len(found) < len(pairs)
        or not found.keys() <= known
        or found.get("type") not in {None, "private"}
    ):
        raise SigningError(
            f"The signer URI {uri.text!r} has an attribute that is not supported.",
            code="signer-uri",
            hint=f"A pkcs11: URI is made of {', '.join((*_CHOOSES_TOKEN, 'object', 'id'))}.",
        )
    return found


def _device(uri: SignerUri, module: str, where: dict[str, str], secrets: Secrets) -> Device:
    """One session per process for a token and a key, however many files are marked."""
    key = (os.getpid(), module, tuple(sorted(where.items())), uri.option("pin-source"))
    with _LOCK:
        if key not in _OPEN:
            token = unquote(where.get("token", "")) or "the token"
            pin = secrets.get(uri.option("pin-source"), token)
            device = Device(module, where, pin)
            with _complaints():
                device.key()
            _OPEN[key] = device
        return _OPEN[key]


@dataclass(slots=True)
class Device:
    """A token that we are logged in to, and the key on it.

    Attributes:
        module: Path of the PKCS#11 module.
        where: Attributes that choose token and key.
        pin: Opens the token; kept to log in again.
    """

    module: str
    where: dict[str, str]
    pin: Hidden
    _key: Any = field(default=None, repr=False)
    _session: Any = field(default=None, repr=False)

    def key(self) -> Any:
        """The private key, logging in first where that is needed."""
        if self._key is None:
            import pkcs11  # noqa: PLC0415

            self._session = self._log_in()
            self._key = self._session.get_key(
                object_class=pkcs11.ObjectClass.PRIVATE_KEY, **self._selection()
            )
        return self._key

    @property
    def logged_in(self) -> bool:
        """There is a session, dead or alive."""
        return self._session is not None

    def session(self) -> Any:
        """The session, logging in first where that is needed."""
        self.key()
        return self._session

    def _selection(self) -> dict[str, Any]:
        chosen: dict[str, Any] = {}
        if "object" in self.where:
            chosen["label"] = unquote(self.where["object"])
        if "id" in self.where:
            chosen["id"] = unquote_to_bytes(self.where["id"])
        return chosen

    def _log_in(self) -> Any:
        import pkcs11  # noqa: PLC0415

        token = self._token()
        tried = hashlib.sha256(f"{self.module}\0{token.serial!r}\0".encode() + self.pin).digest()
        if tried in _REFUSED:
            raise pkcs11.exceptions.PinIncorrect
        try:
            return token.open(user_pin=self.pin.decode("utf-8", "replace"))
        except pkcs11.exceptions.UserAlreadyLoggedIn:
            return token.open()
        except (pkcs11.exceptions.PinIncorrect, pkcs11.exceptions.PinLenRange):
            _REFUSED.add(tried)
            raise

    def _token(self) -> Any:
        import pkcs11  # noqa: PLC0415

        wanted = {name: unquote(self.where[name]) for name in _CHOOSES_TOKEN if name in self.where}
        found = _tokens(self.module, wanted)
        if not found and not any(d.module == self.module and d.logged_in for d in _OPEN.values()):
            _start_anew(self.module)  # some modules look for tokens only when they start
            found = _tokens(self.module, wanted)
        if not found:
            raise pkcs11.exceptions.NoSuchToken
        if len(found) > 1:
            raise pkcs11.exceptions.MultipleTokensReturned
        return found[0]


def _tokens(module: str, wanted: dict[str, str]) -> list[Any]:
    import pkcs11  # noqa: PLC0415

    return [token for token in pkcs11.lib(module).get_tokens() if _fits(token, wanted)]


def _fits(token: Any, wanted: dict[str, str]) -> bool:
    has = {
        "token": token.label,
        "serial": token.serial.decode("ascii", "replace"),
        "manufacturer": token.manufacturer_id,
        "model": token.model,
    }
    return all(has[name].strip() == value for name, value in wanted.items())


def _chain(device: Device) -> tuple[x509.Certificate, ...]:
    """The certificate with the key's id, and its issuers as far as they are on the token."""
    import pkcs11  # noqa: PLC0415
    from cryptography import x509  # noqa: PLC0415

    attribute, kind = pkcs11.Attribute, pkcs11.ObjectClass.CERTIFICATE
    leaf, others = None, []
    for number, item in enumerate(device.session().get_objects({attribute.CLASS: kind})):
        if number == _MAX_CERTIFICATES:
            break
        try:
            certificate = x509.load_der_x509_certificate(item[attribute.VALUE])
        except ValueError:
            continue  # not ours to judge
        if leaf is None and item[attribute.ID] == device.key().id:
            leaf = certificate
        else:
            others.append(certificate)
    if leaf is None:
        raise SigningError(
            "The token holds no certificate for this key.",
            code="signer-chain",
            hint="Store it under the key's id, or name the chain with x-chain=PEM.",
        )
    return profile.sorted_chain(leaf, others)


@dataclass(frozen=True, slots=True)
class Signing:
    """Signs on a device."""

    device: Device
    algorithm: str

    def __call__(self, data: bytes) -> bytes:
        """One signature.

        Raises:
            SigningError: The device does not give one.
        """
        from pkcs11.exceptions import PKCS11Error  # noqa: PLC0415

        mechanism, options, prepare = _mechanism(self.algorithm)
        with _LOCK, _complaints():
            for last in (False, True):
                try:
                    key = self.device.key()
                    return bytes(key.sign(prepare(data), mechanism=mechanism, **options))
                except PKCS11Error as error:
                    if last or type(error).__name__ in _SENTENCES:
                        raise
                    _start_anew(self.device.module)  # the device was out, and may be back
        raise AssertionError


def _mechanism(algorithm: str) -> tuple[Any, dict[str, Any], Callable[[bytes], bytes]]:
    """Mechanism, its parameters, and what is done to the data first: every token has plain ECDSA, few have the rest."""
    from pkcs11 import MGF, Mechanism  # noqa: PLC0415

    hashes = {"es256": hashlib.sha256, "es384": hashlib.sha384, "es512": hashlib.sha512}
    if algorithm in hashes:
        return Mechanism.ECDSA, {}, lambda data: hashes[algorithm](data).digest()
    if algorithm == "ed25519":
        return Mechanism.EDDSA, {}, bytes
    parameters = (Mechanism.SHA256, MGF.SHA256, 32)
    return Mechanism.SHA256_RSA_PKCS_PSS, {"mechanism_param": parameters}, bytes


@contextlib.contextmanager
def _complaints() -> Iterator[None]:
    """Turn the module's errors into sentences; most come without a word of their own."""
    import pkcs11  # noqa: PLC0415

    try:
        yield
    except pkcs11.exceptions.PKCS11Error as error:
        # `from None`: nothing of the module's own goes into a traceback
        raise _sentence(type(error).__name__) from None


def _start_anew(module: str) -> None:
    """Drop every handle of a module: they stay dead when a device that was taken out comes back."""
    import pkcs11  # noqa: PLC0415

    for device in _OPEN.values():
        if device.module == module:
            device._key = device._session = None  # noqa: SLF001
    with contextlib.suppress(pkcs11.exceptions.PKCS11Error):
        pkcs11.lib(module).finalize()  # loading it again initialises it again


def _sentence(kind: str) -> SigningError:
    """An error of the module, by the name of its type."""
    if kind in _SENTENCES:
        return _SENTENCES[kind]()
    return SigningError(
        f"The device does not answer as it should ({kind}).",
        code="signer-device",
        hint="Check that it is plugged in and that its module is the right one; it is opened again for the next file.",
    )


# One error for each time it is raised: they carry a traceback.
_SENTENCES: dict[str, Callable[[], SigningError]] = {
    "PinIncorrect": lambda: SigningError(
        "The PIN is wrong. It is not tried again, because tokens lock after a few attempts.",
        code="signer-password",
        hint="Correct it where the signer URI says it is, and start again.",
    ),
    "PinLocked": lambda: SigningError(
        "The token is locked after too many wrong PINs.",
        code="signer-password",
        hint="Unlock it with the tools of its vendor.",
    ),
    "PinLenRange": lambda: SigningError(
        "The PIN has a length that this token does not have.",
        code="signer-password",
        hint="Correct it where the signer URI says it is.",
    ),
    "NoSuchToken": lambda: SigningError(
        "No token with these attributes is plugged in.",
        code="signer-device",
        hint="List what is there: pkcs11-tool --module MODULE --list-token-slots.",
    ),
    "MultipleTokensReturned": lambda: SigningError(
        "Several tokens have these attributes.",
        code="signer-device",
        hint="Add serial=… to the signer URI.",
    ),
    "NoSuchKey": lambda: SigningError(
        "The token holds no such private key.",
        code="signer-device",
        hint="List what is there: pkcs11-tool --module MODULE --login --list-objects.",
    ),
    "MultipleObjectsReturned": lambda: SigningError(
        "Several private keys on the token have these attributes.",
        code="signer-device",
        hint="Add id=… to the signer URI.",
    ),
    "MechanismInvalid": lambda: SigningError(
        "The token cannot sign with the algorithm of this key.",
        code="signer-device",
        hint="ECDSA on P-256 is what most tokens can.",
    ),
    "PKCS11Error": lambda: SigningError(
        "The PKCS#11 module cannot be loaded.",
        code="signer-device",
        hint="Check module-path: it is the vendor's shared library, for this kind of processor.",
    ),
}
