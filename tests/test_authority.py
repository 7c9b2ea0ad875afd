"""An authority of one's own and the identity it issues, on the command line and checked with openssl."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import pki
from aikz_label import Label, mark, verify
from aikz_label.cli import main
from aikz_label.config import load_config
from aikz_label.errors import InvalidLabel, SigningError, UsageError
from aikz_label.identity.authority import Authority
from aikz_label.identity.certifying import Subject
from aikz_label.trust import TrustKind, load_trust_list
from support import BIN, encoded, picture, require_tool

PICTURE = encoded(picture(), "png")


def openssl(*arguments, **options):
    command = [require_tool("openssl"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An authority in `ca`, whose root's key is on a medium of its own."""
    monkeypatch.chdir(tmp_path)
    made = ["ca", "init", "--dir", "ca", "--name", "ЖШС «Үлгі»", "--root-dir", "medium"]
    assert main(made) == 0
    return tmp_path


def issue(*options, name="ТОО «Пример»", output="signer.pem"):
    return main(["ca", "issue", "--dir", "ca", "--name", name, "-o", output, *options])


def marked(uri, name="ТОО «Пример»"):
    from aikz_label.config import Config
    from aikz_label.label import Responsible

    config = Config(Path.cwd(), responsible=Responsible(name=name, role="owner", bin=BIN))
    return mark(PICTURE, None, Label(origin="created"), signer=uri, config=config).data


def checked(data, *more, **options):
    lists = [load_trust_list(Path("ca/root.pem")), *more]
    return verify(data, trust=lists, **options)


def test_what_it_issues_is_believed_by_its_root_and_by_openssl(here):
    assert issue("--bin", BIN, "--common-name", "Студия") == 0
    assert "OK" in openssl(
        "verify", "-CAfile", "ca/root.pem", "-untrusted", "ca/ca.pem", "signer.pem"
    )
    report = checked(marked("file:signer.pem"))
    assert report.verdict == "labelled"
    assert (report.marker.signer.name, report.marker.signer.organisation) == (
        "Студия", "ТОО «Пример»",
    )  # fmt: skip
    assert report.marker.signer.bin == BIN
    codes = {finding.message.code for finding in report.findings}
    assert "responsible.same-bin" in codes
    shown = openssl("x509", "-in", "signer.pem", "-noout", "-text")
    assert "CA:FALSE" in shown
    assert "Digital Signature, Non Repudiation" in shown


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
def test_keys_are_private_and_the_roots_is_elsewhere(here):
    issue()
    for path in ("ca/ca-key.pem", "medium/root-key.pem", "signer.pem"):
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert not Path("ca/root-key.pem").exists()
    Path("ca/ca-key.pem").chmod(0o640)
    assert issue(output="other.pem") == 2
    assert not Path("other.pem").exists()


def test_nothing_is_overwritten(here, capsys):
    before = Path("ca/ca-key.pem").read_bytes()
    assert main(["ca", "init", "--dir", "ca", "--name", "x", "--root-dir", "medium2"]) == 2
    assert not Path("medium2").exists()
    assert main(["ca", "init", "--dir", "ca2", "--name", "x", "--root-dir", "medium"]) == 2
    assert not Path("ca2").exists()
    assert Path("ca/ca-key.pem").read_bytes() == before
    issue()
    assert issue() == 2
    assert "never overwritten" in capsys.readouterr().err


@pytest.mark.parametrize("algorithm", ["es384", "es512", "ed25519", "ps256"])
def test_every_algorithm(tmp_path, monkeypatch, algorithm):
    monkeypatch.chdir(tmp_path)
    main(["ca", "init", "--dir", "ca", "--name", "x", "--algorithm", algorithm])
    issue("--algorithm", algorithm)
    report = checked(marked("file:signer.pem"))
    assert report.verdict == "labelled"
    assert report.marker.signer.algorithm.lower() == algorithm
    assert main(["ca", "revoke", "--dir", "ca", "signer.pem"]) == 0
    openssl("crl", "-in", "ca/crl.pem", "-CAfile", "ca/ca.pem", "-noout")


