"""What is said about signers, one value at a time."""

from __future__ import annotations

import pytest

from aikz_label.report import (
    Marker,
    MarkerState,
    Revocation,
    Signer,
    Step,
    TimeStamp,
    message,
    vouching,
)

SIGNER = Signer("S", "O", "1", "Es256", begins="2026-01-01T00:00:00Z", ends="2026-12-31T00:00:00Z")


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("ТОО «Пример»", "Пример", True),
        ("ЖШС «Үлгі»", 'ТОО "ҮЛГІ"', True),
        ("Example LLP", "EXAMPLE, Ltd.", True),
        ("Example", "Example Studio", False),
        ("ТОО", "АО", False),
        ("ТОО", "тоо", True),
        ("", "x", False),
        ("А" * 32, "А" * 32 + " и партнёры", True),  # cut at 64 bytes
        ("А" * 20, "А" * 20 + " и партнёры", False),
        ("Ａlpha", "alpha", True),
    ],
)
def test_names_are_compared_without_legal_forms(first, second, same):
    assert vouching.same_name(first, second) is same


@pytest.mark.parametrize(
    ("marker", "code", "words"),
    [
        (Marker(MarkerState.TRUSTED, signer=SIGNER, trust="list"), "marker.trusted", "list"),
        (Marker(MarkerState.UNTRUSTED, signer=SIGNER), "marker.untrusted", "S"),
        (Marker(MarkerState.UNTRUSTED, problem="unconfirmed"), "marker.unconfirmed", "revoked"),
        (
            Marker(MarkerState.INVALID, problem="expired", signer=SIGNER),
            "marker.expired",
            "2026-12-31",
        ),
        (Marker(MarkerState.INVALID, problem="early", signer=SIGNER), "marker.early", "2026-01-01"),
        (Marker(MarkerState.INVALID, problem="expired"), "marker.expired", "?"),
        (Marker(MarkerState.INVALID), "marker.damaged", "damaged"),
    ],
)
def test_the_sentence_that_decides(marker, code, words):
    said = vouching.marker_message(marker)
    assert said.code == code
    assert words in said.text("en")


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"time_stamp": TimeStamp("trusted", "t", "a", "l")}, [("pass", "signer.stamped")]),
        ({"time_stamp": TimeStamp("untrusted", "t", "a")}, [("unknown", "signer.stamp-unknown")]),
        ({"time_stamp": TimeStamp("invalid")}, [("unknown", "signer.stamp-invalid")]),
        ({"revocation": Revocation("good", "crl")}, [("pass", "signer.not-revoked")]),
        ({"revocation": Revocation("revoked", "crl", since="t")}, [("pass", "signer.revoked-later")]),
        ({"revocation": Revocation("unknown", "ocsp")}, []),
        ({"identity": "unchecked"}, [("unknown", "signer.identity-unchecked")]),
        ({"identity": "failed"}, [("unknown", "signer.identity-failed")]),
        (
            {"notes": (message("signer.revoked", name="n", since="t", reason="r"),)},
            [("fail", "signer.revoked")],
        ),
        (
            {"history": (Step(0, "parent", MarkerState.TRUSTED), Step(1, "input", MarkerState.INVALID, "odd"))},
            [("unknown", "history.invalid")],
        ),
    ],
)  # fmt: skip
def test_what_is_said_besides(changes, codes):
    marker = Marker(MarkerState.TRUSTED, signer=SIGNER, **changes)
    found = list(vouching.about_marker(marker))
    assert [(str(status), text.code) for status, text in found] == codes
    for _, text in found:
        for language in ("kk", "ru", "en"):
            assert "{" not in text.text(language)


def test_limits_say_what_was_not_looked_at():
    def codes(**changes):
        return [limit.code for limit in vouching.limits(Marker(MarkerState.TRUSTED, **changes))]

    assert codes() == ["limits.offline", "limits.no-timestamp"]
    assert codes(revocation=Revocation("good", "crl")) == ["limits.no-timestamp"]
    stale = Revocation("good", "crl", until="t", stale=True)
    assert codes(revocation=stale) == ["limits.stale", "limits.no-timestamp"]
    assert codes(time_stamp=TimeStamp("trusted", "t")) == ["limits.offline"]
    assert codes(checked_at="t")[0] == "limits.as-of"
    assert "limits.self-issued" in codes(self_issued=True)
    assert list(vouching.limits(Marker())) == []
