"""A browser plays labelled films, finds every place in them, and shows the badge where it was promised."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import video_files
from aikz_label import Label, mark
from aikz_label.adapters.image import records
from aikz_label.config import Config
from aikz_label.label import Origin
from aikz_label.notice.measure import measure
from aikz_label.profile import load_profile
from browser import ask

pytestmark = pytest.mark.timeout(240)

SCRIPT = """
function look(video, place) {
  return new Promise(done => {
    video.onseeked = () => {
      const canvas = document.createElement('canvas');
      canvas.width = video.videoWidth; canvas.height = video.videoHeight;
      canvas.getContext('2d').drawImage(video, 0, 0);
      done(canvas.toDataURL('image/png'));
    };
    video.currentTime = place;
  });
}
async function film(data, type, places) {
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  video.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(data), c => c.charCodeAt(0))], {type}));
  const error = await new Promise(done => {
    video.onerror = () => done(video.error.message);
    video.onloadedmetadata = () => done('');
  });
  if (error) return {error};
  const shown = [];
  for (const place of places) shown.push(await look(video, place));
  video.currentTime = places[0];
  await video.play();
  await new Promise(done => setTimeout(done, 500));
  return {error, shown, duration: video.duration, played: video.currentTime > places[0]};
}
(async () => {
  const found = {};
  for (const [name, [data, type, places]] of Object.entries(films))
    found[name] = await film(data, type, places);
  await fetch('/shown', {method: 'POST', body: JSON.stringify(found)});
})();
"""
LABEL = Label(origin="created", system="Browser/1")


def test_it_plays_seeks_and_shows_the_badge(config: Config, tmp_path: Path) -> None:
    long: dict[str, Any] = {"size": (320, 180), "frames": 124, "rate": 2}
    webm = {"options": {"cpu-used": "8"}}
    films = {
        "full mp4": (video_files.film("mp4", **long), "video/mp4", "full"),
        "smart mp4": (video_files.film("mp4", **long), "video/mp4", "smart"),
        "fragments": (
            video_files.film("mp4", muxer={"movflags": "frag_keyframe+empty_moov"}, **long),
            "video/mp4",
            "full",
        ),
        "smart webm": (
            video_files.film("webm", "libvpx-vp9", **webm, **long),
            "video/webm",
            "smart",
        ),
    }
    av1 = video_files.film("mp4", "libsvtav1", options={"preset": "12"}, **long)
    films["smart AV1"] = (av1, "video/mp4", "smart")
    films["smart mkv"] = (video_files.film("matroska", **long), "video/webm", "smart")
    places = [1.2, 4.2, 30.2, 58.2, 2.2]
    asked, spans, record = {}, {}, {}
    for name, (data, kind, mode) in films.items():
        result = mark(data, None, LABEL, config=config, video_mode=mode)
        assert result.data is not None
        asked[name] = [base64.b64encode(result.data).decode(), kind, places]
        notice = result.report.marker.notice
        spans[name] = [(place["start"], place["end"]) for place in notice.placements]
        record[name] = notice
    page = f"<body><script>const films = {json.dumps(asked)};{SCRIPT}</script>"
    for name, found in ask(page, tmp_path).items():
        assert not found["error"], name
        assert found["played"], name
        assert found["duration"] == pytest.approx(62, abs=0.6)
        for place, shown in zip(places, found["shown"], strict=True):
            picture = Image.open(io.BytesIO(base64.b64decode(shown.partition(",")[2])))
            covered = any(start <= place < end for start, end in spans[name])
            assert _badge(picture.convert("RGB"), record[name]) is covered, (name, place)


def _badge(picture: Image.Image, notice: Any) -> bool:
    profile, place = load_profile("kz"), notice.placements[0]
    region = records.region(place, profile)
    assert region is not None
    drawn = records.drawn_again(place, notice.languages, Origin.CREATED, region, picture.size)
    assert drawn is not None
    return not measure(picture, drawn, region, profile.image).problems
