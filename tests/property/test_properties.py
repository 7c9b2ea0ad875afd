"""What must hold for any bytes and any evidence."""

from __future__ import annotations

import json
import random
import struct
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aikz_label import Label, mark, rules, sniff, verify
from aikz_label.formats import FORMATS
from aikz_label.label import Origin, Responsible, Role
from aikz_label.profile import load_profile
from aikz_label.report import (
    Evidence,
    Found,
    Marker,
    MarkerState,
    Measurement,
    Mirror,
    Notice,
    NoticeState,
    Verdict,
    message,
)
from aikz_label.texts import escape
from support import encoded, picture

KZ = load_profile("kz")
FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
HEADS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"RIFF\0\0\0\0WEBP",
    b"PK\x03\x04",
    b"II*\0",
    b"ID3",
    b"\0\0\0\x20ftyp",
    b"<svg ",
    b"%PDF-1.7",
    b"",
)
BYTES = st.builds(bytes.__add__, st.sampled_from(HEADS), st.binary(max_size=400))


@given(BYTES)
@settings(max_examples=300, deadline=None)
def test_sniff_is_total(data):
    row = sniff(data)
    assert row is None or FORMATS[row.name] is row


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("place", [1 << 43, 1 << 62, (1 << 64) - 1])
def test_sniff_follows_no_offset_out_of_a_file(tmp_path, order, place):
    """A file system refuses what bytes in memory take: ext4 has no offset of 2^44."""
    start = b"II+\0\x08\0\0\0" if order == "<" else b"MM\0+\0\x08\0\0"
    path = tmp_path / "far.tif"
    path.write_bytes(start + struct.pack(order + "Q", place))
    with path.open("rb") as stream:
        assert sniff(stream) is FORMATS["tiff"]
    assert verify(path, trust=[]).verdict is Verdict.UNREADABLE


@given(BYTES)
@FEW
def test_verify_is_total(data):
    report = verify(data, trust=[])
    assert report.verdict in {Verdict.UNREADABLE, Verdict.INVALID, Verdict.UNMARKED}
    assert json.loads(report.to_json())["verdict"] == report.verdict


@given(st.text(max_size=50))
def test_nothing_dangerous_survives_escaping(text):
    shown = escape(text)
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for c in shown)


@pytest.fixture(scope="module", params=["jpeg", "png", "webp", "avif"])
def marked(request, config):
    source = encoded(picture("RGB", (320, 240)), request.param)
    data = mark(source, None, Label(origin="created"), config=config).data
    assert data is not None
    return request.param, data


def marker_span(kind, data):
    """Where the marker's own bytes are, found without our parsers."""
    word, before, after = {
        "jpeg": (b"jumb", 16, 0),
        "png": (b"caBX", 4, 8),
        "webp": (b"C2PA", 0, 9),
        "avif": (b"uuid", 4, -4),
    }[kind]
    at = data.index(word)
    if kind == "jpeg":
        start = data.rindex(b"\xff\xeb", 0, at)
        return start, start + 2 + int.from_bytes(data[start + 2 : start + 4])
    size = data[at + 4 : at + 8] if kind == "webp" else data[at - 4 : at]
    length = int.from_bytes(size, "little" if kind == "webp" else "big")
    return at - before, at + after + length


def test_no_flip_outside_the_marker_stays_labelled(marked, config):
    kind, data = marked
    start, stop = marker_span(kind, data)
    outside = [*range(start), *range(stop, len(data))]
    generator = random.Random(7)
    header = [
        position for position in outside if position < 120 or start - 40 < position < stop + 40
    ]
    for position in header + generator.sample(outside, 250):
        changed = bytearray(data)
        changed[position] ^= 1 << generator.randrange(8)
        report = verify(bytes(changed), config=config)
        assert report.verdict is not Verdict.LABELLED, position


def test_no_flip_inside_the_marker_changes_what_is_said(marked, config):
    kind, data = marked
    start, stop = marker_span(kind, data)
    said = verify(data, config=config).declared
    generator = random.Random(8)
    for position in generator.sample(range(start, stop), 200):
        changed = bytearray(data)
        changed[position] ^= 1 << generator.randrange(8)
        report = verify(bytes(changed), config=config)
        if report.verdict is Verdict.LABELLED:
            assert report.declared == said


@given(st.data())
@FEW
def test_any_mutation_gives_a_report(marked, config, data):
    _, original = marked
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(changed) - 1)))
        length = data.draw(st.integers(0, 64))
        changed[at : at + length] = data.draw(st.binary(max_size=64))
    report = verify(bytes(changed), config=config)
    if report.verdict is Verdict.LABELLED:
        assert verify(bytes(changed), config=config, measure=True).verdict is Verdict.LABELLED


# --- judgement: less evidence never gives a better verdict -----------------------------------------------------------

