"""Measure how well a sound notice is told from everything else, and write docs/reference/hearing.md.

    python tools/hearing_table.py [--corpus FOLDER] [--programmes N] [--further NAME=FOLDER …]

First every sound of the corpus that has no notice: the highest likeness of signal and sentences in it, and what `search`
says; the same for further folders of such sounds. Then harder ones made here: other texts of the synthesiser that spoke
the clips, Morse code, alarms, noise. Last, notices put before sounds of the corpus and sent through codecs and telephones.
Needs ffmpeg and espeak-ng. Every file is decoded in a process of its own, because some of them are hostile.
"""

import argparse
import subprocess
import sys
import tempfile
import wave
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import av
import numpy as np

from aikz_label.label import Origin
from aikz_label.notice import sound
from aikz_label.notice.sound import earcon, loudness, matching
from aikz_label.notice.sound.listening import LISTENED, listen
from aikz_label.profile import load_profile
from aikz_label.report import Notice
from aikz_label.texts import LANGUAGES, load_data

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference/hearing.md"
FORMATS = [
    "aac",
    "aiff",
    "asf",
    "avi",
    "flac",
    "m4a",
    "mkv",
    "mov",
    "mp3",
    "mp4",
    "ogg",
    "wav",
    "webm",
]
SECONDS = 60  # a file may take
KZ = load_profile("kz").sound
GIVEN_UP = "given up"
GROUPS = 60  # files of random Morse code
_SIGNS = """.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."""
CODE = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _SIGNS.split(), strict=True))

# How a labelled sound is sent on: ffmpeg's options, and the ending of the file.
WAYS = {
    "as it is": ([], "wav"),
    "MP3 128 kbit/s": (["-b:a", "128k"], "mp3"),
    "MP3 64 kbit/s": (["-b:a", "64k"], "mp3"),
    "MP3 32 kbit/s, mono": (["-ac", "1", "-b:a", "32k"], "mp3"),
    "AAC 48 kbit/s": (["-c:a", "aac", "-b:a", "48k"], "m4a"),
    "Opus 32 kbit/s": (["-c:a", "libopus", "-b:a", "32k"], "opus"),
    "Opus 16 kbit/s": (["-c:a", "libopus", "-b:a", "16k"], "opus"),
    "Vorbis q0": (["-c:a", "libvorbis", "-q:a", "0"], "ogg"),
    "telephone, 8 kHz mu-law": (["-ar", "8000", "-ac", "1", "-c:a", "pcm_mulaw"], "wav"),
    "telephone, 300 to 3400 Hz, A-law": (
        ["-af", "highpass=300,lowpass=3400", "-ar", "8000", "-ac", "1", "-c:a", "pcm_alaw"],
        "wav",
    ),
    "GSM full rate": (["-ar", "8000", "-ac", "1", "-c:a", "libgsm"], "gsm"),
    "40 dB softer": (["-af", "volume=-40dB"], "wav"),
    "starts 0.1 s later": (["-ss", "0.1"], "wav"),
    "silence of 0.7 s before": (["-af", "adelay=700:all=1"], "wav"),
    "compressed by 4:1": (["-af", "acompressor=threshold=-30dB:ratio=4:makeup=4"], "wav"),
    "small room": (["-af", "aecho=0.8:0.6:23|41:0.25|0.15"], "wav"),
    "played at 44101 Hz": (["-af", "asetrate=44101,aresample=44100"], "wav"),
}


def one(path: Path, answer: Connection) -> None:
    """Child: what is heard in a file; nothing where it holds no sound."""
    with suppress(av.error.FFmpegError, IndexError, ValueError):
        answer.send(likenesses(path))


