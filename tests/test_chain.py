"""Chains of marking: one company's file, updated by another; every step is shown, and a bad one is never hidden."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import c2pa_files
import pki
from aikz_label import Label, Verdict, console, engine, mark, verify
from aikz_label.config import Config
from aikz_label.label import Responsible
from aikz_label.manifest import marker
from aikz_label.report import MarkerState, Notice
from aikz_label.signing import load_signing_key
from aikz_label.trust import TrustKind, TrustList
from support import BIN, encoded, picture
from test_ocsp import KIND, server

PICTURE = encoded(picture(), "jpeg")
NOTICE = Notice("none", profile="kz/1", reason="a test")


@pytest.fixture(scope="module")
def companies(tmp_path_factory):
    """Three companies, each with an authority of its own and a long or a short certificate."""
    made = {}
    for name, days in (("Alpha", 30), ("Beta", 300), ("Gamma", 300)):
        root = pki.root(f"{name} root")
        party = root.issue("Issuing", authority=0, days=(-1, 3000)).issue(
            f"{name} studio", organisation=name, days=(-1, days)
        )
        folder = tmp_path_factory.mktemp(name)
        party.write(folder)
        config = Config(
            folder,
            responsible=Responsible(name=name, role="owner"),
            signer="file:signer.pem",
            trust=(TrustList(name, root.pem),),
        )
        made[name] = (config, root, party)
    return made


def lists(companies, *names):
    return [companies[name][0].trust[0] for name in names]


def updated(companies, name, data=None, **options):
    label = Label(origin="created" if data is None else "altered", system=f"{name}Gen/1")
    source = PICTURE if data is None else data
    how = {} if data is None else {"on_existing": "update"}
    return mark(source, None, label, config=companies[name][0], **how, **options).data


@pytest.fixture(scope="module")
def three(companies):
    first = updated(companies, "Alpha")
    second = updated(companies, "Beta", first)
    return first, second, updated(companies, "Gamma", second)


def states(report):
    return [
        (step.of, step.signer.name, str(step.state), step.problem) for step in report.marker.history
    ]


def test_every_step_is_shown_with_what_it_is_worth(companies, three):
    report = verify(three[2], trust=lists(companies, "Gamma", "Alpha"))
    assert report.verdict is Verdict.LABELLED
    assert states(report) == [
        (0, "Beta studio", "untrusted", ""),
        (1, "Alpha studio", "trusted", ""),
    ]
    beta, alpha = report.marker.history
    assert (alpha.origin, beta.origin) == ("created", "altered")
    assert alpha.generator.startswith("aikz-label")
    assert alpha.codes == ()
    assert alpha.signer.begins < alpha.signer.ends < beta.signer.ends
    codes = [f.message.code for f in report.findings if f.clause == "kz.21.2.marker"]
    assert codes == ["marker.trusted", "history.untrusted"]
    shown = json.loads(report.to_json())["history"]
    assert [step["signer"]["organisation"] for step in shown] == ["Beta", "Alpha"]


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_people_see_the_chain_within_80_columns(companies, three, language):
    report = verify(three[2], trust=lists(companies, "Gamma"))
    lines = console.full_report(report, language).splitlines()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "1. " in text
    assert "Beta studio" in text
    assert "2. " in text


def test_the_last_signer_alone_decides_who_is_believed(companies, three):
    everybody = lists(companies, "Alpha", "Beta", "Gamma")
    assert [s.state for s in verify(three[2], trust=everybody).marker.history] == ["trusted"] * 2
    without = verify(three[2], trust=lists(companies, "Alpha", "Beta"))
    assert (without.verdict, without.reason.code) == (Verdict.INCOMPLETE, "marker.untrusted")
    assert verify(three[0], trust=everybody).marker.history == ()


def forced(companies, name, data):
    """An update as a careless tool makes it: the engine takes any parent."""
    config = companies[name][0]
    key = load_signing_key(config.signer, config.folder)
    label = Label(origin="altered", responsible=config.responsible)
    manifest = marker.definition(label, NOTICE, "image", with_parent=True)
    stream, out = io.BytesIO(data), io.BytesIO()
    reading = engine.read(stream, "image/jpeg", ())
    parent = engine.Parent(stream, "image/jpeg", marker.PARENT, reading)
    engine.sign(io.BytesIO(data), out, "image/jpeg", manifest, key, parent)
    return out.getvalue()


@pytest.mark.parametrize("at", [None, pki.NOW + timedelta(days=1)])
def test_a_bad_parent_is_never_hidden_by_good_children(companies, three, at):
    first = three[0]
    tampered = first[:-3000] + bytes([first[-3000] ^ 1]) + first[-2999:]
    child = forced(companies, "Beta", tampered)
    grandchild = forced(companies, "Gamma", child)
    trust = lists(companies, "Alpha", "Beta", "Gamma")
    for data, depth in ((child, 1), (grandchild, 2)):
        report = verify(data, trust=trust, at=at)
        assert (report.verdict, report.reason.code) == (Verdict.INVALID, "marker.parent")
        assert report.marker.history[depth - 1].state is MarkerState.INVALID
        assert report.marker.history[depth - 1].problem == "altered"
        assert "history.invalid" in {f.message.code for f in report.findings}


@pytest.mark.parametrize("at", [None, pki.NOW + timedelta(days=1)])
def test_a_fault_deep_in_a_parent_stays_one_however_often_it_is_taken_up(companies, three, at):
    """Who takes it up records what differs from the records in it; who does so next has nothing more to say."""
    second = three[1]
    spot = second.index(b"AlphaGen")
    child = forced(companies, "Gamma", second[:spot] + b"X" + second[spot + 1 :])
    trust = lists(companies, "Alpha", "Beta", "Gamma")
    for data in (child, forced(companies, "Gamma", child)):
        report = verify(data, trust=trust, at=at)
        assert (report.verdict, report.reason.code) == (Verdict.INVALID, "marker.parent")
        assert states(report)[-1][1:] == ("Alpha studio", "invalid", "altered")


def test_a_responder_is_not_asked_about_earlier_signers(companies, three):
    asked = []
    with server(lambda body: (asked.append(body) or 500, KIND, b"")) as url:
        report = verify(three[2], trust=lists(companies, "Alpha", "Beta", "Gamma"), ocsp=url)
    assert report.reason.code == "marker.unconfirmed"
    assert len(asked) == 1
    assert [step.state for step in report.marker.history] == ["trusted"] * 2


def test_an_earlier_certificate_that_ended_since_is_shown_and_decides_nothing(companies, three):
    trust = lists(companies, "Alpha", "Beta", "Gamma")
    later = pki.NOW + timedelta(days=60)
    report = verify(three[2], trust=trust, at=later)
    assert report.marker_state is MarkerState.TRUSTED
    assert states(report)[1] == (1, "Alpha studio", "invalid", "expired")
    assert verify(three[0], trust=trust, at=later).reason.code == "marker.expired"


def test_an_earlier_certificate_that_was_called_back_is_shown(companies, three):
    config, root, _ = companies["Beta"]
    own = root.issue("Issuing 2", authority=0)
    party = own.issue("Beta lost", organisation="Beta")
    party.write(config.folder, "lost.pem")
    lost = load_signing_key("file:lost.pem", config.folder)
    label = Label(origin="created")
    first = mark(PICTURE, None, label, config=config, signer=lost).data
    second = updated(companies, "Gamma", first)
    entry = x509.RevokedCertificateBuilder().serial_number(party.certificate.serial_number)
    entry = entry.revocation_date(pki.NOW - timedelta(hours=1)).build()
    builder = x509.CertificateRevocationListBuilder().issuer_name(own.certificate.subject)
    builder = builder.last_update(pki.NOW).next_update(pki.NOW + timedelta(days=9))
    made = builder.add_revoked_certificate(entry).sign(own.key, hashes.SHA256())
    text = made.public_bytes(serialization.Encoding.PEM).decode()
    revoked = TrustList("crl", text, kind=TrustKind.REVOKED)
    report = verify(second, trust=[*lists(companies, "Beta", "Gamma"), revoked])
    assert report.verdict is Verdict.LABELLED
    assert states(report) == [(0, "Beta lost", "invalid", "revoked")]
    assert verify(first, trust=[*lists(companies, "Beta"), revoked]).reason.code == "marker.revoked"


def test_a_file_of_components_shows_each(companies):
    """Two marked pictures put together by another tool."""
    parts = [updated(companies, name) for name in ("Alpha", "Beta")]
    config = companies["Gamma"][0]
    key = load_signing_key(config.signer, config.folder)
    import c2pa

    definition = {
        "claim_generator_info": [{"name": "Collage", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "created": True, "data": {"actions": [
            {"action": "c2pa.created", "digitalSourceType": marker.SOURCE_TYPE["altered"]},
            {"action": "c2pa.placed", "parameters": {"ingredientIds": ["p0", "p1"]}},
        ]}}],
    }  # fmt: skip
    info = c2pa.C2paSignerInfo(b"es256", key.chain, key.key, None)
    out = io.BytesIO()
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(definition) as builder:
        for number, part in enumerate(parts):
            about = {"relationship": "componentOf", "label": f"p{number}", "title": "part"}
            builder.add_ingredient(json.dumps(about), "image/jpeg", io.BytesIO(part))
        builder.sign(signer, "image/jpeg", io.BytesIO(PICTURE), out)
    report = verify(out.getvalue(), trust=lists(companies, "Gamma", "Beta"))
    assert report.marker_state is MarkerState.TRUSTED
    assert [(s.relation, s.of, str(s.state)) for s in report.marker.history] == [
        ("component", 0, "untrusted"),
        ("component", 0, "trusted"),
    ]


# --- the responsible party and the certificate -------------------------------------------------------------------------


def party_codes(config, label, trust):
    data = mark(PICTURE, None, label, config=config).data
    report = verify(data, trust=trust)
    assert report.verdict is Verdict.LABELLED
    return [f.message.code for f in report.findings if f.clause == "kz.21.3.responsible"][1:]


def test_the_certificate_is_compared_with_the_responsible_party(companies, tmp_path):
    config, root, _ = companies["Beta"]
    named = Label(origin="created", responsible=Responsible(name="Beta", role="owner"))
    other = Label(
        origin="created", responsible=Responsible(name="ТОО «Клиент»", role="owner", bin=BIN)
    )
    trust = list(config.trust)
    assert party_codes(config, named, trust) == ["responsible.same-name"]
    assert party_codes(config, other, trust) == ["responsible.other-name"]
    with_bin = root.issue(organisation="Анықталмаған", unit=f"BIN{BIN}")
    with_bin.write(tmp_path)
    config = replace(config, folder=tmp_path)
    assert party_codes(config, other, trust) == ["responsible.same-bin"]
    third = Responsible(name="Анықталмаған", role="owner", bin="990440000008")
    assert party_codes(config, Label(origin="created", responsible=third), trust) == [
        "responsible.other-bin"
    ]
    assert party_codes(config, named, trust) == ["responsible.other-name"]


def test_a_stranger_s_certificate_confirms_nobody(companies):
    data = updated(companies, "Beta")
    report = verify(data, trust=lists(companies, "Alpha"))
    clauses = [f for f in report.findings if f.clause == "kz.21.3.responsible"]
    assert len(clauses) == 1


def test_a_self_issued_certificate_confirms_nothing_but_can_disagree(config):
    own = mark(PICTURE, None, Label(origin="created"), config=config).report
    assert len([f for f in own.findings if f.clause == "kz.21.3.responsible"]) == 1
    somebody = Label(origin="created", responsible=Responsible(name="Басқа", role="owner"))
    report = mark(PICTURE, None, somebody, config=config).report
    codes = [f.message.code for f in report.findings if f.clause == "kz.21.3.responsible"]
    assert codes[1:] == ["responsible.other-name"]
    assert report.verdict is Verdict.LABELLED


# --- what cannot be looked into, or is too much ------------------------------------------------------------------------


def signed_natively(chain, key, context=None):
    import c2pa

    action = {"action": "c2pa.created", "digitalSourceType": marker.SOURCE_TYPE["created"]}
    data = {"label": "c2pa.actions.v2", "created": True, "data": {"actions": [action]}}
    definition = {
        "claim_generator_info": [{"name": "Other", "version": "1"}],
        "assertions": [data],
    }
    info, out = c2pa.C2paSignerInfo(b"es256", chain, key, None), io.BytesIO()
    settings = c2pa.Context(c2pa.Settings.from_dict(context)) if context else None
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(definition, settings) as builder:
        builder.sign(signer, "image/jpeg", io.BytesIO(PICTURE), out)
    return out.getvalue()


@pytest.mark.parametrize("at", [None, pki.NOW + timedelta(days=1)])
def test_a_compressed_marker_is_not_believed_and_that_is_said(companies, at):
    config = companies["Beta"][0]
    key = load_signing_key(config.signer, config.folder)
    data = signed_natively(key.chain, key.key, {"core": {"prefer_compress_manifests": True}})
    report = verify(data, trust=lists(companies, "Beta"), at=at)
    assert (report.verdict, report.reason.code) == (Verdict.INCOMPLETE, "marker.untrusted")
    assert "signer.out-of-reach" in {f.message.code for f in report.findings}


@pytest.mark.parametrize("at", [None, pki.NOW + timedelta(days=1)])
def test_a_chain_without_end_is_not_followed(companies, at):
    config, root, _ = companies["Beta"]
    key = load_signing_key(config.signer, config.folder)
    more = (key.chain.decode() if isinstance(key.chain, bytes) else key.chain) + root.pem * 40
    report = verify(signed_natively(more.encode(), key.key), trust=lists(companies, "Beta"), at=at)
    assert report.marker_state is MarkerState.UNTRUSTED
    assert "signer.long-chain" in {f.message.code for f in report.findings}


def large(root):
    """A signer whose own certificate has 10 MB, and one with 10 MB of certificates behind its own."""
    issuing = root.issue("Issuing", authority=0)
    own = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), bytes(10**7))
    leaf = issuing.issue()
    many = 10**7 // len(root.certificate.public_bytes(serialization.Encoding.DER)) + 1
    yield issuing.issue("Large", extra=[(own, False)])
    yield replace(leaf, above=(*leaf.above, *[root.certificate] * many))


def test_ten_megabytes_of_certificates():
    """They are neither looked into nor remembered."""
    root = pki.root()
    action = {"action": "c2pa.created", "digitalSourceType": marker.SOURCE_TYPE["created"]}
    actions = ("c2pa.actions.v2", {"actions": [action]})
    for signer in large(root):
        data = c2pa_files.in_png(encoded(picture(), "png"), c2pa_files.Manifest([actions], signer))
        assert len(data) > 9_900_000
        report = verify(data, trust=[TrustList("test", root.pem)])
        assert report.marker_state is MarkerState.UNTRUSTED
        assert "signer.out-of-reach" in {f.message.code for f in report.findings}
        assert len(report.to_json()) < 20_000
