"""Mirrors and markers of video containers: nothing else changes, and every change is noticed."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import video_files
from aikz_label import Label, Refused, files, formats, mark, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.bmff import pack
from aikz_label.adapters.video import marking, offsets, riff, structure, tags
from aikz_label.adapters.video.boxes import Tree
from aikz_label.api import open_signer
from aikz_label.carriers import ebml, ebml_edit, matroska
from aikz_label.carriers.patched import Copy
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.config import Config, load_config
from aikz_label.formats import FORMATS, Format
from aikz_label.label import Origin, System
from aikz_label.limits import DEFAULT, Limits
from aikz_label.manifest.marker import definition
from aikz_label.report import MarkerState, Notice, Verdict
from aikz_label.trust import TrustList
from support import require_tool


def faststart() -> bytes:
    """A film whose index comes first; libav opens it twice for that, so it needs a name."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "a.mp4"), Path(folder, "b.mp4")
        source.write_bytes(video_files.film("mp4", audio="aac"))
        command = [require_tool("ffmpeg"), "-v", "error", "-i", source, "-c", "copy"]
        subprocess.run([*command, "-movflags", "faststart", target], check=True)
        return target.read_bytes()


KINDS = {
    "mp4": lambda: video_files.film("mp4", audio="aac"),
    "faststart": faststart,
    "fragments": lambda: video_files.film("mp4", muxer={"movflags": "frag_keyframe+empty_moov"}),
    "mov": lambda: video_files.film("mov", "mpeg4", audio="aac"),
    "3gp": lambda: video_files.film("3gp", audio="aac"),
    "mkv": lambda: video_files.film("matroska", audio="aac"),
    "webm": lambda: video_files.film("webm", "libvpx-vp9", frames=8),
    "avi": lambda: video_files.film("avi", "mpeg4"),
}
BOXES = ["mp4", "faststart", "fragments", "mov", "3gp"]
LABEL = Label(origin=Origin.CREATED, system=System("Ғарыш", "2"))
NONE = Notice("none", profile="kz/1", reason="a test")


@dataclass
class Ordered:
    """As much of an order as mirrors need."""

    label: Label = LABEL


def row_of(data: bytes) -> Format:
    row = formats.sniff(data)
    assert row is not None
    return row


@pytest.fixture(scope="module")
def films() -> dict[str, bytes]:
    return {name: make() for name, make in KINDS.items()}


def mirrored(data: bytes, label: Label = LABEL) -> bytes:
    out = io.BytesIO()
    assert tags.write(io.BytesIO(data), out, row_of(data), Ordered(label)) == ()
    return out.getvalue()


@dataclass
class Signer:
    """Signs a film, and reads what it signed."""

    folder: Path

    def __post_init__(self) -> None:
        config = load_config(self.folder / "aikz-label.toml")
        self.key, self.trust = open_signer("", config), config.trust

    def sign(self, data: bytes) -> bytes:
        row, source, out = row_of(data), io.BytesIO(data), io.BytesIO()
        unprotected = structure.examine(source, row, DEFAULT, thorough=True).unprotected
        facts = definition(LABEL, NONE, "video", with_parent=False, unprotected=unprotected)
        marking.write_marker(source, out, row, facts, self.key, None)
        marking.confirm(source, out, row)
        return out.getvalue()

    def state(self, data: bytes, trust: tuple[TrustList, ...] | None = None) -> tuple[str, str]:
        row = row_of(data)
        lists = self.trust if trust is None else trust
        reading = marking.read_marker(io.BytesIO(data), row, lists)
        return reading.state, reading.problem


@pytest.fixture(scope="module")
def signer(identity_folder: Path) -> Signer:
    return Signer(identity_folder)


@pytest.fixture(scope="module")
def signed(films: dict[str, bytes], signer: Signer) -> dict[str, bytes]:
    return {name: signer.sign(mirrored(data)) for name, data in films.items()}


