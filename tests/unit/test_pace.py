"""How many files a child has in advance, by how quickly files were done."""

import pytest

from aikz_label.sandbox import pace


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    return now


def after(clock, seconds, *, answers, children, rounds=50):
    """The pace after some rounds that each took so long."""
    found = pace.Pace(_since=clock[0])
    for _ in range(rounds):
        clock[0] += seconds
        found.note(answers, children)
    return found


def test_it_begins_with_one_file_in_advance(clock):
    assert pace.Pace(_since=clock[0]).depth == 2
    assert pace.Pace(_since=clock[0]).nap == 0


@pytest.mark.parametrize("seconds", [0.05, 1.0, 60.0])
def test_files_that_take_long_do_not_pile_up(clock, seconds):
    found = after(clock, seconds, answers=1, children=1)
    assert (found.depth, found.nap) == (2, 0)


@pytest.mark.parametrize("children", [1, 2, 64])
def test_a_nap_is_over_before_the_files_are(clock, children):
    for each in (0.001, 0.003, 0.01, 0.03):
        found = after(clock, each, answers=children, children=children)
        assert found.nap <= found.depth * each / 2 * 1.001
        assert found.depth * each <= pace._HORIZON or found.depth == 2


def test_after_one_late_file_it_recovers(clock):
    found = after(clock, 0.003, answers=1, children=1)
    assert found.depth == 8
    clock[0] += 10
    found.note(1, 1)
    assert found.depth == 2
    for _ in range(40):
        clock[0] += 0.003
        found.note(1, 1)
    assert found.depth == 8


def test_nothing_is_learned_from_no_answer(clock):
    found = after(clock, 0.003, answers=1, children=1)
    clock[0] += 5
    before = found.seconds
    found.note(0, 1)
    assert found.seconds == before
