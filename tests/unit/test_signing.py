from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from aikz_label.errors import SigningError
from aikz_label.signing import load_signing_key
from aikz_label.trust import EMAIL_PROTECTION

NOW = datetime.now(UTC)
PEM = serialization.Encoding.PEM


def key_pem(key, password=None):
    encryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, encryption)


def certificate(key, *, purposes=(EMAIL_PROTECTION,), signature=True, start=-1, end=30):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW + timedelta(days=start))
        .not_valid_after(NOW + timedelta(days=end))
        .add_extension(
            x509.KeyUsage(
                signature, False, False, False, False, not signature, False, False, False
            ),
            critical=True,
        )
    )
    if purposes:
        usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier(p) for p in purposes])
        builder = builder.add_extension(usage, critical=False)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(PEM)


@pytest.fixture
def key():
    return ec.generate_private_key(ec.SECP256R1())


def write(folder, *parts, mode=0o600, name="signer.pem"):
    path = folder / name
    path.write_bytes(b"".join(parts))
    path.chmod(mode)
    return path


def code(folder, uri="file:signer.pem"):
    with pytest.raises(SigningError) as error:
        load_signing_key(uri, folder)
    assert error.value.hint
    return error.value.code


def test_a_good_signer(tmp_path, key):
    write(tmp_path, key_pem(key), certificate(key))
    signer = load_signing_key("file:signer.pem", tmp_path)
    assert signer.algorithm == "es256"
    assert signer.expires > NOW


def test_key_and_chain_in_two_files(tmp_path, key):
    write(tmp_path, key_pem(key), name="my key.pem")
    write(tmp_path, certificate(key), name="chain.pem", mode=0o644)
    assert load_signing_key("file:my%20key.pem?chain=chain.pem", tmp_path).chain
    absolute = (tmp_path / "my key.pem").as_posix().replace(" ", "%20")
    assert load_signing_key(f"file://{absolute}?chain=chain.pem", tmp_path).chain


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: ec.generate_private_key(ec.SECP384R1()), "es384"),
        (lambda: ec.generate_private_key(ec.SECP521R1()), "es512"),
        (ed25519.Ed25519PrivateKey.generate, "ed25519"),
    ],
)
def test_other_algorithms(tmp_path, make, name):
    key = make()
    write(tmp_path, key_pem(key), certificate(key))
    assert load_signing_key("file:signer.pem", tmp_path).algorithm == name


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_key_that_others_can_read_is_refused(tmp_path, key, mode):
    write(tmp_path, key_pem(key), certificate(key), mode=mode)
    assert code(tmp_path) == "signer-mode"


def test_each_mistake_has_its_own_code(tmp_path, key):
    other = ec.generate_private_key(ec.SECP256R1())
    weak = rsa.generate_private_key(65537, 2048)
    cases = {
        "signer-mismatch": (key_pem(key), certificate(other)),
        "signer-expired": (key_pem(key), certificate(key, start=-30, end=-1)),
        "signer-not-yet-valid": (key_pem(key), certificate(key, start=1)),
        "signer-profile": (key_pem(key), certificate(key, purposes=())),
        "signer-chain": (key_pem(key),),
        "signer-key": (b"nothing",),
    }
    for expected, parts in cases.items():
        write(tmp_path, *parts)
        assert code(tmp_path) == expected
    for bad in (
        certificate(key, signature=False),
        certificate(key, purposes=("1.3.6.1.5.5.7.3.1",)),
    ):
        write(tmp_path, key_pem(key), bad)
        assert code(tmp_path) == "signer-profile"
    write(tmp_path, key_pem(weak), certificate(weak))
    assert code(tmp_path) == "signer-key"
    write(tmp_path, key_pem(key, b"secret"), certificate(key))
    assert code(tmp_path) == "signer-key"
    assert code(tmp_path, "kms:whatever") == "signer-scheme"
    with pytest.raises(FileNotFoundError):
        load_signing_key("file:absent.pem", tmp_path)


def test_the_key_is_never_shown(tmp_path, key):
    pem = key_pem(key)
    secret = b"".join(pem.splitlines()[1:-1]).decode()
    write(tmp_path, pem, certificate(key))
    signer = load_signing_key("file:signer.pem", tmp_path)
    assert secret[10:40] not in repr(signer)
    write(tmp_path, pem.replace(b"\n", b"!\n", 2), certificate(key))
    try:
        load_signing_key("file:signer.pem", tmp_path)
    except SigningError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error.__context__)
        assert secret[10:40] not in shown
    else:
        pytest.fail("a damaged key was accepted")
