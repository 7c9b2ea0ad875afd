"""What starting costs: by which modules are loaded, never by a clock."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aikz_label import mark
from support import encoded, picture

HEAVY = {"PIL", "numpy", "c2pa", "cryptography", "platformdirs", "asyncio", "unittest"}


def loaded(code, *arguments):
    program = f"{code}\nimport sys\nprint(*sorted(sys.modules), file=sys.stderr)"
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in result.stderr, result.stderr
    return {name.partition(".")[0] for name in result.stderr.splitlines()[-1].split()}


def test_importing_the_package_loads_nothing_of_it():
    names = loaded("import aikz_label")
    assert not names & (HEAVY | {"argparse", "tomllib", "json", "typing", "dataclasses", "re"})


def test_help_loads_no_engine():
    code = (
        "import sys\nfrom aikz_label.cli import main\n"
        "try: main(['mark', '--help'])\nexcept SystemExit: pass"
    )
    assert not loaded(code) & (HEAVY | {"tomllib", "json"})


@pytest.mark.parametrize("kind", ["png", "avif"])
def test_verifying_an_attested_file_decodes_nothing(kind, tmp_path, label, config):
    path = tmp_path / f"a.{kind}"
    mark(encoded(picture(), kind), path, label, config=config)
    code = (
        "import sys\nfrom aikz_label import verify\n"
        "assert verify(sys.argv[1], config=sys.argv[2]).verdict == 'labelled'"
    )
    names = loaded(code, str(path), str(config.path))
    assert "c2pa" in names
    assert not names & {"PIL", "numpy", "cryptography", "importlib.metadata"}


@pytest.mark.parametrize("name", ["mark", "verify", "Label", "Verdict"])
def test_names_are_there_on_first_use(name):
    assert loaded(f"import aikz_label\nassert aikz_label.{name}")
