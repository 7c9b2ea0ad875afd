"""Draw the start of a labelled sound as a waveform over a spectrogram, docs/pictures/sound-notice.png.

    python tools/draw_sound.py

The programme is made by formula: chords of four tones with a beat, at -16 LUFS.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from aikz_label.label import Origin
from aikz_label.notice import sound
from aikz_label.notice.sound import loudness
from aikz_label.profile import load_profile

ROOT = Path(__file__).parents[1]
FONT = ROOT / "src/aikz_label/notice/fonts/NotoSans-Bold.ttf"
TARGET = ROOT / "docs/pictures/sound-notice.png"
RATE = 16_000
SECONDS = 16.0
LEFT, TOP, WIDTH, WAVE, TALL, GAP = 90, 64, 1380, 200, 420, 20
NAMES = {"earcon": "·— ··", "kk": "Kazakh", "ru": "Russian", "en": "English"}
LEAST, MOST = -85.0, -25.0  # dB, black and white


def programme(seconds: float) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    beat = np.exp(-3 * (time % 0.5))
    tones = (220, 277.2, 329.6, 440, 1760, 2637)
    chord = sum(np.sin(2 * np.pi * tone * time) / (1 + n) for n, tone in enumerate(tones))
    samples = (chord * beat).astype(np.float32)[None, :]
    return samples * 10 ** ((-16 - loudness.measure(samples, RATE, "mono")) / 20)


def spectrogram(samples: np.ndarray) -> Image.Image:
    window, hop = 512, 128
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, window // 2), window)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(window))) ** 2 / window**2 * 8
    level = 10 * np.log10(power + 1e-12)
    grey = np.clip((level - LEAST) / (MOST - LEAST), 0, 1)[:, : window // 4]  # up to 4 kHz
    red = np.clip(grey * 2.2 - 0.6, 0, 1)
    green = np.clip(grey * 2.2 - 1.1, 0, 1)
    blue = np.clip(np.sin(grey * np.pi) * 0.6 + np.maximum(grey - 0.85, 0) * 5, 0, 1)
    pixels = np.stack([red, green, blue], axis=2).transpose(1, 0, 2)[::-1]
    picture = Image.fromarray((pixels * 255).astype(np.uint8))
    return picture.resize((WIDTH, TALL), Image.Resampling.BILINEAR)


def main() -> None:
    numbers = load_profile("kz").sound
    script = sound.script(Origin.CREATED, ("kk", "ru", "en"), numbers)
    made = sound.compose(script, RATE, "mono", -16.0, numbers)
    samples = np.concatenate([made.samples[0], programme(SECONDS)[0]])[: int(SECONDS * RATE)]
    picture = Image.new("RGB", (LEFT + WIDTH + 30, TOP + WAVE + GAP + TALL + 56), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.truetype(FONT, 20)
    scale = WIDTH / SECONDS
    middle = TOP + WAVE // 2
    for x in range(WIDTH):
        part = samples[int(x / scale * RATE) : int((x + 1) / scale * RATE) + 1]
        low, high = (middle - float(v) * WAVE / 2 for v in (part.max(), part.min()))
        draw.line([(LEFT + x, low), (LEFT + x, max(high, low + 1))], fill="#1f4e79")
    bottom = TOP + WAVE + GAP
    picture.paste(spectrogram(samples), (LEFT, bottom))
    for part in script.parts(brief=False):
        first, last = (LEFT + t * scale for t in (part.start, part.start + part.seconds))
        draw.line([(first, 40), (last, 40)], fill="black", width=3)
        name = NAMES[part.name]
        draw.text(((first + last) / 2, 34), name, font=font, fill="black", anchor="ms")
    draw.line([(LEFT + made.seconds * scale, 40), (LEFT + WIDTH, 40)], fill="#808080", width=3)
    draw.text(
        (LEFT + (made.seconds + SECONDS) / 2 * scale, 34),
        "programme",
        font=font,
        fill="#606060",
        anchor="ms",
    )
    for hertz in (300, 1000, 2000, 3400):
        y = bottom + TALL * (1 - hertz / 4000)
        draw.line([(LEFT - 8, y), (LEFT, y)], fill="black")
        draw.text((LEFT - 12, y), f"{hertz}", font=font, fill="black", anchor="rm")
    for second in range(0, int(SECONDS) + 1, 2):
        x = LEFT + second * scale
        draw.line([(x, bottom + TALL), (x, bottom + TALL + 8)], fill="black")
        draw.text((x, bottom + TALL + 12), f"{second} s", font=font, fill="black", anchor="ma")
    draw.text((LEFT - 12, bottom - 4), "Hz", font=font, fill="black", anchor="rs")
    picture.quantize(48).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
