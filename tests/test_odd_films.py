"""Films that hold something unusual are marked right, or refused with a reason; none is an error, and none hangs."""

from __future__ import annotations

import pytest

import odd_films
from aikz_label import Label, Refused, mark, verify
from aikz_label.config import Config
from aikz_label.report import MarkerState, Verdict

LABEL = Label(origin="created")
REFUSED = {
    odd_films.dolby_vision: ("unsupported-variant", "Dolby Vision"),
    odd_films.hdr10_plus: ("unsupported-variant", "from frame to frame"),
    odd_films.two_eyes: ("unsupported-variant", "two eyes"),
    odd_films.stereo_box: ("unsupported-variant", "two eyes"),
    odd_films.two_layers: ("unsupported-variant", "other eye"),
    odd_films.all_around: ("unsupported-variant", "all around"),
    odd_films.huge_header: ("undecodable", ""),
    odd_films.standing_still: ("not-perceptible", ""),
    odd_films.missing_index: ("damaged", ""),
    odd_films.squeezed: ("unsupported-variant", "bzip2"),
    odd_films.broken_deflated: ("damaged", ""),
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_it_is_refused_with_a_reason(make: odd_films.Maker, config: Config) -> None:
    film, (code, word) = make(), REFUSED[make]
    with pytest.raises(Refused) as refusal:
        mark(film, None, LABEL, config=config)
    assert refusal.value.code == code
    assert word in str(refusal.value)
    assert refusal.value.hint
    report = verify(film, config=config, measure=True)
    assert report.verdict in {Verdict.UNMARKED, Verdict.UNREADABLE}


def test_a_frame_of_eight_thousand_pixels_is_marked(config: Config) -> None:
    result = mark(odd_films.eight_k(), None, LABEL, config=config)
    assert result.report.verdict is Verdict.LABELLED
    assert dict(result.report.figures)["short_side_px"] == 4320


def test_blocks_that_all_tell_one_time_keep_it(config: Config) -> None:
    film = odd_films.all_at_once()
    result = mark(film, None, LABEL, config=config)
    assert result.data is not None
    assert odd_films.times(result.data) == odd_films.times(film) == [0] * 6
    assert result.report.verdict is Verdict.LABELLED


@pytest.mark.parametrize("make", [odd_films.stripped, odd_films.deflated])
def test_frames_that_are_packed_once_more_are_unpacked(
    make: odd_films.Maker, config: Config
) -> None:
    film = make()
    result = mark(film, None, LABEL, config=config, video_mode="smart")
    assert result.data is not None
    assert odd_films.times(result.data) == odd_films.times(film)
    assert len(odd_films.pictures(result.data)) == len(odd_films.pictures(film)) == 6
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED


@pytest.mark.parametrize("kind", ["matroska", "webm"])
def test_a_sidecar_on_request(kind: str, config: Config) -> None:
    """The film itself then holds no marker, only mirrors."""
    film = odd_films.plain(kind)
    result = mark(film, None, LABEL, config=config, sidecar="always")
    assert result.data is not None
    assert result.sidecar is not None
    report = verify(result.data, sidecar=result.sidecar, config=config, measure=True)
    assert report.verdict is Verdict.LABELLED
    alone = verify(result.data, config=config)
    assert (alone.verdict, alone.marker_state) == (Verdict.INCOMPLETE, MarkerState.CLAIMED)
    changed = result.data.replace(b"Lavf", b"Lavg", 1)
    assert verify(changed, sidecar=result.sidecar, config=config).verdict is Verdict.INVALID
