"""Sound that was cut out of a longer one, or off before its end: MP3 whose first frames miss bytes, and Ogg."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest

import sound_files
from aikz_label import Refused, mark, verify
from aikz_label.adapters.audio.mp3 import drained, mpeg
from aikz_label.adapters.audio.ogg.container import BROKEN, Ogg
from aikz_label.carriers import oggpages
from aikz_label.config import Config
from aikz_label.limits import DEFAULT
from aikz_label.report import Verdict
from aikz_label.values import replace
from sound_anew_files import chained, layer_2, vorbis, with_skeleton
from sound_files import LABEL, assembled, inserts, parsed
from sound_files import programme_of as programme

BARE = {"write_xing": "0", "id3v2_version": "0"}
FORMS = {
    "128": (44_100, 2, 128_000),
    "320": (44_100, 2, 320_000),
    "mono": (44_100, 1, 64_000),
    "mpeg-2": (22_050, 2, 48_000),
    "mpeg-2.5": (8_000, 1, 24_000),
}


def cut_out(name: str) -> bytes:
    """Frames from the middle of a stream, the first of which takes bytes from some that are no more there."""
    rate, channels, bits = FORMS[name]
    sound = sound_files.programme(rate, 4.0, channels)
    data = sound_files.mp3(sound, rate, bits, **BARE)
    walked = mpeg.walked(io.BytesIO(data), 0, len(data))
    assert walked.head is not None
    for number in range(20, len(walked.frames)):
        at = walked.frames.place(number)
        if walked.head.borrowed(data[at : at + 8]) > 60:
            return data[at:]
    raise AssertionError(name)


@pytest.mark.parametrize("name", FORMS)
def test_mp3_from_the_middle_sounds_as_before_behind_a_notice(name: str) -> None:
    data = cut_out(name)
    sound = parsed(data)
    listed = inserts(sound, FORMS[name][1])
    before, after = programme(data, (), "mp3"), programme(assembled(sound, listed), listed, "mp3")
    assert np.array_equal(before, after)


def test_without_the_frame_that_leaves_nothing_it_does_not() -> None:
    data = cut_out("128")
    sound = parsed(data)
    (insert,) = inserts(sound, 2)
    short = (replace(insert, length=insert.length - 1152, coded=insert.coded[:-1]),)
    before, after = programme(data, (), "mp3"), programme(assembled(sound, short), short, "mp3")
    assert not np.array_equal(before, after)


@pytest.mark.parametrize("version", [3, 2, 0])
@pytest.mark.parametrize("mono", [False, True])
def test_a_drained_frame_uses_all_its_bits(version: int, mono: bool) -> None:
    bits = {3: 0xFB, 2: 0xF3, 0: 0xE3}[version]
    like = mpeg.head(bytes((0xFF, bits, 0x90, 0xC0 if mono else 0)))
    assert like is not None
    for kbits in (like.all_kbits()[0], like.all_kbits()[-1]):
        made = drained.frame(like, kbits)
        head = mpeg.head(made[:4])
        assert head is not None
        assert len(made) == head.size
        side = f"{int.from_bytes(made[4 : 4 + head.side]):0{8 * head.side}b}"
        parts = (1 if mono else 2) * (2 if version == 3 else 1)
        each = 59 if version == 3 else 63
        told = [side[len(side) - each * n :][:12] for n in range(parts, 0, -1)]
        assert sum(int(one, 2) for one in told) == 8 * (head.size - head.main)
        assert like.borrowed(made) == 0


def test_mp3_from_the_middle_is_marked_twice(config: Config) -> None:
    once = mark(cut_out("128"), None, LABEL, config=config)
    again = mark(once.data, None, LABEL, config=config, on_existing="update")
    assert len(again.report.marker.notice.placements) == 1
    assert verify(again.data, config=config, measure=True).verdict is Verdict.LABELLED


def test_ogg_that_ends_within_a_page_is_marked_without_that(config: Config) -> None:
    data = sound_files.opus(sound_files.programme(48_000, 4.0))
    last = list(oggpages.walk(io.BytesIO(data), len(data)))[-1]
    cut = data[: last.start + (last.stop - last.start) // 2]
    result = mark(cut, None, LABEL, config=config)
    assert any("cut off" in warning for warning in result.warnings)
    assert result.report.verdict is Verdict.LABELLED


@pytest.mark.parametrize(
    ("make", "why", "code"),
    [
        (lambda: chained(vorbis(), sound_files.opus()), "several codings", "unsupported-variant"),
        (lambda: chained(vorbis(), vorbis(quality=0.2)), "several codings", "unsupported-variant"),
        (lambda: sound_files.opus() + b"xyz", "between its pages", "unsupported-variant"),
        (lambda: chained(vorbis(), vorbis()), "one behind the other", "needs-reencode"),
        (lambda: with_skeleton(vorbis()), "beside its sound", "needs-reencode"),
    ],
)
def test_other_ogg_is_refused_with_the_reason(make, why: str, code: str, config: Config) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused, match=why) as refusal:
        mark(make(), None, LABEL, config=config)
    assert refusal.value.code == code
    assert refusal.value.hint


@pytest.mark.parametrize(
    "make",
    [
        lambda: chained(vorbis(), vorbis()),
        lambda: with_skeleton(vorbis()),
        layer_2,
    ],
)
def test_without_a_notice_the_hint_is_not_to_allow_what_does_not_help(
    make: Callable[[], bytes], config: Config
) -> None:
    silent = {"notice": "none", "notice_reason": "the player says it"}
    with pytest.raises(Refused) as refusal:
        mark(make(), None, LABEL, config=config, allow_reencode=True, **silent)
    assert refusal.value.code == "needs-reencode"
    assert "WAV or FLAC" in refusal.value.hint
    assert "--allow-reencode" not in refusal.value.hint


@pytest.mark.parametrize(
    "make",
    [vorbis, lambda: sound_files.wav("s16", "pcm_s16le", sound_files.programme(6_000), 6_000)],
)
def test_where_only_the_notice_has_no_place_a_marker_has(
    make: Callable[[], bytes], config: Config
) -> None:
    silent = {"notice": "none", "notice_reason": "the player says it"}
    result = mark(make(), None, LABEL, config=config, **silent)
    assert result.report.verdict is Verdict.INCOMPLETE


def test_streams_whose_heads_are_far_from_their_begin_are_no_chain() -> None:
    """Else every one of many asks for a walk through the whole file."""
    data = sound_files.opus(sound_files.programme(48_000, 1.0))
    pages = list(oggpages.walk(io.BytesIO(data), len(data)))[:2]
    head, tags = (data[page.start + page.head : page.stop] for page in pages)
    streams = range(1, 500)
    begins = b"".join(oggpages.stored(2, 0, n, 0, bytes((len(head),)), head) for n in streams)
    others = b"".join(oggpages.stored(0, 0, n, 1, bytes((len(tags),)), tags) for n in streams)
    found = Ogg.parse(io.BytesIO(data + begins + others), DEFAULT, thorough=True)
    assert found.shape == BROKEN
