"""The sidecar through both verbs: where it goes, where it is found, and what happens when it and its file part."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import c2pa  # to write as other tools do
import pytest

from aikz_label import Label, Refused, engine, mark, verify
from aikz_label.carriers import sidecar
from aikz_label.cli import main
from aikz_label.config import Config
from aikz_label.errors import OutputExists, UsageError
from aikz_label.label import Origin
from aikz_label.manifest import marker
from aikz_label.report import MarkerState, Notice, NoticeState, Status, Verdict
from aikz_label.signing import load_signing_key
from support import PHOTO, encoded, picture

OTHER = b"\0\1\2 bytes that nobody knows \xff" * 100
NONE = {"notice": "none", "notice_reason": "shown by the shop"}


@pytest.fixture
def marked(tmp_path: Path, label: Label, config: Config) -> Path:
    """A JPEG whose marker is beside it."""
    out = tmp_path / "out.jpg"
    mark(PHOTO, out, label, config=config, sidecar="always")
    return out


def beside(path: Path) -> Path:
    return path.with_name(path.name + ".c2pa")


def test_beside_a_path(marked: Path, label: Label, tmp_path: Path, config: Config) -> None:
    report = verify(marked, config=config)
    assert (report.verdict, report.marker.carrier) == (Verdict.LABELLED, "sidecar")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jpg", "out.jpg.c2pa"]
    again = mark(PHOTO, tmp_path / "two.jpg", label, config=config, sidecar="always")
    assert again.sidecar_path == tmp_path / "two.jpg.c2pa"
    assert again.sidecar is None
    assert any("two.jpg.c2pa" in warning for warning in again.warnings)


def test_bytes_bring_their_sidecar(label: Label, config: Config, tmp_path: Path) -> None:
    result = mark(PHOTO, None, label, config=config, sidecar="always")
    assert result.data is not None
    assert result.sidecar is not None
    assert result.sidecar_path is None
    assert result.report.verdict is Verdict.LABELLED
    assert verify(result.data, config=config, sidecar=result.sidecar).verdict is Verdict.LABELLED
    path = tmp_path / "elsewhere"
    path.write_bytes(result.sidecar)
    assert verify(io.BytesIO(result.data), config=config, sidecar=path).verdict is Verdict.LABELLED
    # a stream has nothing beside it; the mirror in the file is a claim and no more
    alone = verify(result.data, config=config)
    assert (alone.verdict, alone.marker_state) == (Verdict.INCOMPLETE, MarkerState.CLAIMED)


def test_found_under_the_stem_too(marked: Path, config: Config) -> None:
    beside(marked).rename(marked.with_suffix(".c2pa"))
    assert verify(marked, config=config).verdict is Verdict.LABELLED


def test_the_whole_name_goes_first(marked: Path, config: Config) -> None:
    marked.with_suffix(".c2pa").write_bytes(b"another file's")
    assert verify(marked, config=config).verdict is Verdict.LABELLED


def test_a_neighbour_of_the_same_stem(marked: Path, label: Label, config: Config) -> None:
    """`photo.c2pa` may be the sidecar of photo.jpg only; photo.png, with its own marker, is not harmed by it."""
    beside(marked).rename(marked.with_suffix(".c2pa"))
    neighbour = marked.with_suffix(".png")
    mark(encoded(picture(), "png"), neighbour, label, config=config)
    assert verify(neighbour, config=config).verdict is Verdict.LABELLED
    # without a marker of its own it looks like an altered file
    neighbour.write_bytes(encoded(picture(), "png"))
    assert verify(neighbour, config=config).verdict is Verdict.INVALID
    # under the whole name it can only be meant for this file
    mark(encoded(picture(), "png"), neighbour, label, config=config, overwrite=True)
    marked.with_suffix(".c2pa").rename(beside(neighbour))
    assert verify(neighbour, config=config).verdict is Verdict.INVALID


@pytest.mark.parametrize("change", ["append", "flip", "cut", "empty"])
def test_other_bytes(marked: Path, config: Config, change: str) -> None:
    data = marked.read_bytes()
    changed = {
        "append": data + b"\0",
        "flip": data[:-50] + bytes([data[-50] ^ 1]) + data[-49:],
        "cut": data[:-1],
        "empty": b"",
    }
    marked.write_bytes(changed[change])
    report = verify(marked, config=config)
    assert report.verdict is Verdict.INVALID
    assert report.reason.code == "marker.sidecar-other"
    assert report.marker.carrier == "sidecar"


@pytest.mark.parametrize(
    "store", [b"", b"\0", b"junk" * 10, b"\0\0\0\x20jumb" + b"\xff" * 24, PHOTO.read_bytes()]
)
def test_a_sidecar_that_is_none(marked: Path, config: Config, store: bytes) -> None:
    beside(marked).write_bytes(store)
    report = verify(marked, config=config)
    assert (report.verdict, report.reason.code) == (Verdict.INVALID, "marker.damaged")


def test_every_byte_of_the_sidecar_counts(marked: Path, config: Config) -> None:
    """Flips either break it or, in the padding of its signature, change nothing that is said."""
    store, said = beside(marked).read_bytes(), verify(marked, config=config).declared
    for at in range(0, len(store), 13):
        beside(marked).write_bytes(store[:at] + bytes([store[at] ^ 4]) + store[at + 1 :])
        report = verify(marked, config=config)
        assert report.verdict is Verdict.INVALID or report.declared == said, at


def test_what_is_no_regular_file_is_not_followed(marked: Path, config: Config) -> None:
    store = beside(marked)
    real = store.rename(store.with_name("real"))
    store.symlink_to(real)
    report = verify(marked, config=config)
    assert report.verdict is Verdict.UNREADABLE
    assert report.reason.code == "unreadable.sidecar-not-a-file"
    store.unlink()
    os.mkfifo(store)
    assert verify(marked, config=config).verdict is Verdict.UNREADABLE
    store.unlink()
    store.mkdir()
    assert verify(marked, config=config).verdict is Verdict.UNREADABLE


def test_a_huge_sidecar_is_not_read(marked: Path, config: Config) -> None:
    with beside(marked).open("r+b") as stream:
        stream.truncate(1 << 40)
    report = verify(marked, config=config)
    assert (report.verdict, report.reason.code) == (
        Verdict.UNREADABLE,
        "unreadable.over-limit",
    )


def test_itself(marked: Path, label: Label, config: Config) -> None:
    report = verify(beside(marked), config=config)
    assert (report.verdict, report.format) == (Verdict.UNREADABLE, "c2pa")
    assert report.reason.code == "unreadable.sidecar-itself"
    with pytest.raises(Refused) as refusal:
        mark(beside(marked), None, label, config=config, sidecar="always", **NONE)
    assert refusal.value.code == "sidecar-itself"


# --- a marker inside and one outside ---------------------------------------------------------------------------------


def test_both_and_they_agree(tmp_path: Path, label: Label, config: Config) -> None:
    out = tmp_path / "out.png"
    inside = mark(encoded(picture(), "png"), out, label, config=config)
    out_data = out.read_bytes()
    outside = sign_again(out_data, label, config)
    report = verify(out_data, config=config, sidecar=outside)
    assert report.verdict is Verdict.LABELLED
    assert report.marker.carrier == "c2pa"
    assert inside.sidecar_path is None


def test_both_and_they_contradict(tmp_path: Path, label: Label, config: Config) -> None:
    out = tmp_path / "out.png"
    mark(encoded(picture(), "png"), out, label, config=config)
    other = Label(origin=Origin.ALTERED if label.origin is Origin.CREATED else Origin.CREATED)
    report = verify(out, config=config, sidecar=sign_again(out.read_bytes(), other, config))
    assert report.verdict is Verdict.INVALID
    failed = {f.clause for f in report.findings if f.status is Status.FAIL}
    assert failed == {"kz.22.2.unambiguous"}


def sign_again(data: bytes, label: Label, config: Config) -> bytes:
    """A sidecar of a file that carries a marker already: nothing here makes one, other tools do."""
    return detached(data, engine.ANY, config, label)


# --- bindings of other kinds -----------------------------------------------------------------------------------------


def detached(data: bytes, mime: str, config: Config, label: Label, *extra: dict[str, Any]) -> bytes:
    """A sidecar as another tool makes it: with the engine's own binding for the format, or a given one."""
    manifest = marker.definition(
        replace(label, responsible=config.responsible),
        Notice("none", profile="kz/1", reason="test"),
        "image",
        with_parent=False,
    )
    manifest["assertions"] += extra
    key = load_signing_key(config.signer, config.folder)
    info = c2pa.C2paSignerInfo(key.algorithm.encode(), key.chain, key.key, None)
    settings = {"version": 1, "verify": {"verify_after_sign": False}}
    with (
        c2pa.Signer.from_info(info) as signer,
        c2pa.Builder(manifest, c2pa.Context.from_dict(settings)) as builder,
    ):
        builder.set_no_embed()
        store: bytes = builder.sign(signer, mime, io.BytesIO(data), io.BytesIO())
        return store


