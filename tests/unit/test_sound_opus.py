"""Opus: a notice between packets, behind which both decoders there are go on as before, to half a step of 16 bits."""

from __future__ import annotations

import io
from functools import cache
from itertools import islice

import numpy as np
import pytest

import sound_files
from aikz_label import Refused
from aikz_label.adapters.audio import comparing, decoding
from aikz_label.adapters.audio.container import Insert
from aikz_label.adapters.audio.encoding import Coder
from aikz_label.adapters.audio.ogg import opus as ogg_opus
from aikz_label.adapters.audio.ogg.container import Ogg
from aikz_label.adapters.audio.packed import settling as opus_settling
from aikz_label.adapters.audio.packed.opus import samples_of
from aikz_label.adapters.audio.recoders import Muxed
from aikz_label.adapters.audio.shifting import kept, outside, ranges
from sound_files import assembled, inserts, parsed

KINDS = {
    "speech": {"channels": 1, "bits": 12_000, "application": "voip"},
    "speech-60ms": {"channels": 1, "bits": 16_000, "application": "voip", "frame_duration": "60"},
    "hybrid": {"channels": 1, "bits": 24_000, "application": "voip"},
    "hybrid-stereo": {"channels": 2, "bits": 36_000, "application": "voip"},
    "music": {"channels": 2, "bits": 96_000, "application": "audio"},
    "music-10ms": {"channels": 1, "bits": 64_000, "application": "audio", "frame_duration": "10"},
    "live": {"channels": 2, "bits": 96_000, "application": "lowdelay", "frame_duration": "2.5"},
    "surround": {"channels": 6, "bits": 200_000, "application": "audio"},
}
SECONDS = 6.0


@cache
def sound_of(name: str) -> bytes:
    options = dict(KINDS[name])
    channels, bits = options.pop("channels"), options.pop("bits")
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    coder = Coder("Ogg", "libopus", 48_000, layout, "flt", bits, options)
    stream = io.BytesIO()
    Muxed("ogg", coder).write([sound_files.programme(48_000, SECONDS, channels)], stream)
    return stream.getvalue()


@pytest.mark.parametrize("name", KINDS)
def test_the_programme_goes_on_behind_a_repeat(name: str) -> None:
    data = sound_of(name)
    sound = parsed(data)
    channels = KINDS[name]["channels"]
    listed = inserts(sound, channels, 3.0, SECONDS)
    assert [insert.at > 0 for insert in listed] == [False, True, True]
    assert 0 < listed[1].at < listed[2].at == SECONDS * 48_000
    marked = parsed(assembled(sound, listed))
    assert comparing.alike(sound, kept(listed), marked, outside(listed))
    with decoding.opened(marked.source, "ogg") as heard:
        length = sum(map(len, heard.blocks()))
    assert length == SECONDS * 48_000 + sum(insert.length for insert in listed)


def test_what_is_off_behind_a_repeat_is_seen() -> None:
    sound = parsed(sound_of("music"))
    coded = sound.encode(np.zeros((2, 4800), np.float32))
    (at,) = sound.places([0.0, 3.0], 288_000)[1:]
    listed = (Insert(0, coded.length, coded.data), Insert(at, coded.length, coded.data))
    marked = parsed(assembled(sound, listed))  # nothing comes again
    assert not comparing.alike(sound, kept(listed), marked, outside(listed))


def test_notices_in_the_middle_can_be_replaced() -> None:
    data = sound_of("hybrid")
    sound = parsed(data)
    listed = inserts(sound, 1, 3.0, SECONDS)
    marked = parsed(assembled(sound, listed))
    places = ranges(listed)
    assert marked.holds(places)
    assert not marked.holds([(0, 961)])
    assert not marked.holds([(960 * 20 + 1, 960 * 30)])
    coded = marked.encode(np.zeros((1, 9000), np.float32))
    fresh = tuple(
        Insert(start, ready.length, ready.data, stop - start)
        for start, stop in places
        for ready in [marked.joined(start, coded, stop - start)]
    )
    again = parsed(assembled(marked, fresh))
    assert comparing.alike(marked, kept(fresh), again, outside(fresh))
    assert comparing.alike(sound, kept(listed), again, outside(fresh))


def test_pages_tell_where_every_packet_is() -> None:
    sound = parsed(sound_of("music"))
    assert isinstance(sound, Ogg)
    everything = [packet.data for packet in sound.read_packets()]
    timed = sound.timed()
    assert len(everything) == len(timed)
    assert np.diff(timed.starts).tolist() == [samples_of(data) for data in everything]
    for first in (1, 7, 50, 51, len(everything) - 1):
        assert [one.data for one in islice(sound.read_packets(first), 3)] == everything[
            first : first + 3
        ]


def test_a_packet_over_several_pages_is_found() -> None:
    sound = parsed(sound_of("music"))
    assert isinstance(sound, Ogg)
    packets = [packet.data for packet in sound.read_packets()]
    paging = ogg_opus.Paging(7)
    longer = [packets[0], packets[1] * 500, *packets[2:6]]  # one of several pages
    data = b"".join(paging.headers(sound.heads))
    for number, packet in enumerate(longer):
        data += b"".join(paging.add(packet, 960 * (number + 1), last=number == len(longer) - 1))
    again = parsed(data)
    assert isinstance(again, Ogg)
    for first in range(1, len(longer)):
        assert next(again.read_packets(first)).data == longer[first]


def test_noise_settles_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no place is found the refusal says what would help."""
    monkeypatch.setattr(opus_settling, "NEAR", -1.0)  # no difference is small enough
    sound = parsed(sound_of("music"))
    with pytest.raises(Refused) as refusal:
        sound.places([0.0, 3.0], 288_000)
    assert refusal.value.code == "needs-reencode"
    assert "near 0:03" in str(refusal.value)


def test_a_broken_packet_settles_nowhere() -> None:
    head = parsed(sound_of("speech")).heads[0]
    assert opus_settling.decoded("opus", head, [b"\xff" * 10]).size == 0
    assert opus_settling.decoded("libopus", head, [b""]).size == 0
