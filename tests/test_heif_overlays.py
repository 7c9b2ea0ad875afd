"""HEIF pictures put together on a canvas: where nothing lies under the notice it becomes a layer of its own."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest

from aikz_label import Limits, Refused, Verdict, mark, verify
from aikz_label.adapters.image.bmff import pack
from aikz_label.adapters.image.heif import layout
from aikz_label.adapters.image.heif.container import Heic
from aikz_label.adapters.image.heif.items import Item, Property, Reference
from support import heic, picture, require_heif

CANVAS = (480, 360)


def overlay(place=(10, 140), *, wide=False, size=CANVAS, kind=b"iovl"):
    """A picture of 240 × 160 at a place of a red canvas."""
    whole = heic(picture("RGB", (240, 160)))
    file = Heic.parse(whole, Limits(), thorough=True)
    first = replace(file.primary, hidden=True)
    count = 4 if wide else 2
    data = bytes([0, wide]) + b"\xff\xff\0\0\0\0\xff\xff"
    data += b"".join(side.to_bytes(count) for side in size)
    data += b"".join(number.to_bytes(count, signed=True) for number in place)
    extent = pack(b"ispe", bytes(4), *(side.to_bytes(4) for side in size))
    top = Item(90, kind, properties=(Property(extent, essential=False),)).holding(data)
    meta = replace(
        file.meta,
        primary=90,
        items=(first, top),
        references=(Reference(b"dimg", 90, (first.number,)),),
    )
    return layout.assemble(whole[: file.boxes[0].stop], meta)


def seen(data):
    return np.asarray(require_heif().open_heif(io.BytesIO(data)).to_pillow().convert("RGB"), int)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("place", [(10, 140), (200, 190), (-40, 100)])
def test_the_badge_is_a_layer_and_nothing_else_changes(place, wide, label, config):
    source = overlay(place, wide=wide)
    result = mark(source, None, label, config=config)
    assert result.report.verdict is Verdict.LABELLED
    assert verify(result.data, config=config, measure=True).verdict is Verdict.LABELLED
    before, after = (Heic.parse(data, Limits(), thorough=True) for data in (source, result.data))
    assert before.meta.items[0].data == after.meta.items[0].data
    assert len(after.meta.targets(90, b"dimg")) == 2
    was, now = seen(source), seen(result.data)
    badge = result.report.marker.notice.placements[0]
    left, bottom = int(badge["x"] * CANVAS[0]) - 16, int((badge["y"] + badge["height"]) * CANVAS[1])
    outside = np.ones(was.shape[:2], bool)
    outside[: bottom + 16, left:] = False
    assert np.array_equal(was[outside], now[outside])
    assert (was != now).any()


def test_a_part_where_nothing_lies_is_canvas():
    shown = Heic.parse(overlay(), Limits(), thorough=True).decode()
    part = np.asarray(shown.crop((0, 0, 8, CANVAS[1])).convert("RGB"))
    assert np.abs(part.astype(int) - (255, 0, 0)).max() <= 1


def test_an_overlay_of_nothing_is_damage(config):
    file = Heic.parse(overlay(), Limits(), thorough=True)
    data = layout.assemble(overlay()[: file.boxes[0].stop], replace(file.meta, references=()))
    report = verify(data, config=config, measure=True)
    assert report.evidence.found is None or report.evidence.found.measurement.state == "unknown"


def test_where_a_picture_lies_under_the_badge_it_is_drawn_there(label, config):
    source = overlay((0, 0), size=(240, 160))
    result = mark(source, None, label, config=config)
    after = Heic.parse(result.data, Limits(), thorough=True)
    assert len(after.meta.targets(90, b"dimg")) == 1


def test_marking_again_covers_the_layer(label, config):
    first = mark(overlay(), None, label, config=config).data
    again = mark(first, None, label, config=config, on_existing="update")
    assert again.report.verdict is Verdict.LABELLED
    place = again.report.marker.notice.placements
    assert len(place) == 1


def test_only_an_overlay_takes_a_layer(label, config):
    """A copy that shows less than its canvas is not one that anything can be laid on."""
    with pytest.raises(Refused) as refusal:
        mark(overlay(kind=b"iden"), None, label, config=config)
    assert refusal.value.code == "unsupported-variant"