def likenesses(path: Path) -> dict:
    """The highest anywhere in a file, and what `search` says."""
    with path.open("rb") as file, sound.decode(file) as decoded:
        blocks = list(decoded.blocks())
        rate, layout = decoded.rate, decoded.layout
    heard = listen(iter(blocks), rate, layout, [(0.0, LISTENED)])
    _, samples = heard.piece(0.0, LISTENED)
    signal = max(
        (f.score for dit in (0.09, 0.12) for f in earcon.Ear(samples).best(dit)), default=0.0
    )
    band = matching.in_band(samples[: int(60 * earcon.HEARING_RATE)])
    clips = [matching.find(band, template) for template in templates()]
    clip = max((c.score * c.whole for c in clips if c), default=0.0)
    found = sound.search(iter(blocks), rate, layout, KZ)
    said = ""
    if found is not None:
        codes = "; ".join(problem.code for problem in found.measurement.problems)
        said = (codes or "found") if found.there else GIVEN_UP
    return {"seconds": heard.seconds, "signal": signal, "clip": clip, "said": said}


def templates() -> list[np.ndarray]:
    return [
        matching.template(language, origin, brief=brief)
        for language in LANGUAGES
        for origin in Origin
        for brief in (False, True)
    ]


def measured(path: Path) -> dict | None:
    """What a child says; `None` when it cannot, or takes too long."""
    context = get_context("fork")  # the templates are there already
    mine, its = context.Pipe(duplex=False)
    child = context.Process(target=one, args=(path, its), daemon=True)
    child.start()
    its.close()
    try:
        return mine.recv() if mine.poll(SECONDS) else None
    except EOFError:
        return None
    finally:
        child.kill()
        child.join()


def heard_in(paths: list[Path]) -> list[tuple[Path, dict]]:
    """The files that hold sound, and what is heard in them; what comes near a notice is told at once."""
    found = [(path, r) for path, r in ((path, measured(path)) for path in paths) if r]
    for path, r in found:
        if r["said"] or r["signal"] > 0.6 or r["clip"] > 0.3:
            print(path, r, file=sys.stderr)
    return found


def corpus_files(corpus: Path) -> list[Path]:
    rows = (corpus / "index.tsv").read_text(encoding="utf-8").splitlines()[1:]
    fields = [row.split("\t") for row in rows]
    return [corpus / f[0] for f in fields if f[1] in FORMATS]


def write(path: Path, samples: np.ndarray, rate: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(samples))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1).T * 32767).astype("<i2").tobytes())


def other_words(language: str) -> list[str]:
    """Every sentence that this program says in a language; it speaks of the same things as the notices do."""
    groups = load_data("texts").values()
    sentences = [text[language] for group in groups for text in group.values()]
    wordings = load_data("wording")
    sentences += [wordings[str(origin)]["full"][language] for origin in Origin]
    return " ".join(sentences).replace("{", "").replace("}", "").split()


def hard(folder: Path) -> dict[str, list[Path]]:
    """Sounds that are like a notice in one way or another, by what they are."""
    made: dict[str, list[Path]] = {"other words of the same synthesiser": [], "Morse code": []}
    for language, voice in (("kk", "kk"), ("ru", "ru"), ("en", "en-us")):
        words = other_words(language)
        for part in range(4):
            path = folder / f"{language}{part}.wav"
            text = " ".join(words[part * 160 : part * 160 + 160])
            subprocess.run(
                ["espeak-ng", "-v", voice, "-s", "180", "-w", path, text],
                check=True, capture_output=True,
            )  # fmt: skip
            made["other words of the same synthesiser"].append(path)
    for words in ("PARIS PARIS PARIS", "SOS SOS SOS", "AT AT AT", "ET IA AE", "L L L R R R"):
        for dit in (0.06, 0.09, 0.12):
            path = folder / f"{words.split()[0]}{dit}.wav"
            write(path, morse(words, dit)[None, :], 16_000)
            made["Morse code"].append(path)
    random = np.random.default_rng(2026)
    made["Morse code of random letters"] = []
    for number in range(GROUPS):
        path = folder / f"random{number}.wav"
        letters = random.choice(list(CODE), 30)
        words = " ".join("".join(letters[i : i + 3]) for i in range(0, 30, 3))
        write(path, morse(words, float(random.uniform(0.05, 0.14)))[None, :], 16_000)
        made["Morse code of random letters"].append(path)
    tones = {
        "alarm of both tones": "sin(880*2*PI*t)*gt(mod(t,0.4),0.2)+0.6*sin(1320*2*PI*t)*gt(mod(t,0.4),0.2)",
        "siren": "sin(2*PI*(900*t+80*sin(2*PI*1.1*t)))",
        "telephone keys": "sin(2*PI*770*t)*lt(mod(t,0.25),0.1)+sin(2*PI*1336*t)*lt(mod(t,0.25),0.1)",
    }
    for name, formula in tones.items():
        path = folder / f"{name}.wav"
        source = f"aevalsrc='0.4*({formula})':d=30:s=16000"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, path], check=True
        )
        made[name] = [path]
    path = folder / "noise.wav"
    write(path, 0.1 * np.random.default_rng(1).standard_normal((1, 16_000 * 120)), 16_000)
    return made | {"white noise, 2 minutes": [path]}


