"""Moments that metadata of sound files tell, in every place where programs write them."""

from __future__ import annotations

import io
import struct
import time

import numpy as np
import pytest
from mutagen.id3 import ID3, PRIV, USLT

from aikz_label import Refused
from aikz_label.adapters.audio import mirrors
from aikz_label.adapters.audio.container import Insert
from aikz_label.adapters.audio.shifting import Shift
from aikz_label.adapters.audio.tags import ixml, lyrics, lyrics3, riff
from aikz_label.adapters.audio.waves import times as wave_times
from aikz_label.limits import DEFAULT
from aikz_label.metadata import mirror, xmp
from sound_files import LABEL, assembled, inserts, mp3, parsed, wav

RATE = 48_000
SHIFT = Shift((Insert(0, 13 * RATE, b""), Insert(100 * RATE, 2 * RATE, b"")), RATE)
NONE = Shift((), RATE)


def test_lines_of_lyrics_move() -> None:
    text = b"[ar:Abay]\n[00:12.00][99:50]Line\n[00:01.5]<00:01.50>wo <00:02.250>rd\n[Chorus] 1:20"
    assert lyrics.moved(text, SHIFT) == (
        b"[ar:Abay]\n[00:25.00][100:05.00]Line\n[00:14.50]<00:14.50>wo <00:15.250>rd\n[Chorus] 1:20"
    )
    assert lyrics.moved(b"[00:59]x", SHIFT, digits=0) == b"[01:12]x"


def field(name: bytes, text: bytes) -> bytes:
    return name + b"%05d" % len(text) + text


def test_lyrics_behind_the_sound_move_and_tell_their_length() -> None:
    def whole(text: bytes) -> bytes:
        body = b"LYRICSBEGIN" + field(b"IND", b"110") + field(b"LYR", text) + field(b"EAL", b"Zher")
        return b"APETAGEX?" + body + b"%06d" % len(body) + b"LYRICS200" + b"TAG" + bytes(125)

    before = whole(b"[00:02]One\r\n[99:58][00:10]Two\r\n")
    assert lyrics3.moved(before, SHIFT) == whole(b"[00:15]One\r\n[100:13][00:23]Two\r\n")
    assert lyrics3.moved(before, NONE) == before
    old = b"LYRICSBEGIN[00:02]One\r\nLYRICSENDTAG" + bytes(125)
    assert lyrics3.moved(old, SHIFT) == old.replace(b"00:02", b"00:15")


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"TAG" + bytes(125),
        b"LYRICSBEGIN",
        b"LYRICSBEGINLYR99999[00:01]000010LYRICS200",
        b"LYRICSBEGINLYR00007[00:01]000001LYRICS200",
        b"LYRICSBEGIN" + field(b"LYR", b"[99:59]" * 14_200) + b"099416LYRICS200",
    ],
)
def test_lyrics_that_are_not_as_they_should_be_stay(tail: bytes) -> None:
    assert lyrics3.moved(tail, SHIFT) == tail


def test_lyrics_of_an_mp3_move_with_its_notice() -> None:
    body = b"LYRICSBEGIN" + field(b"LYR", b"[00:01]One")
    tail = body + b"%06dLYRICS200TAG" % len(body) + bytes(125)
    data = io.BytesIO(mp3() + tail)
    ID3().save(data)
    tag = ID3(data)
    tag.add(USLT(encoding=1, lang="kaz", desc="Ән", text="[00:01.00]Бір\n[x]"))
    tag.add(USLT(encoding=3, lang="rus", desc="", text="без времени [00:01]"))
    tag.add(PRIV(owner="XMP", data=xmp.write(None, LABEL)))
    tag.save(data)
    sound = parsed(data.getvalue())
    coded = sound.encode(np.zeros((1, 3 * sound.rate), np.float32))
    seconds = coded.length / sound.rate
    out = assembled(sound, (Insert(0, coded.length, coded.data),))
    assert body.replace(b"[00:01]One", b"[00:04]One") in out
    read = ID3(io.BytesIO(out))
    assert read["USLT:Ән:kaz"].text == f"[00:{int(100 * (1 + seconds)) / 100:05.2f}]Бір\n[x]"
    assert read["USLT::rus"].text == "без времени [00:01]"
    assert "xmp" in {one.carrier for one in mirrors.read(parsed(out), DEFAULT)}


# --- WAV -------------------------------------------------------------------------------------------------------------


def recorded(start: int, absolute: int, relative: int, more: bytes = b"") -> bytes:
    def halves(high: bytes, low: bytes, number: int) -> bytes:
        return b"<%b>%d</%b><%b>%d</%b>" % (high, number >> 32, high, low, number & 0xFFFFFFFF, low)

    def point(kind: bytes, number: int) -> bytes:
        told = halves(b"SYNC_POINT_HIGH", b"SYNC_POINT_LOW", number)
        return b"<SYNC_POINT><SYNC_POINT_TYPE>%b</SYNC_POINT_TYPE>%b</SYNC_POINT>" % (kind, told)

    since = b"TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_"
    return (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<BWFXML><NOTE>\xd2\x98</NOTE><SPEED>'
        + halves(since + b"HI", since + b"LO", start)
        + b"</SPEED><SYNC_POINT_LIST>"
        + point(b"RELATIVE", relative)
        + point(b"ABSOLUTE", absolute)
        + b"</SYNC_POINT_LIST><BEXT>"
        + halves(b"BWF_TIME_REFERENCE_HIGH", b"BWF_TIME_REFERENCE_LOW", start)
        + b"</BEXT>%b</BWFXML>\n" % more
    )


