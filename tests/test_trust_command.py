"""`aikz-label trust`: whom this machine believes, as a person keeps it."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

import pki
from aikz_label import Label, mark, verify
from aikz_label.cli import main
from aikz_label.config import load_config
from aikz_label.errors import TrustError
from aikz_label.trust import TrustKind, load_trust_list, load_trust_lists
from support import PHOTO, encoded, picture, require_tool


@pytest.fixture(scope="module")
def root():
    return pki.root("Partner root")


@pytest.fixture
def home(tmp_path, monkeypatch, root):
    """A user's configuration folder without anything in it, and a file a partner marked."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    root.issue().write(work)
    (work / "root.pem").write_text("Our root:\n" + root.pem)
    (work / "root.der").write_bytes(root.der)
    label = Label(origin="created", responsible=None)
    from aikz_label.config import Config
    from aikz_label.label import Responsible

    party = Config(work, responsible=Responsible(name="Test", role="owner"))
    mark(encoded(picture(), "png"), "p.png", label, signer="file:signer.pem", config=party)
    return work


def revocation_list(party, *serials, days=7):
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(party.certificate.subject)
        .last_update(pki.NOW - timedelta(days=1))
        .next_update(pki.NOW + timedelta(days=days))
    )
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial)
        builder = builder.add_revoked_certificate(entry.revocation_date(pki.NOW).build())
    return builder.sign(party.key, hashes.SHA256())


def test_believe_list_and_forget(home, capsys):
    assert main(["verify", "p.png"]) == 1
    assert main(["trust", "list"]) == 0
    assert "nobody is believed" in capsys.readouterr().err
    assert main(["trust", "add", "root.pem", "--name", "partner"]) == 0
    shown = capsys.readouterr().out
    fingerprint = load_trust_list(home / "root.pem").fingerprints()[0]
    assert fingerprint in shown
    assert "Partner root" in shown
    assert main(["verify", "p.png"]) == 0
    assert verify("p.png").marker.trust == "partner"
    capsys.readouterr()
    assert main(["trust", "list"]) == 0
    assert capsys.readouterr().out.startswith("signers: partner\n")
    assert main(["trust", "remove", "partner"]) == 0
    assert main(["verify", "p.png"]) == 1
    assert main(["trust", "remove", "partner"]) == 2
    assert "No list called partner" in capsys.readouterr().err


def test_the_fingerprint_is_the_one_that_openssl_shows(home, capsys):
    openssl = require_tool("openssl")
    command = [openssl, "x509", "-in", "root.pem", "-noout", "-fingerprint", "-sha256"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    main(["trust", "add", "root.pem"])
    assert said.partition("=")[2].strip().replace(":", "").lower() in capsys.readouterr().out


def test_every_kind_has_its_folder(home, root):
    tsa = pki.root("Clock")
    (home / "clock.pem").write_text(tsa.pem)
    (home / "revoked.crl").write_bytes(revocation_list(root).public_bytes(Encoding.DER))
    (home / "one.pem").write_text(root.issue().pem)
    assert main(["trust", "add", "root.der"]) == 0
    assert main(["trust", "add", "clock.pem", "--for", "time"]) == 0
    assert main(["trust", "add", "revoked.crl"]) == 0
    assert main(["trust", "add", "one.pem", "--for", "certificates"]) == 0
    kept = {(listed.kind, listed.name) for listed in load_config().trust}
    assert kept == {
        (TrustKind.SIGNERS, "root"),
        (TrustKind.TIME, "clock"),
        (TrustKind.REVOKED, "revoked"),
        (TrustKind.CERTIFICATES, "one"),
    }


def test_an_authority_for_time_stamps_is_not_believed_as_a_signer(home, root):
    main(["trust", "add", "root.pem", "--for", "time"])
    report = verify("p.png")
    assert (report.verdict, report.reason.code) == ("incomplete", "marker.untrusted")
    main(["trust", "add", "root.pem", "--name", "both"])
    assert verify("p.png").marker.trust == "both"


def test_a_single_certificate_is_believed_whoever_issued_it(home):
    leaf = x509.load_pem_x509_certificate((home / "signer.pem").read_bytes())
    (home / "leaf.pem").write_text(pki.pem(leaf))
    assert verify("p.png", trust=[load_trust_list(home / "leaf.pem")]).marker_state == "untrusted"
    single = load_trust_list(home / "leaf.pem", kind=TrustKind.CERTIFICATES)
    for at in (None, pki.NOW.isoformat()):
        report = verify("p.png", trust=[single], at=at)
        assert (report.verdict, report.marker.trust) == ("labelled", "leaf")


def test_a_list_is_replaced_only_on_request(home, capsys):
    assert main(["trust", "add", "root.pem"]) == 0
    assert main(["trust", "add", "root.der"]) == 2
    assert "kept already" in capsys.readouterr().err
    assert main(["trust", "add", "root.der", "--replace"]) == 0


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "a:b", " ", "x\u202ey"])
def test_a_name_is_no_path(home, name, capsys):
    assert main(["trust", "add", "root.pem", "--name", name]) == 2
    assert load_config().trust == ()


