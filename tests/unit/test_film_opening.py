"""How much of a film's sound is read before a notice is spoken over it."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest

from aikz_label.adapters.video.film import Slots
from aikz_label.adapters.video.spoken import opening
from aikz_label.adapters.video.spoken.codings import Form
from aikz_label.adapters.video.spoken.lossless import Pcm
from aikz_label.adapters.video.spoken.opening import Opening
from aikz_label.adapters.video.spoken.tracks import Sound, Unspoken

CODING = Pcm(Form("pcm_s16le", "", 48_000, "stereo", 2, b""))
MADE = SimpleNamespace(samples=np.zeros((2, 500), np.float32), rate=1000)


class Counted(io.BytesIO):
    """A film that counts what is read of it."""

    total = 0

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self.total += len(found)
        return found


def sound(size: int, count: int) -> Sound:
    """A sound in pieces that all lie in the same place."""
    same = np.zeros(count, np.int64)
    slots = Slots(same, same + size, np.arange(count), np.ones(count, np.bool_))
    return Sound(Counted(bytes(size)), SimpleNamespace(slots=slots, pieces=True))


@pytest.mark.parametrize(("size", "read"), [(400, 800), (1001, 0)])
def test_no_more_is_read_than_fits(size: int, read: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_MOST_BYTES", 1000)
    found = sound(size, 100)
    with pytest.raises(Unspoken) as caught:
        Opening.read(found, CODING, 0, MADE)
    assert (caught.value.detail, found.source.total) == ("its packets are too long", read)


def test_what_fits_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_MOST_BYTES", 10_000)
    found = sound(4000, 100)
    assert len(Opening.read(found, CODING, 0, MADE).pieces) == 2
    assert len(Opening.read(sound(4000, 1), CODING, 0, MADE).pieces) == 1
