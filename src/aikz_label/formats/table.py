"""The table of formats: what each is called, who handles it, and where marker, notice and mirror go."""

from __future__ import annotations

from aikz_label.values import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the format table.

    Attributes:
        name: Short name used in reports.
        title: Name for people.
        family: Row of the table it belongs to (`image`, `audio`, `video`, `pdf`, `text`, `document`, `other`).
        mime: Canonical media type.
        suffixes: Usual file name endings, the first one for new files.
        adapter: Dotted path `module:attribute`; empty when the format is recognised but not handled yet.
        marker: Where the marker lives.
        notice: What people see or hear.
        mirror: Which unsigned metadata repeats the label.
        notice_applies: A notice can be in such a file; raw data, from which the picture is still to be made, hold none.
        extra: The optional package group the adapter needs, if any.
        language: Of a source, when the caller named it; not part of the table.
        password: Of an encrypted document, when the caller gave it; not part of the table.
    """

    name: str
    title: str
    family: str
    mime: str
    suffixes: tuple[str, ...]
    adapter: str = ""
    marker: str = ""
    notice: str = ""
    mirror: str = ""
    extra: str = ""
    language: str = ""
    password: str = field(default="", repr=False)
    notice_applies: bool = True

    @property
    def supported(self) -> bool:
        """Whether an adapter marks and verifies it."""
        return bool(self.adapter)


_IMAGE = "aikz_label.adapters.image:ADAPTER"
_SOUND = "aikz_label.adapters.audio:ADAPTER"
_FILMED = "aikz_label.adapters.audio.filmed"
_VIDEO = "aikz_label.adapters.video:ADAPTER"
_TEXT = "aikz_label.adapters.text:ADAPTER"
_INSIDE, _BESIDE, _IN_TAG = "C2PA, in the file", "C2PA, sidecar", "C2PA, in a tag of the file"
_JP2 = (".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf")
_MOVING = "badge; strip below animations"
_TEXTS = "XMP (IPTC), EXIF, text"


def _picture(
    name: str,
    title: str,
    mime: str,
    *suffixes: str,
    notice: str = "badge",
    mirror: str = "XMP (IPTC), EXIF",
) -> Format:
    return Format(name, title, "image", mime, suffixes, _IMAGE, _INSIDE, notice, mirror)


def _beside(name: str, title: str, mime: str, *suffixes: str) -> Format:
    return Format(name, title, "image", mime, suffixes, _IMAGE, _BESIDE, "badge", "none")


def _sound(
    name: str,
    title: str,
    mime: str,
    mirror: str,
    *suffixes: str,
    adapter: str = _SOUND,
    marker: str = _INSIDE,
) -> Format:
    """A row for sound."""
    return Format(name, title, "audio", mime, suffixes, adapter, marker, "spoken", mirror)


def _text(name: str, title: str, mime: str, annex: str, *words: str) -> Format:
    """A row for text; `words` are notice, mirror and the suffixes."""
    notice, mirror, *suffixes = words
    where = f"C2PA, in the text ({annex})" if annex else _BESIDE
    return Format(name, title, "text", mime, tuple(suffixes), _TEXT, where, notice, mirror)


def _video(
    name: str,
    title: str,
    mime: str,
    *suffixes: str,
    marker: str = _INSIDE,
    mirror: str = "XMP (IPTC), MP4 items",
) -> Format:
    notice = "badge in every frame"
    return Format(name, title, "video", mime, suffixes, _VIDEO, marker, notice, mirror)


_ALL = (
    _picture("jpeg", "JPEG", "image/jpeg", ".jpg", ".jpeg"),
    _picture("png", "PNG, APNG", "image/png", ".png", ".apng", notice=_MOVING, mirror=_TEXTS),
    _picture("webp", "WebP", "image/webp", ".webp", notice=_MOVING),
    _picture("gif", "GIF", "image/gif", ".gif", notice=_MOVING, mirror="XMP (IPTC)"),
    _picture("tiff", "TIFF", "image/tiff", ".tif", ".tiff"),
    replace(
        _picture(
            "dng",
            "DNG",
            "image/x-adobe-dng",
            ".dng",
            notice="none: raw data",
        ),
        notice_applies=False,
    ),
    _picture("avif", "AVIF", "image/avif", ".avif"),
    replace(_picture("heic", "HEIC/HEIF", "image/heic", ".heic", ".heif", ".hif"), extra="heif"),
    replace(_picture("jxl", "JPEG XL", "image/jxl", ".jxl"), extra="jxl"),
    replace(
        _picture("svg", "SVG", "image/svg+xml", ".svg", mirror="XMP (IPTC)"),
        adapter="aikz_label.adapters.svg:ADAPTER",
        notice="badge, as paths",
    ),
    replace(
        _beside("svgz", "SVGZ", "image/svg+xml", ".svgz"),
        adapter="aikz_label.adapters.svg.compressed:ADAPTER",
        notice="badge, as paths",
        mirror="XMP (IPTC)",
    ),
    _beside("bmp", "BMP", "image/bmp", ".bmp"),
    _beside("ico", "ICO, CUR", "image/x-icon", ".ico", ".cur"),
    replace(_beside("jp2", "JPEG 2000", "image/jp2", *_JP2), mirror="XMP (IPTC), in JP2"),
    _sound("wav", "WAV", "audio/wav", "RIFF INFO, XMP", ".wav"),
    _sound("mp3", "MP3", "audio/mpeg", "ID3", ".mp3"),
    _sound("flac", "FLAC", "audio/flac", "Vorbis comments", ".flac"),
    _sound(
        "m4a",
        "M4A",
        "audio/mp4",
        "MP4 items",
        ".m4a",
        ".m4b",
        *(".mp4", ".mov", ".3gp"),
        adapter=f"{_FILMED}:ADAPTER",
    ),
    _sound(
        "mka",
        "Matroska, WebM (sound)",
        "audio/x-matroska",
        "tags",
        ".mka",
        ".weba",
        *(".mkv", ".webm"),
        adapter=f"{_FILMED}:ADAPTER",
        marker=_IN_TAG,
    ),
    _sound("aiff", "AIFF, AIFF-C", "audio/aiff", "ID3", ".aiff", ".aif", ".aifc", marker=_BESIDE),
    _sound("aac", "AAC (ADTS)", "audio/aac", "ID3", ".aac", marker=_BESIDE),
    _sound(
        "ogg", "Ogg (Opus, FLAC, Vorbis)", "audio/ogg", "Vorbis comments", ".ogg", ".opus", ".oga"
    ),
    _video("mp4", "MP4, M4V", "video/mp4", ".mp4", ".m4v"),
    _video("mov", "QuickTime", "video/quicktime", ".mov"),
    _video("3gp", "3GP", "video/3gpp", ".3gp", ".3g2"),
    _video("avi", "AVI", "video/x-msvideo", ".avi", mirror="XMP (IPTC), comment"),
    _video("mkv", "Matroska", "video/x-matroska", ".mkv", marker=_IN_TAG, mirror="tags"),
    _video("webm", "WebM", "video/webm", ".webm", marker=_IN_TAG, mirror="tags"),
    Format(
        "pdf",
        "PDF",
        "pdf",
        "application/pdf",
        (".pdf",),
        "aikz_label.adapters.pdf:ADAPTER",
        "C2PA, attached",
        "stamp on every page",
        "XMP (IPTC), document information",
    ),
    _text(
        "html",
        "HTML",
        "text/html",
        "A.7",
        "note in the page",
        "meta, JSON-LD",
        ".html",
        ".htm",
        ".xhtml",
    ),
    _text("vtt", "WebVTT", "text/vtt", "A.9", "first cue", "–", ".vtt"),
    _text("srt", "SubRip", "application/x-subrip", "", "first cue", "–", ".srt"),
    _text("json", "JSON", "application/json", "", "a key, on request", "–", ".json", ".jsonl"),
    _text("xml", "XML", "application/xml", "A.9", "comment", "–", ".xml"),
    _text(
        "markdown",
        "Markdown",
        "text/markdown",
        "A.9",
        "quotation",
        "front matter",
        ".md",
        ".markdown",
    ),
    _text("yaml", "YAML", "application/yaml", "A.9", "comment", "–", ".yaml", ".yml"),
    _text("toml", "TOML", "application/toml", "A.9", "comment", "–", ".toml"),
    _text("source", "Source code", "text/plain", "A.9", "comment", "–"),
    _text("csv", "CSV", "text/csv", "A.8", "a row, on request", "–", ".csv"),
    _text(
        "tsv", "TSV", "text/tab-separated-values", "A.8", "a row, on request", "–", ".tsv", ".tab"
    ),
    _text(
        "text",
        "Plain text",
        "text/plain",
        "A.8",
        "lines above the text",
        "–",
        ".txt",
        ".text",
        ".log",
    ),
    Format(
        "docx",
        "DOCX",
        "document",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        (".docx",),
    ),
    Format(
        "xlsx",
        "XLSX",
        "document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        (".xlsx",),
    ),
    Format(
        "pptx",
        "PPTX",
        "document",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        (".pptx",),
    ),
    Format("odt", "ODT", "document", "application/vnd.oasis.opendocument.text", (".odt",)),
    Format("ods", "ODS", "document", "application/vnd.oasis.opendocument.spreadsheet", (".ods",)),
    Format("odp", "ODP", "document", "application/vnd.oasis.opendocument.presentation", (".odp",)),
    Format("epub", "EPUB", "document", "application/epub+zip", (".epub",)),
    Format("zip", "ZIP", "other", "application/zip", (".zip",)),
    Format("c2pa", "C2PA sidecar", "other", "application/c2pa", (".c2pa",)),
    # never found from bytes: what a file becomes that nobody knows, once it has a sidecar
    Format(
        "other",
        "Any other file",
        "other",
        "application/octet-stream",
        (),
        "aikz_label.adapters.other:ADAPTER",
        "C2PA, sidecar on request",
        "none",
        "none",
    ),
)

FORMATS: dict[str, Format] = {row.name: row for row in _ALL}