def packets(data: bytes, tmp_path: Path) -> str:
    """What ffmpeg finds: every packet's stream, times, size and hash."""
    path = tmp_path / "film"
    path.write_bytes(data)
    command = [require_tool("ffmpeg"), "-v", "error", "-i", path, "-map", "0", "-c", "copy"]
    done = subprocess.run(
        [*command, "-f", "framemd5", "-"], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("name", KINDS)
def test_every_packet_stays(
    name: str, films: dict[str, bytes], signed: dict[str, bytes], tmp_path: Path
) -> None:
    assert packets(signed[name], tmp_path) == packets(films[name], tmp_path)


@pytest.mark.parametrize("name", KINDS)
def test_signed_and_read_back(name: str, signed: dict[str, bytes], signer: Signer) -> None:
    data = signed[name]
    assert signer.state(data) == ("trusted", "")
    assert signer.state(data, ()) == ("untrusted", "")
    assert structure.examine(io.BytesIO(data), row_of(data), DEFAULT, thorough=True).has_marker


@pytest.mark.parametrize("name", KINDS)
def test_mirrors_are_read_back_and_replaced(name: str, films: dict[str, bytes]) -> None:
    once = mirrored(films[name])
    again = mirrored(once, Label(origin=Origin.ALTERED, system=System("B")))
    for data, origin, system in ((once, Origin.CREATED, "Ғарыш"), (again, Origin.ALTERED, "B")):
        found = structure.examine(io.BytesIO(data), row_of(data), DEFAULT, thorough=True).mirrors
        assert {m.origin for m in found} - {None} == {origin}
        assert {m.value for m in found if m.name.endswith("AISystemUsed")} == {system}


@pytest.mark.parametrize("name", KINDS)
def test_a_marker_goes_with_the_next_mirrors(
    name: str, films: dict[str, bytes], signed: dict[str, bytes], signer: Signer, tmp_path: Path
) -> None:
    data = mirrored(signed[name])
    assert signer.state(data)[0] == "absent"
    assert packets(data, tmp_path) == packets(films[name], tmp_path)


@pytest.mark.parametrize("name", ["mp4", "mkv", "webm", "avi"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_changed_byte_is_passed_over(
    name: str, data: st.DataObject, signed: dict[str, bytes], signer: Signer
) -> None:
    """Outside the marker; where the binding leaves bytes out, our own digest of them has changed."""
    whole = signed[name]
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    row = formats.sniff(changed)
    if row is None or row.family != "video":
        return
    before = structure.examine(io.BytesIO(whole), row_of(whole), DEFAULT, thorough=False)
    try:
        after = structure.examine(io.BytesIO(changed), row, DEFAULT, thorough=False)
    except MediaProblem:
        return
    start = whole.find(b"jumb") - 64
    if start < place < start + 4500:
        return  # the marker has its own checks
    state, _ = signer.state(changed)
    assert state not in {"trusted", "untrusted"} or after.unprotected != before.unprotected


def test_tables_of_fragments_point_at_fragments(
    films: dict[str, bytes], signed: dict[str, bytes]
) -> None:
    """The engine alone gives all entries the place of the last one."""
    for data in (films["fragments"], signed["fragments"]):
        tree = Tree.read(io.BytesIO(data), DEFAULT)
        starts = {box.start for box in tree.top if box.kind == b"moof"}
        told = [p for p in offsets.places(tree) if p.box == b"tfra"]
        values = {
            int.from_bytes(data[p.at + i * p.step :][: p.width])
            for p in told
            for i in range(p.count)
        }
        assert len(starts) > 1
        assert values == starts


@pytest.mark.parametrize("name", BOXES)
def test_what_the_binding_leaves_out_has_a_digest(
    name: str, films: dict[str, bytes], signed: dict[str, bytes]
) -> None:
    def unprotected(data: bytes) -> str:
        return structure.examine(io.BytesIO(data), row_of(data), DEFAULT, thorough=True).unprotected

    data = signed[name]
    assert unprotected(data) == unprotected(mirrored(films[name]))
    assert unprotected(data + pack(b"free", b"hidden")) != unprotected(data)
    assert unprotected(data + pack(b"free")) != unprotected(data)
    brands = data.find(b"isom") if b"isom" in data[:40] else 12
    assert unprotected(data[:brands] + b"x" + data[brands + 1 :]) != unprotected(data)


def test_padding_that_holds_something() -> None:
    film = video_files.film("mp4", frames=2)
    for padding, used in ((pack(b"free", bytes(9)), False), (pack(b"skip", b"text"), True)):
        data = film + padding
        found = structure.examine(io.BytesIO(data), FORMATS["mp4"], DEFAULT, thorough=True)
        assert found.padding_used is used


def _with_boxes(film: bytes, *, deep: bool) -> bytes:
    """More boxes than the engine has time for, at the top level or within the index."""
    many = pack(b"free") * 20_500
    if not deep:
        return film + many
    inside = film.find(b"moov") - 4
    size = int.from_bytes(film[inside : inside + 4])
    whole = pack(b"moov", film[inside + 8 : inside + size], many)
    return film[:inside] + whole + film[inside + size :]


@pytest.mark.parametrize("deep", [False, True])
def test_more_boxes_than_the_engine_has_time_for(
    deep: bool, signed: dict[str, bytes], signer: Signer, config: Config
) -> None:
    """It is never asked: such a film gets its marker beside it, and one within cannot be checked."""
    film = _with_boxes(video_files.film("mp4", frames=2), deep=deep)
    assert signer.state(film) == ("absent", "")
    with pytest.raises(NoCarrier):
        signer.sign(film)
    result = mark(film, None, LABEL, config=config, notice="none", notice_reason="a test")
    assert result.sidecar is not None
    assert result.data is not None
    report = verify(result.data, sidecar=result.sidecar, config=config)
    assert (report.verdict, report.marker_state) == (Verdict.INCOMPLETE, MarkerState.TRUSTED)
    assert verify(film, config=config).verdict is Verdict.UNMARKED
    marked = _with_boxes(signed["mp4"], deep=deep)
    assert signer.state(marked)[0] == "failed"
    report = verify(marked, config=config)
    assert report.verdict is Verdict.UNREADABLE
    assert report.reason.code == "unreadable.over-limit"


def test_an_encrypted_film_says_nothing(config: Config) -> None:
    """And not that there is nothing; what it says of itself in the clear still counts."""
    encrypted = video_files.film("mp4", frames=2).replace(b"avc1", b"encv")
    found = verify(encrypted, config=config)
    assert (found.verdict, found.reason.code) == (Verdict.UNREADABLE, "unreadable.encrypted")
    claimed = with_keys(encrypted, {"AIGC": AIGC})
    assert verify(claimed, config=config).verdict is Verdict.INCOMPLETE
    with pytest.raises(Refused) as refusal:
        mark(encrypted, None, LABEL, config=config)
    assert refusal.value.code == "encrypted"
    result = mark(
        encrypted, None, LABEL, config=config, notice="none", notice_reason="shown by the player"
    )
    assert result.data is not None
    assert verify(result.data, config=config).verdict is Verdict.INCOMPLETE


def test_an_encrypted_film_in_matroska(config: Config) -> None:
    film = video_files.film("matroska", frames=2)
    source = io.BytesIO(film)
    document = ebml.Document.read(source, 1000)
    (tracks,) = document.all(ebml.TRACKS)
    (entry,) = (one for one in ebml.children(source, tracks, 10) if one.name == 0xAE)
    kept = ebml.pack(0x6D80, ebml.pack(0x6240, ebml.pack(ebml.CONTENT_ENCRYPTION, b"")))
    whole = ebml.pack(ebml.TRACKS, ebml.pack(0xAE, film[entry.body : entry.stop], kept))
    inner = whole + b"".join(
        film[part.start : part.stop]
        for part in document.parts
        if part.name in {ebml.INFO, ebml.CLUSTER}
    )
    encrypted = film[: document.segment.start] + ebml.pack(ebml.SEGMENT, inner)
    found = verify(encrypted, config=config)
    assert (found.verdict, found.reason.code) == (Verdict.UNREADABLE, "unreadable.encrypted")


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_a_cut_film(name: str, share: float, films: dict[str, bytes]) -> None:
    data = films[name][: int(len(films[name]) * share)]
    with pytest.raises(MediaProblem):
        structure.examine(io.BytesIO(data), row_of(films[name]), DEFAULT, thorough=True)


def test_a_film_without_its_index() -> None:
    data = pack(b"ftyp", b"isom", bytes(4)) + pack(b"mdat", bytes(100))
    with pytest.raises(MediaProblem):
        structure.examine(io.BytesIO(data), FORMATS["mp4"], DEFAULT, thorough=True)


@pytest.mark.parametrize("name", KINDS)
def test_too_large(name: str, films: dict[str, bytes]) -> None:
    with pytest.raises(MediaProblem) as problem:
        structure.examine(
            io.BytesIO(films[name]), row_of(films[name]), Limits(max_bytes=10), thorough=False
        )
    assert problem.value.message.code == "unreadable.over-limit"


@pytest.mark.parametrize("row", [FORMATS[n] for n in ("mp4", "mkv", "avi")], ids=lambda r: r.name)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_hostile_bytes_are_a_problem_and_nothing_else(
    row: Format, data: st.DataObject, films: dict[str, bytes]
) -> None:
    """Heads that lie, in a file that was good."""
    film = bytearray(films[row.name][:20_000])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, min(len(film) - 9, 4000)))
        film[at : at + 8] = data.draw(st.binary(min_size=8, max_size=8))
    source = io.BytesIO(bytes(film))
    for thorough in (True, False):
        with contextlib.suppress(MediaProblem):
            structure.examine(source, row, DEFAULT, thorough=thorough)
    assert marking.read_marker(source, row, ()).state in {"failed", "absent", "invalid"}


# --- the carrier of Matroska --------------------------------------------------------------------------------------------


def test_two_markers_are_none(signed: dict[str, bytes], signer: Signer) -> None:
    data = signed["mkv"]
    twice = data + matroska.tagged(b"\0\0\0\x08jumb")
    out = io.BytesIO()
    source = io.BytesIO(data)
    ebml_edit.append(source, out, ebml.Document.read(source, 1000), matroska.tagged(b"store"))
    assert signer.state(out.getvalue()) == ("invalid", "several")
    assert signer.state(twice)[0] == "invalid"  # behind the Segment, where nobody looks for tags


def test_a_marker_of_another_film(
    films: dict[str, bytes], signed: dict[str, bytes], signer: Signer
) -> None:
    """Moved as it is into a file of the same kind."""
    source = io.BytesIO(signed["mkv"])
    (found,) = matroska.find(source, ebml.Document.read(source, 1000), 1000)
    assert found.value is not None
    store = signed["mkv"][found.value.body : found.value.stop]
    other, out = io.BytesIO(video_files.film("matroska", frames=3)), io.BytesIO()
    ebml_edit.append(other, out, ebml.Document.read(other, 1000), matroska.tagged(store))
    assert signer.state(out.getvalue()) == ("invalid", "altered")


def test_mkvmerge_finds_nothing_wrong_and_keeps_the_marker(
    signed: dict[str, bytes], signer: Signer, tmp_path: Path
) -> None:
    """Written anew the file is another one, which its marker says: it is not lost in silence."""
    for name in ("mkv", "webm"):
        path, out = tmp_path / f"film.{name}", tmp_path / f"again.{name}"
        path.write_bytes(signed[name])
        done = subprocess.run(
            [require_tool("mkvmerge"), "-o", out, path], capture_output=True, text=True, check=False
        )
        assert (done.returncode, "Warning" in done.stdout) == (0, False)
        assert signer.state(out.read_bytes()) == ("invalid", "altered")


def test_other_readers_see_the_mirrors(signed: dict[str, bytes], tmp_path: Path) -> None:
    for name in ("mp4", "mov", "mkv", "webm"):
        path = tmp_path / f"film.{name}"
        path.write_bytes(signed[name])
        command = [require_tool("ffprobe"), "-v", "error", "-show_format", "-of", "json", path]
        found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        said = {key.lower(): value for key, value in found["format"]["tags"].items()}
        assert said["digitalsourcetype"].endswith("trainedAlgorithmicMedia")
        assert said["aisystemused"] == "Ғарыш"


# --- AVI ----------------------------------------------------------------------------------------------------------------


def test_a_long_avi_gets_a_sidecar(films: dict[str, bytes], signer: Signer) -> None:
    """The engine keeps nothing behind the first RIFF chunk."""
    data = films["avi"]
    for behind in (riff.packed(b"RIFF", b"AVIX" + bytes(8)), bytes(16)):
        with pytest.raises(NoCarrier):
            signer.sign(data + behind)
        assert mirrored(data + behind).endswith(behind)


def test_an_avi_filled_up_with_zeros(config: Config) -> None:
    """As some cameras do it, up to a full block; such a film is marked beside itself."""
    data = video_files.film("avi", "mpeg4", frames=4) + bytes(16)
    result = mark(data, None, LABEL, config=config)
    assert result.data is not None
    assert result.data.endswith(bytes(16))
    assert result.sidecar is not None
    assert verify(result.data, sidecar=result.sidecar, config=config).verdict is Verdict.LABELLED


def test_places_of_a_long_avi_follow() -> None:
    """OpenDML's indices tell places in the whole file."""
    ix = riff.packed(b"ix00", b"\2\0\0\1" + bytes(20))
    tail = riff.packed(b"RIFF", b"AVIX" + ix)

    def film(place: int) -> bytes:
        entry = (place + 12).to_bytes(8, "little") + bytes(8)
        index = riff.packed(b"indx", b"\4\0\0\0" + (1).to_bytes(4, "little") + bytes(16) + entry)
        head = riff.packed(b"LIST", b"hdrl" + riff.packed(b"LIST", b"strl" + index))
        inner = head + riff.packed(b"LIST", b"movi")
        return riff.packed(b"RIFF", b"AVI " + inner) + tail

    data = film(len(film(0)) - len(tail))
    moved = mirrored(data)
    place = moved.rfind(b"ix00")
    at = moved.find(b"indx") + 8 + 24
    assert int.from_bytes(moved[at : at + 8], "little") == place


class Pipe(io.BytesIO):
    """Bytes that come once."""

    def seekable(self) -> bool:
        return False


@pytest.mark.parametrize("name", ["mp4", "mkv"])
def test_a_pipe_that_brings_too_much(name: str, signed: dict[str, bytes], signer: Signer) -> None:
    """A film may be larger than what is kept of a pipe; its beginning is no changed film."""
    row = row_of(signed[name])
    for room, whole in ((len(signed[name]), True), (len(signed[name]) - 50, False)):
        with files.spool(Pipe(signed[name]), room) as kept:
            reading = marking.read_marker(kept, row, signer.trust)
            assert reading.state == ("trusted" if whole else "failed")
            if whole:
                structure.examine(kept, row, Limits(max_bytes=room), thorough=True)
                continue
            with pytest.raises(MediaProblem) as problem:
                structure.examine(kept, row, Limits(max_bytes=room), thorough=True)
            assert problem.value.message.code == "unreadable.over-limit"


def test_quicktime_without_brands_gets_a_sidecar(films: dict[str, bytes], signer: Signer) -> None:
    """It begins with the film itself, and the engine does not take it for one."""
    tree = Tree.read(io.BytesIO(films["mov"]), DEFAULT)
    bare, layout = io.BytesIO(), offsets.without(tree, tree.top[:1])
    copy = Copy(io.BytesIO(films["mov"]), bare, offsets.moved(tree, layout))
    copy.between(tree.top[0].stop, len(films["mov"]))
    with pytest.raises(NoCarrier):
        signer.sign(mirrored(bare.getvalue()))


# --- statements of others -----------------------------------------------------------------------------------------------


def with_keys(film: bytes, fields: dict[str, str]) -> bytes:
    """QuickTime's keys, as generators write them with `use_metadata_tags`."""
    keys = b"".join(pack(b"mdta", name.encode()) for name in fields)
    items = b"".join(
        pack(index.to_bytes(4), pack(b"data", bytes((0, 0, 0, 1)) + bytes(4), value.encode()))
        for index, value in enumerate(fields.values(), 1)
    )
    handler = pack(b"hdlr", bytes(8), b"mdta", bytes(13))
    listed = pack(b"keys", bytes(4), len(fields).to_bytes(4), keys)
    meta = pack(b"meta", bytes(4), handler, listed, pack(b"ilst", items))
    at = film.find(b"moov") - 4
    size = int.from_bytes(film[at : at + 4])
    return film[:at] + pack(b"moov", film[at + 8 : at + size], meta) + film[at + size :]


AIGC = '{"Label":"1","ContentProducer":"001191110000MA0000000000001","ProduceID":"a1"}'
GRAPH = json.dumps({"1": {"class_type": "KSampler", "inputs": {}}})


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("AIGC", AIGC),
        ("prompt", GRAPH),
        ("comment", json.dumps({"prompt": GRAPH})),
        ("comment", AIGC),
        (
            "DigitalSourceType",
            "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
        ),
    ],
)
def test_what_generators_write_is_read(field: str, text: str) -> None:
    film = with_keys(video_files.film("mp4", frames=2), {"title": "x", field: text})
    found = structure.examine(io.BytesIO(film), FORMATS["mp4"], DEFAULT, thorough=True).mirrors
    assert [bool(m.origin) for m in found] == [True]
    assert {m.carrier for m in found} == {"mp4"}


def test_the_comment_of_an_avi_says_it_too(config: Config) -> None:
    """`ICMT`, which programs show that know no XMP; here the one of the two that is left."""
    data = mark(video_files.film("avi", "mpeg4"), None, Label(origin="created"), config=config).data
    assert data is not None
    assert b"ICMT" in data
    alone = data.replace(b"_PMX", b"_PMY")
    found = structure.examine(io.BytesIO(alone), FORMATS["avi"], DEFAULT, thorough=False).mirrors
    assert {(m.carrier, m.origin) for m in found if m.origin} == {("riff", Origin.CREATED)}


def test_words_of_people_claim_nothing() -> None:
    film = with_keys(video_files.film("mp4", frames=2), {"comment": "made with AI", "title": "AI"})
    assert structure.examine(io.BytesIO(film), FORMATS["mp4"], DEFAULT, thorough=True).mirrors == ()