def morse(text: str, dit: float) -> np.ndarray:
    """Morse code in the very tones of the signal."""
    rate, parts = 16_000, []
    for word in text.split():
        for letter in word:
            for sign in CODE[letter]:
                parts += [_tone((3 if sign == "-" else 1) * dit, rate), np.zeros(int(dit * rate))]
            parts.append(np.zeros(int(2 * dit * rate)))
        parts.append(np.zeros(int(4 * dit * rate)))
    return np.concatenate(parts)


def _tone(seconds: float, rate: int) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    return 0.3 * np.sin(2 * np.pi * 880 * time) + 0.2 * np.sin(2 * np.pi * 1320 * time)


def labelled(programme: Path, folder: Path, number: int) -> tuple[Path, sound.Composed] | None:
    """A notice before a sound of the corpus, as WAV at 44.1 kHz."""
    plain = folder / f"p{number}.wav"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-i",
        programme,
        "-t",
        "40",
        "-ar",
        "44100",
        "-ac",
        "2",
    ]
    if subprocess.run([*command, plain], capture_output=True, check=False).returncode:
        return None
    with plain.open("rb") as file, sound.decode(file) as decoded:
        samples = np.concatenate(list(decoded.blocks()), axis=1)
    if samples.shape[1] < 44_100:
        return None
    level = loudness.measure(samples, 44_100, "stereo")
    origin = list(Origin)[number % 2]
    chosen = LANGUAGES[: 1 + number % 3]
    short = sound.is_short(samples.shape[1] / 44_100, KZ)
    script = sound.script(origin, chosen, KZ)
    made = sound.compose(script, 44_100, "stereo", level, KZ, short=short)
    write(plain, np.concatenate([made.samples, samples], axis=1), 44_100)
    return plain, made


def sent(path: Path, made: sound.Composed, way: str) -> dict[str, float]:
    """What measuring and searching give after a labelled sound was sent on."""
    options, ending = WAYS[way]
    out = path.with_name(f"sent.{ending}")
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", path, *options, out], check=True)
    record = Notice("spoken", made.script.languages, "kz-1", "kz/1", (made.placement(0.0),))
    with out.open("rb") as file, sound.decode(file) as d:
        blocks, rate, layout = list(d.blocks()), d.rate, d.layout
    found = sound.measure(blocks, rate, layout, record, made.script.origin, KZ)
    searched = sound.search(blocks, rate, layout, KZ)
    figures = dict(found.figures)
    heard = figures["languages_heard"] == len(made.script.languages)
    return {
        "signal": figures["earcon"],
        "clip": figures["clip"],
        "heard": float(heard and figures["earcon"] >= KZ.min_earcon),
        "passes": float(not found.problems),
        "found": float(searched is not None and searched.there),
        "right": float(searched is not None and searched.origin is made.script.origin),
        "wrong": float(searched is not None and searched.origin not in {None, made.script.origin}),
    }


