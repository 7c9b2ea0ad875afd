"""SVG: what is written into a drawing, what stays, and what is not believed."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest

from aikz_label import Label, Refused, mark, verify
from aikz_label.adapters.svg import ADAPTER, group
from aikz_label.adapters.svg.document import Document
from aikz_label.adapters.svg.group import Spec
from aikz_label.adapters.svg.hazards import hazards
from aikz_label.adapters.svg.styles import declarations, meets_root, rules
from aikz_label.adapters.svg.viewport import viewport
from aikz_label.formats import FORMATS
from aikz_label.label import Origin
from aikz_label.limits import DEFAULT
from aikz_label.notice import badge, truetype, wording
from aikz_label.profile import load_profile
from aikz_label.report import MarkerState, NoticeState, Verdict
from svg_files import SHAPES, SHEETS, SVG, rsvg, svg, without_ours


def marked(data: bytes, label, config, **options):
    result = mark(data, None, label, config=config, **options)
    assert result.report.verdict is Verdict.LABELLED
    again = verify(result.data, sidecar=result.sidecar, config=config, measure=True)
    assert again.verdict is Verdict.LABELLED
    return result


# --- every other byte stays ------------------------------------------------------------------------------------------

DOCTYPE = (
    '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [\n'
    '  <!ENTITY ns_svg "http://www.w3.org/2000/svg"> <!-- it\'s "odd" ] > -->\n  <!ENTITY hi \'&#169; hi\'>\n]>'
)
TYPED = f'<svg xmlns="&ns_svg;" width="640" height="360"><title>&hi;</title>{SHAPES}</svg>'
PREFIXED = f'<s:svg {SVG.replace("xmlns", "xmlns:s")} width="640" height="360"><s:rect/></s:svg>'


def stored(encoding: str, inside: str) -> bytes:
    return f'<?xml version="1.0" encoding="{encoding}"?>{svg(inside).decode()}'.encode(encoding)


KEPT = {
    "plain": (svg(), "utf-8"),
    "newlines": (svg("\r\n  " + SHAPES + "\r\n\t") + b"\r\n", "utf-8"),
    "declared": (
        b'<?xml version="1.0" standalone="no"?>\n<!-- <svg> -->\n' + svg() + b"\n<!-- > -->\n",
        "utf-8",
    ),
    "bom": (b"\xef\xbb\xbf" + svg(), "utf-8-sig"),
    "utf-16": (
        f'\ufeff<?xml version="1.0" encoding="UTF-16"?>{svg().decode()}'.encode("utf-16-le"),
        "utf-16",
    ),
    "utf-16-be": (
        f"\ufeff{svg('<title>Қазақ</title>' + SHAPES).decode()}".encode("utf-16-be"),
        "utf-16",
    ),
    "latin-1": (
        b'<?xml version="1.0" encoding="ISO-8859-1"?>'
        + svg("<title>\xe9</title>").decode().encode("latin-1"),
        "latin-1",
    ),
    "cp1251": (
        b"<?xml version='1.0' encoding='windows-1251'?>"
        + svg(f"<title>Рисунок</title>{SHAPES}").decode().encode("cp1251"),
        "cp1251",
    ),
    "prefix": (
        b'<s:svg xmlns:s="http://www.w3.org/2000/svg" width="640" height="360"><s:rect width="9" height="9"/></s:svg>',
        "utf-8",
    ),
    "cdata": (svg(f"<style><![CDATA[ .a > .b {{ fill: red }} </svg> ]]></style>{SHAPES}"), "utf-8"),
    "quotes": (svg(f"<desc data-x='a>b' title=\"it's > &lt;/svg>\">x</desc>{SHAPES}"), "utf-8"),
    "doctype": (
        f'{DOCTYPE}<svg xmlns="&ns_svg;" width="640" height="360"><title>&hi;</title>{SHAPES}</svg>'.encode(),
        "utf-8",
    ),
    "type-in-comment": (b"<!-- <!DOCTYPE svg [ <svg> -->" + svg(), "utf-8"),
    "type-in-cdata": (svg(f"<desc><![CDATA[<!DOCTYPE svg>]]></desc>{SHAPES}"), "utf-8"),
    "empty": (f'<svg {SVG} width="640" height="360" />'.encode(), "utf-8"),
    "inner": (svg(f"<svg x='9'><metadata>inner</metadata></svg>{SHAPES}"), "utf-8"),
}


@pytest.mark.parametrize("name", KEPT)
def test_every_other_byte_stays(name, label, config):
    source, encoding = KEPT[name]
    result = marked(source, label, config)
    assert source.startswith(b"\xef\xbb\xbf") == result.data.startswith(b"\xef\xbb\xbf")
    before, after = (without_ours(data, encoding) for data in (source, result.data))
    if name == "empty":
        before = before.replace(b" />", b" ></svg>")
    assert after == before
    # where the engine would drop the mark, or cannot read, the marker is beside the file
    assert (result.sidecar is not None) is (name in {"bom", "utf-16", "utf-16-be"})


def test_metadata_that_are_there(label, config):
    own = '<metadata id="m"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><x/></rdf:RDF> </metadata>'
    result = marked(svg(own + SHAPES), label, config)
    text = result.data.decode()
    assert own.removesuffix("</metadata>").removeprefix('<metadata id="m">') in text
    assert text.count("<metadata") == 1
    twice = mark(result.data, None, label, config=config, on_existing="replace")
    assert twice.data.decode().count("trainedAlgorithmicMedia") == 1
    assert twice.data.decode().count('aikz-label-notice"') == 1
    assert len(twice.data) == pytest.approx(len(result.data), abs=300)


def test_updating_never_stacks_notices(label, config):
    once = mark(svg(), None, label, config=config).data
    other = Label(origin=Origin.ALTERED)
    result = mark(once, None, other, config=config, on_existing="update", languages=("kk",))
    assert result.report.verdict is Verdict.LABELLED
    assert result.data.count(b"data-aikz-label=") == 1
    assert b"compositeWithTrainedAlgorithmicMedia" in result.data


# --- for those who do not see ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("root", "inside", "expected"),
    [
        ("", "", 'aria-label="Notice'),
        ('role="img"', "<title>A sun</title>", 'aria-label="A sun &#8211; &#1046;'),
        ('role="img" aria-label="A sun"', "", 'aria-label="A sun &#8211; &#1046;'),
        (
            'role="img" aria-labelledby="t"',
            '<title id="t">A sun</title>',
            'aria-labelledby="t aikz-label-notice-title"',
        ),
    ],
)
def test_the_name_of_the_whole(root, inside, expected, label, config):
    """Of a drawing that is one image nothing inside is read out, so its own name has to say it."""
    size = 'width="640" height="360"'
    result = marked(
        svg(inside + SHAPES, f"{size} {root}"),
        label,
        config,
        languages=("en",) if not root else ("kk", "ru"),
    )
    text = result.data.decode()
    assert expected in text
    other = Label(origin=Origin.ALTERED)
    again = mark(
        result.data, None, other, config=config, on_existing="update", languages=("kk", "ru")
    )
    tag = again.data.decode().partition(">")[0]
    if 'role="img"' in root and "labelledby" not in root:
        assert tag.count("&#8211;") == 1
    assert "&#1046;&#1048; &#1046;&#1040;&#1057;&#1040;&#1170;&#1040;&#1053;" not in tag, (
        "the old words stay"
    )


# --- where it is -----------------------------------------------------------------------------------------------------

BOX = 'viewBox="0 0 320 180"'


@pytest.mark.parametrize(
    ("root", "size", "sure"),
    [
        ("", (300, 150), (0, 0, 300, 150)),
        ('width="100%" height="100%"', (300, 150), (0, 0, 300, 150)),
        ('width="400"', (400, 150), (0, 0, 400, 150)),
        ('width="10cm" height="2in"', (377.95, 192), (0, 0, 377.95, 192)),
        ('width="30pt" height=" +1e2px "', (40, 100), (0, 0, 40, 100)),
        (BOX, (320, 180), (0, 0, 320, 180)),
        (f'{BOX} width="640"', (640, 360), (0, 0, 640, 360)),
        (f'{BOX} height="90"', (160, 90), (0, 0, 160, 90)),
        (f'{BOX} width="640" height="640"', (640, 640), (0, 140, 640, 360)),
        (f'{BOX} width="640" height="640" preserveAspectRatio="xMaxYMin"', (640, 640), (0, 0, 640, 360)),
        (f'{BOX} width="640" height="180" preserveAspectRatio="defer xMaxYMid meet"', (640, 180), (320, 0, 320, 180)),
        (f'{BOX} width="640" height="640" preserveAspectRatio="none"', (640, 640), (0, 0, 640, 640)),
        (f'{BOX} width="180" height="180" preserveAspectRatio="xMinYMin slice"', (180, 180), (0, 0, 180, 180)),
        ('viewBox="junk"', (300, 150), (0, 0, 300, 150)),
        ('style="width: 50%; height: 400px" width="7" height="7"', (300, 400), (0, 0, 300, 400)),
    ],
)  # fmt: skip
def test_sizes(root, size, sure):
    view = viewport(Document.parse(svg("", root), thorough=True))
    assert view.size == pytest.approx(size, abs=0.01)
    assert view.sure == pytest.approx(sure, abs=0.01)


@pytest.mark.parametrize(
    "root", ['width="0" height="9"', 'viewBox="0 0 0 9"', 'style="height:0px"']
)
def test_no_size_at_all(root, label, config):
    assert viewport(Document.parse(svg("", root), thorough=True)) is None
    with pytest.raises(Refused) as refusal:
        mark(svg("", root), None, label, config=config)
    assert refusal.value.code == "not-perceptible"
    assert verify(svg("", root), config=config, measure=True).verdict is Verdict.UNMARKED


def test_cut_to_an_unknown_shape_is_refused(label, config):
    source = svg(SHAPES, 'viewBox="0 0 640 360" preserveAspectRatio="xMidYMid slice"')
    with pytest.raises(Refused) as refusal:
        mark(source, None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


@pytest.mark.parametrize(
    "root", ['viewBox="0 0 24 24"', 'width="24" height="24" viewBox="0 0 512 512"']
)
def test_too_small(root, label, config):
    with pytest.raises(Refused) as refusal:
        mark(svg("", root), None, label, config=config)
    assert refusal.value.code == "not-perceptible"


STRIPED = {
    "icon": 'viewBox="0 0 24 24"',
    "sized": 'width="24" height="24" viewBox="0 0 512 512"',
    "tiny": 'width="16px" height="16px" viewBox="0 0 16 16"',
    "fraction": 'width="16.5" height="17.25"',
    "inches": 'width=".25in" height="0.25in" viewBox="-8 -8 16 16"',
    "flat": 'width="1000" height="40"',
    "narrow": 'width="40" height="1000" viewBox="0 0 20 500"',
    "stretched": 'width="24" height="20" viewBox="0 0 240 100" preserveAspectRatio="none"',
    "cut": 'width="24" height="24" viewBox="0 0 48 24" preserveAspectRatio="xMidYMid slice"',
    "wide": 'height="20" viewBox="0 0 640 480"',
}
ICON = '<path d="M0 0L1000 1000L0 1000z" fill="#2a7"/><circle cx="8" cy="8" r="7" fill="#c33"/>'


@pytest.mark.parametrize("name", STRIPED)
def test_strip_below_what_is_too_small(name, label, config):
    """The root becomes higher, and whatever was drawn in it is drawn where it was."""
    source = svg(ICON, STRIPED[name])
    result = marked(source, label, config, when_too_small="strip")
    notice = result.report.marker.notice
    (place,) = notice.placements
    if name in {"flat", "narrow"}:
        assert notice.kind == "badge"
        return
    assert place["width"] == 1
    assert notice.kind == "strip"
    before, after = (rsvg(data, "--zoom", "4") for data in (source, result.data))
    assert after.shape[0] > before.shape[0]
    assert after.shape[1] == pytest.approx(before.shape[1], abs=1)
    top = int(place["y"] * after.shape[0])
    wide = min(before.shape[1], after.shape[1])
    gap = np.abs(before[: top - 1, :wide] - after[: top - 1, :wide])
    assert gap.mean() < 0.5
    band = after[top + 2 : int((place["y"] + place["height"]) * after.shape[0]) - 2]
    assert (band[..., 3] == 255).mean() > 0.9
    assert verify(result.data, config=config, measure=True).notice_state is NoticeState.PERCEIVABLE


def test_strip_is_taken_back_before_another_is_drawn(label, config):
    once = mark(svg(ICON, STRIPED["sized"]), None, label, config=config, when_too_small="strip")
    twice = mark(once.data, None, label, config=config, on_existing="update")
    assert twice.report.marker.notice == once.report.marker.notice
    assert twice.data.count(b"data-aikz-label=") == 1
    none = mark(
        once.data, None, label, config=config, on_existing="replace", notice="none", notice_reason="x"
    )  # fmt: skip
    assert b'width="24" height="24" viewBox="0 0 512 512"' in none.data


def test_the_room_of_a_strip_that_somebody_changed_stays_and_is_told(label, config):
    """What is drawn there by now nobody knows."""
    once = mark(svg(ICON, STRIPED["sized"]), None, label, config=config, when_too_small="strip")
    changed = once.data.replace(b'fill="#fff" style="', b'fill="#fff" style="stroke:red;', 1)
    twice = mark(changed, None, label, config=config, on_existing="replace")
    assert any("room below" in warning for warning in twice.warnings)
    assert twice.data.count(b"data-aikz-label=") == 1
    assert twice.report.verdict is Verdict.LABELLED


@pytest.mark.parametrize(
    ("root", "inside"),
    [
        (STRIPED["icon"], '<rect width="100%" height="9"/>'),
        (STRIPED["icon"], "<svg><rect/></svg>"),
        (STRIPED["icon"], '<symbol id="a"><rect/></symbol><use href="#a"/>'),
        (STRIPED["icon"], "<style>rect { y: 50% }</style>"),
        (STRIPED["icon"], "<style>@media (max-height: 30px) { rect { fill: red } }</style>"),
        (STRIPED["icon"], '<linearGradient y2="50%" gradientUnits="userSpaceOnUse"/>'),
        ('style="width:24px;height:24px" viewBox="0 0 24 24"', ""),
        ('height="24"', ""),
        ('width="28" height="60" viewBox="0 0 24 24"', ""),
    ],
)
def test_what_would_not_stay_where_it_is_gets_no_strip(root, inside, label, config):
    with pytest.raises(Refused) as refusal:
        mark(svg(inside, root), None, label, config=config, when_too_small="strip")
    assert refusal.value.code == "not-perceptible"


def test_shares_of_something_else_are_no_hindrance(label, config):
    inside = '<filter id="f" height="140%"/><linearGradient id="g" y2="100%"><stop offset="50%"/></linearGradient>'
    marked(svg(inside + ICON, STRIPED["icon"]), label, config, when_too_small="strip")


@pytest.mark.parametrize("side", [0.02, 1e6])
def test_units_of_any_size(side, label, config):
    """The numbers of a drawing say nothing about its size."""
    root = f'width="640" height="360" viewBox="0 0 {side} {side * 360 / 640}"'
    result = marked(svg("", root), label, config)
    assert len(result.data) < 40_000
    marked(svg("", f'viewBox="-{side} -{side} 1e6 1e6"'), label, config)


# --- what could hide it ----------------------------------------------------------------------------------------------

HAZARDS = {
    "script": svg(f"<script>0</script>{SHAPES}"),
    "handler": svg('<rect onload="x()"/>'),
    "odd-type": svg("<script type='text/x-ecmascript'>0</script>"),
    "module": svg("<script type='module'>0</script>"),
    "elsewhere": svg("<script href='x.js'/>"),
    "link-script": svg("<a href='javascript:x()'><rect/></a>"),
    "link-escaped": svg("<a href=' java&#x73;cri&#10;pt:x()'><rect/></a>"),
    "link-set": svg("<a href='#'><set attributeName='href' to='JavaScript:x()'/></a>"),
    "page-in-it": svg("<foreignObject><iframe xmlns='http://www.w3.org/1999/xhtml' srcdoc='x'/></foreignObject>"),
    "foreign-script": svg('<foreignObject><h:script xmlns:h="http://www.w3.org/1999/xhtml">0</h:script></foreignObject>'),
    "refresh": svg('<g><h:meta xmlns:h="http://www.w3.org/1999/xhtml" http-equiv=" Refresh" content="3"/></g>'),
    "import": svg("<style>@import url(x.css);</style>"),
    "import-escaped": svg("<style>@\\69mport 'x.css';</style>"),
    "instruction": b'<?xml-stylesheet href="x.css"?>' + svg(),
    "link": svg('<h:link xmlns:h="http://www.w3.org/1999/xhtml" rel="stylesheet" href="x.css"/>'),
    "root-opacity": svg(root='width="640" height="360" opacity=".4"'),
    "root-style": svg(root='width="640" height="360" style="clip-path : circle(40%)"'),
    "root-escaped": svg(root='width="640" height="360" style="o\\70 acity:.1"'),
    "root-rule": svg("<style>svg { mask: url(#m) }</style>"),
    "root-class": svg("<style>.a.b { filter: blur(9px) }</style>", 'class="b a" width="640" height="360"'),
    "root-id": svg("<style>@media screen { #top { transform: scale(2) } }</style>", 'id="top" width="640" height="360"'),
    "star": svg("<style>/* } */ rect{} * { opacity: 0.2 }</style>"),
    "nested": svg("<style><![CDATA[g { fill: red; & { opacity: 0.2 } }]]></style>"),
    "pseudo": svg("<style>:root { animation: gone 1s }</style>"),
    "path": svg("<style>path { d: path('M0 0') !important }</style>"),
    "resize": svg("<style>svg { width: 10px }</style>"),
    "animated": svg('<animate attributeName="viewBox" to="0 0 1 1" dur="1s"/>'),
    "animated-root": svg('<g><set href="#r" attributeName="display" to="none"/></g>', 'id="r" width="640" height="360"'),
    "animated-oddly": svg('<g><set href="a.svg#aikz&#10;-label%2Dnotice" attributeName="display" to="none"/></g>'),
    "other-prefix": svg('<script xmlns:l="http://www.w3.org/1999/xlink" l:href="x.js"/>'),
    "decoy": svg('<set attributeName="viewBox" to="0 0 1 1" xlink:href="#a" xmlns:xlink="x:y"/>'),
    "given": b'<!DOCTYPE svg [<!-- \' --><!ATTLIST svg opacity CDATA "0">]>' + svg(),
    "animated-notice": svg('<g><set xlink:href="#aikz-label-notice" attributeName="display" to="none" xmlns:xlink="http://www.w3.org/1999/xlink"/></g>'),
}  # fmt: skip


@pytest.mark.parametrize("name", HAZARDS)
def test_what_could_hide_the_notice_is_refused(name, label, config):
    with pytest.raises(Refused) as refusal:
        mark(HAZARDS[name], None, label, config=config)
    assert refusal.value.code == "active-content"
    assert refusal.value.hint
    # without a notice there is nothing to hide
    quiet = mark(
        HAZARDS[name], None, label, config=config, notice="none", notice_reason="on the page"
    )
    assert quiet.report.verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize(
    "inside",
    [
        "<style>.a { opacity: 0 } g > svg { clip-path: circle(1px) } @keyframes svg { to { opacity: 0 } }</style>",
        "<style>rect { transform: rotate(9deg); transition: all 1s } svg { overflow: hidden; fill: red }</style>",
        "<style>#other { filter: none } @font-face { font-family: d } svg.other { opacity: 0 }</style>",
        '<g><animate attributeName="opacity" to="0"/><circle r="9"/></g>',
        "<desc>on = off; &lt;script> onload=</desc><!-- <script> -->",
        '<rect data-on="x" content="y"/>',
        '<foreignObject><m xmlns="http://www.w3.org/1999/xhtml"><meta charset="utf-8"/></m></foreignObject>',
        '<script type="application/ld+json">{"a": 1}</script><script> </script><rect onclick=""/>',
        '<a href="https://example.org/javascript?a=1&amp;b=2"><text>javascript</text></a>',
        '<animate attributeName="fill" to="red" dur="1s"/><set attributeName="visibility" to="hidden"/>',
        "<style>" + "a{" * 20_000 + "}" * 20_000 + "</style>",
    ],
)
def test_what_reaches_neither_the_root_nor_the_notice(inside, label, config):
    marked(svg(inside + SHAPES), label, config)
    assert not list(hazards(Document.parse(svg(inside), thorough=True), "x"))


@pytest.mark.parametrize(
    ("style", "hidden"),
    [
        ("position: absolute; left: -9999px", True),
        ("margin-top: 9999px", True),
        ("padding: 100%", True),
        ("width: 0", True),
        ("max-height: 1px", True),
        ("inline-size: calc(1px)", True),
        ("-webkit-mask-box-image: linear-gradient(#0000, #0000)", True),
        ("margin: 0 auto; padding: 10px; border: 1px solid #123456", False),
        ("width: 100%; max-width: 100%; left: 0; border-color: rgb(255, 0, 0)", False),
    ],
)
def test_rules_that_leave_nothing_of_the_whole(style, hidden):
    data = svg(
        f"<style>svg {{ {style} }}</style>", 'width="640" height="360" viewBox="0 0 640 360"'
    )
    assert bool(list(hazards(Document.parse(data, thorough=True), "x"))) is hidden


def test_namespaces_that_a_document_type_gives(label, config):
    given = "xmlns CDATA #FIXED 'http://www.w3.org/2000/svg' xmlns:a CDATA 'b' id ID #IMPLIED"
    marked(f"<!DOCTYPE svg [<!ATTLIST svg {given}>]>".encode() + svg(), label, config)


def test_a_notice_of_another_name_is_moved_by_that_name(label, config):
    other = marked(svg(), label, config).data.replace(b"aikz-label-notice", b"x")
    moving = b'<g><animateMotion href="#x" path="M0 9999" dur="1s"/></g>'
    for more, state in ((b"", NoticeState.PERCEIVABLE), (moving, NoticeState.UNKNOWN)):
        text = re.sub(rb"<metadata>.*?</metadata>", more, other, flags=re.DOTALL)
        assert verify(text, config=config, measure=True).notice_state is state


def test_a_root_that_is_moved_to_where_it_is(label, config):
    marked(
        svg(root='width="640" height="360" style="transform: matrix(1, 0, 0, 1, 0, 0)"'),
        label,
        config,
    )


def test_selectors():
    for selector in (
        "*",
        "svg",
        ":root",
        "svg:hover",
        "#r",
        ".a",
        "SVG.a",
        "*|*",
        "s|svg",
        ":is(g, svg)",
        "[x]",
        "\\73vg",
    ):
        assert meets_root(selector, "r", {"a", "b"}), selector
    for selector in (
        "g",
        "svg g",
        "g > svg",
        "#x",
        ".c",
        "svg#x",
        "path:not(svg)",
        "a+*",
        "svg ~ svg",
    ):
        assert not meets_root(selector, "r", {"a", "b"}), selector
    assert meets_root("(" * 5000, "", set())


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_rule_cannot_be_hidden_in_what_only_looks_like_a_string(sheet):
    assert any(rule.selectors == ("svg",) for rule in rules(sheet)), list(rules(sheet))
    style = sheet.removeprefix("a{").replace("} svg{", ";").replace("} ", ";").replace("{", "")
    assert "opacity" in declarations(style)


def test_declarations():
    assert declarations("a:b;;c : url(x;y) !important; /* d:e; */ f:'g;h:i'; FILL:RED") == {
        "a": "b",
        "c": "url()",
        "f": "''",
        "fill": "RED",
    }
    found = list(rules("@media x{a,b{c:d}} e{f:g} @supports (x){@layer{h{i:j}}} @page{k:l} m{n:o"))
    assert [(rule.selectors, dict(rule.declared)) for rule in found] == [
        (("a", "b"), {"c": "d"}),
        (("e",), {"f": "g"}),
        (("h",), {"i": "j"}),
        (("m",), {"n": "o"}),
    ]


# --- a notice that is not what it was --------------------------------------------------------------------------------


def resigned(data: bytes, label: Label, config) -> bytes:
    """The file with its notice as it is and another marker, as an attacker with a key could make it."""
    return mark(
        data, None, label, config=config, on_existing="replace", notice="none", notice_reason="x"
    ).data


@pytest.mark.parametrize(
    ("old", "new", "state"),
    [
        ("opacity:1!important", "opacity:0!important", NoticeState.NOT_PERCEIVABLE),
        ("display:inline!important", "display:none!important", NoticeState.NOT_PERCEIVABLE),
        ('fill="#fff"', 'fill="#000"', NoticeState.UNKNOWN),
        ("paths/1 created", "paths/1 altered", NoticeState.UNKNOWN),
        ("</g></svg>", '</g><rect width="999" height="999"/></svg>', NoticeState.UNKNOWN),
        ("<rect", "<script>x</script><rect", NoticeState.UNKNOWN),
    ],
)
def test_search_believes_only_what_it_would_draw(old, new, state, label, config):
    result = mark(svg(), None, label, config=config)
    text = re.sub(r"<metadata>.*?</metadata>", "", result.data.decode(), flags=re.DOTALL)
    assert (
        verify(text.encode(), config=config, measure=True).notice_state is NoticeState.PERCEIVABLE
    )
    assert old in text
    changed = text.replace(old, new, 1)
    report = verify(changed.encode(), config=config, measure=True)
    assert report.notice_state is state
    assert report.verdict is not Verdict.LABELLED


def test_without_marker_the_notice_is_a_claim(label, config):
    result = mark(svg(), None, label, config=config)
    text = re.sub(r"<metadata>.*?</metadata>", "", result.data.decode(), flags=re.DOTALL)
    report = verify(text.encode(), config=config, measure=True)
    assert (report.verdict, report.marker_state) == (Verdict.INCOMPLETE, MarkerState.ABSENT)
    assert "limits.drawing" in {limit.code for limit in report.limits}


def test_a_record_of_another_notice_is_not_believed(label, config):
    result = mark(svg(), None, label, config=config)
    record = result.report.marker.notice
    (place,) = record.placements
    profile = load_profile("kz")

    def state(notice, origin=Origin.CREATED):
        stream = io.BytesIO(result.data)
        return ADAPTER.measure(stream, FORMATS["svg"], notice, origin, profile, DEFAULT).state

    assert state(record) is NoticeState.PERCEIVABLE
    others = [
        replace(record, placements=({**place, "x": 0.1},)),
        replace(record, placements=({**place, "em": 7},)),
        replace(record, placements=({**place, "design": "badge/1"},)),
        replace(record, placements=({},)),
        replace(record, placements=()),
        replace(record, languages=("kk",)),
        replace(record, wording="other"),
    ]
    assert {state(other) for other in others} == {NoticeState.UNKNOWN}
    assert state(record, Origin.ALTERED) is NoticeState.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        "paths/2 created kk short3 20 30 0 0 1 1",
        "paths/1 created kk,kk short3 20 30 0 0 1 1",
        "paths/1 created xx short3 20 30 0 0 1 1",
        "paths/1 made kk short3 20 30 0 0 1 1",
        "paths/1 created kk huge 20 30 0 0 1 1",
        "paths/1 created kk ai 20 30 0 0 1 1",
        "paths/1 created kk ai 0 0 0 0 1 1",
        "paths/1 created kk ai 99999999 0 0 0 1 1",
        "paths/1 created kk ai 20 0 nan 0 1 1",
        "paths/1 created kk ai 20 0 0 0 0 1",
        "paths/1 created kk ai 20 0 0 0 -1 1",
        "paths/1 created kk ai 20 0 1e99 0 1 1",
        "paths/1 created kk ai 20 0 0.0 0 1 1",
        "paths/1 created kk ai 20 0 0 0 1",
        "strip-paths/1 created kk short3 20 30 0 0 1 1 9",
        "",
    ],
)
def test_specs_that_draw_nothing(text):
    assert Spec.parse(text) is None


def test_specs_come_back():
    for origin in Origin:
        for layout in wording.ladder(origin, ("kk", "ru", "en")):
            spec = Spec(
                origin,
                ("kk", "ru", "en"),
                layout.name,
                40,
                64 * layout.icon,
                -3.25,
                1e-3,
                0.125,
                7e6,
            )
            assert Spec.parse(str(spec)) == spec
            assert group.text(spec).isascii()


def test_the_font_is_as_it_is_read():
    font = truetype.bundled(badge.FONT)
    assert int.from_bytes(font.tables["head"][18:20]) == truetype.UNITS
    for letter in "ӘҒҚҢӨҰҮҺІәғқңөұүһіЙйЁё":
        assert font.contours(font.glyph(letter)), letter
    assert font.contours(font.glyph(" ")) == ()
    assert font.glyph("\ue000") == 0


# --- files that are none, or bombs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        f"<svg {SVG}><g></svg>".encode(),
        f"<svg {SVG}>".encode(),
        f"<svg {SVG}></svg></svg>".encode(),
        f"<svg {SVG}>&nothing;</svg>".encode(),
        f"<svg {SVG}><a:b/></svg>".encode(),
        f"<svg {SVG} a='1' a='2'/>".encode(),
        f"<svg {SVG}>\x01</svg>".encode(),
        b'<?xml version="1.0" encoding="utf-7"?>' + svg(),
        b'<?xml version="1.0" encoding="no-such"?>' + svg(),
        svg("\xe9").decode().encode("latin-1"),
        ("\ufeff" + svg().decode()).encode("utf-16-le")[:-1],
    ],
)
def test_what_is_not_well_formed_is_refused(data, label, config):
    with pytest.raises(Refused) as refusal:
        mark(data, None, label, config=config, sidecar="always")
    assert refusal.value.code in {"damaged", "no-place-for-notice"}
    assert verify(data, config=config).verdict in {Verdict.UNREADABLE, Verdict.UNMARKED}


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "lol"}">' for i in range(12))
BOMBS = {
    "laughs": f"<!DOCTYPE svg [{LAUGHS}]><svg {SVG}>&l11;</svg>",
    "quadratic": f'<!DOCTYPE svg [<!ENTITY a "{"a" * 50_000}">]><svg {SVG}>{"&a;" * 50_000}</svg>',
    "external": f'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg {SVG}>&a;</svg>',
    "parameter": f'<!DOCTYPE svg [<!ENTITY % a "b"> %a;]><svg {SVG}/>',
    "markup": f'<!DOCTYPE svg [<!ENTITY a "<script/>">]><svg {SVG}>&a;</svg>',
    "markup-by-number": f'<!DOCTYPE svg [<!ENTITY a "&#60;script/>">]><svg {SVG}>&a;</svg>',
    "nesting": f"<svg {SVG}>" + "<g>" * 200_000 + "</g>" * 200_000 + "</svg>",
    "attributes": f"<svg {SVG} " + "x" * 3_000_000,
    "comments": "<!--" * 300_000,
    "brackets": f"<!DOCTYPE svg [{'<!a ' * 200_000}",
    "quotes": f"<svg {SVG} a='" + '"' * 3_000_000,
    "css": svg("<style>" + "a{" * 200_000 + "opacity:0" + "}" * 200_000 + "</style>").decode(),
    "selectors": svg("<style>" + "(" * 1_000_000 + "{opacity:0}</style>").decode(),
    "strings": svg("<style>svg{opacity:0}a{b:'" + "\\'" * 500_000 + "</style>").decode(),
    "entities": "<!DOCTYPE svg ["
    + "".join(f'<!ENTITY e{number} "x">' for number in range(100_000))
    + f'<!ENTITY z SYSTEM "z">]><svg {SVG}></svg>',
    "markers": f"<svg {SVG}>" + "<manifest " * 300_000,
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name, label, config):
    data = BOMBS[name].encode()
    with pytest.raises(Refused):
        mark(data, None, label, config=config)
    report = verify(data, config=config, measure=True)
    assert report.verdict in {Verdict.UNREADABLE, Verdict.UNMARKED, Verdict.INCOMPLETE}


def test_what_is_nested_too_deeply_is_told_with_the_limit_of_that(label, config):
    with pytest.raises(Refused) as refusal:
        mark(BOMBS["nesting"].encode(), None, label, config=config)
    assert "levels of nesting: 2001, at most 2000" in str(refusal.value)


@pytest.mark.timeout(30)
def test_a_hundred_megabytes(label, config):
    data = b"<svg " + SVG.encode() + b">" + b" " * (100 << 20) + b"</svg>"
    with pytest.raises(Refused) as refusal:
        mark(data, None, label, config=config)
    assert refusal.value.code == "over-limit"
    assert verify(data, config=config).verdict is Verdict.UNREADABLE


def test_no_namespace_is_refused(label, config):
    with pytest.raises(Refused) as refusal:
        mark(b'<svg width="640" height="360"><rect/></svg>', None, label, config=config)
    assert refusal.value.code == "unsupported-variant"


def test_streams(label, config):
    out = io.BytesIO()
    mark(io.BytesIO(svg()), out, label, config=config)
    assert verify(out, config=config).verdict is Verdict.LABELLED
