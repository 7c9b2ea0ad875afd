"""A signer is looked up on the lists once, and nothing that is said of a file changes by it."""

from __future__ import annotations

import io
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import pki
from aikz_label import Limits, engine, formats, mark, verify
from aikz_label.adapters.image.jpeg import Jpeg
from aikz_label.engine import reading
from aikz_label.manifest import binding, cose, known
from aikz_label.trust import TrustList
from c2pa_files import Manifest, Tagged, actions, box, cbor, deed, in_jpeg, superbox
from support import encoded, picture


@pytest.fixture(autouse=True)
def _nobody_is_known(monkeypatch):
    monkeypatch.setattr(known, "_believed", {})


@pytest.fixture
def marked(label, config):
    return mark(encoded(picture(), "jpeg"), None, label, config=config).data


def store_of(data):
    (store,) = Jpeg.parse(data, Limits(), thorough=False).stores()
    return store


def read(data, trust, *stores):
    """What the engine says, and whether it had to look at the lists."""
    reading = engine.read(io.BytesIO(data), "image/jpeg", trust, found=stores)
    return replace(reading, signature=None)


@pytest.fixture
def looked(monkeypatch):
    """How often the engine was asked, with and without a look at the lists."""
    times = {True: 0, False: 0}
    real = reading.context

    def counting(*arguments, look_up=True, **options):
        times[look_up] += 1
        return real(*arguments, look_up=look_up, **options)

    monkeypatch.setattr(reading, "context", counting)
    return times


def test_the_lists_are_looked_at_once_for_many_files(label, config, looked):
    files = [
        mark(encoded(picture(size=(480, 300 + n)), "jpeg"), None, label, config=config).data
        for n in range(3)
    ]
    known.forget()
    looked.update({True: 0, False: 0})
    reports = [verify(data, config=config).to_json() for data in files]
    assert looked == {True: 1, False: 2}
    known.forget()
    alone = []
    for data in files:
        alone.append(verify(data, config=config).to_json())
        known.forget()
    assert looked == {True: 4, False: 2}
    assert reports == alone


@pytest.mark.parametrize("kind", ["text", "jpeg"])
def test_a_change_is_found_by_whom_knows_the_signer(kind, label, config, looked):
    source = b"Many words stand here.\n" * 20 if kind == "text" else encoded(picture(), "jpeg")
    data = mark(source, None, label, config=config).data
    assert verify(data, config=config).verdict == "labelled"
    other = (
        data.replace(b"words", b"wards", 1) if kind == "text" else data[:-99] + b"!" + data[-98:]
    )
    looked.update({True: 0, False: 0})
    report = verify(other, config=config)
    assert (report.verdict, report.reason.code) == ("invalid", "marker.altered")
    assert looked == {True: 0, False: 1}


def test_whatever_is_changed_the_answer_is_the_same(marked, config):
    dice, store = random.Random(9), store_of(marked)
    begin = marked.index(store)
    places = [begin + dice.randrange(len(store)) for _ in range(150)]
    places += [dice.randrange(len(marked)) for _ in range(20)]
    trusted = 0
    for place in places:
        other = bytearray(marked)
        other[place] ^= 1 << dice.randrange(8)
        try:
            stores = tuple(Jpeg.parse(bytes(other), Limits(), thorough=False).stores())
        except Exception:  # noqa: BLE001  # then the engine is not asked
            continue
        read(marked, config.trust, store)
        found = read(bytes(other), config.trust, *stores)
        assert found == read(bytes(other), config.trust)
        trusted += found.state == "trusted"
    assert trusted < 60  # padding, mostly


def test_who_believes_others_is_not_told_what_somebody_else_believes(marked, config, stranger):
    assert read(marked, config.trust, store_of(marked)).state == "trusted"
    for trust in ((), stranger.trust):
        assert read(marked, trust, store_of(marked)).state == "untrusted"
    both = stranger.trust + config.trust
    assert [read(marked, both, store_of(marked)).trust for _ in range(2)] == [1, 1]