GOOD = (
    ("match", 0.99),
    ("text_match", 0.99),
    ("contrast", 21.0),
    ("cap_px", 30.0),
    ("icon_cap_px", 60.0),
    ("short_side_px", 1000.0),
)
PARTY = Responsible(name="x", role=Role.OWNER)
NOTICES = st.sampled_from(
    (None, Notice("badge", ("kk",), "kz-1", "kz/1", ({},), GOOD), Notice("badge"), Notice("none"))
)
LABELS = st.sampled_from(
    (None, Label(origin=Origin.CREATED), Label(origin=Origin.CREATED, responsible=PARTY))
)
MARKERS = st.builds(
    Marker,
    state=st.sampled_from(
        (MarkerState.TRUSTED, MarkerState.UNTRUSTED, MarkerState.INVALID, MarkerState.ABSENT)
    ),
    label=LABELS,
    notice=NOTICES,
    malformed=st.booleans(),
    reserves_training=st.booleans(),
)
MIRRORS = st.lists(
    st.sampled_from(
        (
            Mirror("xmp", "a", "a", Origin.CREATED),
            Mirror("xmp", "b", "b", Origin.ALTERED),
            Mirror("xmp", "c", "c", False),
            Mirror("xmp", "d", "d", None),
            Mirror("exif", "e", "e", origin=True),
        )
    ),
    max_size=3,
).map(tuple)
MEASUREMENTS = st.sampled_from(
    (
        None,
        Measurement(NoticeState.PERCEIVABLE, GOOD),
        Measurement(NoticeState.UNKNOWN),
        Measurement(NoticeState.NOT_PERCEIVABLE, (), (message("notice.covered"),)),
    )
)
EVIDENCE = st.builds(
    Evidence,
    marker=MARKERS,
    mirrors=MIRRORS,
    measurement=MEASUREMENTS,
    searched=st.booleans(),
    found=st.sampled_from(
        (
            None,
            Found(Measurement(NoticeState.UNKNOWN)),
            Found(Measurement(NoticeState.PERCEIVABLE, GOOD)),
            Found(Measurement(NoticeState.PERCEIVABLE, GOOD), Origin.CREATED),
            Found(Measurement(NoticeState.NOT_PERCEIVABLE), Origin.ALTERED),
        )
    ),
    problem=st.sampled_from((None, message("unreadable.empty"))),
)


def weaker(evidence):
    """Every way to know less that favours the file: trust, signature, party, notice, readability."""
    marker = evidence.marker
    if marker.state is MarkerState.TRUSTED:
        yield replace(evidence, marker=replace(marker, state=MarkerState.UNTRUSTED))
    if marker.label is not None and marker.label.responsible is not None:
        yield replace(
            evidence, marker=replace(marker, label=replace(marker.label, responsible=None))
        )
    if marker.label is not None:
        yield replace(evidence, marker=replace(marker, label=None))
    if marker.notice is not None and evidence.measurement is None:
        yield replace(evidence, marker=replace(marker, notice=None))
    if evidence.measurement is not None:
        yield replace(evidence, measurement=Measurement(NoticeState.UNKNOWN))
    yield replace(evidence, marker=Marker())
    yield replace(evidence, problem=message("unreadable.damaged", detail="x"))


@given(EVIDENCE)
@settings(max_examples=400, deadline=None)
def test_knowing_less_never_labels(evidence):
    before = rules.judge(evidence, KZ).verdict
    for less in weaker(evidence):
        after = rules.judge(less, KZ).verdict
        if before is not Verdict.LABELLED:
            assert after is not Verdict.LABELLED
        if before is Verdict.UNMARKED:
            assert after is not Verdict.INCOMPLETE


@given(MIRRORS, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_order_of_claims_does_not_matter(mirrors, random):
    before = rules.judge(Evidence(mirrors=mirrors), KZ).verdict
    shuffled = list(mirrors)
    random.shuffle(shuffled)
    assert rules.judge(Evidence(mirrors=tuple(shuffled)), KZ).verdict is before
    said = {mirror.origin for mirror in mirrors} - {None}
    agree = not {Origin.CREATED, Origin.ALTERED} <= said and not (False in said and len(said) > 1)
    assert (before is not Verdict.INVALID) == agree
    assert (before is Verdict.UNMARKED) == (said <= {False})


@given(EVIDENCE)
@settings(max_examples=400, deadline=None)
def test_labelled_means_everything_holds(evidence):
    report = rules.judge(evidence, KZ)
    if report.verdict is Verdict.LABELLED:
        assert report.marker_state is MarkerState.TRUSTED
        assert report.notice_state is NoticeState.PERCEIVABLE
        assert report.declared is not None
        assert report.declared.responsible is not None
        assert all(m.origin in {None, True, report.declared.origin} for m in report.mirrors)
    for language in ("kk", "ru", "en"):
        assert report.reason.text(language)
        assert all(finding.message.text(language) for finding in report.findings)
