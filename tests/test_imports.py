"""What starting costs: by which modules are loaded, never by a clock."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import pdf_files
import sound_files
import video_files
from aikz_label import mark
from support import encoded, picture

HEAVY = {"PIL", "numpy", "c2pa", "cryptography", "platformdirs", "asyncio", "unittest"}


def loaded(code, *arguments):
    program = f"{code}\nimport sys\nprint(*sorted(sys.modules), file=sys.stderr)"
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in result.stderr, result.stderr
    names = set(result.stderr.splitlines()[-1].split())
    return names | {name.partition(".")[0] for name in names}


def ours(names):
    return {name.removeprefix("aikz_label.") for name in names if name.startswith("aikz_label.")}


def test_importing_the_package_loads_nothing_of_it():
    names = loaded("import aikz_label")
    assert not names & (HEAVY | {"argparse", "tomllib", "json", "typing", "dataclasses", "re"})


def helped(*arguments):
    code = (
        "import sys\nfrom aikz_label.cli import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass"
    )
    return loaded(code, *arguments)


def test_help_loads_no_command():
    names = helped("--help")
    assert ours(names) == {"cli", "cli.shared"}
    assert not names & (HEAVY | {"tomllib", "json", "typing", "pathlib", "dataclasses"})


def test_help_of_a_command_loads_that_command_and_no_engine():
    names = helped("verify", "--help")
    commands = {"cli", "cli.shared", "cli.running", "cli.believing", "cli.verify"}
    assert ours(names) == commands
    assert not names & (HEAVY | {"tomllib", "json", "dataclasses"})
    assert "cli.mark" in ours(helped("mark", "--help"))


SOURCES = {
    "jpeg": lambda: encoded(picture(), "jpeg"),
    "png": lambda: encoded(picture(), "png"),
    "avif": lambda: encoded(picture(), "avif"),
    "mp4": video_files.film,
    "pdf": pdf_files.packed,
    "mp3": sound_files.mp3,
    "flac": lambda: sound_files.sample("flac"),
    "opus": sound_files.opus,
    "wav": lambda: sound_files.wav("s16", "pcm_s16le"),
    "m4a": lambda: sound_files.sample("m4a"),
    "md": lambda: b"# Title\n\nSome words of a sentence.\n" * 40,
}
FAMILIES = {
    "mp4": ("video", "image"),
    "m4a": ("audio", "image", "video"),
    **dict.fromkeys(("mp3", "flac", "opus", "wav"), ("audio",)),
    "pdf": ("pdf",),
    "md": ("text",),
}
# What a file of another family needs, and besides the engine costs most to import.
DECODERS = HEAVY - {"c2pa"} | {"av", "dataclasses", "inspect", "fractions", "_strptime"}


@pytest.mark.parametrize("kind", SOURCES)
def test_verifying_an_attested_file_decodes_nothing(kind, tmp_path, label, config):
    path = tmp_path / f"a.{kind}"
    mark(SOURCES[kind](), path, label, config=config)
    code = (
        "import sys\nfrom aikz_label import verify\n"
        "assert verify(sys.argv[1], config=sys.argv[2]).verdict == 'labelled'"
    )
    names = loaded(code, str(path), str(config.path))
    assert "c2pa" in names
    assert not names & DECODERS - ({"fractions"} if kind == "png" else set())
    families = {name for name in ours(names) if re.fullmatch(r"adapters\.[a-z]+", name)}
    families -= {"adapters.packets"}  # a tool of several
    assert families == {f"adapters.{name}" for name in FAMILIES.get(kind, ("image",))}
    if kind == "jpeg":
        assert not names & {"hashlib", "_hashlib"}  # and with it OpenSSL


def test_the_nursery_of_children_decodes_nothing():
    code = "from aikz_label.sandbox import nursery\nnursery._import_everything()"
    names = loaded(code)
    assert {"adapters.image", "adapters.video", "adapters.audio"} <= ours(names)
    assert not names & DECODERS


@pytest.mark.parametrize("name", ["mark", "verify", "Label", "Verdict"])
def test_names_are_there_on_first_use(name):
    assert loaded(f"import aikz_label\nassert aikz_label.{name}")
