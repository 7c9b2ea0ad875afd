"""M4A as other programs write it: lists of keys, tables of every packet, old notices, and what is refused."""

from __future__ import annotations

import io

import numpy as np
import pytest

import sound_files
from aikz_label import Label, Refused, mark
from aikz_label.adapters.audio.m4a import boxes, tables
from aikz_label.adapters.audio.m4a.boxes import Box
from aikz_label.adapters.audio.m4a.container import M4a
from aikz_label.adapters.audio.tags import ilst
from aikz_label.adapters.video import statements
from aikz_label.adapters.video.boxes import Tree
from aikz_label.config import Config
from aikz_label.label import Origin
from aikz_label.limits import DEFAULT
from aikz_label.metadata import mirror, xmp
from sound_files import LABEL, MONO, STEREO, assembled, heard, inserts, mirrors_of, parsed
from sound_files import programme_of as programme

AIGC = '{"Label":"1","ContentProducer":"x"}'
STBL = (b"mdia", b"minf", b"stbl")


def m4a(samples: np.ndarray = STEREO, rate: int = 44_100, **options: str) -> bytes:
    return sound_files.encoded(("ipod", "aac", "fltp"), samples, rate, options=options)


def with_moov(data: bytes, moov: Box) -> bytes:
    """The file with another index, which is behind its sound."""
    found = {box.name: box for box in boxes.walk(io.BytesIO(data), len(data), DEFAULT)}
    assert found[b"moov"].stop == len(data)
    return data[: found[b"moov"].start] + moov.stored()


def moov_of(data: bytes) -> Box:
    sound = parsed(data)
    assert isinstance(sound, M4a)
    return Box.parse(sound.moov)


def texts(data: bytes) -> dict[str, str]:
    """All items of a file by their names."""
    return dict(statements._items(Tree.read(io.BytesIO(data), DEFAULT)))


def data_item(name: bytes, text: str) -> Box:
    return Box(name, Box(b"data", b"\0\0\0\1" + bytes(4) + text.encode()).stored())


def with_keys(place: bytes, **texts: str) -> bytes:
    """A file with metadata as QuickTime and `-movflags use_metadata_tags` write it."""
    data = m4a(MONO, 16_000)
    moov = moov_of(data)
    moov.children = [child for child in moov.children or () if child.name != b"udta"]
    keys = b"".join(Box(b"mdta", name.encode()).stored() for name in texts)
    head = Box(b"hdlr", bytes(8) + b"mdta" + bytes(13))
    items = [data_item((i + 1).to_bytes(4), text) for i, text in enumerate(texts.values())]
    meta = Box(b"meta", bytes(4), [head, Box(b"keys", bytes(4) + len(texts).to_bytes(4) + keys)])
    assert meta.children is not None
    meta.children.append(Box(b"ilst", b"", items))
    moov.children.append(Box(b"udta", b"", [meta]) if place == b"udta" else meta)
    return with_moov(data, moov)


@pytest.mark.parametrize("place", [b"udta", b"moov"])
def test_chinas_label_among_keys_is_read(place: bytes) -> None:
    found = mirrors_of(with_keys(place, title="Ән", AIGC=AIGC))
    assert [(one.name, one.origin) for one in found] == [("AIGC", True)]


def test_a_list_of_keys_gets_keys() -> None:
    data = with_keys(b"udta", title="Ән", AISystemUsed="old")
    for _ in range(2):  # the second time nothing is added
        data = assembled(parsed(data))
        found = texts(data)
        assert found == {"title": "Ән", **dict(mirror.statements(LABEL))}
        keys = ilst._keys(next(moov_of(data).all(b"udta", b"meta")))
        assert sorted(keys) == sorted(found)


def test_lyrics_with_times_move() -> None:
    data = m4a(MONO, 16_000)
    moov = moov_of(data)
    ilst.write(moov, LABEL)
    (listed,) = moov.all(b"udta", b"meta", b"ilst")
    assert listed.children is not None
    listed.children.append(data_item(b"\xa9lyr", "[00:01.00]Бір\n[x]"))
    sound = parsed(with_moov(data, moov))
    coded = inserts(sound, 1)
    seconds = 1 + coded[0].length / 16_000
    found = texts(assembled(sound, coded))
    assert found["\xa9lyr"] == f"[00:{int(100 * seconds) / 100:05.2f}]Бір\n[x]"


