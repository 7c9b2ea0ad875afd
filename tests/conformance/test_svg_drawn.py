"""Two programs that draw SVG, librsvg and Chromium: the notice is seen as it was measured, and nothing else changed."""

from __future__ import annotations

from base64 import b64encode

import numpy as np
import pytest
from PIL import Image

from aikz_label import mark
from aikz_label.adapters.image.picture import PillowPicture
from aikz_label.adapters.svg import edit, group, notice
from aikz_label.adapters.svg.document import Document
from aikz_label.adapters.svg.viewport import viewport
from aikz_label.config import Config
from aikz_label.label import Label, Origin
from aikz_label.notice import badge
from aikz_label.notice.measure import Region, measure
from aikz_label.notice.wording import ladder
from aikz_label.profile import load_profile
from aikz_label.report import NoticeState
from svg_files import SHAPES, SHEETS, chromium, rsvg, svg

pytestmark = pytest.mark.timeout(180)

ROOTS = {
    "plain": 'width="640" height="360"',
    "box": 'viewBox="100 50 1280 720" width="640" height="360"',
    "letterbox": 'viewBox="0 0 360 360" width="640" height="360"',
    "left": 'viewBox="0 0 360 360" width="640" height="360" preserveAspectRatio="xMinYMin"',
    "slice": 'viewBox="0 0 640 640" width="640" height="360" preserveAspectRatio="xMidYMax slice"',
    "stretched": 'viewBox="0 0 64 360" width="640" height="360" preserveAspectRatio="none"',
    "tiny-units": 'viewBox="0 0 0.64 0.36" width="640" height="360"',
}


def seen_as(pixels: np.ndarray, place: dict, origin: Origin, languages: tuple[str, ...]) -> None:
    """The raster check of the package, on what another program drew, and the rest of the picture."""
    lines = next(step.lines for step in ladder(origin, languages) if step.name == place["layout"])
    em = round(place["em"])
    drawn = badge.draw(lines, em, place["icon_em"])
    region = Region(*(place[key] for key in ("x", "y", "width", "height")))
    image = Image.fromarray(pixels.astype(np.uint8))
    measured = measure(PillowPicture(image), drawn, region, load_profile("kz").image)
    assert measured.state is NoticeState.PERCEIVABLE, measured
    figures = dict(measured.figures)
    assert figures["match"] > 0.97
    assert figures["contrast"] > 18


def same_outside(before: np.ndarray, after: np.ndarray, place: dict) -> None:
    assert before.shape == after.shape
    height, width = before.shape[:2]
    changed = (before != after).any(axis=2)
    left, top = int(place["x"] * width) - 1, int(place["y"] * height) - 1
    right = int((place["x"] + place["width"]) * width) + 2
    bottom = int((place["y"] + place["height"]) * height) + 2
    changed[max(0, top) : bottom, max(0, left) : right] = False
    assert not changed.any()


@pytest.mark.parametrize("name", ROOTS)
def test_librsvg(name: str, label: Label, config: Config) -> None:
    source = svg(SHAPES, ROOTS[name])
    result = mark(source, None, label, config=config)
    assert result.data is not None
    assert result.report.marker.notice is not None
    (place,) = result.report.marker.notice.placements
    before, after = rsvg(source), rsvg(result.data)
    assert after.shape == (360, 640, 4)
    same_outside(before, after, dict(place))
    seen_as(after, dict(place), label.origin, ("kk", "ru", "en"))


@pytest.mark.parametrize("name", ["plain", "slice"])
def test_chromium(name: str, label: Label, config: Config) -> None:
    source = svg(SHAPES, ROOTS[name])
    result = mark(source, None, label, config=config)
    assert result.data is not None
    assert result.report.marker.notice is not None
    (place,) = result.report.marker.notice.placements
    before, after = (chromium(data, (640, 360)) for data in (source, result.data))
    same_outside(before, after, dict(place))
    seen_as(after, dict(place), label.origin, ("kk", "ru", "en"))


HOSTILE = """*{display:none!important;opacity:0!important;visibility:hidden!important;fill:red!important;
stroke:lime!important;stroke-width:30px!important;transform:scale(.01)!important;filter:blur(9px)!important;
animation:gone 1s infinite!important;transition:all 9s!important;mix-blend-mode:difference!important;
clip-path:circle(1px)!important;mask:url(#m)!important;translate:500px!important;rotate:45deg!important;scale:0!important;
offset-path:path("M0 0L9 9")!important;fill-opacity:0!important;fill-rule:evenodd!important;marker:url(#m)!important;
transform-origin:center!important;content-visibility:hidden!important;clip:rect(0,0,0,0)!important;font-size:0;
shape-rendering:crispEdges!important;x:900px!important;y:900px!important;overflow:hidden!important}
@layer first{g,path{opacity:0!important;display:none!important}}
@keyframes gone{to{opacity:0;display:none}}
#aikz-label-notice,#aikz-label-notice path,[data-aikz-label]{display:none!important;opacity:0!important}
svg{SHOWN}rect,circle{SHOWN}"""
SHOWN = """{display:inline!important;opacity:1!important;visibility:visible!important;transform:none!important;
filter:none!important;clip-path:none!important;mask:none!important;translate:none!important;rotate:none!important;
scale:1!important;animation:none!important;mix-blend-mode:normal!important;offset-path:none!important;
content-visibility:visible!important;clip:auto!important}"""


def test_no_style_sheet_outranks_the_notice(label: Label) -> None:
    """Marking refuses such a file, because the root is met; here the notice is written into it all the same."""
    source = svg(f"<style>{HOSTILE.replace('{SHOWN}', SHOWN)}</style>{SHAPES}")
    document = Document.parse(source, thorough=True)
    view = viewport(document)
    assert view is not None
    spec = notice.plan(view, order(label), banded=False)
    data = document.edited(edit.notice(document, group.text(spec), spec))
    page = '<body style="margin:0;background:#777"><img src="drawing.svg"></body>'
    place = dict(notice.record(spec, view))
    seen_as(chromium(data, (640, 360), page=page), place, label.origin, ("kk", "ru", "en"))


def test_chromium_follows_the_rules_that_are_not_hidden() -> None:
    """Below each other on one page; of the last drawing the rule is in a string indeed."""
    sheets = [*SHEETS, 'a{b:"} svg{opacity:0} c{d:"}']
    drawings = (svg(f"<style><![CDATA[{sheet}]]></style>{SHAPES}") for sheet in sheets)
    urls = (f"data:image/svg+xml;base64,{b64encode(data).decode()}" for data in drawings)
    images = "".join(f'<img src="{url}" width=64 height=36 style="display:block">' for url in urls)
    page = f'<body style="margin:0">{images}</body>'
    shot = chromium(b"", (64, 36 * len(sheets)), page=page)
    seen = [(part != 255).any() for part in np.split(shot, len(sheets))]
    assert seen == [False] * len(SHEETS) + [True]


def order(label: Label):
    from aikz_label.adapters import Order
    from aikz_label.limits import DEFAULT

    return Order(label, ("kk", "ru", "en"), load_profile("kz"), "auto", "", DEFAULT)
