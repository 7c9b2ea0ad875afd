"""Sentences: none missing, none with different holes, none that an attacker can write."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import aikz_label
from aikz_label.label import Origin
from aikz_label.notice import badge, wording
from aikz_label.texts import LANGUAGES, _translated, escape, load_data, sentence, translations

TEXTS = load_data("texts")
CODES = [f"{group}.{name}" for group, names in TEXTS.items() for name in names]
SOURCE = "\n".join(
    path.read_text(encoding="utf-8") for path in Path(aikz_label.__file__).parent.rglob("*.py")
)


@pytest.mark.parametrize("code", CODES)
def test_three_languages_with_the_same_holes(code):
    group, _, name = code.partition(".")
    texts = TEXTS[group][name]
    assert set(texts) == set(LANGUAGES)
    holes = [
        {field for _, field, _, _ in string.Formatter().parse(t) if field} for t in texts.values()
    ]
    assert holes[0] == holes[1] == holes[2]
    assert all(text.strip() == text and text for text in texts.values())


def test_a_code_cannot_reach_over_lines():
    first, second = CODES[:2]
    between = (Path(aikz_label.__file__).parent / "data" / "texts.toml").read_text("utf-8")
    between = between.partition(f"[{first}]")[2].partition(f"[{second}]")[0]
    with pytest.raises(KeyError):
        _translated(f"{first}]{between}[{second}")


def test_a_sentence_read_alone_is_that_of_the_whole_file():
    for code in CODES:
        group, _, name = code.partition(".")
        for language, text in TEXTS[group][name].items():
            assert _translated(code)[language] == text
        assert set(_translated(code)) == set(LANGUAGES)


def test_what_no_table_is_called_has_no_sentence():
    for code in ("", "verdict", "verdict.nothing", "verdict.labelled]\n[verdict.unmarked"):
        with pytest.raises(KeyError):
            sentence(code, "en")


def test_every_code_in_the_source_has_a_sentence():
    used = set(re.findall(r'message\(\s*"([a-z-]+\.[a-z-]+)"', SOURCE))
    assert used
    assert used <= set(CODES)
    for code in re.findall(r'MediaProblem\("([a-z-]+)"', SOURCE):
        assert f"unreadable.{code}" in CODES


def test_kazakh_and_russian_are_not_english():
    for code in CODES:
        if code.startswith("status."):
            continue
        words = translations(code, {"x": ""}) if "{" not in sentence_template(code) else None
        if words:
            assert words["kk"] != words["en"]
            assert words["ru"] != words["en"]


def sentence_template(code):
    group, _, name = code.partition(".")
    return TEXTS[group][name]["en"]


@pytest.mark.parametrize("origin", Origin)
def test_the_full_wording_can_be_drawn(origin):
    for language in LANGUAGES:
        badge.draw((wording.full(origin, language),), 16, 0)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Әқ «»", "Әқ «»"),
        ("\x1b[2J", "\\u001b[2J"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb\n", "a\\u200bb\\u000a"),
        ("\x9b31m", "\\u009b31m"),
        ("\ud800", "\\ud800"),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_escaping(text, shown):
    assert escape(text) == shown


def test_arguments_are_escaped_and_never_formatted():
    text = sentence("marker.untrusted", "en", {"signer": "{0.__class__}\x1b]0;x\x07"})
    assert "{0.__class__}\\u001b]0;x\\u0007" in text
