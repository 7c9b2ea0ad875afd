"""A notice before the packets of a sound in Matroska or WebM, and every place and moment that such a file tells of."""

from __future__ import annotations

import io
import zlib
from fractions import Fraction

import av
import numpy as np
import pytest

import sound_files
from aikz_label import Label, Refused, mark, verify
from aikz_label.adapters.audio.flac import coding
from aikz_label.carriers import ebml
from aikz_label.carriers.ebml import Document
from aikz_label.config import Config
from aikz_label.label import Origin, System
from aikz_label.report import Verdict
from filmed_sounds import RATE, made
from packet_sounds import check_later, decoded, packets, times, without

LABEL = Label(origin=Origin.CREATED, system=System("TuneGen", "1"))
CASES = [
    ("matroska", "aac"),
    ("matroska", "flac"),
    ("matroska", "alac"),
    ("matroska", "libmp3lame"),
    ("matroska", "pcm_s16le"),
    ("webm", "libopus"),
]


@pytest.mark.parametrize(("container", "codec"), CASES)
@pytest.mark.parametrize("seconds", [1.0, 3.0])
def test_a_notice_goes_before_a_sound_of_any_length(
    container: str, codec: str, seconds: float, config: Config
) -> None:
    source = made(container, codec, (), seconds)
    result = mark(source, None, LABEL, config=config)
    report = verify(result.data, config=config, measure=True)
    assert (report.verdict, report.format) == (Verdict.LABELLED, "mka")
    (place,) = report.marker.notice.placements
    # the decoder of Opus does not begin quite anew
    check_later(source, result.data, place, 2.0**-12 if codec == "libopus" else 0.0)
    if codec != "flac":  # whose packets tell their numbers
        assert packets(result.data)[-len(packets(source)) :] == packets(source)


@pytest.mark.parametrize(("container", "codec"), CASES)
def test_every_moment_moves_by_the_length_of_the_notice(
    container: str, codec: str, config: Config
) -> None:
    source = made(container, codec, (), 2.0)
    result = mark(source, None, LABEL, config=config)
    (place,) = result.report.marker.notice.placements
    rate = 48_000 if codec == "libopus" else RATE
    longer = Fraction(place["samples"], rate)
    before, after = times(source), times(result.data)
    moved = after[-len(before) :]
    tick = Fraction(1, 1000)
    shifts = {new - old for old, new in zip(before, moved, strict=True)}
    assert len(shifts) == 1
    assert abs(shifts.pop() - longer) <= tick
    steps = np.diff([float(time) for time in after])
    assert steps.min() > 0
    assert steps.max() < np.diff([float(time) for time in before]).max() + 0.002
    with av.open(io.BytesIO(source)) as one, av.open(io.BytesIO(result.data)) as two:
        assert abs(two.duration - one.duration - longer * 1_000_000) < 2000


def test_numbers_and_check_sum_of_flac_fit_the_longer_sound(config: Config) -> None:
    source = made("matroska", "flac", (), 2.0)
    result = mark(source, None, LABEL, config=config)
    out = io.BytesIO()
    with av.open(io.BytesIO(result.data)) as opened, av.open(out, "w", format="flac") as alone:
        stream = opened.streams.audio[0]
        template = alone.add_stream_from_template(stream)
        for packet in opened.demux(stream):
            if packet.size:
                packet.stream = template
                alone.mux(packet)
    from mutagen.flac import FLAC

    out.seek(0)
    info = FLAC(out).info
    heard = decoded(result.data)
    assert info.total_samples == heard.shape[1]
    import hashlib

    assert info.md5_signature == int(hashlib.md5(heard.tobytes()).hexdigest(), 16)
    numbers = [coding.read_number(packet)[0] for packet in packets(result.data)]
    assert numbers == list(range(len(numbers)))


def test_a_live_recording_of_a_browser_gets_its_notice_again(config: Config) -> None:
    """It tells neither its length nor that of its clusters."""
    sound = sound_files.programme(48_000, 66.0)
    options = {"live": "1", "compression_level": "0"}
    source = sound_files.encoded(("webm", "libopus", "flt"), sound, 48_000, options=options)
    result = mark(source, None, LABEL, config=config, profile_name="strict")
    places = result.report.marker.notice.placements
    assert len(places) == 2
    steps = np.diff([float(time) for time in times(result.data)])
    assert steps.min() > 0
    assert steps.max() < 0.03


