"""What the metadata of sound files say: kept byte for byte, moved with the programme, and read without believing it."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import mutagen
import numpy as np
import pytest
from mutagen.id3 import CHAP, ETCO, ID3, SYLT, TIT2, TXXX
from mutagen.mp4 import MP4

import sound_files
from aikz_label import Refused, mark, sniff, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.audio import crc, pieces
from aikz_label.adapters.audio.container import Insert
from aikz_label.adapters.audio.flac import blocks as flac_blocks
from aikz_label.adapters.audio.flac import coding as flac_coding
from aikz_label.adapters.audio.m4a import splice as m4a_splice
from aikz_label.adapters.audio.m4a import tables
from aikz_label.adapters.audio.m4a import times as m4a_times
from aikz_label.adapters.audio.m4a.boxes import Box
from aikz_label.adapters.audio.m4a.container import M4a
from aikz_label.adapters.audio.mp3 import mpeg, vbr_header
from aikz_label.adapters.audio.ogg.container import Ogg
from aikz_label.adapters.audio.ogg.packets import Paging
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags import id3, id3_frames, riff
from aikz_label.adapters.audio.tags.id3 import Tag
from aikz_label.adapters.audio.tags.vorbis import Comments
from aikz_label.adapters.audio.waves import times as wave_times
from aikz_label.carriers import oggpages
from aikz_label.config import Config
from aikz_label.formats import load_adapter
from aikz_label.label import Label, Origin, System
from aikz_label.limits import DEFAULT
from aikz_label.metadata import mirror
from sound_anew_files import high_efficiency
from sound_files import LABEL, MONO, assembled, inserts, mp3, parsed, sample, wav

RATE = 16_000
SECOND = Shift((Insert(0, RATE, b""),), RATE)


def tagged(version: int, *frames: tuple[bytes, bytes], flags: int = 0) -> bytes:
    """A tag, made by hand."""
    body = b""
    for name, content in frames:
        if version == 2:
            body += name + len(content).to_bytes(3) + content
        else:
            size = id3.syncsafe(len(content)) if version == 4 else len(content).to_bytes(4)
            body += name + size + bytes(2) + content
    body += bytes(20)
    return b"ID3" + bytes((version, 0, flags)) + id3.syncsafe(len(body)) + body


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def with_chunks(*chunks: bytes) -> bytes:
    """A WAV file with chunks before and behind its sound."""
    plain = wav("s16", "pcm_s16le")
    at = plain.index(b"data")
    inside = plain[8:at] + b"".join(chunks) + plain[at:]
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def moved_chunks(data: bytes) -> dict[bytes, bytes]:
    """The chunks of a file that begins with a notice."""
    sound = parsed(data)
    listed = inserts(sound, 1)
    out = assembled(sound, listed)
    found, at = {b"length": listed[0].length.to_bytes(4)}, 12
    while at < len(out):
        size = int.from_bytes(out[at + 4 : at + 8], "little")
        found[out[at : at + 4]] = out[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    return found


def test_chunks_of_wav_move_or_stay() -> None:
    bext = bytearray(602)
    struct.pack_into("<Q", bext, 338, 10_000_000)
    cue = struct.pack("<I", 1) + struct.pack("<II4sIII", 1, 500, b"data", 0, 0, 500)
    smpl = bytes(28) + struct.pack("<II", 1, 0) + struct.pack("<IIIIII", 1, 0, 100, 900, 0, 0)
    ixml, unknown = b"<BWFXML><NOTE>\xd2\x98</NOTE></BWFXML>", b"\x01\x02\x03"
    found = moved_chunks(
        with_chunks(
            chunk(b"bext", bytes(bext)),
            chunk(b"cue ", cue),
            chunk(b"smpl", smpl),
            chunk(b"iXML", ixml),
            chunk(b"odd ", unknown),
        )
    )
    length = int.from_bytes(found[b"length"])
    assert struct.unpack_from("<Q", found[b"bext"], 338) == (10_000_000 - length,)
    assert found[b"bext"][:338] == bytes(338)
    assert struct.unpack_from("<I", found[b"cue "], 8) == (500 + length,)
    assert struct.unpack_from("<I", found[b"cue "], 24) == (500 + length,)
    assert struct.unpack_from("<II", found[b"smpl"], 44) == (100 + length, 900 + length)
    assert (found[b"iXML"][:22], found[b"odd "]) == (ixml[:22], unknown)


def test_texts_of_wav_beyond_any_bound_stay() -> None:
    many = b"".join(chunk(b"IART", b"%d\0" % number) for number in range(2000))
    found = moved_chunks(with_chunks(chunk(b"LIST", b"INFO" + many)))
    assert found[b"LIST"].replace(chunk(b"ICMT", mirror.line(LABEL).encode() + b"\0"), b"") == (
        b"INFO" + many
    )
    large = b"INFO" + chunk(b"IART", (1 << 24) * b"a" + b"\0") + chunk(b"INAM", b"behind\0")
    sound, said = parsed(with_chunks(chunk(b"LIST", large))), list[str]()
    out = b"".join(pieces.blocks(sound.assemble((), LABEL, said), sound.source))
    assert chunk(b"LIST", large) in out
    assert said == ["The chunk LIST was left as it is: it is too large."]


def test_a_comment_stands_behind_a_text_without_its_padding() -> None:
    content = moved_chunks(with_chunks(chunk(b"LIST", b"INFOIART" + b"\3\0\0\0abc")))[b"LIST"]
    assert [text.value for text in riff.texts(content)] == [mirror.line(LABEL)]


def test_a_comment_that_is_there_stays_and_xmp_says_it() -> None:
    info = b"INFO" + chunk(b"ICMT", b"recorded at home\0") + chunk(b"IART", b"Abay\0")
    found = moved_chunks(with_chunks(chunk(b"LIST", info)))
    assert found[b"LIST"] == info
    assert b"trainedAlgorithmicMedia" in found[b"_PMX"]


@pytest.mark.parametrize(("version", "user"), [(2, b"TXX"), (3, b"TXXX"), (4, b"TXXX")])
def test_a_tag_keeps_its_version_and_its_frames(version: int, user: bytes) -> None:
    title = b"TT2" if version == 2 else b"TIT2"
    picture = (b"PIC" if version == 2 else b"APIC", bytes(range(256)) * 3)
    strange = (b"XYZ" if version == 2 else b"XYZW", b"\xff\xe0\x00nobody knows this")
    head = tagged(version, (title, b"\0Title"), picture, strange)
    sound = parsed(head + mp3(id3v2_version="0"))
    out = assembled(sound)
    tag = Tag.read(out)
    assert tag is not None
    assert tag.version == version
    assert [frame.name for frame in tag.frames] == [title, picture[0], strange[0], user, user, user]
    assert [frame.body for frame in tag.frames[:3]] == [b"\0Title", picture[1], strange[1]]
    read = ID3(io.BytesIO(out))
    assert read["TXXX:AISystemUsed"].text == ["Үлгі"]
    assert read.version[1] in {version, 4}


def test_a_second_label_replaces_the_first_mirror() -> None:
    once = assembled(parsed(mp3()))
    twice = assembled(parsed(once))
    assert twice.count(b"DigitalSourceType") == 1


def test_unsynchronisation_is_undone_so_that_a_marker_fits() -> None:
    plain = tagged(3, (b"PRIV", b"\xff\x00\xe0"), flags=0)
    body = plain[10:].replace(b"\xff", b"\xff\x00")
    whole = b"ID3\3\0\x80" + id3.syncsafe(len(body)) + body
    tag = Tag.read(whole)
    assert tag is not None
    assert tag.frames[0].body == b"\xff\x00\xe0"
    assert not tag.flags


def test_moments_in_id3_move() -> None:
    buffer = io.BytesIO()
    tags = ID3()
    tags.add(CHAP(element_id="a", start_time=0, end_time=1000, sub_frames=[TIT2(text="One")]))
    tags.add(CHAP(element_id="b", start_time=1000, end_time=2000))
    tags.add(SYLT(encoding=3, lang="kaz", format=2, type=1, desc="", text=[("Сәлем", 500)]))
    tags.add(ETCO(format=2, events=[(2, 1500)]))
    tags.save(buffer, v2_version=4)
    tag = Tag.read(buffer.getvalue())
    assert tag is not None
    moved = id3_frames.moved(tag, SECOND)
    read = ID3(io.BytesIO(b"".join(moved.stored())))
    chapters = {(one.start_time, one.end_time) for one in read.getall("CHAP")}
    assert chapters == {(1000, 2000), (2000, 3000)}
    assert read["CHAP:a"].sub_frames["TIT2"].text == ["One"]
    assert read.getall("SYLT")[0].text == [("Сәлем", 1500)]
    assert read["ETCO"].events == [(2, 2500)]


def test_a_compressed_frame_cannot_fill_the_memory() -> None:
    bomb = zlib.compress(b"\3AIGC\0" + b"A" * 200_000_000, 9)
    body = (200_000_006).to_bytes(4) + bomb
    frame = b"TXXX" + len(body).to_bytes(4) + b"\0\x80" + body
    tag = Tag.read(b"ID3\3\0\0" + id3.syncsafe(len(frame)) + frame)
    assert tag is not None
    (text,) = id3_frames.texts(tag)
    assert len(text.value) <= 2 * 1024 * 1024


def test_times_in_vorbis_comments_move() -> None:
    comments = Comments(
        b"x",
        (
            b"CHAPTER001=00:00:00.000",
            b"CHAPTER001NAME=00:00:00.000",
            b"LYRICS=[00:01.50]one\n[01:00.00]two",
            b"CUESHEET=  INDEX 01 00:01:74",
        ),
    )
    assert comments.moved(SECOND).texts == (
        b"CHAPTER001=00:00:01.000",
        b"CHAPTER001NAME=00:00:00.000",
        b"LYRICS=[00:02.50]one\n[01:01.00]two",
        b"CUESHEET=  INDEX 01 00:02:74",
    )
    assert Comments.read(comments.stored()) == comments


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        b"CHAPTER001=" + 200_000 * b"1",
        b"CHAPTER001=" + 5_000 * b"1" + b":00:00",
        b"CUESHEET=" + 200_000 * b"\n",
    ],
    ids=["digits", "no hour", "lines"],
)
def test_what_is_no_time_stays_and_is_passed_over_at_once(text: bytes) -> None:
    assert Comments(b"x", (text,)).moved(SECOND).texts == (text,)


@pytest.mark.timeout(20)
def test_a_packet_of_many_pages_is_put_together_once() -> None:
    pages = [oggpages.stored(oggpages.BEGINS, 0, 1, 0, b"\x08", b"OpusHead")]
    pages += [
        oggpages.stored(oggpages.CONTINUES, -1, 1, number, b"\xff", 255 * b"x")
        for number in range(1, 100_000)
    ]
    with pytest.raises(MediaProblem, match="damaged"):
        Ogg.parse(io.BytesIO(b"".join(pages)), DEFAULT, thorough=False)


@pytest.mark.parametrize("version", [3, 4])
def test_an_extended_header_that_is_cut_is_damage(version: int) -> None:
    data = b"ID3" + bytes((version, 0, 0x40)) + id3.syncsafe(3) + b"abc" + mp3()
    assert verify(data).reason.code == "unreadable.damaged"


@pytest.mark.parametrize(
    "sizes",
    [b"", bytes(7) + b"\x04" + (3).to_bytes(4) + b"a"],
    ids=["empty", "half a byte"],
)
def test_short_sizes_of_packets_are_damage(sizes: bytes) -> None:
    with pytest.raises(MediaProblem, match="damaged"):
        tables.read(Box(b"stbl", b"", [Box(b"stz2", sizes)]))


@pytest.mark.parametrize(
    "groups",
    [(9).to_bytes(4), (2).to_bytes(4) + 2 * b"\xff\xff\xff\xff\0\0\0\1"],
    ids=["cut", "more than any track has"],
)
def test_groups_of_packets_cannot_fill_the_memory(groups: bytes) -> None:
    moov = Box.parse(parsed(sample("m4a")).moov)
    trak = moov.need(b"trak")
    stbl = trak.need(b"mdia", b"minf", b"stbl")
    assert stbl.children is not None
    stbl.children.append(Box(b"sbgp", bytes(4) + b"roll" + groups))
    with pytest.raises(MediaProblem, match="damaged"):
        m4a_splice.spliced(trak, (Insert(0, 1024, (b"x",)),), 1024, 44_100, 0)


@pytest.mark.parametrize("starts", [(-5000,), (0, 5000)], ids=["from before the start", "cut"])
@pytest.mark.parametrize("make", [lambda: sample("m4a"), high_efficiency], ids=["LC", "HE"])
def test_some_edit_lists_are_refused(make: Callable[[], bytes], starts: tuple[int, ...]) -> None:
    sound = parsed(make())
    assert isinstance(sound, M4a)
    moov = Box.parse(sound.moov)
    edits = [m4a_times.Edit(1000, start, b"\0\1\0\0") for start in starts]
    m4a_times.set_edits(moov.need(b"trak"), edits)
    with pytest.raises(Refused, match="edit list") as refusal:
        replace(sound, moov=moov.stored()).check_variant()
    assert refusal.value.code == "unsupported-variant"  # not one that coding it anew would help


def test_encrypted_packets_are_refused_whatever_their_profile() -> None:
    sound = parsed(high_efficiency())
    assert isinstance(sound, M4a)
    moov = Box.parse(sound.moov)
    (stbl,) = moov.all(b"trak", b"mdia", b"minf", b"stbl")
    assert stbl.children is not None
    stbl.children.append(Box(b"saiz", bytes(9)))
    with pytest.raises(Refused, match="encrypted"):
        replace(sound, moov=moov.stored()).check_variant()


def test_what_is_later_than_any_sound_stays() -> None:
    last = (1 << 64) - 1
    cues = bytes(395) + b"\1" + last.to_bytes(8) + bytes(28)
    assert flac_blocks.moved_cues(cues, SECOND) == cues
    markers = bytes(4) + last.to_bytes(8, "little") + bytes(308)
    assert wave_times.moved(b"r64m", markers, SECOND) == markers
    assert SECOND.units(last, 10_000_000) == last


def test_numbers_that_do_not_fit_are_damage() -> None:
    with pytest.raises(MediaProblem, match="damaged"):
        flac_coding.coded_number(1 << 36)
    with pytest.raises(MediaProblem, match="damaged"):
        Paging(1).page(0, 1 << 63, b"", b"")


def test_a_string_of_wide_characters_ends_between_two_of_them() -> None:
    body = b"\x02" + "Āa".encode("utf-16-be") + bytes(2) + "ю".encode("utf-16-be")
    tag = Tag.read(tagged(3, (b"TXXX", body)))
    assert tag is not None
    assert body[2:4] == bytes(2)  # the halves of two characters
    (text,) = id3_frames.texts(tag)
    assert (text.keyword, text.value) == ("Āa", "ю")


def test_the_header_of_lame_is_right_again() -> None:
    data = mp3()
    sound = parsed(data)
    out = assembled(sound, inserts(sound, 1, 1.0))
    start = id3.length_of(out)
    head = mpeg.head(out[start : start + 4])
    assert head is not None
    frame = out[start : start + head.size]
    header = vbr_header.find(frame, head)
    assert header is not None
    again = parsed(out)
    music = out[start + head.size : again.frames.stop]
    at = header.at
    assert int.from_bytes(frame[at + 8 : at + 12]) == len(again.frames)
    assert int.from_bytes(frame[at + 12 : at + 16]) == len(frame) + len(music)
    assert header.music == crc.MP3.of(music)
    lame = at + 120
    assert int.from_bytes(frame[lame + 28 : lame + 32]) == len(frame) + len(music)
    assert int.from_bytes(frame[lame + 34 : lame + 36]) == crc.MP3.of(frame[: lame + 34])
    counted = mutagen.File(io.BytesIO(out)).info.length  # it takes nothing off
    assert counted == pytest.approx(len(again.frames) * head.samples / RATE, abs=1e-3)


@pytest.mark.parametrize(("form", "stored"), [("s16", "<i2"), ("s32", "<i4")])
def test_flac_tells_its_length_and_its_check_sum(form: str, stored: str, config: Config) -> None:
    done = mark(sound_files.encoded(("flac", "flac", form), MONO), None, LABEL, config=config)
    assert done.data is not None
    samples = sound_files.heard(done.data)
    again = parsed(done.data)
    whole = samples[0].astype(stored).tobytes()
    if form == "s32":  # of which 24 bits are coded
        whole = np.frombuffer(whole, np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    assert again.info.total == samples.shape[1]
    assert again.info.md5 == hashlib.md5(whole).digest()
    assert done.warnings == mark(sound_files.sample("mp3"), None, LABEL, config=config).warnings


@pytest.mark.parametrize("md5", [bytes(16), b"another sound..."])
def test_flac_whose_check_sum_is_not_of_its_sound_gets_none(md5: bytes, config: Config) -> None:
    data = sound_files.encoded(("flac", "flac", "s16"), MONO)
    data = data.replace(parsed(data).info.md5, md5)
    done = mark(data, None, LABEL, config=config)
    assert done.data is not None
    assert parsed(done.data).info.md5 == bytes(16)
    assert any("check sum did not fit" in said for said in done.warnings) == any(md5)


def test_m4a_counts_its_samples_and_moves_its_chapters() -> None:
    chapters = b"\1\0\0\0" + bytes(4) + b"\1" + (10_000_000).to_bytes(8) + b"\3Two"
    smpb = " 00000000 00000400 00000123 0000000000007D00 00000000 00000000"
    buffer = io.BytesIO(sound_files.sample("m4a"))
    tags = MP4(buffer)
    tags["----:com.apple.iTunes:iTunSMPB"] = [smpb.encode()]
    tags["\xa9nam"] = ["Тақырып"]
    buffer.seek(0)
    tags.save(buffer)
    data = buffer.getvalue()
    at = data.index(b"udta") - 4
    size = int.from_bytes(data[at : at + 4])
    box = (8 + len(chapters)).to_bytes(4) + b"chpl" + chapters
    moov = data.index(b"moov") - 4
    whole = int.from_bytes(data[moov : moov + 4])
    data = data[: at + size] + box + data[at + size :]
    data = data[:moov] + (whole + len(box)).to_bytes(4) + data[moov + 4 :]
    data = data[:at] + (size + len(box)).to_bytes(4) + data[at + 4 :]
    sound = parsed(data)
    listed = inserts(sound, 1)
    read = MP4(io.BytesIO(assembled(sound, listed)))
    count = bytes(read["----:com.apple.iTunes:iTunSMPB"][0]).decode().split()[3]
    assert int(count, 16) == 0x7D00 + listed[0].length
    assert read["\xa9nam"] == ["Тақырып"]
    assert bytes(read["----:com.apple.iTunes:AISystemUsed"][0]).decode() == "Үлгі"
    assert read.chapters[0].start == pytest.approx(1 + listed[0].length / RATE, abs=1e-3)
    assert read.chapters[0].title == "Two"


AIGC = '{"Label":"1","ContentProducer":"x","ProduceID":"y"}'


@pytest.mark.parametrize("name", ["mp3", "flac", "m4a", "ogg", "wav", "aiff"])
def test_chinas_label_is_read(name: str) -> None:
    buffer = io.BytesIO(sound_files.sample(name))
    file = mutagen.File(buffer)
    if file.tags is None:
        file.add_tags()
    match name:
        case "m4a":
            file["----:com.apple.iTunes:AIGC"] = [AIGC.encode()]
        case "flac" | "ogg":
            file["AIGC"] = AIGC
        case _:
            file.tags.add(TXXX(encoding=3, desc="AIGC", text=[AIGC]))
    buffer.seek(0)
    file.save(buffer)
    row = sniff(buffer.getvalue())
    assert row is not None
    found = load_adapter(row).examine(buffer, row, DEFAULT, thorough=True).mirrors
    assert [(one.name, one.origin) for one in found] == [("AIGC", True)]


def test_chinas_label_is_read_in_list_info() -> None:
    """Where FFmpeg writes tags of WAV: `LIST INFO`."""
    source = io.BytesIO(
        with_chunks(chunk(b"LIST", b"INFO" + chunk(b"AIGC", AIGC.encode() + b"\0")))
    )
    row = sniff(source.getvalue())
    assert row is not None
    found = load_adapter(row).examine(source, row, DEFAULT, thorough=True).mirrors
    assert [(one.name, one.origin) for one in found] == [("AIGC", True)]


def test_a_mirror_says_what_the_label_says() -> None:
    for name in sound_files.KINDS:
        data = assembled(parsed(sound_files.sample(name)))
        found = {one.name.rpartition(":")[2]: one.value for one in sound_files.mirrors_of(data)}
        expected = dict(mirror.statements(LABEL))
        assert expected.items() <= found.items()


def test_a_label_in_no_latin_letters_is_written() -> None:
    label = Label(origin=Origin.ALTERED, system=System("Ә" * 100))
    tag = id3_frames.with_mirror(Tag.new(3), label)
    assert ID3(io.BytesIO(b"".join(tag.stored())))["TXXX:AISystemUsed"].text == ["Ә" * 100]
    assert np.frombuffer(b"".join(tag.stored()), np.uint8).size < 1000


def test_a_configuration_of_any_size_is_read_at_once() -> None:
    from aikz_label.adapters.audio.aac.coding import Config

    stored = bytes.fromhex("121056e500")  # AAC-LC, 44.1 kHz, stereo, and no band replication
    assert Config.read(stored) == Config(2, 44100, 2)
    assert Config.read(stored[:-1] + b"\x80") == Config(2, 44100, 2, extended=True)
    assert Config.read(stored + bytes(4_000_000)) == Config(2, 44100, 2)
