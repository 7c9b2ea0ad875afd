from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aikz_label.checked import check_bin
from aikz_label.errors import InvalidLabel
from aikz_label.label import Imitates, Label, Origin, Responsible, Role, System


def digit(prefix: str) -> str:
    """The check digit by the rule as the state publishes it, written another way than in the code."""
    first = sum((i + 1) * int(c) for i, c in enumerate(prefix)) % 11
    if first == 10:
        first = sum(((i + 2) % 11 + 1) * int(c) for i, c in enumerate(prefix)) % 11
    return "" if first == 10 else str(first)


@pytest.mark.parametrize("prefix", ["05114000000", "98054000339", "12345678901", "00014000221"])
def test_a_bin_with_its_check_digit_holds(prefix):
    check_bin(prefix + digit(prefix))


def test_the_second_set_of_weights_is_used():
    def first_sum(prefix):
        return sum((i + 1) * int(c) for i, c in enumerate(prefix)) % 11

    candidates = (f"991240{n:05d}" for n in range(100000))
    prefix = next(p for p in candidates if first_sum(p) == 10 and digit(p))
    check_bin(prefix + digit(prefix))


@pytest.mark.parametrize(
    ("number", "word"),
    [
        ("", "12 digits"),
        ("05114000000", "12 digits"),
        ("0511400000044", "12 digits"),
        ("05114000000x", "12 digits"),
        ("٠٥١١٤٠٠٠٠٠٠٤", "12 digits"),
        ("051140000005", "check digit"),
        ("501140000004", "check digit"),
        ("900101300007", "IIN"),
    ],
)
def test_what_is_no_bin_is_refused(number, word):
    if word == "IIN":
        number = number[:11] + digit(number[:11])
    with pytest.raises(InvalidLabel, match=word):
        check_bin(number)


def test_an_iin_needs_consent():
    number = "900101300" + "12"
    number += digit(number)
    with pytest.raises(InvalidLabel, match="personal data"):
        Responsible(name="А. Б.", role=Role.HOLDER, iin=number)
    party = Responsible(name="А. Б.", role=Role.HOLDER, iin=number, iin_consent=True)
    assert Responsible.from_json(party.to_json()) == party


@pytest.mark.parametrize(
    "arguments",
    [
        {"registration": "HRB 1"},
        {"country": "DE"},
        {"registration": "HRB 1", "country": "de"},
        {"registration": "HRB 1", "country": "DEU"},
        {"registration": "HRB 1", "country": "DE", "bin": "051140000004"},
    ],
)
def test_a_foreign_registration_is_whole_or_refused(arguments):
    with pytest.raises(InvalidLabel):
        Responsible(name="GmbH", role=Role.OWNER, **arguments)


@pytest.mark.parametrize("name", ["", "  ", "a\x1b[2Jb", "a\u202eb", "a\u200bb", "x" * 201, "a\nb"])
def test_names_hold_only_what_can_be_seen(name):
    with pytest.raises(InvalidLabel):
        Responsible(name=name, role=Role.OWNER)
    with pytest.raises(InvalidLabel):
        System(name)


def test_names_are_normalised():
    assert System(" и\u0306 ").name == "й"


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [("A/1", "A", "1"), ("A", "A", ""), ("org/model/2.0", "org/model", "2.0"), ("A/", "A", "")],
)
def test_a_system_is_name_and_version(text, name, version):
    assert System.parse(text) == System(name, version)


def test_words_become_values_in_one_order():
    label = Label(origin="altered", imitates=("voice", "appearance", "voice"), system="A/1")
    assert label.origin is Origin.ALTERED
    assert label.imitates == (Imitates.APPEARANCE, Imitates.VOICE)
    assert label.system == System("A", "1")


@pytest.mark.parametrize(
    "arguments",
    [
        {"origin": "generated"},
        {"origin": ""},
        {"origin": "created", "imitates": ("face",)},
        {"origin": "created", "imitates": ("",)},
        {"origin": "created", "created": datetime(2026, 1, 1)},  # noqa: DTZ001
    ],
)
def test_other_words_are_refused(arguments):
    with pytest.raises(InvalidLabel):
        Label(**arguments)


def test_a_label_survives_json():
    party = Responsible(name="ЖШС «Үлгі»", role=Role.OWNER, bin="051140000004")
    label = Label(
        origin=Origin.CREATED,
        imitates=(Imitates.EVENT,),
        system=System("Ә/Ғ", "Қ"),
        responsible=party,
        created=datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC),
    )
    assert Label.from_json(label.to_json()) == label


@pytest.mark.parametrize(
    "change",
    [
        {"origin": None},
        {"origin": 1},
        {"imitates": "voice"},
        {"imitates": [["voice"]]},
        {"imitates": ["voice"] * 50},
        {"created": "yesterday"},
        {"created": "2026-01-01T00:00:00"},
        {"responsible": {"name": "x", "role": "king", "id_kind": "none"}},
        {"responsible": {"name": "x", "role": "owner", "id_kind": "bin", "id": "1"}},
        {"system": {"name": 1}},
    ],
)
def test_a_hostile_record_is_one_error(change):
    data = Label(origin="created").to_json() | change
    with pytest.raises(InvalidLabel):
        Label.from_json(data)
