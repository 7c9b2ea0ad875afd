"""Where the marker of a PDF is attached: an associated file of the catalog, named among the embedded files (C2PA 2.4, A.4).

Of an encrypted file everything is encrypted but the bytes of the marker itself, so that it can be checked without a
password; only files with crypt filters (PDF 1.5) can do that.
"""

from __future__ import annotations

from collections.abc import Iterator

from aikz_label.adapters.pdf.document import Document
from aikz_label.adapters.pdf.objects import Dict, Extent, Name, Ref, Stream, Value, text
from aikz_label.adapters.pdf.pages import OURS
from aikz_label.adapters.pdf.update import Update
from aikz_label.carriers.pdf import MAX_STORE, Attached, Laid
from aikz_label.carriers.sidecar import NoCarrier
from aikz_label.values import replace

FILE = "content_credential.c2pa"
_RELATION = "C2PA_Manifest"
_MIME = Name("application/c2pa")
_STORE = b"jumdc2pa"  # near the start of every store
_MAX_FILES = 10_000
_MAX_DEPTH = 32


def specifications(document: Document) -> Iterator[Value]:
    """What the catalog names as associated files that are markers."""
    for one in document.array(document.catalog.get("AF"))[:_MAX_FILES]:
        if document.mapping(one).get("AFRelationship") == _RELATION:
            yield one


def attached(document: Document) -> list[Attached]:
    """Every marker of a document; the last one of an earlier state where the newest has none."""
    found = [_attached(document, document.mapping(one)) for one in specifications(document)]
    if found or OURS in document.catalog:
        return found
    for before in document.earlier():
        old = next(specifications(before), None)
        if old is not None:
            return [replace(_attached(before, before.mapping(old)), detached=True)]
    return []


def _attached(document: Document, specification: Dict) -> Attached:
    files = document.mapping(specification.get("EF"))
    stream = document.resolve(files.get("F", files.get("UF")))
    if not isinstance(stream, Extent) or stream.length > MAX_STORE:
        return Attached(0, None)
    filters = [name for name, _ in document.reader.filters(stream.dict)]
    if filters not in ([], ["Crypt"]):
        return Attached(0, None)
    store = document.reader.raw(stream.start, stream.length)
    origin = document.reader.origin
    end = document.reader.end_of_update(stream.start + stream.length)
    return Attached(origin + stream.start, store, origin + end)


def is_there(document: Document) -> bool:
    """Whether there is a marker, or one whose attachment was damaged."""
    if any(specifications(document)):
        return True
    if OURS in document.catalog:
        return False
    wanted = {f"/{_RELATION}".encode(), _STORE}
    for _, block in document.reader.blocks(1 << 20, 32):
        wanted = {word for word in wanted if word not in block}
        if not wanted:
            return True
    return False


def only_added(before: Document, after: Document) -> bool:
    """Whether one file is the other one with a marker attached: one marker, and a catalog that differs in that alone."""
    root, other = (Update(one).opened(one.root) for one in (before, after))
    if not isinstance(root, dict) or not isinstance(other, dict) or before.root != after.root:
        return False
    for key in ("AF", "Names", OURS):
        root.pop(key, None)
        other.pop(key, None)
    changed = [
        num
        for num in after.sections[0].numbers()
        if before.entry(num) not in {None, after.entry(num)}
    ]
    allowed = {before.root.num, *_nodes(before)}
    return root == other and len(attached(after)) == 1 and allowed.issuperset(changed)


def _nodes(document: Document) -> Iterator[int]:
    """The objects that the tree of embedded files is made of."""
    names = document.catalog.get("Names")
    pending: list[tuple[Value, int]] = [
        (names, 0),
        (document.mapping(names).get("EmbeddedFiles"), 0),
    ]
    for _ in range(_MAX_FILES):
        if not pending:
            return
        value, depth = pending.pop()
        if isinstance(value, Ref):
            yield value.num
        if depth < _MAX_DEPTH:
            kids = document.array(document.mapping(value).get("Kids"))
            pending += [(kid, depth + 1) for kid in kids]


def removed(update: Update) -> None:
    """Detach every marker; what it was stays where it was in the file, and nothing leads there any more."""
    old = list(specifications(update.document))
    if not old:
        return
    refs = [one for one in old if isinstance(one, Ref)]
    root = update.root
    root[OURS] = True  # taken away by somebody who was asked to
    listed = update.document.array(root.get("AF"))
    root["AF"] = [one for one in listed if one not in old]
    if not root["AF"]:
        del root["AF"]
    _unnamed(update, _embedded_files(update), refs, 0)


