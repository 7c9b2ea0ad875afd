"""Speak the notices with espeak-ng and pack them as the bundled clips.

    python tools/build_clips.py [--check]

Needs the program espeak-ng (1.51: other versions sound a little different) and libopus in PyAV. Every sentence of
`data/wording.toml` is spoken, cut to its words, freed of what lies below and above speech, brought to one loudness and
written as Opus, mono. `clips.toml` says what each clip holds. `--check` builds them anew and compares what is heard instead
of writing: encoders differ in bytes from version to version.
"""

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import av
import numpy as np

from aikz_label.label import Origin
from aikz_label.notice import wording
from aikz_label.notice.sound import loudness, speech
from aikz_label.texts import LANGUAGES

TARGET = Path(speech.__file__).parent / "clips"
VOICES = {
    "kk": ("kk", 195),
    "ru": ("ru", 185),
    "en": ("en-us", 170),
}  # and speed; below 150 words/min
PASSED = (180.0, 7000.0)  # Hz: a male voice hums below, small loudspeakers do not
SHARE = (300.0, 3400.0)  # Hz: what a telephone carries
LEVEL = -23.0  # LUFS
BIT_RATE = 24_000
RATE = 48_000


def spoken(text: str, language: str) -> tuple[np.ndarray, int]:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        voice, speed = VOICES[language]
        command = ["espeak-ng", "-v", voice, "-s", str(speed), "-w", file.name, text]
        subprocess.run(command, check=True, capture_output=True)
        with wave.open(file.name) as sound:
            data = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
            return data.astype(np.float64) / 32768, sound.getframerate()


def prepared(text: str, language: str) -> np.ndarray:
    """The words alone at `RATE`, within the band, at the level."""
    samples, rate = spoken(text, language)
    loud = np.flatnonzero(np.abs(samples) > 0.005)
    samples = samples[max(0, loud[0] - rate // 50) : loud[-1] + rate // 25]
    samples = np.pad(samples, rate // 10)
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / rate)
    spectrum *= np.clip((hertz - PASSED[0] / 1.5) / (PASSED[0] - PASSED[0] / 1.5), 0, 1)
    spectrum *= np.clip((PASSED[1] * 1.2 - hertz) / (PASSED[1] * 0.2), 0, 1)
    length = round(len(samples) * RATE / rate)
    finer = np.zeros(length // 2 + 1, complex)
    finer[: len(spectrum)] = spectrum
    out = np.fft.irfft(finer, length) * (length / len(samples))
    out = out[round(0.08 * RATE) : -round(0.08 * RATE)].astype(np.float32)
    measured = loudness.measure(out[None, :], RATE, "mono")
    return out * np.float32(10 ** ((LEVEL - measured) / 20))


def packed(samples: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    # without the flag the stream would get a random serial number
    with av.open(buffer, "w", format="ogg", options={"fflags": "+bitexact"}) as file:
        stream = file.add_stream("libopus", rate=RATE, layout="mono")
        stream.bit_rate = BIT_RATE
        stream.codec_context.flags |= 1 << 23  # AV_CODEC_FLAG_BITEXACT: no version in the header
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="fltp", layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    return buffer.getvalue()


def in_band(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(power[(hertz >= SHARE[0]) & (hertz <= SHARE[1])].sum() / power.sum())


def build() -> dict[str, tuple[str, np.ndarray, bytes]]:
    made = {}
    for origin in Origin:
        for language in LANGUAGES:
            for brief in (False, True):
                text = wording.spoken(origin, language, brief=brief)
                samples = prepared(text, language)
                name = speech.name(language, origin, brief=brief)
                made[name] = (text, samples, packed(samples))
    return made


def table(made: dict[str, tuple[str, np.ndarray, bytes]]) -> str:
    lines = [
        "# Made by tools/build_clips.py: what each clip says, and what was measured of it.",
        'voice = "espeak-ng 1.51"',
        f'wording = "{wording.version()}"',
    ]
    for name, (text, samples, data) in made.items():
        seconds = len(samples) / RATE
        lines += [
            "",
            f"[{name}]",
            f'text = "{text}"',
            f"seconds = {seconds:.2f}",
            f"words_per_minute = {len(text.split()) / seconds * 60:.0f}",
            f"share_300_3400_hz = {in_band(samples):.2f}",
            f'sha256 = "{hashlib.sha256(data).hexdigest()}"',
        ]
    return "\n".join(lines) + "\n"


def same(path: Path, samples: np.ndarray) -> bool:
    """The clip on disk sounds as the new one does."""
    old = speech.decoded(path.read_bytes())
    length = min(len(old), len(samples))
    scale = np.linalg.norm(old[:length]) * np.linalg.norm(samples[:length])
    return (
        abs(len(old) - len(samples)) < RATE // 10 and old[:length] @ samples[:length] > 0.9 * scale
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    made = build()
    if parser.parse_args().check:
        wrong = [n for n, (_, s, _) in made.items() if not same(TARGET / f"{n}.opus", s)]
        sys.exit(f"these clips differ: {', '.join(wrong)}" if wrong else 0)
    TARGET.mkdir(exist_ok=True)
    for name, (_, _, data) in made.items():
        (TARGET / f"{name}.opus").write_bytes(data)
    (TARGET / "clips.toml").write_text(table(made), encoding="utf-8")
    total = sum(len(data) for _, _, data in made.values())
    print(f"{len(made)} clips, {total} bytes")


if __name__ == "__main__":
    main()
