"""Time-stamps from a real authority (openssl ts) on the loopback interface, and from ones that fail."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

import pki
from aikz_label import Label, mark, verify
from aikz_label.config import Config
from aikz_label.errors import SigningError, UsageError
from aikz_label.label import Responsible
from aikz_label.trust import TrustKind, TrustList
from support import encoded, picture
from tsa import LocalTsa

PICTURE = encoded(picture(), "png")


@pytest.fixture(scope="module")
def root():
    return pki.root()


@pytest.fixture(scope="module")
def tsa(tmp_path_factory):
    made = LocalTsa(tmp_path_factory.mktemp("tsa"))
    yield made
    made.close()


@pytest.fixture
def config(tmp_path, root, tsa):
    root.issue("Issuing", authority=0).issue().write(tmp_path)
    lists = (
        TrustList("ours", root.pem),
        TrustList("clocks", tsa.root.pem, kind=TrustKind.TIME),
    )
    tsa.mode = "work"
    tsa.queries.clear()
    party = Responsible(name="Test", role="owner")
    return Config(tmp_path, responsible=party, signer="file:signer.pem", trust=lists)


def marked(config, **options):
    return mark(PICTURE, None, Label(origin="created"), config=config, **options)


def codes(report):
    return [f.message.code for f in report.findings if f.clause == "kz.21.2.marker"]


def test_a_stamped_file_says_when_and_by_whom(config, tsa):
    result = marked(config, tsa=tsa.url)
    report = result.report
    assert report.verdict == "labelled"
    assert (report.marker.time_stamp.state, report.marker.time_stamp.trust) == ("trusted", "clocks")
    assert report.marker.time_stamp.authority == "Clock TSA"
    assert report.marker.signed_at.endswith("Z")
    assert codes(report) == ["marker.trusted", "signer.stamped"]
    assert "limits.no-timestamp" not in {limit.code for limit in report.limits}
    assert result.warnings == ()  # a certificate of 30 days does not matter any more
    assert len(tsa.queries) == 1


@pytest.mark.parametrize("kind", ["es384", "ps256", "ed25519"])
def test_every_kind_of_key_is_stamped(config, tsa, root, kind):
    root.issue(kind=kind).write(config.folder)
    assert marked(config, tsa=tsa.url).report.marker.signed_at


def test_the_configuration_names_the_authority_and_the_call_overrides_it(config, tsa):
    config = replace(config, tsa=tsa.url, tsa_policy="1.2.3.4.2")
    assert marked(config).report.marker.signed_at
    assert bytes.fromhex("06042a030402") in tsa.queries[0]
    assert marked(config, tsa="none").report.marker.time_stamp is None
    assert len(tsa.queries) == 1


def test_an_authority_on_no_list_does_not_count_and_that_is_said(config, tsa):
    config = replace(config, trust=config.trust[:1])
    result = marked(config, tsa=tsa.url)
    assert result.report.verdict == "labelled"
    assert result.report.marker.time_stamp.state == "untrusted"
    assert result.report.marker.signed_at == ""
    assert "signer.stamp-unknown" in codes(result.report)
    assert any("on no list here" in warning for warning in result.warnings)
    assert any("turns invalid" in warning for warning in result.warnings)


FAULTS = {
    "status-500": "HTTP status 500",
    "redirect": "HTTP status 302",
    "garbage": "damaged",
    "wrong-type": "another type of content",
    "long": "too long",
    "stale": "something else",
    "silent": "did not answer within 1 seconds",
}


@pytest.mark.parametrize("mode", FAULTS)
def test_without_a_time_stamp_nothing_is_marked(config, tsa, tmp_path, mode, monkeypatch):
    tsa.mode = mode
    from aikz_label.trust import timestamping

    post = timestamping.network.post
    monkeypatch.setattr(
        timestamping.network,
        "post",
        lambda url, data, kind, accept, _: post(url, data, kind, accept, 1),
    )
    with pytest.raises(SigningError) as error:
        mark(PICTURE, tmp_path / "out.png", Label(origin="created"), config=config, tsa=tsa.url)
    assert error.value.code == "no-time-stamp"
    assert FAULTS[mode] in error.value.message
    assert "<" not in error.value.message
    assert error.value.hint
    assert not (tmp_path / "out.png").exists()
    assert all(b"/other" not in query for query in tsa.queries)


def test_or_it_is_marked_without_and_the_report_says_so(config, tsa):
    tsa.mode = "status-500"
    report = marked(config, tsa=tsa.url, tsa_failure="without").report
    assert report.verdict == "labelled"
    assert report.marker.time_stamp is None
    assert codes(report) == ["marker.trusted", "signer.no-stamp"]
    assert "HTTP status 500" in report.to_json()
    assert "limits.no-timestamp" in {limit.code for limit in report.limits}


def test_an_authority_that_is_not_there(config):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(SigningError, match="connection was refused"):
        marked(config, tsa=f"http://127.0.0.1:{port}/")
    with pytest.raises(SigningError, match="name was not found"):
        marked(config, tsa="http://no-such-host.invalid/")


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({}, {"tsa": "ftp://x/"}),
        ({}, {"tsa": "tsa.example"}),
        ({}, {"tsa": "http://user:password@host/"}),
        ({}, {"tsa": "http:///"}),
        ({"tsa_policy": "1.2.x"}, {"tsa": "http://127.0.0.1:1/"}),
        ({}, {"tsa_failure": "ignore"}),
    ],
)
def test_mistakes_in_the_call(config, settings, options):
    with pytest.raises(UsageError) as error:
        marked(replace(config, **settings), **options)
    assert error.value.hint or "not one of" in error.value.message


def test_a_refused_policy_is_named(config, tsa):
    config = replace(config, tsa=tsa.url, tsa_policy="1.2.3.4.9")
    with pytest.raises(SigningError, match="policy"):
        marked(config)


def test_sidecars_are_stamped_too(config, tsa):
    result = marked(config, tsa=tsa.url, sidecar="always")
    assert result.report.marker.signed_at
    checked = verify(PICTURE, sidecar=result.sidecar, config=config)
    assert checked.marker.signed_at == result.report.marker.signed_at