def test_a_key_that_is_elsewhere_is_certified_by_request_or_by_itself(here, capsys):
    key = pki.new_key()
    Path("key.pem").write_bytes(pki.key_pem(key))
    Path("key.pem").chmod(0o600)
    openssl("req", "-new", "-key", "key.pem", "-subj", "/O=another name", "-out", "r.csr")
    openssl("req", "-in", "r.csr", "-outform", "DER", "-out", "r.der")
    openssl("pkey", "-in", "key.pem", "-pubout", "-out", "p.pem")
    openssl("pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "p.der")
    for number, (flag, file) in enumerate(
        [
            ("--csr", "r.csr"),
            ("--csr", "r.der"),
            ("--public-key", "p.pem"),
            ("--public-key", "p.der"),
        ]
    ):
        chain = f"chain{number}.pem"
        assert issue(flag, file, output=chain) == 0
        assert "PRIVATE" not in Path(chain).read_text()
        report = checked(marked(f"file:key.pem?chain={chain}"))
        assert report.marker.signer.organisation == "ТОО «Пример»"  # not what the request says
    request = bytearray(Path("r.der").read_bytes())
    request[-5] ^= 1
    Path("bad.der").write_bytes(request)
    for file in ("bad.der", "ca/root.pem", "key.pem"):
        assert issue("--csr", file, output="no.pem") == 2
    weak = pki.new_key("rsa1024").public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    Path("weak.pem").write_bytes(weak.public_bytes(serialization.Encoding.PEM, form))
    assert issue("--public-key", "weak.pem", output="no.pem") == 2
    assert "1024 bits" in capsys.readouterr().err
    assert not Path("no.pem").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--days", "0"], "number of days"),
        (["--days", "4000"], "outlive"),
        (["--days", "99999999"], "number of days"),
        (["--bin", "123"], "12 digits"),
        (["--country", "kz"], "ISO 3166"),
        (["--common-name", "x\u202ey"], "invisible"),
    ],
)
def test_mistakes_when_issuing(here, options, says, capsys):
    assert issue(*options) == 2
    assert says in capsys.readouterr().err
    assert json.loads(Path("ca/issued.json").read_text())["issued"] == []


def test_revoking_makes_what_was_signed_invalid(here, capsys):
    issue()
    issue(output="good.pem")
    data, good = marked("file:signer.pem"), marked("file:good.pem")
    assert main(["ca", "crl", "--dir", "ca"]) == 0
    empty = load_trust_list(Path("ca/crl.pem"), kind=TrustKind.REVOKED)
    report = checked(data, empty)
    assert (report.verdict, report.marker.revocation.state) == ("labelled", "good")
    assert "limits.offline" not in {limit.code for limit in report.limits}
    assert main(["ca", "revoke", "--dir", "ca", "signer.pem", "--reason", "key-compromise"]) == 0
    revoked = load_trust_list(Path("ca/crl.pem"), kind=TrustKind.REVOKED)
    report = checked(data, revoked)
    assert (report.verdict, report.reason.code) == ("invalid", "marker.revoked")
    assert "keyCompromise" in report.to_json()
    assert checked(good, revoked).verdict == "labelled"
    assert checked(data).verdict == "labelled"  # nobody told, and the report says so
    before = (pki.NOW - timedelta(minutes=5)).isoformat()
    assert checked(data, revoked, at=before).verdict == "labelled"
    assert main(["ca", "revoke", "--dir", "ca", "signer.pem"]) == 2
    assert "already" in capsys.readouterr().err
    assert main(["ca", "revoke", "--dir", "ca", "abcdef"]) == 2
    assert main(["ca", "revoke", "--dir", "ca", "ca/crl.pem"]) == 2
    main(["ca", "list", "--dir", "ca"])
    assert capsys.readouterr().out.count("revoked") == 1


def test_the_register_and_the_list_agree_with_openssl(here):
    issue()
    main(["ca", "revoke", "--dir", "ca", "signer.pem", "--since", "2026-01-02T03:04:05Z"])
    shown = openssl("crl", "-in", "ca/crl.pem", "-noout", "-text", "-CAfile", "ca/ca.pem")
    (entry,) = Authority(Path("ca")).register()
    assert entry.serial.upper() in shown.replace(":", "")
    assert "Jan  2 03:04:05 2026" in shown
    first = openssl("crl", "-in", "ca/crl.pem", "-noout", "-crlnumber")
    main(["ca", "crl", "--dir", "ca", "--days", "7"])
    assert openssl("crl", "-in", "ca/crl.pem", "-noout", "-crlnumber") != first


def test_the_issuing_authority_is_called_back_with_the_roots_key(here, capsys):
    issue()
    data = marked("file:signer.pem")
    assert main(["ca", "revoke", "--dir", "ca", "ca/ca.pem"]) == 2  # the key is not here
    assert "root-key.pem" in capsys.readouterr().err
    assert main(["ca", "revoke", "--dir", "ca", "ca/ca.pem", "--root-dir", "medium"]) == 0
    revoked = load_trust_list(Path("ca/root-crl.pem"), kind=TrustKind.REVOKED)
    report = checked(data, revoked)
    assert report.reason.code == "marker.revoked"
    assert "issuing CA" in report.to_json()


