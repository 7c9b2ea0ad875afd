"""Texts on the command line: what their bytes cannot say, the caller may."""

from __future__ import annotations

import pytest

from aikz_label.cli import main
from support import BIN

MARK = ("--origin", "created", "--system", "Writer/1", "--imitates", "none")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder and an identity."""
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--name", "ЖШС «Үлгі»", "--bin", BIN, "--role", "owner"]) == 0
    return tmp_path


def test_a_kind_that_the_caller_knows(here, capsys):
    (here / "build").write_text("x: = 1\nall: x\n\techo $x\n")
    assert main(["mark", "build", "-o", "out", "--as", "yaml", *MARK]) == 0
    assert (here / "out").read_text().startswith("# Бұл мәтінді жасанды интеллект жасаған.\n")
    assert main(["verify", "out"]) == 0
    assert "Labelled" in capsys.readouterr().out


def test_no_such_kind(here, capsys):
    (here / "a.txt").write_text("Қазақ тілі\n")
    assert main(["mark", "a.txt", "--as", "nonsense", *MARK]) == 2
    assert "no kind of text 'nonsense'" in capsys.readouterr().err
    assert not (here / "a.labelled.txt").exists()


def test_a_code_page_is_converted_only_when_that_is_allowed(here, capsys):
    source = "Привет, мир\r\n".encode("cp1251")
    (here / "a.txt").write_bytes(source)
    (here / "a").write_bytes(source)
    for name, more in (("a.txt", ()), ("a.txt", ("--allow-normalise",)), ("a", ("--as", "text"))):
        assert main(["mark", name, *more, *MARK]) == 1
        assert "--allow-normalise --encoding NAME" in "".join(capsys.readouterr().err.split("\n"))
    assert main(["mark", "a", *MARK]) == 1
    assert "--encoding" not in capsys.readouterr().err
    assert not list(here.glob("*.labelled*"))
    assert main(["mark", "a.txt", "--encoding", "cp1251", *MARK]) == 2
    assert "Add --allow-normalise" in capsys.readouterr().err
    converted = ("--allow-normalise", "--encoding", "cp1251")
    assert main(["mark", "a.txt", *converted, *MARK]) == 0
    assert "it was CP1251 before" in capsys.readouterr().err
    assert "\r\nПривет, мир\ufeff" in (here / "a.labelled.txt").read_bytes().decode()
    assert (here / "a.txt").read_bytes() == source
    assert main(["verify", "a.labelled.txt"]) == 0


def test_a_row_of_a_table_only_on_request(here, capsys):
    (here / "a.csv").write_text("ат,саны\nАлма,3\nАлмұрт,4\n")
    assert main(["mark", "a.csv", *MARK]) == 1
    assert "--notice" in capsys.readouterr().err
    assert main(["mark", "a.csv", "--notice", "data", *MARK]) == 0
    lines = (here / "a.labelled.csv").read_text().splitlines()
    assert "жасанды интеллект" in lines[0]
    assert "ат,саны" in lines
    assert main(["verify", "a.labelled.csv"]) == 0
