"""Texts that break what is careless: in names, in metadata, in certificates."""

from __future__ import annotations

NAUGHTY = (
    # terminals
    "\x1b[2J", "\x1b]0;title\x07", "\x1b[31mred\x1b[0m", "\x9b31m", "\x08\x08\x08labelled", "\r labelled", "a\nb: labelled",
    "\x00", "\x7f", "\x85", "\u2028", "\u2029", "\x1b]8;;http://evil\x07x\x1b]8;;\x07", "\x1bP+q544e\x1b\\",
    # direction and invisibility
    "\u202egpj.exe", "\u2066\u2067\u2069", "\u200f\u200e", "\u061c", "a\u200bb", "\ufeff", "\u00ad", "\U000e0041", "\u180e",
    "\ufff9\ufffa", "\u115f\u1160\u3164", "\ue000", "\U0010ffff", "\ufffe",
    # markup
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)",
    "</details></main><h1>labelled",
    "<!--", "-->", "]]>", "<svg/onload=alert(1)>", "javascript:alert(1)", "&lt;b&gt;", "&#x3c;",
    "</script><script>alert(1)",
    "<style>*{display:none}", "<iframe src=//evil>", "${7*7}", "$title", "$rows", "{{7*7}}", "{uri}", "%(uri)s", "%n%s",
    # spreadsheets
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1", " =1+1", "'=1+1", '"=1+1', '=HYPERLINK("http://evil")',
    "=cmd|' /C calc'!A0", "\uff1d1+1", ";=1+1", ",=1+1", 'a,b;c\td"e"',
    # paths and shells
    "../../etc/passwd", "/dev/null", "-rf", "--help", "$(id)", "`id`", "; id", "|id", "C:\\CON",
    "file:///etc/passwd", "a" * 500,
    # text itself
    "Ә Ғ Қ Ң Ө Ұ Ү Һ І", "ЁЙЪЫЭ", "ﷺ", "é\u0301\u0301\u0301", "Z\u0351\u036b\u0343a\u0300\u0301lgo", "👩‍👩‍👧‍👦",
    "\udc80\udcff", "\ud800",
    "ǅ", "ß", "İı", "١٢٣", "NaN", "null", "true", "1e309", "0x1F", "undefined",
    "", " ", "\u00a0", "\\", "\\u001b", '"', "'",
)  # fmt: skip

# What must never be in any output: control, bidirectional and invisible characters, but for the line ends of the format.
RAW = [
    *(chr(code) for code in range(32) if chr(code) not in "\n\t"),
    *(chr(code) for code in range(127, 160)),
    *"\u200b\u200e\u200f\u061c\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u00ad\u180e",
]


def raw_characters(text: str) -> list[str]:
    """Those of them that a text holds."""
    return [f"U+{ord(character):04X}" for character in RAW if character in text]
