"""A sound that has a notice already: a new one takes its place, and never stands beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import sound_files
from aikz_label import Label, Refused, mark
from aikz_label.adapters import Order
from aikz_label.adapters.audio.older import older
from aikz_label.config import Config
from aikz_label.label import Origin
from aikz_label.limits import DEFAULT
from aikz_label.notice import sound
from aikz_label.profile import load_profile
from sound_files import heard, outside, parsed
from sounds import KZ, spoken

CREATED = Label(origin=Origin.CREATED)
RATE = 16_000
PROGRAMME = sound_files.programme(RATE, 6.0)
ORDER = Order(CREATED, ("kk",), load_profile("kz"), "auto", "", DEFAULT)


def wav(samples: np.ndarray) -> bytes:
    return sound_files.encoded(("wav", "pcm_s16le", "s16"), samples.astype(np.float32), RATE)


@pytest.mark.parametrize("name", ["wav", "mp3", "flac"])
def test_a_notice_on_an_earlier_record_is_replaced(name: str, config: Config) -> None:
    """Marked, marked again without a notice, and with one: what the second record leaves out is still there."""
    data = sound_files.sample(name)
    first = mark(data, None, CREATED, config=config, languages="kk,ru,en")
    between = mark(
        first.data, None, CREATED, config=config, on_existing="update", notice="none",
        notice_reason="told by the speaker",
    )  # fmt: skip
    assert np.array_equal(heard(between.data), heard(first.data))
    last = mark(between.data, None, CREATED, config=config, languages="ru", on_existing="update")
    (place,) = last.report.marker.notice.placements
    assert heard(last.data).shape[1] == heard(data).shape[1] + place["samples"]
    assert np.array_equal(outside(last.data, (place,)), heard(data))


def test_a_file_that_was_cut_gets_no_second_notice(config: Config) -> None:
    marked = mark(wav(PROGRAMME), None, CREATED, config=config)
    at = marked.data.index(b"data") + 8
    cut = bytearray(marked.data)
    del cut[at : at + RATE]  # half a second: the notice is not where its record says
    cut[at - 4 : at] = (int.from_bytes(cut[at - 4 : at], "little") - RATE).to_bytes(4, "little")
    cut[4:8] = (len(cut) - 8).to_bytes(4, "little")
    with pytest.raises(Refused) as refusal:
        mark(bytes(cut), None, CREATED, config=config, on_existing="replace")
    assert refusal.value.code == "notice-stays"


# --- the record is a stranger's -------------------------------------------------------------------------------------

MADE = spoken(RATE, languages=("kk",), short=True)
LENGTH = MADE.samples.shape[1]
MARKED = np.concatenate((MADE.samples, PROGRAMME[:, : 2 * RATE], MADE.samples, PROGRAMME), axis=1)
SECOND = LENGTH + 2 * RATE


def record(first: int, samples: int = LENGTH, **more: object) -> dict[str, object]:
    return MADE.placement(first / RATE) | {"first": first, "samples": samples} | more


def found(samples: np.ndarray, *records: dict[str, object]) -> list[tuple[int, int]]:
    order = replace(ORDER, previous=records)
    return [(one.at, one.instead) for one in older(parsed(wav(samples)), order)]


def test_what_is_heard_where_it_should_be_goes() -> None:
    assert found(MARKED, record(0), record(SECOND)) == [(0, LENGTH), (SECOND, LENGTH)]
    assert found(MARKED, record(SECOND), record(0)) == [(0, LENGTH), (SECOND, LENGTH)]
    silent = np.insert(MARKED, [LENGTH] * RATE, 0.0, axis=1)
    assert found(silent, record(0, LENGTH + RATE)) == [(0, LENGTH + RATE)]
    assert found(MARKED, record(0, LENGTH + RATE // 5)) == [(0, LENGTH + RATE // 5)]


@pytest.mark.parametrize(
    "records",
    [
        (record(0, LENGTH + 2 * RATE),),  # it takes some of the programme with it
        (record(0, LENGTH + 2 * RATE, end=(LENGTH + 2 * RATE) / RATE),),
        (record(0), record(SECOND + RATE // 10)),
        (record(0), record(LENGTH)),
        (record(0), record(0)),
        (record(0, LENGTH - 1000),),
        (record(RATE),),
        (record(0) | {"first": RATE},),
        (record(0) | {"first": "0"},),
        (record(0) | {"first": -1},),
        (record(0), {}),
        (record(0, start=float("nan")),),
        (record(0, form="long"),),
    ],
)
def test_a_record_that_says_anything_else_takes_nothing_out(
    records: tuple[dict[str, object], ...],
) -> None:
    with pytest.raises(Refused) as refusal:
        found(MARKED, *records)
    assert refusal.value.code == "notice-stays"


def test_where_no_notice_is_any_more_none_goes() -> None:
    assert found(PROGRAMME, record(0)) == []
    assert found(PROGRAMME[:, :10], record(0), record(SECOND)) == []
    assert found(MARKED) == []


def test_a_thousand_records_are_listened_to_once() -> None:
    records = [
        {"design": "spoken/1", "start": 0.5 * n, "end": 0.5 * n + 4, "dit": 0.09}
        for n in range(1000)
    ]
    stand = sound.standing([PROGRAMME], RATE, "mono", records, KZ)
    assert stand == (False,) * 1000
