"""How long films and sounds last by their headers, and what that gives for a deadline."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import video_files
from aikz_label.batch.lasting import marking_deadline, seconds
from aikz_label.batch.marking import mark_rows
from aikz_label.config import Config
from aikz_label.label import Label
from aikz_label.sandbox.marking import Marking

FILMS = {
    "mp4": lambda: video_files.film("mp4", frames=25),
    "mov": lambda: video_files.film("mov", "mpeg4", frames=25),
    "mkv": lambda: video_files.film("matroska", frames=25),
    "webm": lambda: video_files.film("webm", "libvpx", frames=25),
    "avi": lambda: video_files.film("avi", "mpeg4", frames=25),
}


@pytest.mark.parametrize("name", FILMS)
def test_a_film_lasts(name: str, tmp_path: Path) -> None:
    data = FILMS[name]()
    assert seconds(io.BytesIO(data)) == pytest.approx(2.5, abs=0.11)
    path = tmp_path / "film"
    path.write_bytes(data)
    expected = 60 + 60 * len(data) / 2**20 + 4 * 2.5
    assert marking_deadline(path) == pytest.approx(expected, abs=0.5)


def test_flac_lasts() -> None:
    rate, samples = 48_000, 10 * 3600 * 48_000
    info = bytes(10) + (rate << 44 | 1 << 41 | 15 << 36 | samples).to_bytes(8, "big") + bytes(16)
    assert seconds(io.BytesIO(b"fLaC\0\0\0\x22" + info)) == 36_000


def test_lies_are_believed_up_to_a_bound(tmp_path: Path) -> None:
    data = bytearray(FILMS["mp4"]())
    at = data.index(b"mvhd") + 4
    data[at + 12 : at + 20] = b"\0\0\0\1" + b"\xf0\0\0\0"
    assert seconds(io.BytesIO(bytes(data))) == 0xF0000000
    path = tmp_path / "film"
    path.write_bytes(data)
    assert marking_deadline(path) < 60 + 60 + 4 * 6 * 3600 + 1


def test_what_is_no_file_gets_a_minute(tmp_path: Path) -> None:
    assert marking_deadline(tmp_path) == marking_deadline(tmp_path / "none") == 60
    assert marking_deadline("s3://bucket/film.mp4") == marking_deadline("a\0b") == 60


@settings(max_examples=200, deadline=None)
@given(data=st.data(), name=st.sampled_from(["mp4", "mkv", "avi"]))
def test_no_header_is_an_error(data: st.DataObject, name: str) -> None:
    film = bytearray(_small(name))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(film) - 1))
        film[at : at + 4] = data.draw(st.binary(max_size=8))
    assert seconds(io.BytesIO(bytes(film))) >= 0
    assert seconds(io.BytesIO(data.draw(st.binary(max_size=64)))) >= 0


_made: dict[str, bytes] = {}


def _small(name: str) -> bytes:
    if name not in _made:
        _made[name] = FILMS[name]()
    data = _made[name]
    at = data.find(b"moov") - 4
    return data[:32] + data[at:] if name == "mp4" else data[:5000]


def test_who_names_a_deadline_is_told_that_one(
    tmp_path: Path, label: Label, config: Config
) -> None:
    (tmp_path / "film.mp4").write_bytes(video_files.film("mp4", frames=25))
    pair = str(tmp_path / "film.mp4"), str(tmp_path / "out.mp4")
    (marked,) = mark_rows([pair], Marking(label, config), deadline=0.01, jobs=1)
    assert " 0.01 seconds" in str(marked.error)
    assert not (tmp_path / "out.mp4").exists()