def test_a_certificate_that_expires_takes_the_belief_with_it(looked, monkeypatch):
    root = pki.root()
    trust = (TrustList("theirs", root.pem),)

    def signed_below(authority):
        made = actions(deed("created", "trainedAlgorithmicMedia"))
        return in_jpeg(encoded(picture(), "jpeg"), Manifest([made], authority.issue()))

    over = signed_below(root.issue("Gone", authority=0, days=(-9, -2)))
    assert read(over, trust, store_of(over)).state == "untrusted"  # the engine's own word
    data = signed_below(root.issue("Going", authority=0, days=(-9, 2)))
    read(data, trust, store_of(data))
    for days, look_up in ((1, False), (3, True), (-2, True)):
        looked.update({True: 0, False: 0})
        monkeypatch.setattr(known, "_now", lambda days=days: pki.NOW + timedelta(days))
        read(data, trust, store_of(data))
        assert looked == {look_up: 1, not look_up: 0}


def test_a_store_that_the_engine_does_not_find_is_no_help(marked, label, stranger, config):
    """The certificates of a signer who is known stand in what was found, and not in the file."""
    theirs = mark(encoded(picture(), "jpeg"), None, label, config=stranger).data
    read(marked, config.trust, store_of(marked))
    assert read(theirs, config.trust, store_of(marked)) == read(theirs, config.trust)
    assert read(theirs, config.trust, store_of(marked)).state == "untrusted"


def test_the_signature_is_that_which_everybody_else_reads(marked):
    store = store_of(marked)
    signed = known.read(store)
    assert signed is not None
    assert cose.signatures(store) == {signed.label: signed.signature}


def test_the_binding_is_that_which_the_engine_reads(label, config):
    for source in (b"Some words.\n" * 30, b"<p>Words</p>", encoded(picture(), "jpeg")):
        data = mark(source, None, label, config=config, sidecar="auto").data
        row = formats.sniff(data)
        store = formats.load_adapter(row).read_marker(io.BytesIO(data), row, config.trust).store
        found = binding.binding_in(known.read(store))
        assert found == reading._unbound(store, config.trust, None, look_up=True)[1]
        assert found is not None


# --- what can be read in more than one way ----------------------------------------------------------------------------

CHAIN = [b"leaf", b"authority"]
PROTECTED = {1: -7, 33: CHAIN}
PLAIN = {"pad": bytes(30)}
NAME = "urn:c2pa:11111111-2222-4333-8444-555555555555"


def made(
    protected=PROTECTED, beside=PLAIN, assertions=("c2pa.hash.data",), tag=18, more=b"", after=b""
):
    header = protected if isinstance(protected, bytes) else cbor(protected)
    signature = cbor(Tagged(tag, [header, beside, None, bytes(64)]))
    boxes = [superbox(b"cbor", name, box(b"cbor", cbor({}))) for name in assertions]
    manifest = superbox(
        b"c2ma",
        NAME,
        superbox(b"c2as", "c2pa.assertions", *boxes),
        superbox(b"c2cl", "c2pa.claim.v2", box(b"cbor", cbor({"alg": "sha256"}))),
        superbox(b"c2cs", "c2pa.signature", box(b"cbor", signature), more),
    )
    return superbox(b"c2pa", "c2pa", manifest, after)


def test_a_binding_of_another_kind_is_left_to_the_engine():
    for data in ({"hash": [1], "alg": "sha256"}, {"hash": b"1", "alg": "md5"}, {"hash": b"1"}, [],
                 {"hash": b"1", "alg": "sha256", "exclusions": [{"start": True, "length": 1}]},
                 {"hash": b"1", "alg": "sha256", "exclusions": [{"start": 1}]}):  # fmt: skip
        assert binding.binding_in(known.Signed(b"", "", None, cbor(data))) is None
    for names in (
        ("c2pa.hash.bmff.v3",),
        ("c2pa.hash.data", "c2pa.hash.boxes"),
        ("c2pa.hash.data__1",),
        (),
    ):
        assert known.read(made(assertions=names)).bound == b""


