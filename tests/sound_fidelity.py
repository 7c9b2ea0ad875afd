"""Two sound files compared by programs of other authors: FFmpeg's command line decodes both, mutagen reads their tags."""

from __future__ import annotations

import io
import json
import subprocess
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aikz_label import sniff
from support import require_tool

BEHIND = 0.5  # seconds behind a notice over the programme until all is as it was
OPUS_STEP = 2.0**-15  # FFmpeg's older decoder is not the one that compared them before
_OURS = {"digitalsourcetype", "aisystemused", "aisystemversionused"}
_MOVED = (
    "CHAP",
    "SYLT",
    "ETCO",
    "TLEN",
    "MLLT",
    "GEOB",
    "CHAPTER",
    "----:com.apple.iTunes:iTunSMPB",
    "XMP-x",
)


def decodable(data: bytes) -> bool:
    """Whether FFmpeg gets any sound out of it."""
    row = sniff(data)
    return row is not None and row.family == "audio" and decoded(data, 1).size > 0


def losses(source: bytes, output: bytes, placements: tuple[Mapping[str, Any], ...]) -> list[str]:
    """What marking changed besides the notices, one sentence each."""
    before, after = stream(source), stream(output)
    found = [
        f"{name} was {before.get(name)} and is {after.get(name)}"
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    ]
    channels = int(before.get("channels", 1))
    first = decoded(source, channels)
    if any("sound" in place for place in placements):
        found += spoken_over(first, decoded(output, channels), before, placements)
        return found + list(tag_losses(source, output))
    programme = outside(output, placements, channels)
    if first.shape != programme.shape:
        found.append(f"the programme had {len(first)} samples and has {len(programme)}")
    elif len(first):
        worst = float(np.abs(first - programme).max())
        if worst > (OPUS_STEP if before.get("codec_name") == "opus" else 0):
            found.append(f"the programme differs by {worst:.3g}")
    return found + list(tag_losses(source, output))


def spoken_over(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    told: Mapping[str, Any],
    placements: tuple[Mapping[str, Any], ...],
) -> list[str]:
    """What changed behind a notice that is spoken over the programme; what decoders make up may be other noise."""
    if before.shape != after.shape:
        return [f"the programme had {len(before)} samples and has {len(after)}"]
    rate = int(told.get("sample_rate", 48_000))
    at = round((max(float(place["end"]) for place in placements) + BEHIND) * rate)
    one, two = before[at:], after[at:]
    loud, off = (float(np.square(part).mean()) if len(part) else 0.0 for part in (one, one - two))
    return (
        [f"behind the notice it differs by {off / loud:.3g} of its power"]
        if off > 0.01 * loud
        else []
    )


def outside(
    output: bytes, placements: tuple[Mapping[str, Any], ...], channels: int
) -> NDArray[np.float64]:
    """What is heard besides the notices, moment by moment."""
    found = decoded(output, channels)
    keep = np.ones(len(found), bool)
    for place in placements:
        keep[place["first"] : place["first"] + place["samples"]] = False
    return found[keep]


def tag_losses(source: bytes, output: bytes) -> list[str]:
    """Tags that are gone, and ours where they are not."""
    found = []
    old, new = _read(source), _read(output)
    for name, value in old.items():
        ours = name.lower().rpartition(":")[2] in _OURS or "DigitalSourceType=" in value
        if not name.startswith(_MOVED) and not ours and new.get(name) != value:
            found.append(f"the tag {name} was {value[:60]!r} and is {new.get(name, '')[:60]!r}")
    if not any("digitalsourcetype" in f"{name}={value}".lower() for name, value in new.items()):
        found.append("no reader of tags sees the mirror")
    return found


def _read(data: bytes) -> dict[str, str]:
    """Every tag as text, as independent readers see it; none of a file whose tags they cannot read."""
    row = sniff(data)
    assert row is not None
    try:
        tags = _tags_of(row.name, data)
    except Exception:  # noqa: BLE001  # a reader may fail on what it likes; then it must fail on both
        tags = None
    if tags is None:
        found = {}
    elif hasattr(tags, "values"):
        found = {str(name): str(value) for name, value in dict(tags).items()}
    else:
        found = {}
        for name, value in tags:
            found[name] = found.get(name, "") + "|" + str(value)
    return found | _seen(row.name, data)


def _tags_of(name: str, data: bytes) -> Any:
    """What mutagen reads; it goes by names, so it is told what it has to do with."""
    import mutagen
    from mutagen.flac import FLAC
    from mutagen.id3 import ID3

    stream = io.BytesIO(data)
    match name:
        case "flac":
            return FLAC(stream).tags
        case "aac":
            return ID3(stream)
        case _:
            read = mutagen.File(stream)
            return None if read is None else read.tags


def _seen(name: str, data: bytes) -> dict[str, str]:
    """What exiftool sees in the chunks of WAV, of which mutagen reads only one, and FFmpeg in Matroska."""
    if name == "mka":
        tags = _probe(data, "-show_format").get("format", {}).get("tags", {})
        return {key: str(value) for key, value in tags.items()}
    if name != "wav":
        return {}
    command = [require_tool("exiftool"), "-j", "-G1", "-XMP:all", "-RIFF:all", "-"]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    (found,) = json.loads(done.stdout or b"[{}]")
    lengths = (
        "RIFF:Duration",
        "Composite",
        "SourceFile",
        "RIFF:TimeReference",
        "RIFF:NumberOfSamples",
        "RIFF:RIFFSize64",
        "RIFF:DataSize64",
    )
    return {key: str(value) for key, value in found.items() if not key.startswith(lengths)}


def stream(data: bytes) -> dict[str, Any]:
    """What FFmpeg says of the sound."""
    listed = _probe(data, "-show_streams").get("streams", [])
    sound = next((one for one in listed if one.get("codec_type") == "audio"), {})
    names = ("codec_name", "profile", "sample_rate", "channels", "channel_layout", "sample_fmt")
    more = ("bits_per_sample", "bits_per_raw_sample", "codec_tag_string", "initial_padding")
    return {name: sound[name] for name in (*names, *more) if name in sound}


def _probe(data: bytes, what: str) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        command = [require_tool("ffprobe"), "-v", "quiet", "-of", "json", what, file.name]
        done = subprocess.run(command, capture_output=True, check=False)
    return dict(json.loads(done.stdout or b"{}"))


def decoded(data: bytes, channels: int) -> NDArray[np.float64]:
    """Every sample of every moment, exactly: 64-bit floats hold whatever FFmpeg decodes to."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        command = [require_tool("ffmpeg"), "-v", "quiet", "-i", file.name, "-map", "0:a:0"]
        command += ["-f", "f64le", "-c:a", "pcm_f64le", "-"]
        done = subprocess.run(command, capture_output=True, check=False)
    whole = len(done.stdout) // (8 * channels) * channels
    return np.frombuffer(done.stdout, "<f8", whole).reshape(-1, channels)
