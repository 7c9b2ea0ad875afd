"""Our readers of DER, CBOR, certificates, signatures and time-stamps: any bytes have an answer, real ones the right one."""

from __future__ import annotations

import contextlib
import io

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

import pki
from aikz_label import Label, engine, mark
from aikz_label.manifest import cbor, cose, jumbf
from aikz_label.trust import TrustKind, TrustList, certificates, der
from aikz_label.trust.credentials import Question, judging, stamps
from support import encoded, picture
from tsa import LocalTsa

MANY = settings(max_examples=400, deadline=None)


@given(st.binary(max_size=200))
@MANY
def test_any_bytes_have_an_answer(data):
    for read in (der.parse, certificates.facts, cbor.decode):
        with contextlib.suppress(ValueError):  # Malformed is one
            read(data)
    assert isinstance(cose.signatures(data), dict)
    assert list(jumbf.manifests(data)) is not None
    assert stamps.read_token(data, b"") is None


@given(st.integers(0, 255), st.binary(max_size=400))
@MANY
def test_what_is_encoded_is_read_back(tag, content):
    if tag & 0x1F == 0x1F:
        return
    item = der.parse(der.encode(tag, content))
    assert (item.tag, item.content) == (tag, content)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
@MANY
def test_object_identifiers_are_read_back(rest):
    dotted = ".".join(map(str, (1, 3, *rest)))
    assert der.parse(der.encode_oid(dotted)).oid() == dotted


@pytest.mark.parametrize(
    "wrong",
    [
        "", "30", "3080", "308000", "30810100", "30820001ff", "3001", "300100ff", "1f0100", "3085ffffffffff00",
    ],
)  # fmt: skip
def test_der_is_strict(wrong):
    with pytest.raises(der.Malformed):
        der.parse(bytes.fromhex(wrong))


@pytest.mark.parametrize("text", ["", "1", "1.2.x", "3.1", "1.40", "1.2.-3", "a.b"])
def test_what_is_no_object_identifier(text):
    with pytest.raises(der.Malformed):
        der.encode_oid(text)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0), ("1818", 24), ("390100", -257), ("4201ff", b"\x01\xff"), ("62c3bc", "ü"),
        ("83010203", [1, 2, 3]), ("a10203", {2: 3}), ("d28143a1012640", None), ("f5", True), ("f6", None),
        ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"), ("9f0102ff", [1, 2]), ("bf6161f4ff", {"a": False}),
    ],
)  # fmt: skip
def test_cbor(data, value):
    if data.startswith("d2"):
        assert cbor.decode(bytes.fromhex("d24101")) == b"\x01"  # tags are dropped
        return
    assert cbor.decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "data",
    [
        "",
        "18",
        "ff",
        "1c",
        "9f",
        "5f01ff",
        "0000",
        "9b7fffffffffffffff",
        "a18001",
        "81" * 40,
        "62ff",
    ],
)
def test_cbor_that_is_none(data):
    with pytest.raises(ValueError):
        cbor.decode(bytes.fromhex(data))


# --- real ones --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stamped(tmp_path_factory):
    """A marked and stamped file, its store, and whom to believe."""
    from aikz_label.config import Config
    from aikz_label.label import Responsible

    folder = tmp_path_factory.mktemp("stamped")
    tsa = LocalTsa(tmp_path_factory.mktemp("tsa"))
    root = pki.root()
    root.issue("Issuing", authority=0).issue(unit="BIN051140000004").write(folder)
    config = Config(
        folder, responsible=Responsible(name="T", role="owner"), signer="file:signer.pem"
    )
    data = mark(
        encoded(picture(), "jpeg"), None, Label(origin="created"), config=config, tsa=tsa.url
    ).data
    tsa.close()
    trust = (TrustList("ours", root.pem), TrustList("clock", tsa.root.pem, kind=TrustKind.TIME))
    return data, engine.read(io.BytesIO(data), "image/jpeg", trust), trust


