"""A short mutation campaign over every format; the long forms are `make mutate` and `make fuzz`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from aikz_label.config import load_config
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


def test_a_campaign_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import campaign

    config = load_config(None)
    kept = campaign.Kept(tmp_path, 7)
    seed = campaign.Seed("TestPng", b"\x89PNG", "image", {"format": "png"})
    monkeypatch.setattr(campaign, "seeds", lambda *_: [seed])
    assert kept.seeds(config) == [seed]
    monkeypatch.setattr(campaign, "seeds", None)
    assert campaign.Kept(tmp_path, 7).seeds(config) == [seed]
    one = campaign.Outcome(Counter(invalid=3), Counter(TestPng=3), Counter(), 1, 9.5, 2.0)
    kept.add(0, one)
    kept.add(1, campaign.Outcome(violations=Counter({"TestPng: other pixels": 1})))
    with (tmp_path / "chunks-7.txt").open("a") as stream:
        stream.write('2 {"verdicts": {"inva')
    done = campaign.Kept(tmp_path, 7).done()
    assert done[0] == one
    assert sorted(done) == [0, 1]
    assert sum(done.values(), campaign.Outcome()).violations.total() == 1
    kept.add(2, one)
    assert sorted(kept.done()) == [0, 1, 2]
    assert campaign.Kept(tmp_path, 8).done() == {}
    assert campaign.Kept(None, 7).done() == {}


@pytest.mark.timeout(600)
def test_every_parser_of_our_own_answers_or_refuses():
    command = [sys.executable, str(ROOT / "benchmarks" / "fuzz.py"), "--minutes", "0.1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    targets = re.search(r"^targets: (.*)$", done.stdout, re.MULTILINE)
    assert targets is not None
    assert {"sniff", "verify"} < set(targets[1].split(", "))