def test_the_same_name_for_two_kinds(home, capsys):
    main(["trust", "add", "root.pem"])
    main(["trust", "add", "root.pem", "--for", "time"])
    assert main(["trust", "remove", "root"]) == 2
    assert "--for" in capsys.readouterr().err
    assert main(["trust", "remove", "root", "--for", "time"]) == 0


@pytest.mark.parametrize(
    ("content", "kind", "says"),
    [
        (b"", "signers", "no certificate"),
        (b"garbage", "signers", "no certificate"),
        (b"\x30\x82\x00\x01\x00", "signers", "not a certificate"),
        (
            b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            "signers",
            "not a cert",
        ),
        (b"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n", "time", "base64"),
        (b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n", "revoked", "cannot be read"),
        (b"\x30\x00", "revoked", "cannot be read"),
    ],
)
def test_a_file_that_is_no_list(home, content, kind, says, capsys):
    (home / "x.pem").write_bytes(content)
    assert main(["trust", "add", "x.pem", "--for", kind]) == 2
    assert says in capsys.readouterr().err
    assert load_config().trust == ()


def test_a_delta_list_is_refused(home, root):
    whole = x509.CertificateRevocationListBuilder().issuer_name(root.certificate.subject)
    whole = whole.last_update(pki.NOW).next_update(pki.NOW + timedelta(days=1))
    delta = whole.add_extension(x509.DeltaCRLIndicator(1), critical=True)
    made = delta.sign(root.key, hashes.SHA256())
    (home / "d.crl").write_bytes(made.public_bytes(Encoding.DER))
    with pytest.raises(TrustError, match="delta"):
        load_trust_list(home / "d.crl", kind=TrustKind.REVOKED)


def test_a_list_of_ten_megabytes_is_refused(home, root):
    (home / "big.pem").write_text(root.pem * 16_000)
    with pytest.raises(TrustError, match="too large"):
        load_trust_list(home / "big.pem")


def test_a_folder_is_a_list_for_each_file(home, root):
    folder = home / "roots"
    folder.mkdir()
    for name in ("a.pem", "b.crt", "c.cer"):
        (folder / name).write_text(root.pem)
    (folder / "README").write_text("not a list")
    assert [listed.name for listed in load_trust_lists(folder)] == ["a", "b", "c"]
    assert verify("p.png", trust=folder).verdict == "labelled"
    assert main(["verify", "p.png", "--trust", "roots"]) == 0
    (folder / "empty").mkdir()
    with pytest.raises(TrustError, match="no trust list"):
        load_trust_lists(folder / "empty")


def test_options_take_the_place_of_the_configuration_kind_by_kind(home, root):
    main(["trust", "add", "root.pem"])
    (home / "other.pem").write_text(pki.root("Other").pem)
    assert main(["verify", "p.png", "--trust-tsa", "other.pem"]) == 0
    assert main(["verify", "p.png", "--trust", "other.pem"]) == 1
    assert main(["verify", "p.png", "--trust-cert", "other.pem"]) == 1
    leaf = x509.load_pem_x509_certificate((home / "signer.pem").read_bytes())
    revoked = revocation_list(root, leaf.serial_number).public_bytes(Encoding.PEM)
    (home / "r.pem").write_bytes(revoked)
    assert main(["verify", "p.png", "--crl", "r.pem"]) == 1
    lists = [*load_config().trust, load_trust_list(home / "r.pem", kind=TrustKind.REVOKED)]
    assert verify("p.png", trust=lists).reason.code == "marker.revoked"


def test_the_photograph_is_still_unmarked(home):
    assert verify(PHOTO, at="2020-01-01").verdict == "unmarked"
