"""The verdict table of the design, case by case."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from aikz_label import rules
from aikz_label.errors import NotAcceptable
from aikz_label.label import Label, Origin, Responsible, Role
from aikz_label.profile import load_profile
from aikz_label.report import (
    Evidence,
    Found,
    How,
    Marker,
    MarkerState,
    Measurement,
    Mirror,
    Notice,
    NoticeState,
    Signer,
    Status,
    Step,
    Verdict,
    message,
)
from aikz_label.texts import load_data

KZ = load_profile("kz")
GOOD = {
    "match": 0.99,
    "text_match": 0.99,
    "contrast": 21.0,
    "cap_px": 30.0,
    "icon_cap_px": 60.0,
    "short_side_px": 1000.0,
}
PARTY = Responsible(name="ЖШС «Үлгі»", role=Role.OWNER, bin="051140000004")
LABEL = Label(origin=Origin.CREATED, responsible=PARTY)
NOTICE = Notice("badge", ("kk",), "kz-1", "kz/1", ({"layout": "short3"},), tuple(GOOD.items()))
MARKER = Marker(
    MarkerState.TRUSTED,
    "c2pa",
    signer=Signer("A", "B", "1", "Es256"),
    trust="local",
    ours=True,
    label=LABEL,
    notice=NOTICE,
)
AI = Mirror("exif", "UserComment", "x", origin=True)
ALTERED = Mirror("xmp", "D", "x", Origin.ALTERED)
NOT_AI = Mirror("png-text", "ai-disclosure", "none", origin=False)
FULL = Evidence("png", MARKER, (Mirror("xmp", "DigitalSourceType", "x", Origin.CREATED),))


def verdict(evidence):
    report = rules.judge(evidence, KZ)
    return report.verdict, report.reason.code


def with_marker(**changes):
    return replace(FULL, marker=replace(MARKER, **changes))


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (FULL, ("labelled", "verdict.labelled")),
        (Evidence("png"), ("unmarked", "verdict.unmarked")),
        (Evidence(problem=message("unreadable.empty")), ("unreadable", "unreadable.empty")),
        (with_marker(state=MarkerState.UNTRUSTED), ("incomplete", "marker.untrusted")),
        (with_marker(state=MarkerState.INVALID, problem="altered"), ("invalid", "marker.altered")),
        (with_marker(state=MarkerState.INVALID, problem="expired"), ("invalid", "marker.expired")),
        (with_marker(label=replace(LABEL, responsible=None)), ("incomplete", "responsible.absent")),
        (with_marker(notice=None), ("incomplete", "notice.unrecorded")),
        (with_marker(notice=Notice("none", reason="r")), ("incomplete", "notice.absent")),
        (with_marker(label=None, ours=False), ("incomplete", "declared.claimed")),
        (replace(with_marker(label=None), mirrors=()), ("unmarked", "verdict.silent")),
        (with_marker(label=None, malformed=True), ("incomplete", "declared.malformed")),
        (Evidence("png", mirrors=FULL.mirrors), ("incomplete", "marker.claimed")),
        (
            replace(FULL, mirrors=(Mirror("xmp", "D", "x", Origin.ALTERED),)),
            ("invalid", "unambiguous.contradiction"),
        ),
        (
            replace(FULL, mirrors=(Mirror("xmp", "D", "x", False),)),
            ("invalid", "unambiguous.contradiction"),
        ),
        # "AI was used" agrees with both origins and with nothing else
        (replace(FULL, mirrors=(AI, *FULL.mirrors)), ("labelled", "verdict.labelled")),
        (Evidence("png", mirrors=(AI,)), ("incomplete", "marker.claimed")),
        (Evidence("png", mirrors=(AI, ALTERED, AI)), ("incomplete", "marker.claimed")),
        (Evidence("png", mirrors=(AI, NOT_AI)), ("invalid", "unambiguous.contradiction")),
        (Evidence("png", mirrors=(NOT_AI, AI)), ("invalid", "unambiguous.contradiction")),
        (
            Evidence("png", mirrors=(AI, ALTERED, *FULL.mirrors)),
            ("invalid", "unambiguous.contradiction"),
        ),
        (
            replace(FULL, measurement=Measurement(NoticeState.UNKNOWN)),
            ("incomplete", "notice.unknown"),
        ),
        (
            replace(
                FULL,
                measurement=Measurement(
                    NoticeState.NOT_PERCEIVABLE, (), (message("notice.covered"),)
                ),
            ),
            ("incomplete", "notice.hindered"),
        ),
    ],
)
def test_the_verdict_table(evidence, expected):
    if (
        expected[1] == "x"
    ):  # intact, says nothing about AI: its mirror alone does not make it a marker
        assert verdict(replace(evidence, mirrors=())) == ("unmarked", "verdict.unmarked")
        return
    assert verdict(evidence) == expected


@pytest.mark.parametrize("figure", ["match", "text_match", "contrast", "cap_px", "icon_cap_px"])
def test_attested_figures_must_reach_the_profile(figure):
    poor = tuple((GOOD | {figure: 0.1}).items())
    report = rules.judge(with_marker(notice=replace(NOTICE, figures=poor)), KZ)
    assert report.verdict is Verdict.INCOMPLETE
    assert (report.notice_state, report.notice_how) == (NoticeState.NOT_PERCEIVABLE, How.ATTESTED)


def test_attesting_nothing_is_not_passing():
    report = rules.judge(with_marker(notice=replace(NOTICE, figures=())), KZ)
    assert report.verdict is Verdict.INCOMPLETE


def test_only_a_trusted_signer_attests():
    report = rules.judge(with_marker(state=MarkerState.UNTRUSTED), KZ)
    assert report.notice_state is NoticeState.UNKNOWN


def test_every_clause_has_a_finding_and_the_reason_is_said():
    for evidence in (FULL, Evidence("png"), Evidence(problem=message("unreadable.empty"))):
        report = rules.judge(evidence, KZ)
        seen = list(dict.fromkeys(finding.clause for finding in report.findings))
        assert tuple(seen) == rules.clauses()
        for language in ("kk", "ru", "en"):
            assert report.reason.text(language)


def test_unmarked_says_that_it_proves_nothing():
    report = rules.judge(Evidence("png"), KZ)
    assert "proves nothing" in report.reason.text("en")
    assert "ничего не доказывает" in report.reason.text("ru")
    assert "дәлелдемейді" in report.reason.text("kk")
    statuses = {finding.status for finding in report.findings}
    assert Status.PASS not in statuses


def test_a_report_has_no_truth_value():
    report = rules.judge(FULL, KZ)
    with pytest.raises(TypeError):
        bool(report)
    assert report.raise_for_verdict() is report
    with pytest.raises(NotAcceptable) as error:
        rules.judge(Evidence("png"), KZ).at("a.png").raise_for_verdict()
    assert error.value.report.verdict == "unmarked"
    assert "a.png" in str(error.value)


def test_a_report_can_be_sent_to_another_process():
    report = rules.judge(FULL, KZ)
    assert pickle.loads(pickle.dumps(report)) == report


def drawn(origin, state=NoticeState.PERCEIVABLE):
    measured = Measurement(state, tuple(GOOD.items()))
    return {"measurement": measured, "searched": True, "found": Found(measured, origin)}


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (Evidence("png", **drawn(Origin.CREATED)), ("incomplete", "marker.drawn")),
        (Evidence("png", **drawn(None)), ("incomplete", "marker.drawn")),
        (
            Evidence("png", **drawn(None, NoticeState.NOT_PERCEIVABLE)),
            ("incomplete", "marker.drawn"),
        ),
        (Evidence("png", **drawn(None, NoticeState.UNKNOWN)), ("unmarked", "verdict.unmarked")),
        (Evidence("png", searched=True), ("unmarked", "verdict.unmarked")),
        (
            Evidence("png", mirrors=FULL.mirrors, **drawn(Origin.CREATED)),
            ("incomplete", "marker.claimed"),
        ),
        (
            # a picture inside the picture may carry a badge of its own
            Evidence("png", mirrors=FULL.mirrors, **drawn(Origin.ALTERED)),
            ("incomplete", "marker.claimed"),
        ),
        (
            replace(with_marker(label=None, ours=False), mirrors=(), **drawn(Origin.CREATED)),
            ("incomplete", "declared.drawn"),
        ),
    ],
)
def test_a_drawn_notice_is_an_unsigned_claim(evidence, expected):
    assert verdict(evidence) == expected
    report = rules.judge(evidence, KZ)
    assert report.marker_state is not MarkerState.CLAIMED or evidence.mirrors
    assert "limits.not-searched" not in {limit.code for limit in report.limits}


@pytest.mark.parametrize(
    "problem", sorted(set(load_data("texts")["marker"]) - {"trusted", "untrusted"})
)
def test_what_is_wrong_with_an_earlier_marking_can_be_told(problem):
    step = Step(0, "parent", MarkerState.INVALID, problem, Signer("A", "B", "1", "Es256"))
    told = with_marker(history=(step, replace(step, signer=None)))
    for line in rules.judge(told, KZ).to_dict()["history"]:
        assert line["reason"]["code"] == f"marker.{problem}"
        assert "{" not in line["reason"]["text"]["kk"]