SAID = "".join(f"<{name}>{value}</{name}>" for name, value in mirror.statements(LABEL))
OURS = b"<SYNTHETIC_MEDIA>%b</SYNTHETIC_MEDIA>" % SAID.encode("ascii", "xmlcharrefreplace")


def test_ixml_says_it_and_its_moments_move() -> None:
    start, second = 5 << 32, RATE
    before = recorded(start, start + 200 * second, 50 * second)
    after = recorded(start - 13 * second, start + 202 * second, 63 * second, OURS)
    assert ixml.rewritten(before, LABEL, SHIFT) == after
    assert ixml.rewritten(after, LABEL, NONE) == after
    assert {(t.keyword, t.value) for t in ixml.texts(after)} == set(mirror.statements(LABEL))
    early = recorded(5, 5 + second, 50)  # the file cannot begin before midnight
    assert ixml.rewritten(early, LABEL, SHIFT) == recorded(5, 5 + second, 50, OURS)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe<\0", b"<BWFXML>", b"</BWFXML>" * 500_000])
def test_ixml_that_is_not_as_it_should_be_stays(content: bytes) -> None:
    assert ixml.rewritten(content, LABEL, SHIFT) is None
    assert list(ixml.texts(content)) == []


def test_hostile_ixml_costs_no_more_than_its_length() -> None:
    started = time.process_time()
    for one in (
        b"<SYNTHETIC_MEDIA>",
        b"<SYNC_POINT>",
        b"<SYNC_POINT_LOW> ",
        b"<DigitalSourceType>a",
    ):
        content = one * (3_000_000 // len(one)) + b"</BWFXML>"
        list(ixml.texts(content))
        ixml.rewritten(content, LABEL, SHIFT)
    assert time.process_time() - started < 20


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def with_chunks(*chunks: bytes) -> bytes:
    plain = wav("s16", "pcm_s16le")
    at = plain.index(b"data")
    inside = plain[8:at] + b"".join(chunks) + plain[at:]
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def test_a_stretch_with_a_notice_in_it_becomes_longer() -> None:
    points = wave_times.cues(
        struct.pack("<I", 2)
        + struct.pack("<II4sIII", 1, 99 * RATE, b"data", 0, 0, 99 * RATE)
        + struct.pack("<II4sIII", 2, 0, b"data", 0, 0, 0)
    )
    assert points == {1: 99 * RATE, 2: 0}

    def label(point: int, length: int) -> bytes:
        return chunk(b"ltxt", struct.pack("<II4sHHHH", point, length, b"rgn ", 0, 0, 0, 0) + b"abc")

    def listed(first: int, second: int) -> bytes:
        return b"adtl" + chunk(b"labl", b"\1\0\0\0Title") + label(1, first) + label(2, second)

    found = wave_times.stretched(b"LIST", listed(2 * RATE, RATE), points, SHIFT)
    assert found == listed(4 * RATE, RATE)
    playing = struct.pack("<I", 2) + struct.pack("<III", 1, RATE, 7) + struct.pack("<III", 9, 5, 1)
    found = wave_times.stretched(b"plst", playing, points, SHIFT)
    assert found == playing  # it ends where the notice begins
    assert wave_times.stretched(b"LIST", b"adtlltxt", points, SHIFT) == b"adtlltxt"
    assert wave_times.stretched(b"LIST", b"wavl", points, SHIFT) is None


def test_our_comment_is_read_before_thousands_of_others() -> None:
    many = b"".join(chunk(b"IART", b"%d\0" % number) for number in range(2000))
    out = assembled(parsed(with_chunks(chunk(b"LIST", b"INFO" + many))))
    found = {text.value for text in parsed(out).texts() if text.keyword == "Comment"}
    assert found == {mirror.line(LABEL)}
    assert riff.INFO + chunk(b"ICMT", mirror.line(LABEL).encode() + b"\0") + many in out


def test_ixml_of_a_file_is_a_mirror() -> None:
    out = assembled(parsed(with_chunks(chunk(b"iXML", recorded(1 << 33, 1 << 33, 0)))))
    found = {one.name for one in mirrors.read(parsed(out), DEFAULT) if one.carrier == "ixml"}
    assert found == {name for name, _ in mirror.statements(LABEL)}


def test_objects_that_move_by_the_clock_take_no_notice() -> None:
    moving = chunk(b"axml", b'<audioBlockFormat rtime="00:00:05.00000">')
    sound = parsed(with_chunks(moving))
    sound.check_variant()
    assert assembled(sound)
    with pytest.raises(Refused, match="objects move"):
        inserts(sound, 1)
