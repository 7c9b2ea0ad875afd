"""The README is run: its shell session, its Python, its format table."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from aikz_label.cli import main
from support import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def _here(tmp_path, monkeypatch, photo):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(photo.read_bytes())


def session():
    """Commands of the first console block with the output printed below each."""
    block = re.search(r"```console\n(.*?)```", README, re.DOTALL)
    assert block is not None
    for part in block[1].split("$ ")[1:]:
        command, _, output = part.partition("\n")
        yield command, output.splitlines()


@pytest.mark.usefixtures("_here")
def test_the_session_prints_what_it_shows(capsys):
    seen = 0
    for line, expected in session():
        command, pipe, query = line.partition(" | jq -r ")
        capsys.readouterr()
        main(shlex.split(command)[1:])
        printed = capsys.readouterr().out
        if pipe:
            report = json.loads(printed)
            values = []
            for path in shlex.split(query)[0].split(", "):
                value = report
                for key in path.lstrip(".").split("."):
                    value = value[key]
                values.append(str(value))
            # the last digits of a measurement depend on the versions of the decoders
            assert values[:-1] == expected[:-1]
            assert float(values[-1]) == pytest.approx(float(expected[-1]), abs=0.5)
        elif expected:
            if expected[-1] == "...":  # there is more, clause by clause
                expected.pop()
                assert len(printed.splitlines()) > len(expected)
            assert printed.splitlines()[: len(expected)] == expected
        seen += 1
    assert seen == 4


@pytest.mark.usefixtures("_here")
def test_the_example_runs(capsys):
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    code = [line for line in block[1].splitlines() if line.strip()]
    assert len(code) <= 8
    main(["init", "--name", "ЖШС «Үлгі»", "--bin", "051140000004", "--role", "owner"])
    capsys.readouterr()
    exec(compile(block[1], "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "labelled ЖШС «Үлгі»"
    assert lines[1].startswith("pass kz.1.4.declared Қол қойылған таңба")
