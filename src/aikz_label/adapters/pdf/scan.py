"""A search for the objects of a PDF whose cross-reference does not hold: the last of each number."""

from __future__ import annotations

import re

from aikz_label.adapters import MediaProblem
from aikz_label.adapters.pdf.objects import Extent, Ref
from aikz_label.adapters.pdf.reader import Reader
from aikz_label.adapters.pdf.syntax import Malformed, Parser
from aikz_label.adapters.pdf.xref import MAX_OBJECTS, Entry, Section

_OBJECT = re.compile(
    rb"(?<!\d)(\d{1,10})[\x00\t\n\x0c\r ]{1,64}(\d{1,5})[\x00\t\n\x0c\r ]{0,64}obj"
)
_TRAILER = re.compile(rb"trailer")
_BLOCK = 1 << 20


def scanned(reader: Reader, limit: int) -> Section:
    """One section made of what a scan over the whole file finds; of several objects of a number the last one.

    Raises:
        MediaProblem: There is no catalog, or too much of everything.
    """
    section = Section(-1, {}, stream=False)
    streams: list[int] = []
    count = 0
    for offset, block in reader.blocks(_BLOCK, 160):
        for found in _OBJECT.finditer(block):
            num, gen = int(found[1]), int(found[2])
            if num > MAX_OBJECTS or found.start() >= _BLOCK:
                continue
            count += 1
            if count > limit:
                raise MediaProblem("over-limit", what_word="parts", found=count, limit=limit)
            where = offset + found.start()
            section.listed[num] = Entry(1, where, gen)
            after = block[found.end() : found.end() + 160]
            if b"/ObjStm" in after or b"/XRef" in after:
                streams.append(num)
        for found in _TRAILER.finditer(block):
            _add_trailer(section, reader, offset + found.end())
    _add_streams(section, reader, streams)
    if not isinstance(section.trailer.get("Root"), Ref):
        _find_catalog(section, reader)
    return section


def _add_trailer(section: Section, reader: Reader, at: int) -> None:
    try:
        trailer = Parser(reader.piece(at, 1 << 14)).value()
    except Malformed:
        return
    if isinstance(trailer, dict):
        section.trailer |= trailer


def _add_streams(section: Section, reader: Reader, streams: list[int]) -> None:
    """What object streams hold, which a scan does not see, and the trailers that are streams."""
    for num in streams:
        entry = section.listed[num]
        try:
            _, value = reader.object_at(entry.where)
        except Malformed:
            continue
        if not isinstance(value, Extent):
            continue
        if value.dict.get("Type") == "XRef":
            keep = ("Root", "Info", "Encrypt", "ID")
            section.trailer |= {key: value.dict[key] for key in keep if key in value.dict}
        elif value.dict.get("Type") == "ObjStm":
            section.streams.append(num)


def _find_catalog(section: Section, reader: Reader) -> None:
    section.headless = not section.trailer
    for num, entry in section.listed.items():
        head = reader.piece(entry.where, 4096).partition(b"endobj")[0]
        if b"/Catalog" in head:
            section.trailer["Root"] = Ref(num, entry.which)
    if not isinstance(section.trailer.get("Root"), Ref):
        raise MediaProblem("damaged", detail_word="no-catalog")
