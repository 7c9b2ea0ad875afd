"""Sound alone in containers of films is a sound whatever its brand, spoken over where nothing can go before it."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

import sound_files
from aikz_label import Label, Refused, mark, sniff, verify
from aikz_label.carriers import ebml
from aikz_label.config import Config
from aikz_label.formats import tracks
from aikz_label.label import Origin, System
from aikz_label.notice import sound as notices
from aikz_label.report import Verdict
from filmed_sounds import FRAGMENTS, made

LABEL = Label(origin=Origin.CREATED, system=System("TuneGen", "1"))
AAC = "aac"
BEHIND = 0.5  # seconds behind the notice from which on all is as it was


def packets(data: bytes, number: int = 0) -> list[bytes]:
    with av.open(io.BytesIO(data)) as opened:
        return [
            bytes(packet) for packet in opened.demux(opened.streams.audio[number]) if packet.size
        ]


def played(data: bytes) -> tuple[int, np.ndarray]:
    """Rate and samples of the first sound."""
    with notices.decode(io.BytesIO(data)) as heard:
        return heard.rate, np.concatenate(list(heard.blocks()), axis=1)


def same_behind(before: np.ndarray, after: np.ndarray, rate: int, end: float) -> bool:
    """Whether two decoded sounds are as long, and alike behind a moment."""
    at = round((end + BEHIND) * rate)
    if before.shape != after.shape:
        return False
    one, two = before[:, at:], after[:, at:]
    loud = float(np.square(one).mean())
    return float(np.square(one - two).mean()) < loud / 1000  # of AC-3 decoders make noise up


@pytest.mark.parametrize(
    ("container", "codec", "options", "name"),
    [
        ("mp4", "flac", (), "m4a"),
        ("mp4", "ac3", (), "m4a"),
        ("mov", "pcm_s16le", (), "m4a"),
        ("matroska", "ac3", (), "mka"),
    ],
)
def test_a_notice_is_spoken_over_the_start(
    container: str, codec: str, options: tuple[tuple[str, str], ...], name: str, config: Config
) -> None:
    source = made(container, codec, options)
    result = mark(source, None, LABEL, config=config)
    report = verify(result.data, config=config, measure=True)
    assert (report.verdict, report.format) == (Verdict.LABELLED, name)
    notice = result.report.marker.notice
    assert notice is not None
    assert (notice.kind, len(notice.placements)) == ("spoken", 1)
    end = float(notice.placements[0]["end"])
    before, after = packets(source), packets(result.data)
    assert len(before) == len(after)
    kept = [one == two for one, two in zip(before, after, strict=True)]
    changed = len(kept) - kept[::-1].index(False)
    assert changed < len(kept), "packets behind the notice are those of the source"
    rate, first = played(source)
    assert same_behind(first, played(result.data)[1], rate, end)


def test_a_marked_one_is_not_spoken_over_twice(config: Config) -> None:
    source = made("matroska", "ac3")
    once = mark(source, None, LABEL, config=config)
    again = mark(once.data, None, LABEL, config=config, on_existing="update")
    assert packets(again.data) == packets(once.data)
    assert again.report.verdict is Verdict.LABELLED


def test_without_a_notice_no_packet_changes(config: Config) -> None:
    for container, options in (("matroska", ()), ("mp4", FRAGMENTS)):
        source = made(container, AAC, options)
        result = mark(
            source, None, LABEL, config=config, notice="none", notice_reason="the player says it"
        )
        assert packets(result.data) == packets(source)
        assert result.report.verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: made("mp4", "flac", FRAGMENTS, 2.0), "fLaC.*too short"),
        (lambda: made("matroska", "mp2"), "mp2"),
        (lambda: made("matroska", "ac3", (), 2.0), "A_AC3.*too short"),
    ],
)
def test_what_cannot_be_spoken_over_is_refused_with_the_reason(make, why, config: Config) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused, match=why) as refusal:
        mark(make(), None, LABEL, config=config)
    assert refusal.value.code == "unsupported-variant"
    assert refusal.value.hint


def test_a_long_one_is_refused_since_its_notice_must_come_again(config: Config) -> None:
    silence = np.zeros((1, 48_000 * 700), np.float32)
    source = sound_files.encoded(("matroska", "ac3", "fltp"), silence, 48_000)
    with pytest.raises(Refused, match="12 minutes need it again"):
        mark(source, None, LABEL, config=config)


def test_a_brand_makes_no_film() -> None:
    for container, codec in (("mov", AAC), ("3gp", AAC), ("mp4", AAC), ("mov", "alac")):
        row = sniff(made(container, codec))
        assert row is not None
        assert row.name == "m4a"


def test_a_track_that_does_not_tell_its_type_may_be_a_picture() -> None:
    data = made("matroska", "flac")
    assert tracks.only_sound_in_matroska(io.BytesIO(data))
    at = data.index(b"\x83\x81\x02")  # the type of the track
    assert not tracks.only_sound_in_matroska(io.BytesIO(data[:at] + b"\xec" + data[at + 1 :]))
    assert not tracks.only_sound_in_matroska(io.BytesIO(data[: at + 2] + b"\1" + data[at + 3 :]))


@pytest.mark.parametrize("codec", [b"", ebml.pack(0x86, b"V_FLAC")], ids=["none", "of a picture"])
def test_a_track_of_sound_without_a_coding_of_sound_is_not_counted(
    codec: bytes, config: Config
) -> None:
    data = made("matroska", "flac")
    source = io.BytesIO(data)
    document = ebml.Document.read(source, 1000)
    before = ebml.pack(0xAE, ebml.pack(0xD7, b"\5"), ebml.pack(0x83, b"\2"), codec)
    parts = []
    for part in document.parts:
        if part.name in {ebml.INFO, ebml.CLUSTER}:
            parts.append(data[part.start : part.stop])
        elif part.name == ebml.TRACKS:
            inner = (one for one in ebml.children(source, part, 1000) if one.name != ebml.CRC)
            listed = [data[one.start : one.stop] for one in inner]
            parts.append(ebml.pack(ebml.TRACKS, before, *listed))
    changed = data[: document.segment.start] + ebml.pack(ebml.SEGMENT, *parts, width=8)
    result = mark(changed, None, LABEL, config=config)
    assert result.report.verdict is Verdict.LABELLED
    assert len(packets(result.data)) > len(packets(data))


def test_many_tracks_within_many_take_no_time() -> None:
    entry = ebml.pack(0xAE, b"\xec\x80" * 3000)
    segment = ebml.pack(ebml.SEGMENT, ebml.pack(ebml.TRACKS, entry * 3000))
    stream = Counted(ebml.pack(ebml.HEADER, b"") + segment * 2)
    assert not tracks.only_sound_in_matroska(stream)
    assert stream.reads < 1000


def test_many_boxes_within_many_take_no_time() -> None:
    def box(name: bytes, content: bytes) -> bytes:
        return (8 + len(content)).to_bytes(4) + name + content

    sound = box(b"trak", box(b"mdia", box(b"hdlr", b"\0" * 8 + b"soun")))
    deep = box(b"trak", box(b"mdia", box(b"free", b"") * 500) * 100)
    stream = Counted(box(b"moov", sound + deep) * 100)
    assert not tracks.only_sound(stream)
    assert stream.reads < 20_000
    assert tracks.only_sound(io.BytesIO(box(b"moov", sound)))


class Counted(io.BytesIO):
    """A stream that counts how often it is read."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read(size)


@pytest.mark.parametrize("cut", [5, 40, 60, 200])
def test_a_cut_one_is_no_sound_of_its_own(cut: int) -> None:
    data = made("matroska", "flac")[:cut]
    row = sniff(data)
    assert row is not None
    assert row.name == "mkv"