def test_other_tools_bind_to_the_boxes_of_a_bmff_file(label: Label, config: Config) -> None:
    data = encoded(picture(), "avif")
    store = detached(data, "image/avif", config, label)
    report = verify(data, config=config, sidecar=store)
    assert (report.marker_state, report.verdict) == (MarkerState.TRUSTED, Verdict.INCOMPLETE)
    changed = data[:-1] + bytes([data[-1] ^ 1])
    assert verify(changed, config=config, sidecar=store).verdict is Verdict.INVALID
    # what that binding leaves out is said
    padded = data + b"\0\0\0\x0cfreeAIKZ"
    codes = {f.message.code for f in verify(padded, config=config, sidecar=store).findings}
    assert "bound.unprotected" in codes
    # in bytes of another kind it would leave out whatever looks like such a box
    other = b"\0\0\0\x10none" + data[8:]
    assert verify(other, config=config, sidecar=store).verdict is Verdict.INVALID


def test_a_part_left_out_is_not_believed(label: Label, config: Config) -> None:
    data = PHOTO.read_bytes()
    digest = hashlib.sha256(data[:100] + data[200:]).digest()
    binding = {
        "label": "c2pa.hash.data",
        "created": True,
        "data": {
            "exclusions": [{"start": 100, "length": 100}],
            "alg": "sha256",
            "hash": list(digest),
            "name": "most of it",
            "pad": [],
        },
    }
    store = detached(b"\0", engine.ANY, config, label, binding)
    assert verify(data, config=config, sidecar=store).verdict is Verdict.INVALID


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_other_digests(label: Label, config: Config, algorithm: str) -> None:
    digest = hashlib.new(algorithm, OTHER).digest()
    binding = {
        "label": "c2pa.hash.data",
        "created": True,
        "data": {"alg": algorithm, "hash": list(digest), "name": "all", "pad": []},
    }
    store = detached(b"\0", engine.ANY, config, label, binding)
    assert verify(OTHER, config=config, sidecar=store).marker_state is MarkerState.TRUSTED
    assert verify(OTHER + b"\0", config=config, sidecar=store).verdict is Verdict.INVALID


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells its peak")
def test_memory_does_not_grow_with_the_file(tmp_path: Path, identity_folder: Path) -> None:
    """Marking and verifying 300 MB take less than a third of that."""
    source = tmp_path / "source.bin"
    with source.open("wb") as stream:
        stream.write(OTHER)
        stream.truncate(300 << 20)
    program = """
import sys
from aikz_label import Label, mark, verify
source, out, config = sys.argv[1:]
reason = {"notice": "none", "notice_reason": "test", "sidecar": "always"}
mark(source, out, Label(origin="created"), config=config, **reason)
assert verify(out, config=config).verdict == "incomplete"
# the kernel's own figure for this program: getrusage starts with that of whoever started it
status = open("/proc/self/status").read()
print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)
"""
    paths = [source, tmp_path / "out.bin", identity_folder / "aikz-label.toml"]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 100 + 64  # MB; 64 of them the part that waits in memory


