"""`.ci/run` installs every program that a test asks for, so that a machine that has them by chance hides nothing."""

from __future__ import annotations

import re

from support import ROOT

ASKED = re.compile(r"""require_tool\(\s*["']([\w.-]+)["']""")
SAME_PACKAGE = {
    "avifenc": "avifdec",
    "cjxl": "djxl",
    "ffprobe": "ffmpeg",
}  # programs of one Debian package: the script names one


def test_every_program_that_a_test_asks_for_is_installed():
    asked = {
        SAME_PACKAGE.get(name, name)
        for path in (ROOT / "tests").rglob("*.py")
        for name in ASKED.findall(path.read_text())
    }
    script = (ROOT / ".ci" / "run").read_text()
    assert "exiftool" in asked
    assert not {name for name in asked if f"\n  {name}:" not in script}
