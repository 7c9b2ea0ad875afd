"""Films that hold something unusual, made from plain ones."""

from __future__ import annotations

import bz2
import io
import re
import zlib
from collections.abc import Callable, Iterator
from typing import TypeAlias

import av

import video_files
from aikz_label.adapters.image.bmff import pack
from aikz_label.carriers import ebml

_SIMPLE_BLOCK, _GROUP, _ENTRY = 0xA3, 0xA0, 0xAE
Maker: TypeAlias = Callable[[], bytes]


def plain(kind: str) -> bytes:
    """Nothing unusual."""
    codec = "libvpx" if kind == "webm" else "libx264"
    return video_files.film(kind, codec, size=(240, 136), frames=4)


def with_child(film: bytes, child: bytes, entry: bytes = b"avc1") -> bytes:
    """An MP4 file whose index comes last, with one box more in its sample entry."""
    movie = film.rindex(b"moov") - 4
    made = bytearray(film)
    at = film.index(entry, film.index(b"stsd", movie)) - 4
    stop = at + int.from_bytes(film[at : at + 4])
    made[stop:stop] = child
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", entry):
        at = made.index(kind, movie) - 4
        made[at : at + 4] = (int.from_bytes(made[at : at + 4]) + len(child)).to_bytes(4)
    return bytes(made)


def dolby_vision() -> bytes:
    """Profile 8.1, by the box alone."""
    return with_child(video_files.film(frames=3), pack(b"dvvC", b"\1\0\x10\x15\x10" + bytes(19)))


def two_eyes() -> bytes:
    """Side by side, as the frames say."""
    packing = {"x264-params": "frame-packing=3"}
    return video_files.film(frames=3, options=packing)


def two_layers() -> bytes:
    """A second layer of HEVC for the other eye."""
    film = video_files.film(codec="libx265", frames=3, options={"x265-params": "log-level=error"})
    return with_child(film, pack(b"lhvC", bytes(6)), b"hev1" if b"hev1" in film else b"hvc1")


def stereo_box() -> bytes:
    """Left and right, as the container says."""
    return with_child(video_files.film(frames=3), pack(b"st3d", bytes(4), b"\2"))


def all_around() -> bytes:
    """A panorama (Spherical Video V2)."""
    projection = pack(b"proj", pack(b"prhd", bytes(16)), pack(b"equi", bytes(20)))
    box = pack(b"sv3d", pack(b"svhd", bytes(4), b"made\0"), projection)
    return with_child(video_files.film(frames=3), box)