# --- marking again ---------------------------------------------------------------------------------------------------


def test_a_source_with_a_sidecar_is_marked_already(
    marked: Path, label: Label, config: Config, tmp_path: Path
) -> None:
    out = tmp_path / "again.jpg"
    with pytest.raises(Refused) as refusal:
        mark(marked, out, label, config=config)
    assert refusal.value.code == "already-marked"
    assert not out.exists()
    updated = mark(marked, out, label, config=config, on_existing="update", sidecar="always")
    assert updated.report.verdict is Verdict.LABELLED
    assert len(updated.report.marker.notice.placements) == 1
    mark(marked, out, label, config=config, on_existing="replace", overwrite=True)
    report = verify(out, config=config)
    assert (report.verdict, report.marker.carrier) == (Verdict.LABELLED, "c2pa")


@pytest.mark.parametrize("how", ["auto", "always"])
def test_a_sidecar_becomes_the_parent(
    marked: Path, label: Label, config: Config, tmp_path: Path, how: str
) -> None:
    """The whole chain can be read from the new marker, wherever that is."""
    out = tmp_path / "out2.jpg"
    mark(marked, out, label, config=config, on_existing="update", sidecar=how)
    with out.open("rb") as stream:
        lists = config.trust
        if how == "auto":
            reading = engine.read(stream, "image/jpeg", lists)
        else:
            reading = sidecar.read(stream, sidecar.given(beside(out)), lists)
    assert reading.state == "trusted"
    (parent,) = reading.parents
    assert "org.aikz.synthetic" in {item["label"] for item in parent["assertions"]}
    third = tmp_path / "out3.jpg"
    mark(out, third, label, config=config, on_existing="update", sidecar=how)
    for path, of in ((out, [0]), (third, [0, 1])):
        history = verify(path, config=config).marker.history
        assert [(step.of, step.state, step.origin) for step in history] == [
            (number, "trusted", label.origin) for number in of
        ]
    # a parent that was altered is not laundered
    marked.write_bytes(marked.read_bytes() + b"\0")
    with pytest.raises(Refused) as refusal:
        mark(marked, None, label, config=config, on_existing="update")
    assert refusal.value.code == "existing-invalid"


