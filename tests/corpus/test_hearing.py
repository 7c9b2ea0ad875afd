"""Sounds of the corpus without a notice are not taken for labelled; with one, they are (all: docs/reference/hearing.md)."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from aikz_label.label import Origin
from aikz_label.notice import sound
from aikz_label.notice.sound import loudness
from aikz_label.notice.sound.layouts import Samples
from aikz_label.report import Notice
from sounds import KZ, LANGUAGES, codes
from support import require_corpus

pytestmark = pytest.mark.corpus
FORMATS = {"aiff", "flac", "m4a", "mp3", "ogg", "wav"}
MOST = 400_000  # bytes; the rest is for the tool


def decoded(path: Path) -> tuple[Samples, int, str] | None:
    try:
        with path.open("rb") as file, sound.decode(file) as heard:
            blocks = list(heard.blocks())
            return np.concatenate(blocks, axis=1), heard.rate, heard.layout
    except (av.error.FFmpegError, IndexError, ValueError):
        return None


def test_no_false_alarm_and_no_miss() -> None:
    corpus = require_corpus()
    rows = (corpus / "index.tsv").read_text(encoding="utf-8").splitlines()[1:]
    fields = [row.split("\t") for row in rows]
    chosen = [f for f in fields if f[1] in FORMATS and f[4] == "valid" and int(f[2]) < MOST]
    heard = 0
    for number, (name, *_) in enumerate(chosen[::5]):
        found = decoded(corpus / name)
        if found is None:
            continue
        samples, rate, layout = found
        assert sound.search([samples], rate, layout, KZ) is None, name
        if rate < sound.MIN_RATE or number % 2:
            continue
        origin, languages = list(Origin)[number // 2 % 2], LANGUAGES[: 1 + number % 3]
        script = sound.script(origin, languages, KZ)
        short = sound.is_short(samples.shape[1] / rate, KZ)
        level = loudness.measure(samples, rate, layout)
        made = sound.compose(script, rate, layout, level, KZ, short=short)
        whole = np.concatenate([made.samples, samples], axis=1)
        notice = Notice("spoken", languages, "kz-1", "kz/1", (made.placement(0.0),))
        measured = sound.measure([whole], rate, layout, notice, origin, KZ)
        assert codes(measured) == [], name
        searched = sound.search([whole], rate, layout, KZ)
        assert searched is not None, name
        assert searched.origin is origin, name
        heard += 1
    assert heard >= 5