@pytest.mark.parametrize("behind", [b"\0\0\0\x04name", b"\0\0\1\0data...", b"abc"])
def test_what_is_no_part_of_lyrics_stays(behind: bytes) -> None:
    data = m4a(MONO, 16_000)
    moov = moov_of(data)
    ilst.write(moov, LABEL)
    (listed,) = moov.all(b"udta", b"meta", b"ilst")
    assert listed.children is not None
    item = data_item(b"\xa9lyr", "[00:01.00]Бір")
    listed.children.append(Box(item.name, item.content + behind))
    sound = parsed(with_moov(data, moov))
    made = moov_of(assembled(sound, inserts(sound, 1)))
    (after,) = made.all(b"udta", b"meta", b"ilst", b"\xa9lyr")
    assert len(after.content) == len(item.content + behind)
    assert after.content != item.content + behind
    assert after.content.endswith(behind)


def test_xmp_is_read() -> None:
    packet = xmp.write(None, LABEL)
    identifier = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
    outside = m4a() + Box(b"uuid", identifier + packet).stored()
    moov = moov_of(m4a())
    assert moov.children is not None
    moov.children.append(Box(b"udta", b"", [Box(b"XMP_", packet)]))
    for data in (outside, with_moov(m4a(), moov)):
        found = {one.carrier for one in mirrors_of(data)}
        assert found == {"xmp"}


def test_tables_of_every_packet_stay_with_their_packets() -> None:
    data = m4a()
    moov = moov_of(data)
    (stbl,) = moov.all(b"trak", *STBL)
    count = len(tables.read(stbl))
    assert stbl.children is not None
    later = np.arange(count, dtype=np.int64) % 3
    depends = (np.arange(count) % 4).astype(np.uint8)
    begins = np.arange(1, count + 1, 2)
    stbl.children += [
        Box(b"ctts", tables.runs(later)),
        Box(b"sdtp", bytes(4) + depends.tobytes()),
        Box(b"stss", bytes(4) + len(begins).to_bytes(4) + begins.astype(">u4").tobytes()),
    ]
    told = with_moov(data, moov)
    sound = parsed(told)
    sound.check_variant()
    listed = inserts(sound, 2, 0.5)
    out = assembled(sound, listed)
    (after,) = moov_of(out).all(b"trak", *STBL)
    total = len(tables.read(after))
    first, second = (len(one.coded) for one in listed)
    where = (listed[1].at + sound.skipped(sound.track())) // 1024  # type: ignore[attr-defined]
    old = [*range(first, first + where), *range(first + where + second, total)]
    assert len(old) == count
    assert tables.read_runs(after.need(b"ctts").content, total)[old].tolist() == later.tolist()
    assert bytes(after.need(b"sdtp").content[4:][i] for i in old) == depends.tobytes()
    numbers = tables.read_numbers(after.need(b"stss").content) - 1
    assert [old.index(n) + 1 for n in numbers if n in old] == begins.tolist()
    assert programme(data, (), "mov").shape == programme(out, listed, "mov").shape
    assert sound.same_packets(parsed(out), listed)


def test_an_old_notice_leaves_nothing_behind(config: Config) -> None:
    data = m4a(sound_files.programme(44_100, 4.0, 2))
    made = Label(origin=Origin.CREATED)
    once = mark(data, None, made, config=config).data
    assert once is not None
    sizes = []
    for _ in range(3):
        again = mark(once, None, made, config=config, on_existing="replace")
        assert again.data is not None
        names = [b.name for b in boxes.walk(io.BytesIO(again.data), len(again.data), DEFAULT)]
        assert names.count(b"mdat") == 2
        sizes.append(len(again.data))
        once = again.data
    assert max(sizes) - min(sizes) < 2000
    places = again.report.marker.notice.placements  # type: ignore[union-attr]
    assert np.array_equal(sound_files.outside(once, places), heard(data))


def drm() -> bytes:
    """As Apple's shop sold songs until 2009."""
    return m4a().replace(b"mp4a", b"drms", 1)


def two_tracks() -> bytes:
    data = m4a()
    moov = moov_of(data)
    assert moov.children is not None
    moov.children.append(moov.need(b"trak"))
    return with_moov(data, moov)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (drm, "encrypted"),
        (lambda: m4a().replace(b"mp4a", b"enca", 1), "encrypted"),
        (two_tracks, "several tracks of sound"),
        (lambda: sound_files.encoded(("mp4", "flac", "s16"), MONO), "fLaC"),
    ],
)
def test_what_takes_no_notice_is_refused_with_the_reason(make, why: str, config: Config) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Refused, match=why) as refusal:
        mark(make(), None, Label(origin=Origin.CREATED), config=config)
    assert refusal.value.code == "unsupported-variant"
    assert refusal.value.hint
