"""Tables of tracks that are damaged or say what nobody can write down again."""

import pytest

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.bmff import pack, walk
from aikz_label.adapters.image.heif.movie import Movie
from aikz_label.adapters.image.heif.sample_table import times_of
from aikz_label.adapters.image.heif.stream import Coded
from aikz_label.adapters.image.heif.tracks import Track
from aikz_label.limits import NO_LIMITS


def test_offsets_without_a_version_are_damage() -> None:
    data = pack(b"stts", bytes(4), (1).to_bytes(4), (1).to_bytes(4), (5).to_bytes(4))
    data += pack(b"ctts")
    table = {box.kind: box for box in walk(data, 0, len(data), NO_LIMITS)}
    with pytest.raises(MediaProblem):
        times_of(data, table, 1)


@pytest.mark.parametrize("times", [((1 << 31, 1),), ((0, 1), (1 << 32, 1)), ((0, 1 << 31),) * 3])
def test_times_that_no_table_holds_are_damage(times: tuple[tuple[int, int], ...]) -> None:
    whole = pack(b"moov", pack(b"trak", pack(b"mdia", pack(b"minf", pack(b"stbl")))))
    (movie,) = walk(whole, 0, len(whole), NO_LIMITS)
    (box,) = walk(whole, movie.body, movie.stop, NO_LIMITS)
    track = Track(1, b"pict", box, {}, times=times)
    coded = Coded(b"", (b"x",) * len(times), None)
    with pytest.raises(MediaProblem):
        Movie(whole, movie, (track,), {1: coded}).written(0)
