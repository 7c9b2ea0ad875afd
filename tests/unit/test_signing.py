"""Signers by URI: every kind of key file, and every mistake with a sentence of its own."""

from __future__ import annotations

import os
import subprocess
import traceback
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

import pki
from aikz_label import mark, verify
from aikz_label.errors import SigningError
from aikz_label.label import Label
from aikz_label.signing import load_signing_key
from aikz_label.trust import TrustList
from aikz_label.trust.certificates import CLAIM_SIGNING, EMAIL_PROTECTION
from support import encoded, picture, require_tool

PASSWORD = "Құпия сөз 1"


@pytest.fixture(scope="module")
def root():
    return pki.root()


@pytest.fixture(scope="module")
def authority(root):
    return root.issue("Issuing CA", authority=0)


@pytest.fixture
def party(authority):
    return authority.issue("Signer")


def write(folder, *parts, mode=0o600, name="signer.pem"):
    path = folder / name
    path.write_bytes(b"".join(p if isinstance(p, bytes) else p.encode() for p in parts))
    path.chmod(mode)
    return path


def complaint(folder, uri="file:signer.pem", **options):
    with pytest.raises(SigningError) as error:
        load_signing_key(uri, folder, **options)
    assert error.value.hint
    assert error.value.message.endswith(".")
    return error.value


def code(folder, uri="file:signer.pem"):
    return complaint(folder, uri).code


# --- what works -------------------------------------------------------------------------------------------------------


def marked(folder, uri, root, **options):
    label = Label(origin="created", responsible=None)
    config = _config(folder)
    data = mark(encoded(picture(), "png"), None, label, signer=uri, config=config, **options).data
    return verify(data, trust=[TrustList("test", root.pem)])


def _config(folder):
    from aikz_label.config import Config
    from aikz_label.label import Responsible

    return Config(folder, responsible=Responsible(name="Test", role="owner"))


@pytest.mark.parametrize("kind", ["es256", "es384", "es512", "ps256", "ed25519"])
def test_every_algorithm_signs_and_is_trusted(tmp_path, authority, root, kind, monkeypatch):
    party = authority.issue(kind=kind)
    party.write(tmp_path)
    assert load_signing_key("file:signer.pem", tmp_path).algorithm == kind
    monkeypatch.chdir(tmp_path)
    report = marked(tmp_path, "file:signer.pem", root)
    assert (report.verdict, report.marker.signer.algorithm.lower()) == ("labelled", kind)


def test_claim_signing_alone_is_enough(tmp_path, authority, root, monkeypatch):
    authority.issue(purposes=[CLAIM_SIGNING]).write(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert marked(tmp_path, "file:signer.pem", root).verdict == "labelled"


def test_key_and_chain_in_two_files(tmp_path, party):
    write(tmp_path, party.key_pem, name="my+key.pem")
    write(tmp_path, *map(pki.pem, party.chain), name="chain 1.pem", mode=0o644)
    assert load_signing_key("file:my%2Bkey.pem?chain=chain%201.pem", tmp_path).chain
    assert load_signing_key("file:my+key.pem?chain=chain%201.pem", tmp_path).chain
    absolute = (tmp_path / "my+key.pem").as_posix()
    signer = load_signing_key(f"file://{absolute}?chain=chain%201.pem", tmp_path)
    assert signer.expires > pki.NOW


def bundle(party, password=PASSWORD, extra=()):
    protection = serialization.NoEncryption()
    if password is not None:
        protection = serialization.BestAvailableEncryption(password.encode())
    above = [*reversed(party.above), *extra]
    return pkcs12.serialize_key_and_certificates(
        b"x", party.key, party.certificate, above, protection
    )


def test_pkcs12_with_the_password_from_everywhere(tmp_path, authority, root, party, monkeypatch):
    write(tmp_path, bundle(party, extra=[root.certificate]), name="s.p12")
    write(tmp_path, PASSWORD, "\n", name="password")
    monkeypatch.setenv("MY_PASSWORD", PASSWORD)
    expected = "".join(map(pki.pem, party.chain)).encode()
    for where in ("env:MY_PASSWORD", "file:password"):
        assert load_signing_key(f"file:s.p12?password={where}", tmp_path).chain == expected
    asked = []
    for uri in ("file:s.p12", "file:s.p12?password=prompt"):
        signer = load_signing_key(uri, tmp_path, ask=lambda text: asked.append(text) or PASSWORD)
        assert signer.chain == expected
    assert len(asked) == 2
    assert "s.p12" in asked[0]
    monkeypatch.chdir(tmp_path)
    assert marked(tmp_path, "file:s.p12?password=env:MY_PASSWORD", root).verdict == "labelled"


def test_pkcs12_without_a_password_asks_nobody(tmp_path, party):
    write(tmp_path, bundle(party, None), name="s.p12")
    assert load_signing_key("file:s.p12", tmp_path, ask=None).algorithm == "es256"


def test_pkcs12_made_by_openssl(tmp_path, party, monkeypatch):
    openssl = require_tool("openssl")
    party.write(tmp_path)
    made = [
        openssl,
        "pkcs12",
        "-export",
        "-in",
        "signer.pem",
        "-out",
        "s.p12",
        "-passout",
        "pass:abc",
    ]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "s.p12").chmod(0o600)
    monkeypatch.setenv("P", "abc")
    assert load_signing_key("file:s.p12?password=env:P", tmp_path).algorithm == "es256"


