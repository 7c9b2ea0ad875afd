"""The table of certificates, lists, time-stamps and times: each row made and asked, by every way there is to ask.

* now, where the engine's word may be enough, and now by our own validation: both must agree;
* at another time with `at`, and the same with the machine's clock moved (faketime): both must agree;
* encypher-c2pa, by other authors, must agree on what is trusted and what is not.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import pki
from aikz_label import Label, engine, verify
from aikz_label.label import Responsible
from aikz_label.manifest import marker
from aikz_label.report import Notice
from aikz_label.signing import SigningKey, profile
from aikz_label.trust import TrustKind, TrustList
from aikz_label.trust.timestamping import Authority
from matrix import CERTIFICATES, REVOCATIONS, ROWS, TIMES
from support import encoded, missing, picture, require_tool
from tsa import LocalTsa

PARTY = Responsible(name="Test", role="owner")
LABEL = Label(origin="created", responsible=PARTY, created=pki.NOW)
NOTICE = Notice("none", profile="kz/1", reason="a test")
PICTURE = encoded(picture(size=(160, 120)), "jpeg")
PEM = serialization.Encoding.PEM


@dataclass
class World:
    """Everybody in the table."""

    root: pki.Party
    signers: dict[str, pki.Party]
    clocks: dict[str, LocalTsa]
    made: dict[tuple[str, str], bytes]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = pki.root(authority=2)
    clocks = {}
    for name in ("believed", "unknown", "signers", "called back"):
        options = {"root": root, "purposes": [pki.TIME_STAMPING]} if name == "signers" else {}
        clocks[name] = LocalTsa(tmp_path_factory.mktemp("tsa"), **options)
    yield World(root, signers(root), clocks, {})
    for clock in clocks.values():
        clock.close()


def signers(root):
    """One for each kind of certificate."""
    ca = root.issue("Issuing", authority=0)
    stranger = pki.root("Stranger")
    namesake = pki.root("Root")  # the listed one's name, another key
    own = pki.new_key()
    made = {
        "good": ca.issue(),
        "single": stranger.issue("Issuing", authority=0).issue(),
        "stranger": stranger.issue("Other", authority=0).issue(),
        "namesake": namesake.issue("Issuing", authority=0).issue(),
        "self-signed": pki.Party(own, pki.certificate("Self", own, None)),
        "gap": replace(ca.issue(), above=()),
        "short": root.issue("Short", authority=0, days=(-1, 20)).issue(),
        "not an authority": root.issue("No authority", usage={"key_cert_sign": True}).issue(),
        "too deep": root.issue("First", authority=0).issue("Second", authority=0).issue(),
        "constrained": root.issue(
            "Constrained", authority=0, extra=[(foreign_names(), True)]
        ).issue(),
        "other purpose": root.issue("Web", authority=0, extra=[(web_servers(), False)]).issue(),
        "odd": root.issue("Odd", authority=0, extra=[(unknown(), True)]).issue(),
        "clock": ca.issue(purposes=[pki.TIME_STAMPING]),
        "loop": loop(),
        "crossed": crossed(root),
    }
    assert made.keys() == CERTIFICATES.keys()
    return made


def foreign_names():
    germany = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "DE")])
    return x509.NameConstraints([x509.DirectoryName(germany)], None)


def web_servers():
    return x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])


def unknown():
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")


def loop():
    """A certifies B, and B certifies A."""
    keys = {name: pki.new_key() for name in "AB"}
    plain = {n: pki.Party(k, pki.certificate(n, k, None, authority=3)) for n, k in keys.items()}
    a = pki.certificate("A", keys["A"], plain["B"], authority=3)
    b = pki.certificate("B", keys["B"], plain["A"], authority=3)
    leaf = pki.Party(keys["A"], a).issue()
    return replace(leaf, above=(a, b, a, b))


def crossed(root):
    """An authority below another root, which the listed root has certified too."""
    between, key = pki.new_key(), pki.new_key()
    other = pki.Party(between, pki.certificate("Between", between, None, authority=1))
    first = pki.certificate("Crossed", key, other, authority=0)
    second = pki.certificate("Between", between, root, authority=1)
    leaf = pki.Party(key, first).issue()
    return replace(leaf, above=(first, second))


def marked(world, certificate, stamp):
    """A marker straight from the engine: `mark` would refuse most of these certificates."""
    key = (certificate, stamp)
    if key not in world.made:
        party = world.signers[certificate]
        clock = world.clocks.get(stamp)
        signing = SigningKey(
            profile.algorithm(party.key.public_key()),
            "".join(map(pki.pem, party.chain)).encode(),
            pki.NOW,
            key=party.key_pem,
            authority=Authority(clock.url) if clock else None,
        )
        out = io.BytesIO()
        manifest = marker.definition(LABEL, NOTICE, "image", with_parent=False)
        engine.sign(io.BytesIO(PICTURE), out, "image/jpeg", manifest, signing)
        world.made[key] = out.getvalue()
    return world.made[key]


def data_for(world, row):
    if row.stamp != "other":
        return marked(world, row.certificate, row.stamp)
    good = marked(world, row.certificate, "believed")
    return good.replace(token_of(good), token_of(marked_again(world, row.certificate)))


def token_of(data):
    from aikz_label.manifest import cose

    reading = engine.read(io.BytesIO(data), "image/jpeg", ())
    (token,) = cose.signatures(reading.store)[reading.label].tokens
    return token


def marked_again(world, certificate):
    """Another signature with a token of the same length."""
    wanted = len(token_of(marked(world, certificate, "believed")))
    for number in range(50):
        world.made.pop((certificate, "believed"), None) if number else None
        keep = dict(world.made)
        world.made.pop((certificate, "believed"), None)
        other = marked(world, certificate, "believed")
        world.made.clear()
        world.made.update(keep)
        if len(token_of(other)) == wanted:
            return other
    raise AssertionError(wanted)


def lists_for(world, row):
    root, party = world.root, world.signers[row.certificate]
    lists = [TrustList("clocks", world.clocks["believed"].root.pem, kind=TrustKind.TIME)]
    clock = world.clocks["called back"]
    if row.stamp == "called back":
        lists.append(TrustList("clock", clock.root.pem, kind=TrustKind.TIME))
        lists.append(crl(clock.root, clock.signer.certificate, days=-20))
    match row.lists:
        case "signers":
            lists.append(TrustList("ours", root.pem))
        case "time":
            lists.append(TrustList("ours", root.pem, kind=TrustKind.TIME))
        case "certificates":
            lists.append(TrustList("leaf", party.pem, kind=TrustKind.CERTIFICATES))
    return (*lists, *revocations(world, row))


def revocations(world, row):
    if not row.revoked:
        return ()
    party = world.signers[row.certificate]
    ca, leaf = pki.Party(issuing_key(world, row), party.above[0]), party.certificate
    fake = pki.Party(pki.new_key(), ca.certificate)
    made = {
        "no": lambda: crl(ca, None),
        "stale": lambda: crl(ca, None, until=-1),
        "before": lambda: crl(ca, leaf, days=-0.5),
        "later": lambda: crl(ca, leaf, days=5),
        "authority": lambda: crl(world.root, party.above[0], days=-0.5),
        "forged": lambda: crl(fake, leaf, days=-0.5),
    }
    assert made.keys() | {""} == REVOCATIONS.keys()
    return (made[row.revoked](),)


def issuing_key(world, row):
    return KEYS[world.signers[row.certificate].above[0]]


KEYS = {}
_issue = pki.Party.issue


@pytest.fixture(autouse=True, scope="module")
def _remember_keys():
    """Who holds the key of an authority, to sign its revocation lists."""

    def issue(self, *arguments, **options):
        made = _issue(self, *arguments, **options)
        KEYS[self.certificate] = self.key
        return made

    patch = pytest.MonkeyPatch()
    patch.setattr(pki.Party, "issue", issue)
    yield
    patch.undo()


def crl(party, certificate, days=0.0, until=90):
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(party.certificate.subject)
        .last_update(pki.NOW - timedelta(days=100))
        .next_update(pki.NOW + timedelta(days=until))
    )
    if certificate is not None:
        entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
        entry = entry.revocation_date(pki.NOW + timedelta(days=days))
        builder = builder.add_revoked_certificate(entry.build())
    text = builder.sign(party.key, hashes.SHA256()).public_bytes(PEM).decode()
    return TrustList("crl", text, kind=TrustKind.REVOKED)


def outcome(report):
    code = next(f.message.code for f in report.findings if f.clause == "kz.21.2.marker")
    return str(report.marker_state), "" if code == "marker.trusted" else code


def at(row):
    return pki.NOW + timedelta(days=TIMES[row.when], minutes=1)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_row_gives_what_it_says(world, row):
    data, lists = data_for(world, row), lists_for(world, row)
    expected = (row.state, row.code)
    assert outcome(verify(data, trust=lists, at=at(row))) == expected
    if row.when == "in force":
        assert outcome(verify(data, trust=lists)) == expected


def test_no_row_is_there_twice():
    questions = [replace(row, state="", code="") for row in ROWS]
    assert len(set(questions)) == len(questions)
    assert {row.certificate for row in ROWS} == CERTIFICATES.keys()
    assert {row.revoked for row in ROWS} == REVOCATIONS.keys()


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_same_with_the_clock_moved(world, when, tmp_path):
    """The default way, with the engine, on a machine whose clock says another day."""
    faketime = require_tool("faketime")
    rows = [row for row in ROWS if row.when == when]
    jobs = []
    for number, row in enumerate(rows):
        (tmp_path / f"{number}.jpg").write_bytes(data_for(world, row))
        lists = [(t.name, t.pem, str(t.kind)) for t in lists_for(world, row)]
        jobs.append([f"{number}.jpg", lists])
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    program = (
        "import json, sys\n"
        "from aikz_label import verify\n"
        "from aikz_label.trust import TrustKind, TrustList\n"
        "for path, lists in json.load(open('jobs.json')):\n"
        "    trust = [TrustList(n, p, kind=TrustKind(k)) for n, p, k in lists]\n"
        "    report = verify(path, trust=trust)\n"
        "    code = next(f.message.code for f in report.findings if f.clause == 'kz.21.2.marker')\n"
        "    print(report.marker_state, '' if code == 'marker.trusted' else code)\n"
    )
    command = [faketime, "-f", f"{TIMES[when]:+}d", sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    found = [tuple(line.split(" ")) for line in done.stdout.splitlines()]
    assert found == [(row.state, row.code) for row in rows]


# Asked the same as encypher-c2pa: it is given no revocation lists.
ASKED = [
    row
    for row in ROWS
    if not row.revoked and row.lists != "time" and row.stamp not in {"called back", "other"}
]
# What it says otherwise, and why.
EXPLAINED = {
    # it does not look at the purposes of an authority
    "other purpose, signers, in force": "trusted",
}


@pytest.mark.parametrize("row", ASKED, ids=lambda row: row.id)
def test_another_verifier_agrees(world, row):
    try:
        import encypher_c2pa
    except ModuleNotFoundError:
        missing("the package encypher-c2pa")
    lists = lists_for(world, row)

    def chosen(kind):
        return "".join(listed.pem for listed in lists if listed.kind is kind) or None

    answer = encypher_c2pa.verify(
        data_for(world, row),
        "image/jpeg",
        trust_pem=chosen(TrustKind.SIGNERS),
        tsa_trust_pem=chosen(TrustKind.TIME),
        allowed_list_pem=chosen(TrustKind.CERTIFICATES),
        no_default_trust=True,
        validation_time=at(row).isoformat().replace("+00:00", "Z"),
        telemetry=False,
        online=False,
    )
    said = {"Trusted": "trusted", "Valid": "untrusted", "Invalid": "invalid"}
    state = said[answer["validation_state"]]
    failures = {failure["code"] for failure in answer["validation_results"]["failure"]}
    if "claimSignature.outsideValidity" in failures:  # its word for it is "valid"
        state = "invalid"
    assert state == EXPLAINED.get(row.id, row.state)
