"""A browser plays a film that carries our own marker, and finds every place in it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

import video_files
from aikz_label.config import Config
from browser import ask
from unit.test_film_marking import Signer, mirrored

pytestmark = pytest.mark.timeout(180)

SCRIPT = """
function film(data, type) {
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  video.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(data), c => c.charCodeAt(0))], {type}));
  return new Promise(done => {
    const found = {places: []};
    video.onerror = () => done({error: video.error.message});
    video.onloadedmetadata = () => { found.duration = video.duration; video.play(); };
    video.onended = () => {
      found.played = video.currentTime;
      const places = [0.5, 1.5, 0.1];
      video.onseeked = () => {
        const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
        const context = canvas.getContext('2d');
        context.drawImage(video, 0, 0);
        const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
        found.places.push(pixels.reduce((sum, value) => (Math.imul(sum, 31) + value) | 0, 0));
        places.length ? video.currentTime = places.shift() : done(found);
      };
      video.currentTime = places.shift();
    };
  });
}
(async () => {
  const shown = {};
  for (const [name, [was, now, type]] of Object.entries(films))
    shown[name] = [await film(was, type), await film(now, type)];
  await fetch('/shown', {method: 'POST', body: JSON.stringify(shown)});
})();
"""


def test_it_plays_and_seeks(identity_folder: Path, config: Config, tmp_path: Path) -> None:
    signer = Signer(identity_folder)
    made = {
        "vp9": (video_files.film("webm", "libvpx-vp9"), "video/webm"),
        "vp8": (video_files.film("webm", "libvpx"), "video/webm"),
        "mkv": (video_files.film("matroska", "libvpx-vp9"), "video/x-matroska"),
    }
    films = {
        name: [
            *(base64.b64encode(one).decode() for one in (data, signer.sign(mirrored(data)))),
            kind,
        ]
        for name, (data, kind) in made.items()
    }
    page = f"<body><script>const films = {json.dumps(films)};{SCRIPT}</script>"
    for name, (before, after) in ask(page, tmp_path).items():
        assert "error" not in before, name
        assert after == before, name
        assert len(set(after["places"])) == 3, name
