"""Which kind of text some bytes are."""

from __future__ import annotations

import pytest

from aikz_label import sniff
from aikz_label.errors import UsageError
from aikz_label.formats import languages
from text_files import SAMPLES

KINDS = [
    ("text", "Бүгін ауа райы жақсы. Ертең де сондай болады.\n"),
    (
        "text",
        "Dear colleagues,\n\nplease find the report attached, as agreed on Monday.\n\nBest regards\n",
    ),
    ("text", "From: a@b.kz\nTo: c@d.kz\nReceived: x\n\nHello there\n"),
    ("csv", "id,name\n1,a\n2,b\n3,c\n4,d\n5,e\n"),
    ("csv", "қала;халқы;ауданы\nАстана;1;2\nАлматы;3;4\nТараз;5;6\nОрал;7;8\n"),
    ("tsv", "a\tb\n1\t2\n3\t4\n"),
    ("json", '{"a": [1, 2, {"b": null}]}'),
    ("json", "[]"),
    ("json", '{"a":1}\n{"a":2}\n'),
    ("yaml", "---\na: 1\nb:\n  - c\n"),
    ("yaml", "%YAML 1.2\n---\na: 1\n"),
    ("toml", '[a]\nb = "c"\nd = 1\n'),
    ("markdown", "---\ntitle: x\n---\n\nAny text at all, with (code) = [signs] {in} it;\n"),
    ("markdown", "# Title\n\nText with a [link](https://e.kz).\n\n## Next\n\nMore.\n"),
    ("markdown", "Text\n\n```python\nx = 1\n```\n\n```\ny\n```\n"),
    ("source", "#!/bin/sh\necho hi\n"),
    ("source", "import os\n\ndef f(x):\n    return os.path.join(x, 'a')\n"),
    ("source", "#include <stdio.h>\n\nint main(void) {\n    return 0;\n}\n"),
    ("source", 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println(1)\n}\n'),
    ("source", "SELECT id FROM t WHERE a = 1;\nINSERT INTO t VALUES (1, 2);\n"),
    ("source", "[section]\nkey=value with words\nother=1\n"),
    ("source", "<?php\necho 1;\n"),
    ("xml", '<?xml version="1.0"?>\n<a/>\n'),
    ("xml", "<note><to>x</to></note>\n"),
    ("html", "<!DOCTYPE html><html></html>"),
    ("html", "<p>a fragment</p>"),
    ("html", '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>'),
    ("svg", '<?xml version="1.0"?>\n<!-- c -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
    ("vtt", "\ufeffWEBVTT\n"),
    ("srt", "1\n00:00:01,000 --> 00:00:02,000\nx\n"),
]


@pytest.mark.parametrize(("kind", "text"), KINDS)
def test_kinds(kind, text):
    row = sniff(text.encode())
    assert row is not None
    assert row.name == kind


@pytest.mark.parametrize(("kind", "text"), KINDS)
def test_line_endings_and_marks_do_not_matter(kind, text):
    for bom in (b"", b"\xef\xbb\xbf"):
        row = sniff(bom + text.encode().replace(b"\n", b"\r\n"))
        assert row is not None
        assert row.name == kind


@pytest.mark.parametrize("kind", SAMPLES)
def test_samples_in_utf_16(kind):
    row = sniff(SAMPLES[kind].encode("utf-16"))
    assert row is not None
    assert row.name == kind


@pytest.mark.parametrize(
    "data",
    [b"\0" * 40, b"text\0text", "Привет".encode("cp1251"), b"\xff\xfe\x00", bytes(range(128, 200))],
)
def test_what_is_no_text(data):
    row = sniff(data)
    assert row is None or row.family != "text"


def test_every_name_is_a_kind():
    for name in languages.names():
        found = languages.kind(name)
        assert found.row
        if found.language:
            assert languages.comment(found.language).opens.strip()
    assert {"python", "markdown", "csv", "text"} <= set(languages.names())
    with pytest.raises(UsageError):
        languages.kind("source")


@pytest.mark.parametrize(
    ("suffix", "row", "language"),
    [
        (".py", "source", "python"),
        (".MD", "markdown", ""),
        (".yml", "yaml", ""),
        (".rs", "source", "rust"),
    ],
)
def test_endings_of_names(suffix, row, language):
    found = languages.by_suffix(suffix)
    assert found is not None
    assert (found.row, found.language) == (row, language)
    assert languages.by_suffix(".no-such") is None
