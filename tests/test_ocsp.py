"""OCSP against a real responder (openssl ocsp) on the loopback interface, and against ones that fail."""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

import pki
from aikz_label import Label, mark, verify
from aikz_label.cli import main
from aikz_label.config import Config
from aikz_label.errors import UsageError
from aikz_label.label import Responsible
from aikz_label.trust import TrustKind, TrustList
from aikz_label.trust.credentials import revocation
from support import encoded, missing, picture, require_tool

PICTURE = encoded(picture(size=(200, 150)), "jpeg")
KIND = "application/ocsp-response"
SINCE = pki.NOW - timedelta(hours=12)


@pytest.fixture(scope="module")
def root():
    return pki.root()


@pytest.fixture(scope="module")
def ca(root):
    return root.issue("Issuing", authority=0)


@contextlib.contextmanager
def responder(folder, ca, *, revoked=(), known=(), delegated=None):
    """`openssl ocsp` with a register of its own."""
    openssl = require_tool("openssl")
    lines = []
    for party in (*known, *revoked):
        ends = party.certificate.not_valid_after_utc
        state = f"R\t{ends:%y%m%d%H%M%SZ}\t{SINCE:%y%m%d%H%M%SZ},keyCompromise"
        if party not in revoked:
            state = f"V\t{ends:%y%m%d%H%M%SZ}\t"
        serial = f"{party.certificate.serial_number:X}"
        lines.append(f"{state}\t{serial.zfill(len(serial) + len(serial) % 2)}\tunknown\t/O=x\n")
    (folder / "index.txt").write_text("".join(lines))
    signer = delegated or ca
    (folder / "ca.pem").write_text(ca.pem)
    (folder / "r.pem").write_text(signer.pem)
    (folder / "r.key").write_bytes(signer.key_pem)
    command = [openssl, "ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "r.pem"]
    command += ["-rkey", "r.key", "-port", "0", "-ndays", "1"]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        started = next(line for line in process.stdout if line.startswith("ACCEPT"))
        port = re.search(r":(\d+)", started)[1]
        yield f"http://127.0.0.1:{port}/ocsp/"
    finally:
        process.terminate()
        process.wait(5)
        process.stdout.close()


def marked(folder, party, **options):
    party.write(folder)
    config = Config(
        folder, responsible=Responsible(name="Test", role="owner"), signer="file:signer.pem"
    )
    return mark(PICTURE, None, Label(origin="created"), config=config, **options).data


def code(report):
    return next(f.message.code for f in report.findings if f.clause == "kz.21.2.marker")


@pytest.mark.parametrize("delegated", [False, True])
def test_a_responder_decides(tmp_path, root, ca, delegated):
    parties = {name: ca.issue() for name in ("good", "bad", "nobody")}
    deputy = ca.issue("Deputy", purposes=[pki.OCSP_SIGNING]) if delegated else None
    lists = [TrustList("ours", root.pem)]
    asked = {"known": [parties["good"]], "revoked": [parties["bad"]], "delegated": deputy}
    with responder(tmp_path, ca, **asked) as url:
        good = verify(marked(tmp_path, parties["good"]), trust=lists, ocsp=url)
        assert (good.verdict, good.marker.revocation.state) == ("labelled", "good")
        assert good.marker.revocation.how == "ocsp"
        assert "limits.offline" not in {limit.code for limit in good.limits}
        bad = marked(tmp_path, parties["bad"])
        report = verify(bad, trust=lists, ocsp=url)
        assert (report.verdict, report.reason.code) == ("invalid", "marker.revoked")
        assert report.marker.revocation.since == SINCE.isoformat().replace("+00:00", "Z")
        before = verify(bad, trust=lists, ocsp=url, at=SINCE - timedelta(minutes=1))
        assert before.marker_state == "trusted"
        nobody = verify(marked(tmp_path, parties["nobody"]), trust=lists, ocsp=url)
        assert (nobody.verdict, nobody.reason.code) == ("incomplete", "marker.unconfirmed")
        # nobody who is not believed anyway is asked about
        assert verify(bad, trust=[], ocsp=url).reason.code == "marker.untrusted"
    assert verify(bad, trust=lists).verdict == "labelled"


def test_another_verifier_agrees_on_what_was_revoked(tmp_path, root, ca):
    try:
        import encypher_c2pa
    except ModuleNotFoundError:
        missing("the package encypher-c2pa")
    answers = {}

    def reply(body):
        return 200, KIND, answers[ocsp.load_der_ocsp_request(body).serial_number]

    with server(reply) as url:
        kind = x509.AuthorityInformationAccessOID.OCSP
        place = x509.AccessDescription(kind, x509.UniformResourceIdentifier(url))
        named = [(x509.AuthorityInformationAccess([place]), False)]
        for revoked, ours in ((False, "trusted"), (True, "invalid")):
            party = ca.issue(extra=named)
            answers[party.certificate.serial_number] = answer(ca, party, revoked=revoked)
            data = marked(tmp_path, party)
            said = encypher_c2pa.verify(
                data, "image/jpeg", trust_pem=root.pem, no_default_trust=True,
                telemetry=False, online=True, online_allow_private_networks=True,
            )  # fmt: skip
            failures = {f["code"] for f in said["validation_results"]["failure"]}
            assert (said["validation_state"] == "Trusted") is not revoked
            assert ("signingCredential.ocsp.revoked" in failures) is revoked
            report = verify(data, trust=[TrustList("ours", root.pem)], ocsp=url)
            assert report.marker_state == ours


def answer(ca, party, *, revoked=False, signer=None, hours=(-1, 24), algorithm=None):
    state = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
    now = datetime.now(UTC)
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=party.certificate, issuer=ca.certificate, algorithm=algorithm or hashes.SHA1(),
        cert_status=state, this_update=now + timedelta(hours=hours[0]),
        next_update=now + timedelta(hours=hours[1]),
        revocation_time=SINCE if revoked else None, revocation_reason=None,
    )  # fmt: skip
    signer = signer or ca.issue("Deputy", purposes=[pki.OCSP_SIGNING])
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
    builder = builder.certificates([signer.certificate])
    made = builder.sign(signer.key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


@contextlib.contextmanager
def server(reply, port=0):
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            status, kind, content = reply(body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", port), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}/ocsp/"
        finally:
            listening.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (lambda body: (500, KIND, b""), "HTTP status 500"),
        (lambda body: (302, KIND, b""), "HTTP status 302"),
        (lambda body: (200, "text/html", b"<h1>Log in</h1>"), "another type"),
        (lambda body: (200, KIND, b"garbage"), ""),
        (lambda body: (200, KIND, b""), ""),
        (lambda body: (200, KIND, b"\x30\x03\x0a\x01\x06"), ""),  # unauthorized
        (lambda body: (200, KIND, bytes(3_000_000)), "too long"),
    ],
)
def test_who_asks_and_gets_no_answer_does_not_believe(tmp_path, root, ca, reply, says):
    data = marked(tmp_path, ca.issue())
    with server(reply) as url:
        report = verify(data, trust=[TrustList("ours", root.pem)], ocsp=url)
    assert (report.verdict, report.reason.code) == ("incomplete", "marker.unconfirmed")
    assert report.marker.revocation.state == "unknown"
    assert says in report.to_json()
    assert "Log in" not in report.to_json()