def test_a_pem_key_with_a_password(tmp_path, party, monkeypatch):
    secret = pki.key_pem(party.key, PASSWORD.encode())
    write(tmp_path, secret, *map(pki.pem, party.chain))
    monkeypatch.setenv("P", PASSWORD)
    assert load_signing_key("file:signer.pem?password=env:P", tmp_path).algorithm == "es256"
    monkeypatch.setenv("P", "wrong")
    assert code(tmp_path, "file:signer.pem?password=env:P") == "signer-password"
    assert code(tmp_path) == "signer-secret"  # nobody is there to ask


# --- bad input: one sentence each --------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_key_that_others_can_read_is_refused(tmp_path, party, mode):
    party.write(tmp_path).chmod(mode)
    error = complaint(tmp_path)
    assert (error.code, "can be read by other users" in error.message) == ("signer-mode", True)
    write(tmp_path, bundle(party), name="s.p12", mode=mode)
    assert code(tmp_path, "file:s.p12") == "signer-mode"


def test_a_wrong_password(tmp_path, party, monkeypatch):
    monkeypatch.setenv("P", "wrong")
    write(tmp_path, bundle(party), name="s.p12")
    error = complaint(tmp_path, "file:s.p12?password=env:P")
    assert (error.code, "password is wrong" in error.message) == ("signer-password", True)


@pytest.mark.parametrize(
    "uri",
    [
        "file:s.p12?password=env:NOT_SET",
        "file:s.p12?password=env:",
        "file:s.p12?password=hunter2",
        "file:s.p12?password=file:",
        "file:s.p12",
    ],
)
def test_a_password_that_is_nowhere(tmp_path, party, uri, monkeypatch):
    monkeypatch.delenv("NOT_SET", raising=False)
    write(tmp_path, bundle(party), name="s.p12")
    error = complaint(tmp_path, uri)
    assert error.code == "signer-secret"
    assert "hunter2" not in error.message + error.hint


@pytest.mark.parametrize(
    ("parts", "expected", "says"),
    [
        (lambda p, a: (p.key_pem, a.issue().pem), "signer-mismatch", "does not belong"),
        (lambda p, a: (p.key_pem,), "signer-chain", "no certificate"),
        (lambda p, a: (b"nothing",), "signer-key", "neither PEM nor PKCS#12"),
        (lambda p, a: (b"",), "signer-key", "neither"),
        (lambda p, a: (b"\x30\x82garbage",), "signer-secret", "nobody is there to ask"),
        (lambda p, a: (b"-----BEGIN PRIVATE KEY-----\nAA\n",), "signer-key", "no private key"),
        (lambda p, a: (p.key_pem[:90], p.pem), "signer-key", "no private key"),
        (lambda p, a: (p.key_pem, p.pem.replace("M", "A")), "signer-chain", "can be read"),
        (lambda p, a: (p.key_pem, p.pem, pki.root().pem), "signer-chain", "did not issue"),
        (lambda p, a: (p.key_pem, p.pem, *[a.pem] * 3), "signer-chain", "did not issue"),
        (lambda p, a: (p.key_pem, p.pem, *[a.pem] * 16), "signer-chain", "17 certificates"),
    ],
)  # fmt: skip
def test_each_mistake_in_a_file_has_its_sentence(tmp_path, party, authority, parts, expected, says):
    write(tmp_path, *parts(party, authority))
    error = complaint(tmp_path)
    assert error.code == expected
    assert says in error.message


def test_a_chain_of_ten_megabytes_is_refused_quickly(tmp_path, party, authority):
    write(tmp_path, party.key_pem)
    write(tmp_path, party.pem, *[authority.pem] * 14_000, name="chain.pem")
    error = complaint(tmp_path, "file:signer.pem?chain=chain.pem")
    assert error.code == "signer-chain"