def test_two_markers_have_no_one_parent(tmp_path: Path, label: Label, config: Config) -> None:
    both = tmp_path / "both.png"
    mark(encoded(picture(), "png"), both, label, config=config)
    beside(both).write_bytes(sign_again(both.read_bytes(), label, config))
    with pytest.raises(Refused) as refusal:
        mark(both, None, label, config=config, on_existing="update")
    assert refusal.value.code == "existing-both"
    assert mark(both, None, label, config=config, on_existing="replace").sidecar is None


def test_an_existing_sidecar_is_an_existing_destination(
    tmp_path: Path, label: Label, config: Config
) -> None:
    out = tmp_path / "out.jpg"
    beside(out).write_bytes(b"somebody's")
    for how in ("always", "auto"):  # beside a file with its own marker it would be a stale one
        with pytest.raises(OutputExists):
            mark(PHOTO, out, label, config=config, sidecar=how)
        assert not out.exists()
        assert beside(out).read_bytes() == b"somebody's"
    mark(PHOTO, out, label, config=config, sidecar="always", overwrite=True)
    assert verify(out, config=config).marker.carrier == "sidecar"
    mark(PHOTO, out, label, config=config, overwrite=True)
    assert verify(out, config=config).marker.carrier == "c2pa"
    assert [path.name for path in tmp_path.iterdir()] == ["out.jpg"]


# --- any bytes -------------------------------------------------------------------------------------------------------


def test_any_bytes(tmp_path: Path, label: Label, config: Config) -> None:
    source, out = tmp_path / "source.bin", tmp_path / "out.bin"
    source.write_bytes(OTHER)
    with pytest.raises(Refused) as refusal:
        mark(source, out, label, config=config)
    assert refusal.value.code == "unknown-format"
    assert "--sidecar" in refusal.value.hint
    with pytest.raises(Refused) as refusal:
        mark(source, out, label, config=config, sidecar="always")
    assert refusal.value.code == "no-place-for-notice"
    assert "--notice none" in refusal.value.hint
    assert not out.exists()
    result = mark(source, out, label, config=config, sidecar="always", **NONE)
    assert out.read_bytes() == OTHER
    report = verify(out, config=config)
    assert (report.verdict, report.format) == (Verdict.INCOMPLETE, "other")
    assert (report.marker_state, report.notice_state) == (
        MarkerState.TRUSTED,
        NoticeState.ABSENT,
    )
    assert result.report.verdict is Verdict.INCOMPLETE
    beside(out).unlink()
    assert verify(out, config=config).reason.code == "unreadable.unknown-format"


def test_a_format_that_is_only_recognised(label: Label, config: Config) -> None:
    source = b"PK\x05\x06" + bytes(18)
    result = mark(source, None, label, config=config, sidecar="always", **NONE)
    assert result.data == source
    assert result.sidecar is not None
    report = verify(source, config=config, sidecar=result.sidecar)
    assert (report.verdict, report.format) == (Verdict.INCOMPLETE, "zip")


def test_empty_is_refused(label: Label, config: Config) -> None:
    with pytest.raises(Refused) as refusal:
        mark(b"", None, label, config=config, sidecar="always", **NONE)
    assert refusal.value.code == "empty"


def test_wrong_word(label: Label, config: Config) -> None:
    with pytest.raises(UsageError):
        mark(PHOTO, None, label, config=config, sidecar="yes")


# --- the command line ------------------------------------------------------------------------------------------------


def test_command_line(
    tmp_path: Path, identity_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["--config", str(identity_folder / "aikz-label.toml")]
    order = ["mark", "--origin", "created", "--sidecar", *settings]
    out = tmp_path / "out.jpg"
    assert main([*order, str(PHOTO), "-o", str(out)]) == 0
    assert "out.jpg.c2pa" in capsys.readouterr().err
    assert main(["verify", str(out), *settings]) == 0
    moved = beside(out).rename(tmp_path / "moved")
    assert main(["verify", str(out), *settings]) == 1
    assert main(["verify", str(out), "--sidecar", str(moved), *settings]) == 0
    capsys.readouterr()
    assert main(["verify", str(out), str(out), "--sidecar", str(moved), *settings]) == 2
    assert main([*order, str(PHOTO), "-o", "-"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "standard output" in said.err
    assert main(["verify", str(out), "--sidecar", str(tmp_path / "no"), *settings]) == 2


def test_standard_output_takes_no_second_file(
    identity_folder: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    source = tmp_path / "a.bmp"
    source.write_bytes(encoded(picture(), "bmp"))
    settings = ["--config", str(identity_folder / "aikz-label.toml")]
    assert main(["mark", "--origin", "created", *settings, str(source), "-o", "-"]) == 1
    said = capsysbinary.readouterr()
    assert said.out == b""
    assert b"[needs-sidecar]" in said.err
