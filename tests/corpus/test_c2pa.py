"""Real markers by other programs: our answer, what their source says of them, and what another verifier says.

Everything on which they differ is on one of two lists, with the reason.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import pytest

import corpus_files
from aikz_label import Report, sniff, verify
from aikz_label.report import MarkerState
from aikz_label.trust import TrustKind, TrustList, load_trust_list
from corpus_files import Row
from support import missing, require_corpus

pytestmark = [pytest.mark.corpus, pytest.mark.timeout(120)]

LISTS = {
    "c2pa-trust.pem": TrustKind.SIGNERS,
    "c2pa-test-roots.pem": TrustKind.SIGNERS,
    "c2pa-tsa.pem": TrustKind.TIME,
}
SOURCES = ("c2pa", "encypher", "ms-c2pa")
ROWS = [
    row
    for row in corpus_files.rows()
    if (row.kind == "c2pa" or row.path.startswith(SOURCES)) and row.kind != "text"
]
INTACT = {MarkerState.TRUSTED, MarkerState.UNTRUSTED}
# What the index says of a file: a marker that holds, one that does not, or none.
HOLDS = (
    "wellformed",
    "cawg-ok",
    "bare engine reads it as Trusted",
    "bare engine reads it as Valid",
)
FAILS = ("invalid", "source-json:Invalid", "cawg-fail", "bare engine reads it as Invalid", "reject")

IDENTITY = "the identity statement (CAWG 1.2) is in a form that the engine does not know, and calls a mismatch"
NOT_LISTED = "its CAWG certificate is on no list here, so the fault in it is not looked at"
# Where our answer is not what the index says.
AGAINST_THE_INDEX = {
    "x509-es256-bestpractice-jpeg.jpg": IDENTITY,
    "x509-es256-smime-jpeg.jpg": IDENTITY,
    "x509-es256-png.png": IDENTITY,
    "x509-es256-mp4.mp4": IDENTITY,
    "extra_field.jpg": NOT_LISTED,
    "DALL-E_cloud_surfing_puppy.webp": "the certificate ended, and the old authority that stamped it is on no list",
}
# Where it is not what encypher-c2pa says.
LATER = "encypher-c2pa says so of the identity alone, and the marker holds for it"
AGAINST_THE_OTHER = {
    **{name: why for name, why in AGAINST_THE_INDEX.items() if why != NOT_LISTED},
    "cards_trusted.svg": "its certificate is for signing documents alone; that it has ended since is not the reason",
    "invalid_content_type.jpg": LATER,
    "invalid_issuer_did.jpg": LATER,
    "missing_cose_sign_alg.jpg": LATER,
    "valid_from_in_future.jpg": LATER,
    "valid_until_in_past.jpg": LATER,
    "pad1_invalid.jpg": LATER,
    "adobe-20220124-E-uri-CIE-sig-CA.jpg": "a parent's assertion was changed, which it does not look at",
    "signed.jpg": "`c2pa.created` has no source type, which it does not ask for",
}


@functools.cache
def trust() -> tuple[TrustList, ...]:
    folder = corpus_files.FOLDER.with_name("corpus-trust")
    return tuple(load_trust_list(folder / name, kind=kind) for name, kind in LISTS.items())


def checked(row: Row) -> Report:
    require_corpus()
    return verify(row.file, trust=trust())


def each(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows or [None], ids=str)


@each([row for row in ROWS if row.note.startswith((*HOLDS, *FAILS, "none"))])
def test_answer_is_what_the_source_says(row: Row) -> None:
    report = checked(row)
    if report.reason.code.startswith("unreadable."):
        assert sniff(row.file.read_bytes()) is not None
        return  # a format that is not handled yet
    name = row.path.rpartition("/")[2]
    if row.note.startswith("none"):
        assert report.marker_state is MarkerState.ABSENT
    else:
        agrees = (report.marker_state in INTACT) is row.note.startswith(HOLDS)
        assert agrees is (name not in AGAINST_THE_INDEX), (report.reason.code, report.marker.codes)
    assert report.declared is None or report.marker_state in INTACT


@each([row for row in ROWS if row.kind != "broken"])
def test_other_verifier_agrees_or_the_reason_is_known(row: Row) -> None:
    report = checked(row)
    if report.reason.code.startswith("unreadable."):
        return
    other = opinion(row)
    intact = other["integrity"] == "valid" and other["hard_binding"] == "match"
    agrees = (report.marker_state in INTACT) is intact
    name = row.path.rpartition("/")[2]
    assert agrees is (name not in AGAINST_THE_OTHER), (report.reason.code, other["integrity"])


@each([row for row in ROWS if row.path.endswith(("E-clm-CAICAI.jpg", "E-uri-CIE-sig-CA.jpg"))])
def test_a_time_stamp_of_nobody_is_not_believed_where_more_is_wrong(row: Row) -> None:
    """The engine believes any on claims of the first version."""
    require_corpus()
    report = verify(row.file, trust=())
    assert report.marker_state is MarkerState.INVALID
    assert report.marker.time_stamp is not None
    assert report.marker.time_stamp.state == "untrusted"


def opinion(row: Row) -> dict[str, Any]:
    try:
        judge = importlib.import_module("encypher_c2pa")
    except ModuleNotFoundError:
        missing("the package encypher-c2pa")
    data = row.file.read_bytes()
    found = sniff(data)
    assert found is not None
    pem = "\n".join(one.pem for one in trust() if one.kind is TrustKind.SIGNERS)
    options = {"trust_pem": pem, "no_default_trust": True}
    answer: dict[str, Any] = judge.verify(
        data, found.mime, telemetry=False, online=False, **options
    )
    return answer


def test_reasons_that_are_no_tampering_are_named() -> None:
    require_corpus()
    by_name = {row.path.rpartition("/")[2]: row for row in ROWS}
    expected = {
        "signed.jpg": "marker.malformed",
        "valid_no_timestamp.jpg": "marker.malformed",
        "DALL-E_cloud_surfing_puppy.webp": "marker.expired",
        "cards_trusted.svg": "marker.profile",
        "success.jpg": "verdict.silent",
        "cloud.jpg": "verdict.remote",
        "E-sig-CA.jpg": "marker.altered",
        "cards_invalid.jpg": "marker.altered",
        "pad1_invalid.jpg": "marker.identity",
    }
    assert {name: checked(by_name[name]).reason.code for name in expected} == expected
