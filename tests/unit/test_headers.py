"""The field of an HTTP response."""

from __future__ import annotations

from datetime import UTC, datetime

from aikz_label import Label, Responsible
from aikz_label.headers import NAME, ai_disclosure


def test_the_field_is_a_dictionary_of_rfc_9651() -> None:
    party = Responsible(name="ЖШС «Үлгі» 100%", role="owner")
    label = Label(origin="created", system="Gen/1", responsible=party)
    value = ai_disclosure(label, date=datetime(2026, 11, 25, tzinfo=UTC))
    assert NAME == "AI-Disclosure"
    assert value.startswith('mode=ai-originated, model="Gen 1", provider=%"%d0%96')
    assert value.endswith(' 100%25", date=@1795564800')
    assert value.isascii()


def test_only_what_is_known_is_said() -> None:
    assert ai_disclosure(Label(origin="altered")) == "mode=ai-modified"


def test_quotation_marks_are_escaped() -> None:
    assert ai_disclosure(Label(origin="altered", system='A "b"\\c/1')).endswith(
        'model="A \\"b\\"\\\\c 1"'
    )
