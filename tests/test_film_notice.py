"""The notice of a film as it is measured: every way of not being there when it was promised."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

import sounds
import video_files
from aikz_label import Label, Limits, mark, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.video import films, measuring, watching
from aikz_label.config import Config
from aikz_label.formats import FORMATS
from aikz_label.label import Origin
from aikz_label.limits import DEFAULT, NO_LIMITS
from aikz_label.notice import wording
from aikz_label.notice.sound.layouts import Samples
from aikz_label.profile import load_profile
from aikz_label.report import Measurement, Notice, NoticeState, Verdict

SIZE, RATE, FRAMES = (320, 180), 10, 80
PROFILE = load_profile("kz")
Change = Callable[[int, np.ndarray, np.ndarray], np.ndarray]


NOTHING = Notice(
    "badge",
    ("kk",),
    wording.version(),
    "kz/1",
    ({"design": "badge/1", "x": 0.1, "y": 0.1, "width": 0.1, "height": 0.1},),
)


@pytest.fixture(scope="module")
def film() -> bytes:
    return video_files.film("mp4", size=SIZE, frames=FRAMES, rate=RATE)


@pytest.fixture(scope="module")
def made(film: bytes, config: Config) -> tuple[bytes, Notice]:
    """A labelled film, and what its marker says of the notice."""
    result = mark(film, None, Label(origin="created"), config=config)
    assert result.report.verdict is Verdict.LABELLED
    notice = result.report.marker.notice
    assert result.data is not None
    assert notice is not None
    return result.data, notice


def frames(data: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(data)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def film_of(
    shown: list[np.ndarray], kind: str = "mp4", rate: int = RATE, heard: Samples | None = None
) -> bytes:
    memory = io.BytesIO()
    with av.open(memory, "w", format=kind) as out:
        stream = out.add_stream("libx264", rate=rate, options={"g": "20", "crf": "10"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        track = out.add_stream("aac", rate=48_000, layout="stereo") if heard is not None else None
        for number, array in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(array, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if track is not None:
            for start in range(0, heard.shape[1], 1024):
                block = np.ascontiguousarray(heard[:, start : start + 1024])
                piece = av.AudioFrame.from_ndarray(block, "fltp", "stereo")
                piece.sample_rate, piece.pts = 48_000, start
                out.mux(track.encode(piece))
            out.mux(track.encode(None))
    return memory.getvalue()


@pytest.fixture(scope="module")
def changed(film: bytes, made: tuple[bytes, Notice]) -> Callable[[Change], bytes]:
    """The labelled film, coded anew after something was done to its frames."""
    with_badge, without = frames(made[0]), frames(film)
    assert len(with_badge) == len(without) == FRAMES

    def change(how: Change) -> bytes:
        pairs = enumerate(zip(with_badge, without, strict=True))
        return film_of([how(n, now.copy(), was) for n, (now, was) in pairs])

    return change


def measured(data: bytes, notice: Notice, limits: Limits = DEFAULT) -> Measurement:
    source = io.BytesIO(data)
    return measuring.measure(source, FORMATS["mp4"], notice, Origin.CREATED, PROFILE, limits)


def codes(found: Measurement) -> set[str]:
    return {problem.code.removeprefix("notice.") for problem in found.problems}


def with_spans(notice: Notice, *spans: tuple[float, float]) -> Notice:
    place = notice.placements[0]
    places = tuple({**place, "start": start, "end": end} for start, end in spans)
    return replace(notice, placements=places)


def test_a_true_film(made: tuple[bytes, Notice]) -> None:
    found = measured(*made)
    figures = dict(found.figures)
    assert (found.state, found.problems) == (NoticeState.PERCEIVABLE, ())
    assert figures["duration_s"] == figures["opening_s"] == figures["closing_s"] == 8
    assert (figures["first_s"], figures["longest_gap_s"], figures["covered"]) == (0, 0, 1)
    assert figures["frames"] >= 8
    assert {name: figures[name] for name, _ in made[1].figures} == pytest.approx(
        dict(made[1].figures), abs=1e-3
    )


def test_coded_anew_it_is_still_there(
    changed: Callable[[Change], bytes], made: tuple[bytes, Notice]
) -> None:
    assert measured(changed(lambda n, now, was: now), made[1]).state is NoticeState.PERCEIVABLE


@pytest.mark.parametrize(
    "away",
    [
        lambda n: n < 10,  # a second without it at the start
        lambda n: n == 0,  # the first frame
        lambda n: 30 <= n < 50,  # in the middle
        lambda n: n >= 70,  # at the end
        lambda n: n == FRAMES - 1,
        lambda n: n % 10,  # there only at whole seconds
        lambda n: n % 2,  # blinking
    ],
)
def test_not_all_the_time(
    away: Callable[[int], object], changed: Callable[[Change], bytes], made: tuple[bytes, Notice]
) -> None:
    found = measured(changed(lambda n, now, was: was if away(n) else now), made[1])
    assert found.state is NoticeState.NOT_PERCEIVABLE
    assert "film-part" in codes(found)


def test_never(film: bytes, made: tuple[bytes, Notice]) -> None:
    found = measured(film, made[1])
    assert (found.state, codes(found)) == (NoticeState.NOT_PERCEIVABLE, {"missing"})


def test_what_is_settled_early_was_not_looked_at_as_a_whole(
    film: bytes, made: tuple[bytes, Notice]
) -> None:
    found = measured(film_of(frames(film) * 4), with_spans(made[1], (0.0, 32.0)))
    assert found.state is NoticeState.NOT_PERCEIVABLE
    assert dict(found.figures)["looked_s"] == dict(found.figures)["frames"] == 8


def test_black_frames_before_it(made: tuple[bytes, Notice]) -> None:
    shown = frames(made[0])
    late = film_of([np.zeros_like(shown[0])] * 20 + shown)
    assert measured(late, made[1]).state is NoticeState.NOT_PERCEIVABLE
    found = measured(late, with_spans(made[1], (2.0, 10.0)))
    assert (found.state, codes(found)) == (NoticeState.NOT_PERCEIVABLE, {"film-late"})


def test_covered(changed: Callable[[Change], bytes], made: tuple[bytes, Notice]) -> None:
    place = made[1].placements[0]
    left, top = int(place["x"] * SIZE[0]), int(place["y"] * SIZE[1])
    width, height = int(place["width"] * SIZE[0]), int(place["height"] * SIZE[1])

    def cover(n: int, now: np.ndarray, was: np.ndarray) -> np.ndarray:
        if 20 <= n < 40:
            now[top : top + height, left + width // 2 : left + width] = 90
        return now

    found = measured(changed(cover), made[1])
    assert {"covered", "film-part"} <= codes(found)


def test_pale(changed: Callable[[Change], bytes], made: tuple[bytes, Notice]) -> None:
    found = measured(changed(lambda n, now, was: now // 4 + was // 4 * 3), made[1])
    assert found.state is NoticeState.NOT_PERCEIVABLE


def test_short_promises(made: tuple[bytes, Notice]) -> None:
    data, notice = made
    for span, expected in (
        ((0.0, 3.0), {"too-short", "film-end"}),
        ((0.0, 6.0), {"film-end"}),
        ((2.0, 8.0), {"film-late"}),
    ):
        assert codes(measured(data, with_spans(notice, span))) == expected
    both = with_spans(notice, (0.0, 5.0), (3.0, 8.0))
    assert measured(data, both).state is NoticeState.PERCEIVABLE


def test_a_promise_longer_than_the_film(made: tuple[bytes, Notice]) -> None:
    found = measured(made[0], with_spans(made[1], (0.0, 100.0)))
    assert (found.state, dict(found.figures)["duration_s"]) == (NoticeState.PERCEIVABLE, 8)
    assert (
        measured(made[0], with_spans(made[1], (0.0, 8.0), (50.0, 60.0))).state
        is NoticeState.UNKNOWN
    )


@pytest.mark.parametrize(
    "change",
    [
        {"start": -1.0},
        {"end": 0.0},
        {"end": float("nan")},
        {"end": float("inf")},
        {"end": "8"},
        {"start": True},
        {"end": 1e300},
        {"x": 2.0},
        {"em": 10**9},
        {"layout": "none such"},
    ],
)
def test_records_that_make_no_sense(change: dict[str, object], made: tuple[bytes, Notice]) -> None:
    broken = replace(made[1], placements=({**made[1].placements[0], **change},))
    assert measured(made[0], broken).state is NoticeState.UNKNOWN


def of(promise: tuple[float, float], data: bytes, notice: Notice, pixels: int) -> Measurement:
    limits = replace(NO_LIMITS, max_shown=pixels)
    return measured(data, with_spans(notice, promise), limits)


LITTLE = 150_000_000  # pixels: not enough to look at 32 seconds as a whole


def test_of_a_long_film_a_sample_is_looked_at(made: tuple[bytes, Notice], film: bytes) -> None:
    shown, without = frames(made[0]), frames(film)
    long, promise = film_of(shown * 4), (0.0, 32.0)
    whole, found = of(promise, long, made[1], 2**62), of(promise, long, made[1], LITTLE)
    assert found.state is whole.state is NoticeState.PERCEIVABLE
    assert dict(whole.figures)["looked_s"] == 32
    assert 5 < dict(found.figures)["looked_s"] < 30
    missing = of(promise, film_of(shown + without * 3), made[1], LITTLE)
    assert missing.state is NoticeState.NOT_PERCEIVABLE
    assert of(promise, long, made[1], 1_000_000).state is NoticeState.UNKNOWN


def test_a_notice_in_keyframes_only_is_found_out(made: tuple[bytes, Notice], film: bytes) -> None:
    """A sample that knew of nothing else would take it for one that is always there."""
    pairs = list(zip(frames(made[0]) * 4, frames(film) * 4, strict=True))
    opening = 60  # frames, which are looked at in any case
    data = film_of(
        [now if n < opening or n % 20 == 0 else was for n, (now, was) in enumerate(pairs)]
    )
    with av.open(io.BytesIO(data)) as container:
        keys = [n for n, p in enumerate(container.demux(video=0)) if p.size and p.is_keyframe]
    assert keys == list(range(0, len(pairs), 20))
    assert of((0.0, 32.0), data, made[1], LITTLE).state is NoticeState.NOT_PERCEIVABLE


def test_the_report_says_how_much_of_a_film_was_looked_at(film: bytes, config: Config) -> None:
    data = mark(film_of(frames(film) * 4), None, Label(origin="created"), config=config).data
    assert data is not None
    for pixels, said in ((DEFAULT.max_shown, 0), (LITTLE, 1)):
        caps = replace(DEFAULT, max_shown=pixels)
        report = verify(data, config=config, measure=True, caps=caps)
        assert report.verdict is Verdict.LABELLED
        assert sum("of the 32 seconds" in limit.text("en") for limit in report.limits) == said


@pytest.mark.parametrize("kind", ["yuv420p", "yuv422p10le", "yuv444p", "gbrp", "gray", "nv12"])
def test_a_part_of_a_frame_is_seen_as_in_the_whole(kind: str) -> None:
    picture = video_files.texture(242, 134, 5)
    frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=kind)
    for turn in range(1, 9):
        seen = films.View((242, 134), 1.0, turn)
        width, height = seen.size
        edges = (width // 3, height // 4, width - 1, height - 3)
        part = np.asarray(films.Shown(frame, seen).crop(edges).convert("RGB"), np.int16)
        whole = np.asarray(films.displayed(frame, seen).crop(edges).convert("RGB"), np.int16)
        assert part.shape == whole.shape
        assert np.abs(part - whole)[4:-4, 4:-4].max() <= 2


def test_more_pixels_than_the_limit(made: tuple[bytes, Notice]) -> None:
    """Asked of the header, before anything is decoded."""
    few = replace(NO_LIMITS, max_pixels=SIZE[0] * SIZE[1] - 1)
    source = io.BytesIO(made[0])
    for look in (
        lambda: measured(*made, few),
        lambda: measuring.search(source, FORMATS["mp4"], PROFILE, few),
    ):
        with pytest.raises(MediaProblem) as problem:
            look()
        assert problem.value.message.code == "unreadable.over-limit"


def test_a_rate_that_lies_costs_no_more(made: tuple[bytes, Notice]) -> None:
    """The budget counts what is decoded, not what the header promises."""
    little = replace(NO_LIMITS, max_shown=SIZE[0] * SIZE[1] * 3)
    assert measured(made[0], made[1], little).state is NoticeState.UNKNOWN


def test_found_without_a_record(made: tuple[bytes, Notice], film: bytes, config: Config) -> None:
    bare = film_of(frames(made[0]))
    report = verify(bare, config=config, measure=True)
    assert report.evidence.found is not None
    assert (report.verdict, report.notice_state) == (Verdict.INCOMPLETE, NoticeState.PERCEIVABLE)
    assert verify(film, config=config, measure=True).verdict is Verdict.UNMARKED
    some = film_of(frames(made[0])[:40] + frames(film)[:40])
    assert verify(some, config=config, measure=True).notice_state is NoticeState.UNKNOWN


def test_no_picture_is_a_problem() -> None:
    with pytest.raises((MediaProblem, ValueError)):
        measured(b"\0\0\0\x18ftypisom" + bytes(200), with_spans(NOTHING, (0.0, 1.0)))


def test_figures_of_a_signer_are_judged_too(made: tuple[bytes, Notice]) -> None:
    """A record that leaves out when the notice is there attests nothing."""
    figures = dict(made[1].figures)
    assert PROFILE.problems("badge", figures, film=True) == ()
    for name in ("first_s", "opening_s", "longest_gap_s", "closing_s", "duration_s"):
        less = {key: value for key, value in figures.items() if key != name}
        assert PROFILE.problems("badge", less, film=True) != ()
        assert PROFILE.problems("badge", less) == ()


@pytest.mark.parametrize(
    ("how", "expected"),
    [("whole", set()), ("missing", {"unheard"}), ("silent film", None)],
)
def test_what_is_spoken_besides(
    how: str, expected: set[str] | None, made: tuple[bytes, Notice]
) -> None:
    """Each half must be there."""
    spoken = sounds.spoken(48_000, "stereo", short=True)
    programme = sounds.music(48_000, 8.0)
    heard = np.concatenate([spoken.samples, programme], axis=1)[:, : 48_000 * 8]
    given = {"whole": heard, "missing": programme, "silent film": None}[how]
    both = (*made[1].placements, spoken.placement(0.0))
    found = measured(film_of(frames(made[0]), heard=given), replace(made[1], placements=both))
    if expected is None:
        assert found.state is NoticeState.UNKNOWN
        return
    assert codes(found) == expected
    assert found.state is (NoticeState.NOT_PERCEIVABLE if expected else NoticeState.PERCEIVABLE)
    assert {"earcon", "contrast", "duration_s"} <= dict(found.figures).keys()


def slow(frames: int) -> bytes:
    """A film of which most frames are needed by no other, so that decoders may pass over eight seconds of them."""
    options = {"g": "1000", "x264-params": "bframes=16:b-adapt=0:b-pyramid=none:scenecut=0"}
    return video_files.film("mp4", size=(64, 64), frames=frames, rate=2, options=options)


def test_frames_that_no_other_needs_are_looked_at_too() -> None:
    with films.open_film(io.BytesIO(slow(100))) as container:
        watched = watching.Watched(container, DEFAULT)
        looks = [seconds for _, seconds in watched.every(0.0, 50.0)]
    assert max(after - one for one, after in pairwise([*looks, 50.0])) < 3.5


def test_frames_that_are_passed_over_cost_something() -> None:
    with films.open_film(io.BytesIO(slow(400))) as container:
        watched = watching.Watched(container, DEFAULT)
        before = watched.left
        assert watched.at(199.0, 10_000) is not None
        assert before - watched.left > 390 * 2000


def test_a_spoken_notice_of_a_later_design_is_unknown(made: tuple[bytes, Notice]) -> None:
    data, notice = made
    assert measured(data, notice).state is NoticeState.PERCEIVABLE
    both = replace(notice, placements=(*notice.placements, {"design": "spoken/2", "end": 9.0}))
    assert measured(data, both).state is NoticeState.UNKNOWN
