"""The documentation is true: generated pages are current, links lead somewhere, examples run, nothing is left out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from aikz_label import config, rules
from aikz_label.texts import load_data
from support import PHOTO, ROOT, require_tool

PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
REFERENCE = ROOT / "docs" / "reference"
FENCE = re.compile(r"^(`{3,}).*?^\1$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")
EXAMPLE = re.compile(r"^```python run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEEDS = re.compile(r"<!-- needs: ([^>]+) -->")
SESSION = re.compile(r"^```console run\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_generated_pages_are_current() -> None:
    command = [sys.executable, str(ROOT / "tools" / "generate_docs.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", read(page))):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.partition("#")[0]).exists(), target


EXAMPLES = [
    pytest.param(code, id=f"{named(page)}:{number}")
    for page in PAGES
    for number, code in enumerate(EXAMPLE.findall(read(page)), 1)
]


@pytest.mark.parametrize("code", EXAMPLES)
def test_every_example_runs(code, tmp_path, monkeypatch, identity_folder) -> None:
    """In a folder with `photo.jpg`, where the user's own configuration is the demo identity."""
    (tmp_path / "photo.jpg").write_bytes(PHOTO.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "user_folder", lambda: identity_folder)
    exec(compile(code, "example", "exec"), {"__name__": "__main__"})


SESSIONS = [page for page in PAGES if SESSION.search(read(page))]


@pytest.mark.parametrize("page", SESSIONS, ids=named)
def test_every_session_prints_what_the_page_shows(page, tmp_path, identity_folder) -> None:
    """All commands of a page, one after the other in one folder. `...` stands for any lines."""
    (tmp_path / "photo.jpg").write_bytes(PHOTO.read_bytes())
    for tool in NEEDS.findall(read(page)):
        for name in tool.split():
            require_tool(name)
    blocks = SESSION.findall(read(page))
    if "aikz-label init" not in "".join(blocks):
        shutil.copytree(identity_folder, tmp_path / "identity")
    folders = (str(Path(sys.executable).parent), os.environ["PATH"])
    environment = os.environ | {"PATH": os.pathsep.join(folders), "PYTHONUNBUFFERED": "1"}
    for block in blocks:
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = step.partition("\n")
            done = subprocess.run(
                ["sh", "-c", command],
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                check=False,
            )
            pattern = r"(?:.*\n)*".join(map(re.escape, expected.split("...\n")))
            assert re.fullmatch(pattern, done.stdout), f"{command}\n{done.stdout}"


def test_examples_are_found() -> None:
    assert len(EXAMPLES) >= 5
    assert len(SESSIONS) >= 2


def test_every_clause_and_code_is_documented() -> None:
    page = read(REFERENCE / "clauses.md")
    for clause in rules.clauses():
        assert f"## {clause}\n" in page
    words = {"word", "ui", "status", "title"}  # parts of sentences and of the screen, not codes
    for group, sentences in load_data("texts").items():
        for name in sentences if group not in words else ():
            assert f"### `{group}.{name}`\n" in page


def test_errors_are_listed_with_the_hint_of_their_own_medium() -> None:
    """Functions of sound, pictures and films that make refusals share their names."""
    rows = [line.split(" | ") for line in read(REFERENCE / "errors.md").splitlines() if "|" in line]
    hints = {what: hint for _, what, hint in (row for row in rows if len(row) == 3)}
    kind = "This kind of {} cannot be marked without loss"
    assert "WAV or FLAC" in hints[f"{kind.format('WAV')}: it holds several pieces of sound."]
    assert "still picture" in hints[f"{kind.format('WebP')} yet: there are bytes after its end."]
    video = "This video cannot be labelled without loss: its pictures are transparent in part."
    assert "video editor" in hints[video]


def test_every_number_of_the_profile_is_documented() -> None:
    page = read(REFERENCE / "profile.md")
    data = tomllib.loads(read(ROOT / "src/aikz_label/data/profile_kz.toml"))
    for table in ("image", "text", "sound"):
        for name, value in data[table].items():
            assert f"| `{name}` | {value} |" in page
    strict = tomllib.loads(read(ROOT / "src/aikz_label/data/profile_strict.toml"))
    for table in (name for name, value in strict.items() if isinstance(value, dict)):
        for name, value in strict[table].items():
            assert f"| {table} | `{name}` | {value} |" in page
            assert value != data[table][name]


def test_every_key_of_the_configuration_is_documented() -> None:
    page = read(REFERENCE / "configuration.md")
    for table, keys in config._KNOWN.items():
        section = page.partition(f"## [{table}]\n")[2].partition("\n## ")[0]
        for key in keys:
            assert f"| `{key}` |" in section, f"[{table}] {key}"


def test_the_threat_model_names_tests_that_exist() -> None:
    named_there = re.findall(r"`([a-z_/]+\.py)`", read(ROOT / "docs/explanation/threat-model.md"))
    assert len(named_there) > 20
    assert [name for name in named_there if not (ROOT / "tests" / name).exists()] == []


def test_every_public_name_is_documented() -> None:
    import aikz_label

    page = read(REFERENCE / "api.md")
    for name in aikz_label.__all__:
        assert re.search(
            rf"auto(class|function|exception):: aikz_label\.{name}$", page, re.MULTILINE
        ), name
