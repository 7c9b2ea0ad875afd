"""Source code by its lines: what one language writes and prose does not.

A language matters here only for the comments it takes. What cannot be told is left open: the caller names it.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence

_ALTERNATIVES: dict[str, tuple[str, ...]] = {
    "python": (
        r"from [\w.]+ import [\w(*]",
        r"import [\w.]+(?: as \w+)?$",
        r"def \w+\(.*\).*:$",
        r"class \w+(?:\(.*\))?:$",
        r"@\w[\w.]*(?:\(.*\))?$",
        r"if __name__ ==",
        r"(?:async def|with|for|while|elif|try|except|return|print\().*[:)]$",
    ),
    "c": (
        r"#\s*include\s*[<\"]",
        r"#\s*define \w",
        r"#\s*ifn?def \w",
        r"(?:static |const |unsigned )*(?:int|void|char|double|float|size_t) \*?\w+\s*(?:\(|;|=|\[)",
        r"typedef ",
        r"struct \w+ *\{",
    ),
    "java": (
        r"package [\w.]+;$",
        r"import (?:static )?[\w.*]+;$",
        r"(?:public|private|protected|final|abstract)\s.*[{;]$",
        r"using [\w.]+;$",
        r"namespace [\w.:]+\s*[{;]?$",
    ),
    "go": (
        r"package \w+$",
        r"func (?:\(\w+ \*?\w+\) )?\w+\(.*\{$",
        r"import \($",
        r"type \w+ (?:struct|interface) \{$",
        r"\w+(?:, \w+)* := ",
    ),
    "rust": (
        r"(?:pub )?fn \w+.*[{;]$",
        r"use \w+::[\w:{}*, ]+;$",
        r"(?:pub )?(?:mod|struct|enum|trait) \w+.*[{;]$",
        r"impl\b.*\{$",
        r"#!?\[\w",
        r"let mut \w+.*;$",
    ),
    "javascript": (
        r"(?:export )?(?:default )?(?:const|let|var) [\w{\[].*=",
        r"import .* from ['\"]",
        r"import ['\"]",
        r"export (?:default|\{|function|class|async)",
        r"(?:async )?function\*? ?\w*\(.*\{$",
        r"module\.exports",
        r"['\"]use strict['\"];?$",
        r".*=> \{$",
        r"\w.*\);$",
    ),
    "css": (
        r"[.#@:*]?[\w-][\w\s.,#:>+~*()\[\]=\"'@%-]*\{$",
        r"[\w-]+:\s*[^;{}]+;$",
        r"@(?:import|charset|media|font-face)\b",
        r":root\s*\{",
    ),
    "sql": (
        r"(?i:(?:select|insert into|alter table|drop table|delete from|begin;|commit;)\b)",
        r"(?i:create (?:or replace )?(?:table|view|index|database|function)\b)",
        r"(?i:update \w+ set\b|with \w+ as \()",
    ),
    "lua": (r"local (?:function )?\w+", r"function [\w.:]+\(.*\)$", r"require\s*\(?['\"]"),
    "haskell": (
        r"module [\w.]+(?: \(.*)? where$",
        r"import (?:qualified )?[A-Z][\w.]*",
        r"[\w']+ :: ",
    ),
    "ruby": (
        r"require(?:_relative)? ['\"]",
        r"def \w+[?!]?(?:\(.*\))?$",
        r"class [A-Z]\w*(?: < [A-Z][\w:]*)?$",
        r"module [A-Z]\w*$",
        r"\w+\.each do",
    ),
    "perl": (r"use (?:strict|warnings|v?5)", r"my [$@%]\w+", r"sub \w+ \{"),
    "php": (r"<\?(?:php\b|=)",),
    "latex": (r"\\(?:documentclass|usepackage|begin\{|section\*?\{|chapter\{|newcommand|input\{)",),
    "lisp": (r"\((?:defun|define|defmacro|setq|require|use-package|ns) ",),
    "shell": (
        r"export \w+=",
        r"if \[\[? .* \]\]?;? ?(?:then)?$",
        r"set -[eux]+",
        r"\w+\(\) ?\{$",
        r"source \S+$",
        r"(?:fi|done)$",
        r"echo [\"'$]",
    ),
    "dockerfile": (
        r"FROM [\w./:@-]+(?: AS \w+)?$",
        r"(?:RUN|COPY) \S",
        r"(?:ENTRYPOINT|CMD) \[",
        r"WORKDIR /",
    ),
    "make": (r"\.PHONY:", r"[A-Z_]+ [:?+]= ", r".*\$\([A-Z_]+\)", r"if(?:eq|def|neq) \("),
    "batch": (r"(?i:@echo off|rem |setlocal|goto \w)",),
    "vb": (r"Option Explicit", r"(?:Public |Private )?Sub \w+\(", r"Dim \w+ As "),
}
_CODE = {name: re.compile("|".join(parts)) for name, parts in _ALTERNATIVES.items()}
_ANY = re.compile("|".join(pattern.pattern for pattern in _CODE.values()))
_OPENERS = ("// ", "/* ", "/*! ", "-- ", "; ", ";; ", "% ", "REM ", '" ', "' ", "! ", "(* ")
_SIGNS = "{}[]();=<>|&$"


def interpreter(text: str) -> str:
    """The program that a first line `#!…` or `<?…` names, without its version."""
    first = re.split(r"[\r\n]", text.lstrip("\ufeff")[:300], maxsplit=1)[0]
    if first.startswith(("<?php", "<?=")):
        return "php"
    if not first.startswith("#!") or first.startswith("#!["):  # the second opens a file of Rust
        return ""
    words = [word.rpartition("/")[2] for word in first[2:].split() if not word.startswith("-")]
    name = next((word for word in words if word != "env" and "=" not in word), "")
    return name.rstrip("0123456789.")


def language(lines: Sequence[str]) -> str:
    """Name of the language that these lines tell; empty when they tell none, or two alike."""
    said = [line.strip()[:400] for line in lines[:200] if line.strip()]
    telling = filter(_ANY.match, said)  # most lines are in no language at all
    hits = Counter(
        name for line in telling for name, pattern in _CODE.items() if pattern.match(line)
    )
    if not hits:
        return ""
    (first, most), *others = hits.most_common(2)
    # one telling line is enough for a few lines of code, and not for a page of prose
    enough = most >= (1 if len(said) <= 5 else 2) and most * 12 >= len(said)
    prose = sum(map(_is_prose, said))
    if not enough or prose * 3 > len(said) or (others and others[0][1] == most and len(said) > 5):
        return ""
    return first


def is_source(lines: Sequence[str]) -> bool:
    """A program by its first line, its comments, its lines, or its signs."""
    return commented(lines) or bool(language(lines)) or _dense(lines)


def commented(lines: Sequence[str]) -> bool:
    """A program, or a text whose first lines are comments: a notice of ours, or a licence."""
    first = [line.strip() for line in lines if line.strip()][:2]
    if not first or first[0].startswith(("#!", "<?php")):
        return bool(first)
    if first[0].startswith(_OPENERS):
        return len(first) > 1 and first[1][:2] == first[0][:2]
    hashes = [n for n, line in enumerate(lines[:20]) if line.startswith(("# ", "#\t"))]
    return any(after - before == 1 for before, after in itertools.pairwise(hashes))


def _dense(lines: Sequence[str]) -> bool:
    """Signs that prose hardly uses, in quantity: code of a language that is not told."""
    some = "".join(lines)[:8000]
    return sum(map(some.count, _SIGNS)) * 16 > len(some)


def _is_prose(line: str) -> bool:
    """A line of at least five words that ends like a sentence, or is one long paragraph."""
    words = line.split()
    return len(words) >= 5 and (line[-1] in ".!?:…»”" or len(words) >= 25) and "=" not in line
