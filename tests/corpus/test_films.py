"""Films of the corpus, a few of each container; tools/corpus_films.py does it with all of them."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import av
import pytest

import corpus_files
from aikz_label import Label, mark, verify
from aikz_label.config import Config
from aikz_label.report import Verdict
from support import require_corpus

pytestmark = pytest.mark.timeout(180)

_SMALL = 150_000  # bytes
_EACH = 2
ROWS = [
    row
    for name in corpus_files.FILMS
    for row in [
        row
        for row in corpus_files.films()
        if row.format == name and row.kind.startswith("valid") and row.file.stat().st_size < _SMALL
    ][:_EACH]
]


@pytest.mark.parametrize("row", ROWS or [None], ids=str)
def test_marked_with_everything_kept_or_refused(
    row: corpus_files.Row | None, config: Config, tmp_path: Path
) -> None:
    require_corpus()
    assert row is not None
    outcome = corpus_files.attempt(row, tmp_path / "film", config)
    assert outcome.losses == ()
    assert outcome.result is not None or outcome.code
    if outcome.result is not None:
        assert verify(tmp_path / "film", config=config).verdict is Verdict.LABELLED
    assert hashlib.sha256(row.file.read_bytes()).hexdigest() == row.sha256


@pytest.mark.parametrize(
    ("name", "codec"),
    [("sample_with_chapters.mkv", "aac"), ("video_with_failing_audio.mp4", "mp3")],
)
def test_the_notice_is_spoken_over_films_that_others_made(
    name: str, codec: str, config: Config
) -> None:
    (path,) = require_corpus().rglob(name)
    label = Label(origin="created", imitates=("voice",))

    result = mark(path, None, label, languages="kk", config=config)

    assert result.data is not None
    notice = result.report.marker.notice
    assert notice is not None
    assert notice.spoken
    assert not notice.unspoken
    assert verify(result.data, measure=True, config=config).verdict is Verdict.LABELLED
    was, now = (_packets(data) for data in (path.read_bytes(), result.data))
    assert was[0] == codec == now[0]
    assert [packet[:2] for packet in was[1]] == [packet[:2] for packet in now[1]]
    changed = [n for n, (a, b) in enumerate(zip(was[1], now[1], strict=True)) if a[2] != b[2]]
    assert changed[-1] + 1 == len(set(changed))  # the first ones, and no other


def _packets(data: bytes) -> tuple[str, list[tuple[object, object, bytes]]]:
    with av.open(io.BytesIO(data)) as container:
        sound = container.streams.audio[0]
        found = [(p.pts, p.dts, bytes(p)) for p in container.demux(sound) if p.size]
        return sound.codec.canonical_name, found


def test_nothing_is_said_of_a_film_that_is_not_so() -> None:
    """Every film gets an answer, none of them `labelled`: nobody here signed one."""
    require_corpus()
    for row in corpus_files.rows(*corpus_files.FILMS):
        report = verify(row.file, trust=[])
        assert report.verdict is not Verdict.LABELLED, row
        if row.kind == "broken":
            assert report.verdict in {Verdict.UNREADABLE, Verdict.UNMARKED}, row
