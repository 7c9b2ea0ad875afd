"""The corpus of real files: its index, and one attempt to mark a file of it. See `support.require_corpus`."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import beside_fidelity
import drawing_fidelity
import fidelity
import film_fidelity
import heif_fidelity
import jxl_fidelity
import sound_fidelity
import tiff_fidelity
from aikz_label import Label, MarkResult, Refused, formats, identity, mark
from aikz_label.config import Config, load_config
from aikz_label.label import Origin, Responsible, Role, System

FOLDER = Path(os.environ.get("AIKZ_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")
PICTURES = ("jpeg", "png", "webp", "gif")


class Comparison(Protocol):
    """What a module offers that compares marked files of some formats with their sources."""

    def decodable(self, data: bytes, /) -> bool:
        """Whether the reference decoder reads all of it."""

    def losses(
        self, source: bytes, output: bytes, placements: tuple[Mapping[str, Any], ...], /
    ) -> list[str]:
        """What marking changed besides the notices, one sentence each."""


class _ByPillow:
    """`fidelity`, which knows files with one place for a notice."""

    def decodable(self, data: bytes) -> bool:
        return fidelity.decode(data) is not None

    def losses(
        self, source: bytes, output: bytes, placements: tuple[Mapping[str, Any], ...]
    ) -> list[str]:
        return fidelity.losses(source, output, placements[0])


# To put a format into the table of tools/corpus_table.py, name here who compares it.
COMPARED: dict[str, Comparison] = dict.fromkeys(PICTURES, _ByPillow())
COMPARED |= dict.fromkeys(("tiff", "dng"), tiff_fidelity)
COMPARED |= dict.fromkeys(("bmp", "ico", "jp2"), beside_fidelity)
COMPARED["svg"] = drawing_fidelity
COMPARED |= {kind: heif_fidelity.Comparison(kind) for kind in ("avif", "heic")}
COMPARED["jxl"] = jxl_fidelity
# Films have a table of their own, see tools/corpus_films.py.
FILMS: dict[str, Comparison] = dict.fromkeys(("mp4", "mov", "avi", "mkv", "webm"), film_fidelity)
# So has sound, see tools/corpus_sound.py.
SOUNDS: dict[str, Comparison] = dict.fromkeys(
    ("wav", "mp3", "flac", "m4a", "mka", "aiff", "aac", "ogg"), sound_fidelity
)
_SAME = {"heif": "heic"}  # the index knows more names


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the index.

    Attributes:
        path: Where the file is in the corpus.
        format: As its bytes say.
        kind: `valid`, `valid-hard`, `c2pa`, `broken` or `text`.
        sha256: What the file must still hash to afterwards.
        note: What its source, or the bare engine, says of it.
    """

    path: str
    format: str
    kind: str
    sha256: str
    note: str = ""

    @property
    def file(self) -> Path:
        """The file itself."""
        return FOLDER / self.path

    def __str__(self) -> str:
        return self.path


def rows(*names: str) -> list[Row]:
    """The index, or the part of it in some formats; empty where there is no corpus."""
    try:
        with (FOLDER / "index.tsv").open(encoding="utf-8", newline="") as index:
            listed = list(csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE))
    except FileNotFoundError:
        return []
    return [
        Row(line["path"], name, line["kind"], line["sha256"], line["note"] or "")
        for line in listed
        if (name := _SAME.get(line["format"], line["format"])) in names or not names
    ]


def films() -> list[Row]:
    """The rows in containers of films that are marked as films: what holds sound alone, for one, is not."""
    found = []
    for row in rows(*FILMS):
        with row.file.open("rb") as stream:
            known = formats.sniff(stream)
        if known is None or known.family == "video":
            found.append(row)
    return found


def sounds() -> list[Row]:
    """The rows of sound, and those in containers of films that hold sound alone."""
    found = []
    for row in rows(*(SOUNDS | FILMS)):
        with row.file.open("rb") as stream:
            known = formats.sniff(stream)
        if row.format in SOUNDS:
            found.append(row)
        elif known is not None and known.family == "audio":
            found.append(replace(row, format=known.name))
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of marking one file.

    Attributes:
        decodable: The reference decoder reads the source.
        result: What `mark` returned; `None` when it refused.
        code: Why it refused; empty when it did not.
        losses: What it changed besides adding the notice: one sentence each, none if all is well.
    """

    decodable: bool
    result: MarkResult | None
    code: str
    losses: tuple[str, ...]


def attempt(row: Row, destination: Path, config: Config, on_existing: str = "replace") -> Outcome:
    """Mark one file and compare it with its source; only `Refused` is an answer, anything else passes through."""
    source = row.file.read_bytes()
    compared = (COMPARED | FILMS | SOUNDS)[row.format]
    decodable = compared.decodable(source)
    label = Label(origin=Origin.CREATED, system=System("PhotoGen", "2.1"))
    try:
        result = mark(
            row.file,
            destination,
            label,
            config=config,
            on_existing=on_existing,
            when_too_small="strip",
        )
    except Refused as refusal:
        return Outcome(decodable, None, refusal.code, ())
    if not decodable:
        return Outcome(
            decodable, result, "", ("the source does not decode, and yet it was marked",)
        )
    notice = result.report.marker.notice
    assert notice is not None
    losses = compared.losses(source, destination.read_bytes(), notice.placements)
    return Outcome(decodable, result, "", tuple(losses))


def attempts(found: list[Row]) -> Iterator[tuple[Row, Outcome]]:
    """Mark files one after another, with an identity made for it."""
    with tempfile.TemporaryDirectory() as name:
        party = Responsible(name="Corpus", role=Role.HOLDER)
        config = load_config(identity.create(Path(name, "identity"), party).config)
        for number, row in enumerate(found):
            yield row, attempt(row, Path(name, str(number)), config)