def quiet_rows(name: str, results: list[dict]) -> str:
    if not results:
        return f"| {name} | 0 | – | – | – | – | – |\n"
    signal, clip = ([r[key] for r in results] for key in ("signal", "clip"))
    given_up = sum(r["said"] == GIVEN_UP for r in results)
    alarms = sum(bool(r["said"]) for r in results) - given_up
    minutes = sum(r["seconds"] for r in results) / 60
    return f"| {name} | {len(results)} | {minutes:.1f} | {max(signal):.2f} | {max(clip):.2f} | {alarms} | {given_up} |\n"


def page(quiet: str, ways: str, counts: str) -> str:
    return f"""# How well a sound notice is told from everything else

Made by `python tools/hearing_table.py` on {datetime.now(UTC):%Y-%m-%d}. Thresholds of the profile `kz`: signal
{KZ.min_earcon}, sentence {KZ.min_clip}; a search listens for sentences wherever a signal has 0.6 or more, and in the first
minute.

## Sounds without a notice

The highest likeness anywhere in any of them; how many the search takes for labelled; and how many it gives up, because more
places sound like the signal than it listens to.

| Sounds | Files | Minutes | Signal, at most | Sentence, at most | False alarms | Given up |
|---|---|---|---|---|---|---|
{quiet}
A sentence's likeness here is that of its pieces times the share of it that is there.

One number of the search was chosen by looking at a row of this table: from which likeness on a signal without any words of
ours counts as one that lost them. It stands above everything in the row "Morse code", so that row proves nothing about it;
the row of random letters, made afterwards in the very tones and tempos of the signal, tests it. Nothing else was tuned
on these sounds. Further sounds are of public repositories, none of them in the corpus: speech of DeepSpeech's tests and
spoken menus of Morserino-32, music of librosa's and moviepy's tests, Morse code off the air (rzzzwilson/morse), and the
samples in the test suites of music-metadata and Media3.

## Labelled sounds that were sent on

{counts}
Least and median likeness of the signal and of the sentence heard worst; how many are heard whole; how many pass the
profile (background and level included); how many the search finds without a record; and for how many it names the right
origin, none, or the wrong one.

| Sent as | Signal | Sentence | Heard | Pass | Found | Right origin | Wrong origin |
|---|---|---|---|---|---|---|---|
{ways}"""


def way_row(way: str, results: list[dict[str, float]]) -> str:
    cells = []
    for key in ("signal", "clip"):
        values = [r[key] for r in results]
        cells.append(f"{min(values):.2f}, {np.median(values):.2f}")
    counted = ("heard", "passes", "found", "right")
    cells += [f"{sum(r[key] for r in results):.0f}/{len(results)}" for key in counted]
    cells.append(f"{sum(r['wrong'] for r in results):.0f}")
    return f"| {way} | {' | '.join(cells)} |\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=ROOT.parent / "shared/corpus")
    parser.add_argument("--programmes", type=int, default=12)
    parser.add_argument("--further", action="append", default=[], metavar="NAME=FOLDER")
    args = parser.parse_args()
    files = corpus_files(args.corpus)
    templates()
    known = heard_in(files)
    quiet = quiet_rows("corpus", [r for _, r in known])
    for name, _, place in (further.partition("=") for further in args.further):
        others = heard_in(sorted(path for path in Path(place).rglob("*") if path.is_file()))
        quiet += quiet_rows(name, [r for _, r in others])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, paths in hard(folder).items():
            quiet += quiet_rows(what, [r for _, r in heard_in(paths)])
        longest = sorted(known, key=lambda pair: -pair[1]["seconds"])
        sounds = []
        for path, _ in longest:
            done = labelled(path, folder, len(sounds)) if len(sounds) < args.programmes else None
            sounds += [done] if done else []
        ways = "".join(way_row(way, [sent(*one, way) for one in sounds]) for way in WAYS)
    counts = (
        f"{len(files)} files of the corpus may hold sound; {len(known)} of them do and were decoded within {SECONDS} s.\n"
        f"The {len(sounds)} longest with different beginnings got a notice, in one, two or three languages in turn.\n"
    )
    PAGE.write_text(page(quiet, ways, counts), encoding="utf-8")


if __name__ == "__main__":
    main()
