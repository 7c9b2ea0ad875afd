"""A short mutation campaign over every format; the long forms are `make mutate` and `make fuzz`."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from support import ROOT

COUNT = os.environ.get("AIKZ_MUTATIONS", "1500")


@pytest.mark.timeout(1800)
@pytest.mark.skipif(os.name != "posix", reason="isolation is made of what POSIX offers")
def test_mutants_neither_kill_nor_deceive():
    command = [sys.executable, str(ROOT / "benchmarks" / "campaign.py"), "--count", COUNT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kinds = re.search(r"mutants of (\d+) kinds of files", done.stdout)
    assert kinds is not None
    assert int(kinds[1]) >= 10
    assert "violations: none" in done.stdout


@pytest.mark.timeout(600)
def test_every_parser_of_our_own_answers_or_refuses():
    command = [sys.executable, str(ROOT / "benchmarks" / "fuzz.py"), "--minutes", "0.1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    targets = re.search(r"^targets: (.*)$", done.stdout, re.MULTILINE)
    assert targets is not None
    assert {"sniff", "verify"} < set(targets[1].split(", "))