ONE = ExtendedKeyUsageOID
FAULTS = [
    ({"days": (-30, -1)}, "signer-expired", "expired on"),
    ({"days": (1, 30)}, "signer-not-yet-valid", "valid only from"),
    ({"without": ["keyUsage"]}, "signer-profile", "lacks the extension keyUsage"),
    ({"without": ["extendedKeyUsage"]}, "signer-profile", "lacks the extension extendedKeyUsage"),
    ({"without": ["authorityKeyIdentifier"]}, "signer-profile", "lacks the extension authorityKeyId"),
    ({"purposes": [ONE.SERVER_AUTH.dotted_string]}, "signer-profile", "neither claimSigning nor"),
    ({"purposes": [ONE.CODE_SIGNING.dotted_string]}, "signer-profile", "neither claimSigning nor"),
    ({"purposes": [EMAIL_PROTECTION, pki.TIME_STAMPING]}, "signer-profile", "has timeStamping in"),
    ({"purposes": [EMAIL_PROTECTION, pki.OCSP_SIGNING]}, "signer-profile", "has OCSPSigning in"),
    (
        {"purposes": [EMAIL_PROTECTION, ONE.ANY_EXTENDED_KEY_USAGE.dotted_string]},
        "signer-profile", "has anyExtendedKeyUsage in",
    ),
    ({"usage": {"digital_signature": False}}, "signer-profile", "does not allow digitalSignature"),
    ({"usage": {"key_cert_sign": True}}, "signer-profile", "allows keyCertSign"),
    (
        {"replaced": {"basicConstraints": (x509.BasicConstraints(True, 0), True)}},
        "signer-profile", "belongs to an authority",
    ),
    ({"kind": "rsa1024"}, "signer-key", "1024 bits"),
    ({"kind": "secp256k1"}, "signer-key", "not supported"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "expected", "says"), FAULTS)
def test_a_wrong_certificate_is_refused_with_what_is_wrong(
    tmp_path, authority, fault, expected, says
):
    authority.issue(**fault).write(tmp_path)
    error = complaint(tmp_path)
    assert error.code == expected
    assert says in error.message


def test_a_certificate_signed_with_sha1(tmp_path):
    """cryptography does not make such certificates any more; openssl does."""
    openssl = require_tool("openssl")
    settings = (
        "[req]\ndistinguished_name=d\n[d]\n[e]\nkeyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=emailProtection\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    write(tmp_path, settings, name="o.cnf")
    subprocess.run(
        [openssl, "req", "-x509", "-sha1", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-config", "o.cnf", "-extensions", "e", "-subj", "/O=x/CN=x", "-days", "9",
         "-keyout", "k.pem", "-out", "c.pem"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    write(tmp_path, (tmp_path / "k.pem").read_bytes(), (tmp_path / "c.pem").read_bytes())
    assert "SHA-1" in complaint(tmp_path).message


def test_dates_are_compared_with_a_given_time(tmp_path, party):
    party.write(tmp_path)
    later = pki.NOW + timedelta(days=40)
    assert complaint(tmp_path, now=later).code == "signer-expired"
    assert complaint(tmp_path, now=pki.NOW - timedelta(days=40)).code == "signer-not-yet-valid"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("kms:whatever", "signer-scheme"),
        ("C:\\signer.pem", "signer-scheme"),
        ("signer.pem", "signer-uri"),
        ("file:", "signer-uri"),
        ("", "signer-uri"),
        ("file:signer.pem?", "signer-uri"),
        ("file:signer.pem?chain", "signer-uri"),
        ("file:signer.pem?chain=", "signer-uri"),
        ("file:signer.pem?chain=a&chain=b", "signer-uri"),
        ("file:signer.pem?pasword=env:P", "signer-uri"),
    ],
)
def test_a_uri_that_cannot_be_understood(tmp_path, party, uri, expected):
    party.write(tmp_path)
    assert code(tmp_path, uri) == expected


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_signing_key("file:absent.pem", tmp_path)


def test_the_key_is_never_shown(tmp_path, party):
    secret = b"".join(party.key_pem.splitlines()[1:-1]).decode()
    party.write(tmp_path)
    assert secret[10:40] not in repr(load_signing_key("file:signer.pem", tmp_path))
    write(tmp_path, party.key_pem.replace(b"\n", b"!\n", 2), party.pem)
    error = complaint(tmp_path)
    shown = "".join(traceback.format_exception(error)) + repr(error.__context__)
    assert secret[10:40] not in shown


def test_an_extension_that_cannot_be_read(tmp_path, authority):
    odd = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.15"), b"\x01")
    authority.issue(without=["keyUsage"], extra=[(odd, True)]).write(tmp_path)
    assert "cannot be read" in complaint(tmp_path).message