def test_facts_agree_with_cryptography(stamped):
    _, reading, trust = stamped
    chain = cose.signatures(reading.store)[reading.label].chain
    for data in (*chain, *(der_ for item in trust for der_ in item.ders())):
        facts, theirs = certificates.facts(data), x509.load_der_x509_certificate(data)
        assert facts.serial == theirs.serial_number
        assert (facts.begins, facts.ends) == (
            theirs.not_valid_before_utc,
            theirs.not_valid_after_utc,
        )
        assert facts.subject == theirs.subject.public_bytes()
        assert facts.issuer == theirs.issuer.public_bytes()
        critical = {oid: flag for oid, (flag, _) in facts.extensions.items()}
        assert critical == {e.oid.dotted_string: e.critical for e in theirs.extensions}
        names = {a.oid.dotted_string: a.value for a in theirs.subject}
        assert {oid: values[0] for oid, values in facts.names.items()} == names
    assert certificates.facts(chain[0]).bin == "051140000004"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("BIN051140000004", "051140000004"), ("БИН 051140000004", "051140000004"),
        ("NTRKZ-051140000004", "051140000004"), ("BIN05114000000", ""), ("IIN051140000004", ""),
        ("x BIN051140000004", ""),
    ],
)  # fmt: skip
def test_a_bin_in_a_certificate(text, number):
    party = pki.root().issue(unit=text)
    assert certificates.facts(party.der).bin == number


def test_a_changed_signature_or_chain_is_never_believed(stamped):
    """Every bit that is flipped in the certificates, the signature or the claim."""
    _, reading, trust = stamped
    signature = cose.signatures(reading.store)[reading.label]
    question = Question(pki.NOW)
    assert judging.judge(signature, trust, question).state == "trusted"
    for at in range(0, len(signature.claim), 23):
        changed = signature._replace(claim=flipped(signature.claim, at))
        assert judging.judge(changed, trust, question).state == "invalid"
    for at in range(0, len(signature.value), 3):
        changed = signature._replace(value=flipped(signature.value, at))
        assert judging.judge(changed, trust, question).state == "invalid"
    for place, certificate in enumerate(signature.chain):
        for at in range(0, len(certificate), 5):
            chain = list(signature.chain)
            chain[place] = flipped(certificate, at)
            standing = judging.judge(signature._replace(chain=tuple(chain)), trust, question)
            assert standing.state != "trusted", (place, at)


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_a_changed_time_stamp_never_counts(stamped):
    _, reading, _ = stamped
    signature = cose.signatures(reading.store)[reading.label]
    (token,) = signature.tokens
    over = signature.stamped()
    good = stamps.read_token(token, over)
    assert good is not None
    assert stamps.read_token(token, over + b"x") is None
    for at in range(len(token)):
        changed = stamps.read_token(flipped(token, at), over)
        if changed is not None:  # a part that says nothing: what it says is still the same
            assert (changed.time, changed.signer) == (good.time, good.signer)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_mutated_store_never_raises(stamped, data):
    _, reading, trust = stamped
    store = bytearray(reading.store)
    for _ in range(data.draw(st.integers(1, 4))):
        store[data.draw(st.integers(0, len(store) - 1))] = data.draw(st.integers(0, 255))
    for signature in cose.signatures(bytes(store)).values():
        for at in (None, pki.NOW):
            judging.judge(signature, trust, Question(pki.NOW, at))
        certificates.is_plain(signature.chain)


def test_encodings_of_names():
    """Text types that old certificates use, and one that is none."""
    for tag, raw, text in (
        (12, "Үлгі".encode(), "Үлгі"),
        (19, b"Plain", "Plain"),
        (20, "é".encode("latin-1"), "é"),
        (30, "Қ".encode("utf-16-be"), "Қ"),
        (12, b"\xff", "\ufffd"),
    ):
        part = der.encode(der.SEQUENCE, der.encode_oid("2.5.4.3") + der.encode(tag, raw))
        name = der.encode(der.SEQUENCE, der.encode(der.SET, part))
        assert certificates.title(name) == text
    assert certificates.title(b"nonsense") == ""


def test_certificates_as_others_encode_them(stamped):
    _, _, trust = stamped
    whole = trust[0].ders()[0]
    assert Encoding.DER
    assert not certificates.is_plain(())
    assert not certificates.is_plain((b"x",))
    assert not certificates.is_plain((whole,) * 17)