@pytest.mark.parametrize("codec", ["aac", "flac", "libmp3lame", "pcm_s16le"])
def test_a_repeat_goes_between_blocks_and_nothing_else_changes(codec: str, config: Config) -> None:
    source = made("matroska", codec, (), 64.0)
    result = mark(source, None, LABEL, config=config, profile_name="strict")
    places = result.report.marker.notice.placements
    assert len(places) == 2
    rest = without(decoded(result.data), places)
    assert np.array_equal(rest, decoded(source))
    assert min(np.diff([float(time) for time in times(result.data)])) > 0
    again = mark(
        result.data, None, LABEL, config=config, profile_name="strict", on_existing="update"
    )
    assert len(again.report.marker.notice.placements) == 2
    assert decoded(again.data).shape == decoded(result.data).shape


def rich(codec: str = "flac") -> bytes:
    """A sound with chapters, tags, a cover and an index."""
    out = io.BytesIO()
    sound = sound_files.programme(RATE, 12.0)
    plain = sound_files.encoded(("matroska", codec, "s16"), sound, RATE)
    with av.open(io.BytesIO(plain)) as opened, av.open(out, "w", format="matroska") as written:
        stream = opened.streams.audio[0]
        template = written.add_stream_from_template(stream)
        written.metadata["title"] = "Ән — Қазақ"
        written.set_chapters(
            [
                {
                    "id": number,
                    "start": start,
                    "end": end,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": f"Тарау {number}"},
                }
                for number, (start, end) in enumerate([(0, 5000), (5000, 12000)], 1)
            ]
        )
        for packet in opened.demux(stream):
            if packet.size:
                packet.stream = template
                written.mux(packet)
    return out.getvalue()


def test_chapters_tags_and_the_index_move(config: Config) -> None:
    source = rich()
    result = mark(source, None, LABEL, config=config)
    (place,) = result.report.marker.notice.placements
    longer = place["samples"] / RATE
    with av.open(io.BytesIO(source)) as one, av.open(io.BytesIO(result.data)) as two:
        assert two.metadata["title"] == one.metadata["title"]
        before, after = one.chapters(), two.chapters()
        assert [c["metadata"] for c in before] == [c["metadata"] for c in after]
        for old, new in zip(before, after, strict=True):
            for name in ("start", "end"):
                first, second = (c[name] * float(c["time_base"]) for c in (old, new))
                assert abs(second - first - longer) < 0.002
        told = one.streams.audio[0].metadata["DURATION"], two.streams.audio[0].metadata["DURATION"]
    lasts = [float(text.split(":")[2]) for text in told]
    assert abs(lasts[1] - lasts[0] - longer) < 0.002
    clusters, cues = index(result.data)
    assert cues
    assert all(clusters[place] <= time for time, place in cues)
    assert cues[0] == (0, min(clusters))


def index(data: bytes) -> tuple[dict[int, int], list[tuple[int, int]]]:
    """Place and moment of each cluster, and moment and place of each entry of the index."""
    source = io.BytesIO(data)
    document = ebml.Document.read(source, 10_000)
    clusters, cues = {}, []
    for part in document.parts:
        inner = list(ebml.children(source, part, 10_000)) if part.name != ebml.VOID else []
        if inner and inner[0].name == ebml.CRC:
            told = ebml.content(source, inner[0])
            assert told == zlib.crc32(data[inner[0].stop : part.stop]).to_bytes(4, "little")
        if part.name == ebml.CLUSTER:
            time = next(ebml.number(source, one) for one in inner if one.name == 0xE7)
            clusters[part.start - document.segment.body] = time
        if part.name == ebml.CUES:
            for point in inner:
                if point.name == 0xBB:
                    parts = {one.name: one for one in ebml.children(source, point, 10)}
                    places = {one.name: one for one in ebml.children(source, parts[0xB7], 10)}
                    cues.append(
                        (ebml.number(source, parts[0xB3]), ebml.number(source, places[0xF1]))
                    )
    return clusters, cues


