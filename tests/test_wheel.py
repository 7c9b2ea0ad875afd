"""The built wheel, in an environment of its own, labels a picture: fonts and data are inside."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile

import pytest

from support import BIN, PHOTO, ROOT, missing


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    code = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return folder / built.stdout.split()[-1]


def test_it_holds_what_it_needs_and_no_more(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "notice/fonts/NotoSans-Bold.ttf",
        "notice/fonts/OFL.txt",
        "data/texts.toml",
        "notice/fonts/NotoSans-Bold-stamp.ttf",
        "notice/sound/clips/kk_created.opus",
        "data/schemas/report-1.json",
        "py.typed",
    ):
        assert f"aikz_label/{needed}" in names
    assert not [name for name in names if name.startswith(("tests", "fixtures", "docs"))]
    assert wheel.stat().st_size < 1_500_000  # no corpus, test files or builds by accident


def test_it_labels_a_picture(wheel, tmp_path):
    """Installed by pip with its dependencies into an environment that holds nothing else."""
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode:
        missing(f"a package index ({installed.stderr.strip()[-200:]})")

    def run(*arguments):
        command = [python, "-m", "aikz_label", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    where = [python, "-c", "import aikz_label; print(aikz_label.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert str(home) in found.stdout
    made = run("init", "--name", "W", "--bin", BIN, "--role", "holder", "--dir", "id")
    assert made.returncode == 0, made.stderr
    settings = ("--config", "id/aikz-label.toml")
    marked = run("mark", str(PHOTO), "-o", "out.jpg", "--origin", "created", *settings)
    assert marked.returncode == 0, marked.stderr
    assert run("verify", "out.jpg", "--measure", *settings).returncode == 0