def hdr10_plus() -> bytes:
    """A message with brightness in each frame (SMPTE ST 2094-40)."""
    bits = f"{1:02b}{1000:027b}0" + f"{500:017b}" * 3 + f"{300:017b}" + "0000" + "0" * 10 + "000"
    size = -(-len(bits) // 8)
    numbers = int(bits.ljust(8 * size, "0"), 2).to_bytes(size)
    payload = bytes.fromhex("b5003c00010401") + numbers
    unit = bytes([39 << 1, 1]) + _escaped(bytes([4, len(payload)]) + payload + b"\x80")
    film = video_files.film(codec="libx265", frames=3, options={"x265-params": "log-level=error"})
    return _with_units(film, len(unit).to_bytes(4) + unit)


def _escaped(data: bytes) -> bytes:
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", data)


def _with_units(film: bytes, units: bytes) -> bytes:
    memory = io.BytesIO()
    with av.open(io.BytesIO(film)) as source, av.open(memory, "w", format="mp4") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in _packets(source):
            made = av.Packet(units + bytes(packet))
            made.pts, made.dts, made.time_base = packet.pts, packet.dts, packet.time_base
            made.is_keyframe, made.stream = packet.is_keyframe, stream
            out.mux(made)
    return memory.getvalue()


def _packets(source: av.container.InputContainer) -> Iterator[av.Packet]:
    yield from (packet for packet in source.demux(video=0) if packet.size)


def huge_header() -> bytes:
    """Four hundred bytes that claim 268 million pixels."""
    film = video_files.film("webm", "libvpx", size=(320, 180), frames=2)
    old = b"\x9d\x01\x2a" + (320).to_bytes(2, "little") + (180).to_bytes(2, "little")
    assert old in film
    return film.replace(old, b"\x9d\x01\x2a" + b"\xff\x3f" * 2)


def eight_k() -> bytes:
    """One frame of 7680 by 4320, of a single colour."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 7680, 4320, "yuv420p"
        frame = av.VideoFrame(7680, 4320, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([100]) * plane.buffer_size)
        frame.pts = 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return memory.getvalue()


def standing_still() -> bytes:
    """All frames are shown at the same time."""
    film = bytearray(video_files.film(frames=6, options={"bf": "0"}))
    at = film.rindex(b"stts") + 4
    film[at + 12 : at + 16] = bytes(4)
    return bytes(film)


def all_at_once() -> bytes:
    """Matroska whose blocks all tell the time of their cluster."""
    film = bytearray(video_files.film("matroska", frames=6, options={"bf": "0"}))
    source = io.BytesIO(film)
    document = ebml.Document.read(source, 100)
    for cluster in document.all(ebml.CLUSTER):
        for block in ebml.children(source, cluster, 100):
            if block.name == _SIMPLE_BLOCK:
                film[block.body + 1 : block.body + 3] = bytes(2)
    return bytes(film)


def stripped() -> bytes:
    """Matroska whose frames lack the bytes that all of them begin with."""
    return _packed(_told(0x4254, b"\3") + _told(0x4255, b"\0\0"), lambda frame: frame[2:])


def deflated() -> bytes:
    """Matroska whose frames are compressed by zlib."""
    return _packed(b"", zlib.compress)


def squeezed() -> bytes:
    """Matroska whose frames are compressed by bzip2."""
    return _packed(_told(0x4254, b"\1"), bz2.compress)


def broken_deflated() -> bytes:
    """Matroska whose frames end before their zlib stream does."""
    return _packed(b"", lambda frame: zlib.compress(frame)[:-8])


def _told(name: int, value: bytes) -> bytes:
    return ebml.pack(name, value, width=1)


def _packed(how: bytes, packed: Callable[[bytes], bytes]) -> bytes:
    """A film without an index, each of its frames packed."""
    film = video_files.film("matroska", size=(240, 136), frames=6, options={"bf": "0"})
    source = io.BytesIO(film)
    document = ebml.Document.read(source, 100)
    layer = _told(0x5034, how) if how else _told(0x5034, _told(ebml.VOID, b""))
    told = _told(0x6D80, _told(0x6240, layer))
    parts = []
    for part in document.parts:
        content = film[part.body : part.stop]
        if part.name == ebml.TRACKS:
            entry = next(c for c in ebml.children(source, part, 100) if c.name == _ENTRY)
            content = ebml.pack(_ENTRY, film[entry.body : entry.stop], told)
        elif part.name == ebml.CLUSTER:
            content = b"".join(
                ebml.pack(c.name, _block(c, film[c.body : c.stop], packed))
                for c in ebml.children(source, part, 100)
            )
        elif part.name != ebml.INFO:
            continue
        parts.append(ebml.pack(part.name, content))
    return film[: document.segment.start] + ebml.pack(ebml.SEGMENT, *parts, width=8)


def _block(found: ebml.Element, content: bytes, packed: Callable[[bytes], bytes]) -> bytes:
    if found.name == _SIMPLE_BLOCK:
        return content[:4] + packed(content[4:])
    if found.name != _GROUP:
        return content
    inner = ebml.head(source := io.BytesIO(content), 0, len(content))
    rest = content[inner.stop :]
    return (
        ebml.pack(inner.name, content[inner.body :][:4] + packed(ebml.content(source, inner)[4:]))
        + rest
    )


def times(film: bytes) -> list[int | None]:
    """When each frame is shown."""
    with av.open(io.BytesIO(film)) as container:
        return [packet.pts for packet in _packets(container)]


def pictures(film: bytes) -> list[av.VideoFrame]:
    """Every frame, decoded."""
    with av.open(io.BytesIO(film)) as container:
        return list(container.decode(video=0))


def missing_index() -> bytes:
    """The frames alone: the file was never finished."""
    film = video_files.film(frames=3)
    return film[: film.rindex(b"moov") - 4]
