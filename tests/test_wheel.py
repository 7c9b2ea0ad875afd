"""The built wheel, in an environment of its own, labels a picture: fonts and data are inside."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile

import pytest

from support import BIN, PHOTO, ROOT


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
        "data/schemas/report-1.json",
        "py.typed",
    ):
        assert f"aikz_label/{needed}" in names
    assert not [name for name in names if name.startswith(("tests", "fixtures", "docs"))]
    assert wheel.stat().st_size < 300_000


def test_it_labels_a_picture(wheel, tmp_path):
    """Dependencies come from the outer environment; the package itself only from the wheel."""
    home = tmp_path / "env"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    site = next(home.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    outer = [p for p in sys.path if p.endswith("site-packages")]
    (site / "outer.pth").write_text("\n".join(outer) + "\n", encoding="utf-8")

    def run(*arguments):
        return subprocess.run(
            [python, "-m", "aikz_label", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    where = subprocess.run(
        [python, "-c", "import aikz_label; print(aikz_label.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(site) in where.stdout
    made = run("init", "--name", "W", "--bin", BIN, "--role", "holder", "--dir", "id")
    assert made.returncode == 0, made.stderr
    settings = ("--config", "id/aikz-label.toml")
    marked = run("mark", str(PHOTO), "-o", "out.jpg", "--origin", "created", *settings)
    assert marked.returncode == 0, marked.stderr
    assert run("verify", "out.jpg", "--measure", *settings).returncode == 0