def lay(document: Document, size: int) -> Laid:
    """The end of a document that `Update.append` wrote, with a marker of a given size attached.

    Raises:
        NoCarrier: Everything in this file is encrypted, without a way to leave something out.
    """
    update = Update(document)
    head: Dict = {"Type": Name("EmbeddedFile"), "Subtype": _MIME, "Params": {"Size": size}}
    if document.security is not None:
        if not document.security.filters:
            raise NoCarrier
        crypt: Dict = {"Type": Name("CryptFilterDecodeParms"), "Name": Name("Identity")}
        head |= {"Filter": [Name("Crypt")], "DecodeParms": [crypt]}
    stream = update.add(Stream(head, bytes(size), plain=True))
    specification = update.add(
        {
            "Type": Name("Filespec"),
            "AFRelationship": Name(_RELATION),
            "F": FILE.encode(),
            "UF": text(FILE),
            "Desc": text("C2PA Manifest Store"),
            "EF": {"F": stream, "UF": stream},
            "Subtype": _MIME,
        }
    )
    root = update.root
    root.pop(OURS, None)
    root["AF"] = [*document.array(root.get("AF")), specification]
    _name(update, _embedded_files(update), specification)
    data, hole = update.again(stream)
    return Laid(data, hole)


def kept(document: Document) -> int:
    """How many bytes of a painted file stay when its marker is written."""
    return document.reader.origin + Update(document).cut


def _embedded_files(update: Update) -> Dict:
    """The root of the tree of embedded files, made where there is none, to be changed in place."""
    return _part(update, _part(update, update.root, "Names"), "EmbeddedFiles")


def _part(update: Update, holder: Dict, key: str) -> Dict:
    """A dictionary in another one, by itself or by reference."""
    value = holder.get(key)
    if isinstance(value, Ref):
        found = update.opened(value)
        if isinstance(found, dict):
            return update.edit(value)
    if not isinstance(value, dict):
        value = {}
        holder[key] = value
    return value


def _name(update: Update, node: Dict, specification: Ref) -> None:
    """Enter the marker into the tree, where its name belongs."""
    own = FILE.encode()
    for _ in range(_MAX_DEPTH):
        kids = _array(update, node, "Kids")
        if kids is None:
            break
        at, inside = _place(update, kids, own)
        if not inside:
            leaf: Value = {"Limits": [own, own], "Names": [own, specification]}
            kids.insert(at, update.add(leaf))
            _widen(update, node, own)
            return
        kid = kids[at]
        assert isinstance(kid, Ref)
        _widen(update, node, own)
        node = update.edit(kid)
    names = _array(update, node, "Names")
    if names is None:
        names = []
        node["Names"] = names
    pairs = [(names[i], names[i + 1]) for i in range(0, len(names) - 1, 2)]
    pairs = [pair for pair in pairs if pair[0] != own]
    at = next(
        (i for i, (key, _) in enumerate(pairs) if isinstance(key, bytes) and key > own), len(pairs)
    )
    pairs.insert(at, (own, specification))
    names[:] = [item for pair in pairs for item in pair]
    _widen(update, node, own)


def _place(update: Update, kids: list[Value], own: bytes) -> tuple[int, bool]:
    """The kid whose names include this one, or where a new kid goes."""
    for at, kid in enumerate(kids):
        found = update.opened(kid) if isinstance(kid, Ref) else None
        limits = update.document.array(found.get("Limits")) if isinstance(found, dict) else []
        if len(limits) == 2 and isinstance(limits[0], bytes) and isinstance(limits[1], bytes):
            if own < limits[0]:
                return at, False
            if own <= limits[1]:
                return at, True
    return len(kids), False


def _widen(update: Update, node: Dict, own: bytes) -> None:
    limits = _array(update, node, "Limits")
    if limits and len(limits) == 2 and all(isinstance(one, bytes) for one in limits):
        limits[0] = min(limits[0], own)  # type: ignore[type-var]
        limits[1] = max(limits[1], own)  # type: ignore[type-var]


def _array(update: Update, node: Dict, key: str) -> list[Value] | None:
    """An array in a dictionary, to be changed in place; one behind a reference is taken into the dictionary."""
    value = node.get(key)
    if isinstance(value, Ref):
        value = update.opened(value)
        if isinstance(value, list):
            node[key] = value
    return value if isinstance(value, list) else None


def _unnamed(update: Update, node: Dict, refs: list[Ref], depth: int) -> None:
    """Take specifications out of the tree."""
    names = _array(update, node, "Names")
    if names is not None:
        pairs = [(names[i], names[i + 1]) for i in range(0, len(names) - 1, 2)]
        names[:] = [item for pair in pairs if pair[1] not in refs for item in pair]
    if depth < _MAX_DEPTH:
        for kid in _array(update, node, "Kids") or []:
            if isinstance(kid, Ref):
                _unnamed(update, update.edit(kid), refs, depth + 1)