def test_a_home_made_authority_with_a_famous_name_is_not_trusted(here, tmp_path):
    main(["ca", "init", "--dir", "fake", "--name", "OpenAI"])
    main(["ca", "issue", "--dir", "fake", "--name", "OpenAI", "-o", "fake.pem"])
    data = marked("file:fake.pem", "OpenAI")
    report = checked(data)
    assert (report.verdict, report.reason.code) == ("incomplete", "marker.untrusted")
    codes = [f.message.code for f in report.findings if f.clause == "kz.21.2.marker"]
    assert codes == ["marker.untrusted", "signer.chain-ends"]
    assert not any(f.message.code.startswith("responsible.same") for f in report.findings)


def test_no_authority_is_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for command in (["issue", "--name", "x", "-o", "y.pem"], ["crl"], ["list"], ["revoke", "1"]):
        assert main(["ca", command[0], "--dir", "nothing", *command[1:]]) == 2
        assert "ca init" in capsys.readouterr().err
    main(["ca", "init", "--dir", "ca", "--name", "x"])
    Path("ca/issued.json").write_text("{")
    assert main(["ca", "list", "--dir", "ca"]) == 2
    Path("ca/ca.pem").write_text("x")
    assert main(["ca", "list", "--dir", "ca"]) == 2
    assert "damaged" in capsys.readouterr().err


def test_a_damaged_key_is_a_sentence_without_the_key(here):
    secret = Path("ca/ca-key.pem").read_text().splitlines()[1]
    Path("ca/ca-key.pem").write_text("-----BEGIN PRIVATE KEY-----\n" + secret[:20])
    with pytest.raises(SigningError) as error:
        Authority(Path("ca")).issue(Subject("x"))
    assert secret[:16] not in str(error.value) + repr(error.value.__context__)


def test_subjects_are_checked():
    for wrong in ({"organisation": ""}, {"organisation": "x", "bin": "1"}):
        with pytest.raises(InvalidLabel):
            Subject(**wrong)
    with pytest.raises(UsageError):
        Subject("x", country="Kazakhstan")


# --- identity ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path, monkeypatch):
    """What `init` makes, as the user's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert main(["init", "--name", "ЖШС «Үлгі»", "--bin", BIN, "--role", "owner"]) == 0
    Path("a.png").write_bytes(PICTURE)
    return tmp_path / "config" / "aikz-label"


def test_rotation_keeps_what_was_signed(own, capsys):
    main(["mark", "a.png", "--origin", "created", "-o", "old.png"])
    before = (own / "signer.pem").read_bytes()
    assert main(["identity", "rotate"]) == 0
    assert stat.S_IMODE((own / "signer.pem").stat().st_mode) == 0o600
    assert (own / "signer.pem").read_bytes() != before
    (aside,) = (own / "retired").iterdir()
    assert b"PRIVATE" not in aside.read_bytes()
    main(["mark", "a.png", "--origin", "created", "-o", "new.png"])
    old, new = verify("old.png"), verify("new.png")
    assert (old.verdict, new.verdict) == ("labelled", "labelled")
    assert old.marker.signer.serial != new.marker.signer.serial
    capsys.readouterr()
    assert main(["identity", "list"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("active") < shown.index("retired")
    assert f"{int(old.marker.signer.serial):x}" in shown


def test_rotation_after_a_loss_calls_the_old_one_back_from_a_day_on(own):
    main(["mark", "a.png", "--origin", "created", "-o", "old.png"])
    assert main(["identity", "rotate", "--revoke", "key-compromise", "--since", "2026-01-01"]) == 0
    main(["mark", "a.png", "--origin", "created", "-o", "new.png"])
    assert verify("old.png").reason.code == "marker.revoked"
    assert verify("new.png").verdict == "labelled"
    kinds = [listed.kind for listed in load_config().trust]
    assert kinds == [TrustKind.SIGNERS, TrustKind.REVOKED]


def test_show_says_who_believes_it(own, capsys):
    assert main(["identity", "show"]) == 0
    shown = capsys.readouterr().out
    for part in ("es256", BIN, "believed by   local", "issued by     aikz-label issuing CA"):
        assert part in shown
    main(["ca", "init", "--dir", "other", "--name", "Other"])
    main(["ca", "issue", "--dir", "other", "--name", "Other", "-o", "other.pem"])
    capsys.readouterr()
    assert main(["identity", "show", "--signer", "file:other.pem"]) == 0
    assert "nobody" in capsys.readouterr().out


def test_a_signer_that_init_did_not_make_is_not_rotated(own, capsys):
    settings = own / "aikz-label.toml"
    settings.write_text(settings.read_text().replace("file:signer.pem", "file:other.pem"))
    assert main(["identity", "rotate"]) == 2
    assert "ca issue --public-key" in capsys.readouterr().err


def test_what_init_makes_is_an_authority_too(own):
    main(["ca", "issue", "--name", "Studio", "-o", "studio.pem"])
    assert len(Authority(own).register()) == 2
    certificate = x509.load_pem_x509_certificate(Path("studio.pem").read_bytes())
    assert certificate.fingerprint(hashes.SHA256())
