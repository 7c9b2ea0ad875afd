"""A notice before and between packets of Opus and MP3 in MP4 with its tables in one place."""

from __future__ import annotations

import numpy as np
import pytest

from aikz_label import Label, mark, verify
from aikz_label.config import Config
from aikz_label.label import Origin, System
from aikz_label.report import Verdict
from filmed_sounds import made
from packet_sounds import decoded, packets, times, without

LABEL = Label(origin=Origin.CREATED, system=System("TuneGen", "1"))


@pytest.mark.parametrize("codec", ["libopus", "libmp3lame"])
@pytest.mark.parametrize(("seconds", "profile"), [(2.0, "kz"), (66.0, "strict")])
def test_the_programme_stays_and_is_later(
    codec: str, seconds: float, profile: str, config: Config
) -> None:
    source = made("mp4", codec, (), seconds)
    result = mark(source, None, LABEL, config=config, profile_name=profile)
    report = verify(result.data, config=config, measure=True, profile_name=profile)
    assert (report.verdict, report.format) == (Verdict.LABELLED, "m4a")
    places = report.marker.notice.placements
    assert len(places) == (2 if profile == "strict" else 1)
    first, rest = decoded(source), without(decoded(result.data), places)
    assert rest.shape == first.shape
    # the decoder of Opus goes on almost as it did
    near = 2.0**-12 if codec == "libopus" else 0.0
    assert float(np.abs(rest.astype(np.float64) - first).max()) <= near
    assert packets(result.data)[-4:] == packets(source)[-4:]
    steps = np.diff([float(time) for time in times(result.data)])
    assert abs(steps.min() - steps.max()) < 1e-3


def test_a_second_mark_takes_the_first_notice_out(config: Config) -> None:
    source = made("mp4", "libopus", (), 2.0)
    once = mark(source, None, LABEL, config=config)
    again = mark(once.data, None, LABEL, config=config, on_existing="update")
    assert decoded(again.data).shape == decoded(once.data).shape
    assert again.report.verdict is Verdict.LABELLED
