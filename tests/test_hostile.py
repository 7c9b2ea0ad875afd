"""What a hostile upload or a hostile signer can try. Each case was an attack that worked once."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from PIL import Image

from aikz_label import Label, Limits, Verdict, engine, mark, verify
from aikz_label.adapters import MediaProblem
from aikz_label.adapters.image.jpeg import Jpeg
from aikz_label.engine import context, library
from aikz_label.errors import EngineError
from aikz_label.manifest import marker
from aikz_label.metadata import xmp
from aikz_label.report import Notice, NoticeState
from aikz_label.signing import load_signing_key
from aikz_label.texts import LANGUAGES
from support import encoded, picture

PLACE = {
    "design": "badge/1", "layout": "codeN", "em": 12, "icon_em": 0,
    "x": 0.5, "y": 0.1, "width": 0.2, "height": 0.1,
}  # fmt: skip
FIGURES = (
    ("match", 1.0),
    ("text_match", 1.0),
    ("contrast", 21.0),
    ("cap_px", 9.0),
    ("icon_cap_px", 9.0),
    ("short_side_px", 1.0),
)
BADGE = Notice("badge", LANGUAGES, "kz-1", "kz/1", (PLACE,), FIGURES)


def forge(config, label, notice=BADGE, change=None, image=None):
    """An unlabelled picture with a valid signature over whatever its signer likes to say."""
    label = label if label.responsible else replace(label, responsible=config.responsible)
    definition = marker.definition(label, notice, "image", with_parent=False)
    if change:
        change(definition["assertions"])
    source = io.BytesIO(encoded(image or picture(size=(320, 240)), "png"))
    out = io.BytesIO()
    key = load_signing_key(config.signer, config.folder)
    engine.sign(source, out, "image/png", definition, key)
    return out.getvalue()


def ours(assertions):
    return next(a for a in assertions if a["label"] == marker.ASSERTION)


def in_time(code, *arguments):
    """Run code that must not hang, in a process that can be stopped."""
    subprocess.run([sys.executable, "-c", code, *arguments], timeout=20, check=True)


# --- costs -----------------------------------------------------------------------------------------------------------


def test_comments_do_not_multiply():
    in_time(
        "from aikz_label import sniff; sniff(b'<!---->' * 9000 + b'x'); sniff(b'<?xml ' + b' ' * 60000)"
    )


def test_a_run_of_fill_bytes_is_linear():
    data = encoded(picture(size=(64, 64)), "jpeg")[:-2] + b"\xff" * 2_000_000
    with pytest.raises(MediaProblem):
        Jpeg.parse(data, Limits(), thorough=True)


class _Shortened(io.BytesIO):
    """A file that loses its end after it was asked for its length."""

    def __init__(self, data: bytes, cut: int) -> None:
        super().__init__(data[:cut])
        self._told = len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        found = super().seek(offset, whence)
        return self._told if whence == io.SEEK_END else found


@pytest.mark.parametrize("share", [0.001, 0.01, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["GIF", "JPEG", "PNG", "WEBP"])
def test_a_file_that_becomes_shorter_meanwhile(kind, share):
    """It neither raises nor is waited for."""
    data = encoded(picture("P" if kind == "GIF" else "RGB"), kind)
    assert verify(_Shortened(data, int(share * len(data)))).verdict is Verdict.UNREADABLE


TEXTS = {
    "wrappers": "from aikz_label.adapters.text.places import find\n"
    "from aikz_label.carriers import selectors\n"
    "start = selectors.START + b'a'\n"
    "assert len(find(start * 50_000)[0]) == 50_000",
    "comments": "from aikz_label.formats import markup\n"
    "assert sum(1 for _ in markup.tokens('<!-- -->' * 200_000)) == 200_000",
    "fences": "from aikz_label.adapters.text.decoded import Decoded\n"
    "from aikz_label.adapters.text.markdown import Markdown\n"
    "assert b'BEGIN' in Markdown(Decoded('a```' * 500_000)).hole().encode(b'')",
    "a sheet without rules": "from aikz_label.adapters.text.styles import concealment\n"
    "assert concealment('<style>' + 'a' * 3_000_000 + '</style>note', ['note'])",
    "rules and elements": "from aikz_label.adapters.text.styles import concealment\n"
    "rules = ''.join(f'.x{n},p{{color:#{n:06}}}' for n in range(2500))\n"
    "page = f'<style>{rules}</style>' + '<p class=y>a</p>' * 20_000 + 'note'\n"
    "assert concealment(page, ['note'])['contrast'] == 21",
}


@pytest.mark.parametrize("code", TEXTS.values(), ids=TEXTS)
def test_a_text_costs_no_more_than_its_length(code):
    in_time(code)


@pytest.mark.parametrize(
    "inner",
    [
        '<rdf:Description {ns} z="' + ":DigitalSourceType" * 3000 + '" i:DigitalSourceType="q"/>',
        "<rdf:Description {ns} " + " " * 60_000 + 'i:DigitalSourceType="q"/>',
        "<rdf:Description {ns}>"
        + "<i:AISystemUsed>x</i:AISystemUsed>" * 1500
        + "</rdf:Description>",
        "<rdf:Description {ns} " + " ".join(f'i:a{n}="{n}"' for n in range(4000)) + "/>",
    ],
)
def test_xmp_costs_no_more_than_its_length(inner):
    packet = xmp._EMPTY.replace(
        b"</rdf:RDF>", inner.format(ns=f'xmlns:i="{xmp.IPTC_EXT}"').encode() + b"</rdf:RDF>"
    )
    assert len(xmp.read(packet)) <= 20
    with contextlib.suppress(xmp.XmpError):
        assert xmp.read(xmp.write(packet, Label(origin="created")))


@pytest.mark.parametrize("encoding", ["foo", "shift_jis", "utf-7", "idna", "zlib_codec", "utf-16"])
def test_odd_encodings_of_xmp(encoding):
    packet = f'<?xml version="1.0" encoding="{encoding}"?><a/>'.encode()
    assert xmp.read(packet) == ()
    with pytest.raises(xmp.XmpError):
        xmp.write(packet, Label(origin="created"))


def test_a_long_prefix_of_xmp():
    prefix = "r" * 5000
    packet = xmp._EMPTY.replace(b"rdf", prefix.encode())
    assert xmp.read(packet) == ()


def test_statements_about_ingredients_are_not_about_the_file():
    inner = (
        f'<rdf:Description xmlns:i="{xmp.IPTC_EXT}" xmlns:m="urn:m"><m:Pantry><rdf:Bag><rdf:li>'
        "<rdf:Description><i:DigitalSourceType>trainedAlgorithmicMedia</i:DigitalSourceType>"
        "</rdf:Description></rdf:li></rdf:Bag></m:Pantry></rdf:Description>"
    ).encode()
    packet = xmp._EMPTY.replace(b"</rdf:RDF>", inner + b"</rdf:RDF>")
    assert xmp.read(packet) == ()
    assert inner in xmp.write(packet, Label(origin="created"))


@pytest.mark.parametrize(
    "change",
    [
        {"em": 4096, "icon_em": 4096, "layout": "short3"},
        {"em": 10**9},
        {"em": -1},
        {"em": True},
        {"em": "12"},
        {"em": 1.5},
        {"layout": "none"},
        {"layout": ["ai"]},
        {"x": 0, "y": 0, "width": 1, "height": 1},
        {"x": -1},
        {"x": "0"},
        {"x": True},
        {"width": 0},
        {"width": 1e-9, "height": 1e-9},
        {"design": "badge/2"},
    ],
)
def test_a_hostile_record_is_never_drawn(config, stranger, label, change):
    notice = replace(BADGE, placements=({**PLACE, **change},))
    data = forge(stranger, label, notice)
    for settings in (config, stranger):
        report = verify(data, config=settings, measure=True)
        assert report.notice_state in {NoticeState.UNKNOWN, NoticeState.NOT_PERCEIVABLE}
        assert report.verdict is Verdict.INCOMPLETE


def test_a_record_as_large_as_a_large_picture(stranger, label):
    place = {**PLACE, "x": 0, "y": 0, "width": 0.7, "height": 0.7, "em": 100}
    data = forge(
        stranger, label, replace(BADGE, placements=(place,)), image=Image.new("L", (7000, 7000))
    )
    assert verify(data, config=stranger, measure=True).verdict is Verdict.INCOMPLETE


# --- what a trusted but careless or dishonest signer could say --------------------------------------------------------


def test_the_forger_can_make_a_marker_at_all(config, label):
    """So that the refusals below refuse for their own reason."""
    good = tuple((dict(FIGURES) | {"icon_cap_px": 90.0}).items())
    report = verify(forge(config, label, replace(BADGE, figures=good)), config=config)
    assert report.verdict is Verdict.LABELLED


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.append({**ours(a), "data": {**ours(a)["data"], "origin": "altered"}}),
        lambda a: a.append(dict(ours(a))),
        lambda a: ours(a)["data"].update(origin="altered"),
        lambda a: ours(a)["data"].update(origin="nonsense"),
        lambda a: ours(a)["data"].update(schema="aikz-label/synthetic/9"),
        lambda a: ours(a)["data"].update(law="XX"),
        lambda a: ours(a)["data"].update(medium="smell"),
        lambda a: ours(a)["data"].update(system="just text"),
        lambda a: ours(a)["data"].update(responsible="just text"),
        lambda a: ours(a)["data"].update(created="0001-01-01T00:00:00+14:00"),
        lambda a: ours(a)["data"].update(created="9999-12-31T23:59:59-14:00"),
        lambda a: ours(a)["data"]["notice"].update(languages=["kk"] * 2000 + ["xx"]),
        lambda a: ours(a)["data"]["notice"]["measured"].update(contrast="21"),
        lambda a: ours(a)["data"]["notice"]["measured"].update(contrast=True),
        lambda a: ours(a).update(created=False),
        lambda a: ours(a)["data"]["responsible"].update(name="\x1b[2J"),
    ],
)
def test_what_does_not_follow_the_schema_is_not_labelled(config, label, change):
    report = verify(forge(config, label, change=change), config=config)
    assert report.verdict is Verdict.INCOMPLETE
    assert report.reason.code == "declared.malformed"
    assert report.declared is None
    json.loads(report.to_json())


def test_another_assertion_of_a_similar_name_is_not_ours(config, label):
    def rename(assertions):
        ours(assertions)["label"] = "org.aikz.syntheticfoo"

    report = verify(forge(config, label, change=rename), config=config)
    assert report.verdict is Verdict.INCOMPLETE
    assert report.reason.code == "notice.unrecorded"


@pytest.mark.parametrize(
    "notice",
    [
        BADGE,  # claims a shorter side of 1 px, for which these letters would do
        replace(BADGE, kind="spoken"),
        replace(BADGE, placements=()),
        replace(BADGE, languages=()),
        replace(BADGE, wording=""),
        replace(BADGE, figures=()),
    ],
)
def test_attesting_needs_a_record_that_fits_the_file(config, label, notice):
    report = verify(forge(config, label, notice), config=config)
    assert report.verdict is Verdict.INCOMPLETE


def test_thousands_of_figures_are_not_repeated(config, label):
    def many(assertions):
        ours(assertions)["data"]["notice"]["measured"].update(
            {f"\x1b[2J{n}": n for n in range(3000)}
        )

    report = verify(forge(config, label, change=many), config=config)
    assert len(report.figures) <= 9
    assert len(report.to_json()) < 30_000


def test_the_time_of_a_foreign_marker_is_its_own(config, label):
    def foreign(assertions):
        assertions.remove(ours(assertions))
        assertions[0]["data"]["actions"][0]["when"] = "2020-01-02T03:04:05Z"

    report = verify(forge(config, label, change=foreign), config=config)
    assert report.declared.created.year == 2020
    assert report.declared.responsible is None


def test_editing_does_not_hide_what_the_parent_says(config, stranger, label):
    """Another tool opened an AI picture and says nothing of its own about it."""
    import c2pa  # to write as that tool does

    parent = forge(stranger, label)
    key = load_signing_key(stranger.signer, stranger.folder)
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["p"]}}
    actions = {"label": "c2pa.actions.v2", "created": True, "data": {"actions": [opened]}}
    info = c2pa.C2paSignerInfo(key.algorithm.encode(), key.chain, key.key, None)
    out = io.BytesIO()
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder({"assertions": [actions]}) as builder:
        ingredient = {"relationship": "parentOf", "label": "p", "title": "p"}
        builder.add_ingredient(json.dumps(ingredient), "image/png", io.BytesIO(parent))
        builder.sign(signer, "image/png", io.BytesIO(parent), out)
    report = verify(out.getvalue(), config=config)
    assert report.verdict is Verdict.INCOMPLETE
    assert report.declared.origin == "created"
    assert not report.marker.ours


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_two_badges_never_stand_beside_each_other(config):
    first = mark(picture(), None, Label(origin="created"), config=config)
    again = mark(
        first.data,
        None,
        Label(origin="altered"),
        config=config,
        on_existing="update",
        languages=("kk",),
    )
    assert again.report.verdict is Verdict.LABELLED
    old = first.report.marker.notice.placements[0]
    with Image.open(io.BytesIO(again.data)) as image:
        width, height = image.size
        left, top = old["x"] * width, old["y"] * height
        right, bottom = left + old["width"] * width, top + old["height"] * height
        new = again.report.marker.notice.placements[0]
        below = (left, max(top, (new["y"] + new["height"]) * height + 2), right, bottom)
        assert image.convert("L").crop([round(v) for v in below]).getextrema() == (0, 0)


def test_only_exif_turns_a_picture(config, label):
    packet = xmp._EMPTY.replace(
        b"</rdf:RDF>",
        b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF>',
    )
    source = encoded(picture(size=(480, 300)), "jpeg", xmp=packet)
    place = mark(source, None, label, config=config).report.marker.notice.placements[0]
    assert place["x"] > 0.5
    assert place["width"] > place["height"]


def test_a_compressed_packet_that_is_too_large_stays_as_it_is(config, label):
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", "<x/>" + " " * 900_000, zip=True)
    source = encoded(picture(), "png", pnginfo=info)
    result = mark(source, None, label, config=config)
    assert "mirror was not written" in result.warnings[0]
    with Image.open(io.BytesIO(result.data)) as image:
        image.load()
        assert len(image.text["XML:com.adobe.xmp"]) == 900_004


def test_sniffing_much_of_the_same_ends():
    in_time(
        "from aikz_label import sniff\n"
        "for data in (b'{' * 100_000, b'1' * 100_000, b'<' * 100_000, b'\\xff\\xfb' * 50_000): sniff(data)"
    )


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif", "jpeg2000"])
def test_parts_are_counted(kind):
    exif = {"exif": b"Exif\0\0II*\0\x08" + bytes(9)} if kind == "webp" else {}
    data = encoded(picture(size=(64, 48)), kind, **exif)
    report = verify(data, caps=Limits(max_parts=2), trust=[])
    assert (report.verdict, report.reason.code) == (Verdict.UNREADABLE, "unreadable.over-limit")
    assert dict(report.reason.args)["what_word"] == "parts"


def test_the_engine_is_not_taken_from_a_folder_of_uploads(tmp_path):
    """Its own search begins in the current folder."""
    places = [tmp_path, tmp_path / "libs", tmp_path / "artifacts"]
    for folder in places:
        folder.mkdir(exist_ok=True)
        for name in ("libc2pa_c.so", "libc2pa_c.dylib", "c2pa_c.dll"):
            (folder / name).write_bytes(b"whoever loads this is taken over")
    program = (
        "import sys\n"
        "sys.addaudithook(lambda event, args: event == 'ctypes.dlopen' and print(args[0]))\n"
        "import os\nbefore = dict(os.environ)\n"
        "from aikz_label import engine\n"
        "assert dict(os.environ) == before and engine.version()"
    )
    result = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = [name for name in result.stdout.splitlines() if "c2pa" in name]
    assert loaded
    assert not any(name.startswith(str(tmp_path)) for name in loaded), loaded


def test_an_engine_with_known_faults_is_refused(config, label, photo, tmp_path, monkeypatch):
    mark(photo, tmp_path / "marked.jpg", label, config=config)
    out = tmp_path / "out.jpg"
    for old in ("0.91.0", "0.90.7", "0.9", "0.91.0-rc.1"):
        context.context.cache_clear()
        monkeypatch.setattr(library.c2pa, "sdk_version", lambda old=old: old)
        with pytest.raises(EngineError) as caught:
            verify(tmp_path / "marked.jpg", config=config)
        assert caught.value.code == "engine-too-old"
        with pytest.raises(EngineError):
            mark(photo, out, label, config=config)
        assert not out.exists()


def test_a_source_whose_comments_nobody_knows_has_no_notice_of_ours():
    """Found by mutation: a damaged table that looked like a source made `verify` raise a refusal."""
    from aikz_label.adapters.text.comments import Commented
    from aikz_label.adapters.text.decoded import Decoded
    from aikz_label.notice import wording

    words = wording.sentence("created", "en")
    document = Commented(Decoded(f'"{words}",,\nid,a\n1,b\n'))
    assert document.first() is None
    assert len(list(document.mirrors())) <= 1