def test_a_responder_that_is_not_there(tmp_path, root, ca):
    data = marked(tmp_path, ca.issue())
    report = verify(data, trust=[TrustList("ours", root.pem)], ocsp="http://127.0.0.1:9/")
    assert report.reason.code == "marker.unconfirmed"
    assert "refused" in report.to_json()


def test_only_an_answer_that_fits_counts(ca):
    party, other = ca.issue(), ca.issue()
    stranger = pki.root("Stranger")
    now = datetime.now(UTC)

    def state(data):
        return revocation.answered(data, party.certificate, ca.certificate, now).state

    assert state(answer(ca, party)) == "good"
    assert state(answer(ca, party, revoked=True)) == "revoked"
    assert state(answer(ca, party, signer=ca)) == "good"
    assert state(answer(ca, other)) == "unknown"
    assert state(answer(ca, party, signer=stranger.issue(purposes=[pki.OCSP_SIGNING]))) == "unknown"
    assert state(answer(ca, party, signer=ca.issue("No deputy"))) == "unknown"
    assert state(answer(ca, party, hours=(-48, -24))) == "unknown"
    assert state(answer(ca, party, hours=(2, 24))) == "unknown"
    assert state(answer(ca, party, algorithm=hashes.SHA256())) == "unknown"
    expired = ca.issue("Old deputy", purposes=[pki.OCSP_SIGNING], days=(-9, -8))
    assert state(answer(ca, party, signer=expired)) == "unknown"
    whole = answer(ca, party)
    for cut in range(0, len(whole), 7):
        assert state(whole[:cut]) == "unknown"
        flipped = whole[:cut] + bytes([whole[cut] ^ 1]) + whole[cut + 1 :]
        assert state(flipped) in {"unknown", "good"}


@pytest.mark.parametrize("url", ["ocsp.example", "ftp://x/", "http://user:pw@host/", "http://"])
def test_an_address_that_is_none(url, capsys):
    with pytest.raises(UsageError):
        verify(PICTURE, ocsp=url)
    assert main(["verify", "x.jpg", "--ocsp", url]) == 2


def test_a_listed_certificate_is_asked_about_through_its_issuer(tmp_path, ca):
    party = ca.issue()
    data = marked(tmp_path, party)
    leaf = TrustList("leaf", party.pem, kind=TrustKind.CERTIFICATES)
    with responder(tmp_path, ca, known=[party]) as url:
        assert verify(data, trust=[leaf], ocsp=url).marker_state == "trusted"
    alone = pki.new_key()
    own = pki.Party(alone, pki.certificate("Own", alone, None))
    data = marked(tmp_path, own)
    listed = TrustList("own", own.pem, kind=TrustKind.CERTIFICATES)
    with responder(tmp_path, ca) as url:
        report = verify(data, trust=[listed], ocsp=url)
    assert report.reason.code == "marker.unconfirmed"


def test_nobody_is_asked_unless_named(tmp_path, root, ca):
    asked = []

    def reply(body):
        asked.append(body)
        return 500, KIND, b""

    with server(reply) as url:
        kind = x509.AuthorityInformationAccessOID.OCSP
        place = x509.AccessDescription(kind, x509.UniformResourceIdentifier(url))
        party = ca.issue(extra=[(x509.AuthorityInformationAccess([place]), False)])
        data = marked(tmp_path, party)
        for at in (None, pki.NOW):
            assert (
                verify(data, trust=[TrustList("ours", root.pem)], at=at).marker_state == "trusted"
            )
        time.sleep(0.1)
    assert asked == []