def test_the_index_leads_to_no_notice_that_is_gone(config: Config) -> None:
    source = made("matroska", "pcm_s16le", (), 64.0)
    first = mark(source, None, LABEL, config=config, profile_name="strict")
    again = mark(
        first.data,
        None,
        LABEL,
        config=config,
        profile_name="strict",
        on_existing="update",
        languages="ru",
    )
    known = len(index(source)[1])
    for data in (first.data, again.data):
        clusters, cues = index(data)
        assert all(clusters[place] <= time for time, place in cues)
        assert len(set(cues)) == len(cues)
        assert cues == sorted(cues)
    assert known < len(cues)


def test_the_check_of_check_sums_can_fail(config: Config) -> None:
    broken = bytearray(mark(rich(), None, LABEL, config=config).data)
    index(bytes(broken))
    broken[broken.index("Тарау".encode()) + 1] ^= 1
    with pytest.raises(AssertionError):
        index(bytes(broken))


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_a_cut_file_is_refused(cut: float, config: Config) -> None:
    source = made("matroska", "aac", (), 2.0)
    with pytest.raises(Refused):
        mark(source[: round(len(source) * cut)], None, LABEL, config=config)


def test_a_moment_beyond_all_time_is_damage(config: Config) -> None:
    source = made("matroska", "aac", (("live", "1"),), 2.0)
    at = source.index(b"\xe7\x81\0", source.index(ebml.packed_name(ebml.CLUSTER)))
    later = source[:at] + b"\xe7\x88" + b"\xff" * 8 + source[at + 3 :]
    with pytest.raises(Refused, match="damaged"):
        mark(later, None, LABEL, config=config)


def test_an_index_beyond_all_time_is_damage(config: Config) -> None:
    source = made("matroska", "aac", (), 2.0)
    document = Document.read(io.BytesIO(source), 1000)
    segment, cues = document.segment, next(document.all(ebml.CUES))
    assert cues.stop == len(source)
    places = source[source.index(b"\xb7", cues.start + 12) :]
    point = ebml.pack(0xBB, b"\xb3\x88" + b"\xff" * 8 + places, width=1)
    parts = source[segment.body : cues.start] + ebml.pack(ebml.CUES, point, width=1)
    name = ebml.packed_name(ebml.SEGMENT)
    size = ebml.packed_size(len(parts), segment.body - segment.start - len(name))
    with pytest.raises(Refused, match="damaged"):
        mark(source[: segment.start] + name + size + parts, None, LABEL, config=config)


def test_a_sound_before_the_start_is_spoken_over(config: Config) -> None:
    source = made("matroska", "aac", (), 12.0)
    document = Document.read(io.BytesIO(source), 1000)
    cluster = next(document.all(ebml.CLUSTER))
    parts = ebml.children(io.BytesIO(source), cluster, 10_000)
    block = next(part for part in parts if part.name == 0xA3)
    early = bytearray(source)
    early[block.body + 1 : block.body + 3] = (-5).to_bytes(2, signed=True)
    result = mark(bytes(early), None, LABEL, config=config)
    assert result.report.verdict == Verdict.LABELLED
    assert len(packets(result.data)) == len(packets(source))


@pytest.mark.parametrize("told", [b"00:00:nan", b"00:00:inf", b"00:00:1e400"])
def test_a_length_that_is_no_number_stays_as_it_is(told: bytes, config: Config) -> None:
    source = bytearray(rich())
    at = source.rindex(b"00:00:1")
    stop = source.index(b"\0", at)
    source[at:stop] = told.ljust(stop - at, b"\0")
    result = mark(bytes(source), None, LABEL, config=config)
    assert told in result.data


def test_a_decoder_that_is_late_without_reason_gets_no_silence_for_it(config: Config) -> None:
    source = made("matroska", "aac", (), 2.0)
    at = source.index(b"\x56\xaa\x84") + 3
    late = source[:at] + b"\xff" * 4 + source[at + 4 :]
    with pytest.raises(Refused, match="more than a second is taken off"):
        mark(late, None, LABEL, config=config)