def test_what_is_plain():
    for protected in (PROTECTED, {1: -8, 33: CHAIN}, {1: -37, 33: CHAIN}, {1: -7, 33: b"leaf"}):
        signed = known.read(made(protected))
        assert signed.label == NAME
        assert signed.signature.chain in {tuple(CHAIN), (b"leaf",)}
        assert cose.signatures(made(protected))[NAME] == signed.signature
    for beside in ({}, {"pad2": b"00"}, {"pad": b"", "pad2": b"00"}):
        assert known.read(made(beside=beside)) is not None
    ours = ("c2pa.actions.v2", "c2pa.ai-disclosure", "org.aikz.synthetic", "c2pa.metadata__2")
    assert known.read(made(assertions=ours)) is not None


TWICE = b"\xa3\x01\x26\x18\x21" + cbor(CHAIN) + b"\x18\x21" + cbor([b"other"])


@pytest.mark.parametrize(
    "store",
    [
        made({1: -7, 33: CHAIN, 2: [1]}), made({33: CHAIN, 1: -7}), made(TWICE), made({1: -99, 33: CHAIN}),
        made({1: -7, 33: []}), made({1: -7, "x5chain": CHAIN}), made({1: -7}),
        made(cbor(PROTECTED) + b"\0"), made(cbor(PROTECTED)[:-1]),
        made(beside={"sigTst2": {"tstTokens": []}}), made(beside={"pad": b"", "rVals": {}}),
        made(beside={33: [b"other"]}), made(beside={"pad": b"", "pad3": b""}), made(beside={"pad": "text"}),
        made(tag=17), made(more=box(b"cbor", b"\xa0")),
        made(assertions=("cawg.identity",)), made(assertions=("c2pa.time-stamp",)),
        made(assertions=("c2pa.ingredient.v3",)), made(assertions=("c2pa.certificate-status",)),
        made(assertions=("c2pa.hash.datas",)), made(assertions=("org.aikz.synthetic",) * 65),
        made(after=superbox(b"c2ma", "second")), made() + b"\0", made()[:-1], b"",
        made().replace(b"c2cs", b"c2cl"), made().replace(b"\x03c2pa.signature", b"\x02c2pa.signature"),
        made().replace(b"c2ma", b"c2um"), made().replace(b"c2pa.claim.v2", b"c2pa.claim.v3"),
    ],
)  # fmt: skip
def test_whatever_else_stands_there_is_the_engines_business(store):
    assert known.read(store) is None


@given(st.data())
@example(None)
@settings(max_examples=200, deadline=None)
def test_any_bytes_have_an_answer(data):
    if data is None:
        assert known.read(b"") is None
        return
    store = bytearray(made())
    for _ in range(data.draw(st.integers(0, 4))):
        store[data.draw(st.integers(0, len(store) - 1))] = data.draw(st.integers(0, 255))
    signed = known.read(bytes(store[: data.draw(st.integers(0, len(store)))]))
    assert signed is None or signed.signature == cose.signatures(signed.store).get(signed.label)


def test_few_signers_are_remembered(marked, config, monkeypatch):
    monkeypatch.setattr(known, "_MOST_SIGNERS", 2)
    trust = config.trust
    for number in range(5):
        read(marked, (replace(trust[0], name=f"list {number}"),), store_of(marked))
    assert [lists[0].name for lists, _ in known._believed] == ["list 3", "list 4"]


def test_many_threads_forget_the_oldest_at_once(monkeypatch):
    monkeypatch.setattr(known, "_MOST_SIGNERS", 3)
    plain = known.read(made())
    success = [known._entry(plain, "words"), {"code": "claimSignature.validated"}]
    results = {"activeManifest": {"success": success}, "trustListUri": "uri"}
    said = {"active_manifest": plain.label, "validation_results": results}

    def remember(thread):
        for number in range(10_000):
            chain = (b"%d %d" % (thread, number),)
            signed = plain._replace(signature=plain.signature._replace(chain=chain))
            known.remember((), signed, said, lambda _: (pki.NOW, pki.NOW))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(remember, range(8)))
    finally:
        sys.setswitchinterval(interval)
    assert 0 < len(known._believed) <= 10
