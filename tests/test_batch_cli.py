"""Many files on the command line: what is meant, what is printed, what is left when somebody interrupts."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import hostile_plugin
from aikz_label import mark
from aikz_label.batch.gather import Gathering, Patterns
from aikz_label.batch.recorded import Recorded
from aikz_label.cli import main
from aikz_label.sandbox import work
from hostile_plugin import hostile
from support import encoded, picture

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.name != "posix", reason="isolation is made of what POSIX offers"),
]


@pytest.fixture(scope="module")
def plain() -> bytes:
    return encoded(picture(size=(64, 48)), "png")


@pytest.fixture(scope="module")
def marked(config) -> bytes:
    from aikz_label import Label

    return mark(
        encoded(picture(size=(320, 240)), "jpeg"), None, Label(origin="created"), config=config
    ).data


@pytest.fixture
def tree(tmp_path, monkeypatch, plain, marked):
    """A small folder of uploads, entered."""
    folder = tmp_path / "uploads"
    for name in ("a.png", "b.jpg", "deep/er/c.png", "deep/d.jpg", "tmp/e.png", ".hidden/f.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(marked if name.endswith("jpg") else plain)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def settings(config) -> list[str]:
    return ["--config", str(config.path)]


def program(*arguments, **options):
    command = [sys.executable, "-m", "aikz_label", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def rows(path: Path) -> list[dict]:
    return [line for line in map(json.loads, path.read_text().splitlines()) if "schema" not in line]


def rows_that_are(path: Path) -> list:
    """Rows as the package reads them."""
    return list(Recorded.open(path).rows())


# --- which files are meant -------------------------------------------------------------------------------------------


def test_a_folder_is_walked_to_its_end(tree, settings, capsys):
    assert main(["verify", "uploads", *settings]) == 1
    printed = capsys.readouterr()
    assert sorted(re.findall(r"^(uploads/\S+): (\w+)", printed.out, re.MULTILINE)) == [
        ("uploads/.hidden/f.png", "unmarked"),
        ("uploads/a.png", "unmarked"),
        ("uploads/b.jpg", "labelled"),
        ("uploads/deep/d.jpg", "labelled"),
        ("uploads/deep/er/c.png", "unmarked"),
        ("uploads/tmp/e.png", "unmarked"),
    ]
    assert re.search(r"labelled +2\n +unmarked +4\n +total +6 ", printed.err)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["-g", "*.jpg"], {"b.jpg", "d.jpg"}),
        (["-g", "!*.jpg", "-g", "!tmp/"], {"a.png", "c.png", "f.png"}),
        (["-g", "deep/**"], {"c.png", "d.jpg"}),
        (["-g", "/*.png"], {"a.png"}),
        (["-g", "/**"], {"a.png", "b.jpg", "c.png", "d.jpg", "e.png", "f.png"}),
        (["-g", "[^a].png", "-g", "![z-a].png"], {"c.png", "e.png", "f.png"}),
        (["-g", "?.[jp]*", "-g", "!**/er/*"], {"a.png", "b.jpg", "d.jpg", "e.png", "f.png"}),
        (["--ignore-file", "ignore"], {"a.png", "c.png"}),
    ],
)
def test_patterns(tree, settings, capsys, arguments, names):
    Path("ignore").write_text("# uploads\n\n*.jpg\ntmp\n.hidden/\n!keep.jpg\n", encoding="utf-8")
    main(["verify", "uploads", "--json", *arguments, *settings])
    printed = capsys.readouterr()
    found = {Path(json.loads(line)["path"]).name for line in printed.out.splitlines()}
    assert found == names
    if "ignore" in arguments:
        assert "patterns leave out" in printed.err


def test_an_ignore_file_among_the_uploads_is_not_obeyed(tree, settings, capsys):
    for name in (".gitignore", ".ignore", ".aikz-label"):
        (tree / name).write_text("*\n")
    main(["verify", "uploads", "--json", *settings])
    assert len(capsys.readouterr().out.splitlines()) == 9


def test_a_pattern_in_place_of_a_path(tree, settings, capsys):
    main(["verify", "uploads/**/*.png", "--json", *settings])
    assert len(capsys.readouterr().out.splitlines()) == 4
    (tree / "[x].png").write_bytes((tree / "a.png").read_bytes())
    main(["verify", "uploads/[x].png", *settings])  # a name that is there is a name
    assert "uploads/[x].png: unmarked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("uploads/*.png", ["uploads/a.png"]),
        ("*/*.png", ["uploads/a.png"]),
        ("uploads/deep/**", ["uploads/deep/d.jpg", "uploads/deep/er/c.png"]),
        ("upload[s]/**/er/?.png", ["uploads/deep/er/c.png"]),
        ("**/[!a-e].*", ["uploads/.hidden/f.png"]),
        ("uploads/**/[z-a].png", ["uploads/**/[z-a].png"]),
    ],
)
def test_what_a_pattern_matches(tree, pattern, names):
    assert sorted(Gathering((pattern,))) == names
    absolute = Gathering((str(tree.parent / pattern),))
    assert sorted(absolute) == [str(tree.parent / name) for name in names]


def test_a_pattern_looks_only_where_a_match_can_be(tree, monkeypatch):
    """A whole disk is not walked for the pictures at its top."""
    listed, original = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or original(path))
    assert list(Gathering(("*/de*/*.jpg",))) == ["uploads/deep/d.jpg"]
    assert listed == [".", "./uploads", "./uploads/deep"]


def test_a_pattern_follows_no_links(tree):
    """Two that lead back up would be followed for ever, and every file counted as often."""
    for name in ("one", "two"):
        (tree / name).symlink_to(".")
    gathering = Gathering(("uploads/**/*.jpg",))
    assert sorted(gathering) == ["uploads/b.jpg", "uploads/deep/d.jpg"]


def test_a_pattern_that_matches_nothing_is_no_success(tree, settings, capsys):
    assert main(["verify", "upload/*.jpg", *settings]) == 2
    assert "upload/*.jpg: unreadable" in capsys.readouterr().out


def test_names_from_standard_input(tree, settings):
    names = [b"uploads/a.png", b"uploads/b.jpg", b"uploads/\xff\n-x.png", b""]
    (tree / os.fsdecode(b"\xff\n-x.png")).write_bytes((tree / "a.png").read_bytes())
    process = program("verify", "--files0-from", "-", "--json", *settings, stdin=subprocess.PIPE)
    out, err = process.communicate(b"\0".join(names))
    assert process.returncode == 1, err
    assert [json.loads(line)["verdict"] for line in out.splitlines()] == [
        "unmarked",
        "labelled",
        "unmarked",
    ]
    Path("list").write_bytes(b"uploads/a.png\n" * 20_000)
    process = program("verify", "--files0-from", "list", *settings)
    assert b"NUL" in process.communicate()[1]
    assert process.returncode == 2


def test_links_loops_and_special_files(tree, settings, capsys):
    (tree / "loop").symlink_to(tree)
    (tree / "link.png").symlink_to(tree / "a.png")
    os.mkfifo(tree / "fifo")
    assert main(["verify", "uploads", "--json", *settings]) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 6
    assert "not counted: 2 symbolic links" in printed.err
    assert "not counted: 1 special files" in printed.err


def test_a_folder_that_cannot_be_listed(tree, settings, capsys, monkeypatch):
    """Nobody knows what is in it, so the run cannot end well."""
    original = os.scandir

    def scandir(path):
        if str(path).endswith("tmp"):
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert main(["verify", "uploads", "-g", "*.jpg", *settings]) == 2
    assert "uploads/tmp" in capsys.readouterr().err


def test_many_names_cost_little():
    import tracemalloc

    class Many:
        left = 300_000

        def read(self, size):
            take = min(self.left, size // 40)
            self.left -= take
            return b"uploads/some/folder/name-of-a-file.jpeg\0" * take

    tracemalloc.start()
    gathering = Gathering(listed=Many(), wanted=Patterns())
    assert sum(1 for _ in gathering) == 300_000
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_sidecars_are_read_with_their_files(tree, settings, capsys, label, config):
    mark(tree / "a.png", tree / "s.png", label, config=config, sidecar="always")
    assert main(["verify", "uploads", "-g", "s.*", "--json", *settings]) == 0
    printed = capsys.readouterr()
    assert [json.loads(line)["verdict"] for line in printed.out.splitlines()] == ["labelled"]
    assert "1 sidecars" in printed.err


# --- the journal -----------------------------------------------------------------------------------------------------


def test_a_journal_is_continued(tree, settings, capsys):
    command = ["verify", "uploads", "--journal", "run.jsonl", *settings]
    assert main(command) == 1
    assert capsys.readouterr().out == ""
    assert len(rows(Path("run.jsonl"))) == 6
    assert main(command) == 2
    assert "--resume" in capsys.readouterr().err
    (tree / "new.png").write_bytes((tree / "a.png").read_bytes())
    (tree / "b.jpg").write_bytes((tree / "a.png").read_bytes())
    (tree / "tmp" / "e.png").unlink()
    assert main([*command, "--resume"]) == 1
    summary = capsys.readouterr().err
    again = rows(Path("run.jsonl"))
    assert {row["uri"] for row in again[6:]} == {"uploads/b.jpg", "uploads/new.png"}
    assert len(again) == 8
    assert re.search(r"labelled +1\n +unmarked +6\n +total +7 ", summary)
    assert main([*command, "--resume"]) == 1
    assert len(rows(Path("run.jsonl"))) == 8


def test_a_changed_sidecar_is_a_changed_file(tree, settings, label, config):
    mark(tree / "a.png", tree / "s.png", label, config=config, sidecar="always")
    command = ["verify", "uploads", "-g", "s.png", "--journal", "run.jsonl", *settings]
    assert main(command) == 0
    assert main([*command, "--resume"]) == 0
    assert len(rows(Path("run.jsonl"))) == 1
    (tree / "s.png.c2pa").unlink()
    assert main([*command, "--resume"]) == 1
    assert [row["verdict"] for row in rows(Path("run.jsonl"))] == ["labelled", "incomplete"]


def test_a_file_of_the_same_size_and_times_has_another_hash(tree, settings):
    command = ["verify", "uploads", "-g", "a.png", "--hash", "--journal", "run.jsonl", *settings]
    main(command)
    path = tree / "a.png"
    path.write_bytes(path.read_bytes()[::-1])
    header, line = Path("run.jsonl").read_text().splitlines()
    state = work.state_of(path, path.lstat())  # as if nobody could see it by them
    Path("run.jsonl").write_text(f"{header}\n{json.dumps(json.loads(line) | {'state': state})}\n")
    main([*command, "--resume"])
    assert [row["verdict"] for row in rows(Path("run.jsonl"))] == ["unmarked", "unreadable"]
    main([*command, "--resume"])
    assert len(rows(Path("run.jsonl"))) == 2


def test_a_file_that_appears_later(tree, settings):
    command = ["verify", "uploads/late.png", "uploads/a.png", "--journal", "run.jsonl", *settings]
    assert main(command) == 2
    (tree / "late.png").write_bytes((tree / "a.png").read_bytes())
    assert main([*command, "--resume"]) == 1


@pytest.mark.parametrize("changed", [["--measure"], ["--trust", "other.pem"], ["--hash"]])
def test_a_journal_keeps_to_its_options(tree, settings, capsys, stranger, changed):
    shutil.copy(stranger.folder / "root.pem", "other.pem")
    command = ["verify", "uploads", "--journal", "run.jsonl", *settings]
    main(command)
    before = Path("run.jsonl").read_bytes()
    assert main([*command, "--resume", *changed]) == 2
    assert "other options" in capsys.readouterr().err
    assert Path("run.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        b"notes",
        b"notes\n",
        b'{"schema":"other/1"}\n',
        b'{"schema"x',
        b"\0" * 9,
        bytes(9 << 20) + b"{",
    ],
)
def test_somebody_elses_file_is_left_alone(tree, settings, content):
    Path("notes").write_bytes(content)
    assert main(["verify", "uploads", "--journal", "notes", "--resume", *settings]) == 2
    assert Path("notes").read_bytes() == content


@pytest.mark.parametrize("damaged", [b'{"uri": 7}', bytes(9 * 1024 * 1024)])
def test_damaged_lines_cost_themselves(tree, settings, capsys, damaged):
    command = ["verify", "uploads", "--journal", "run.jsonl", *settings]
    main(command)
    lines = Path("run.jsonl").read_bytes().splitlines(keepends=True)
    lines[2] = b"\xff\xfe{" + lines[2]
    lines[4] = damaged + b"\n"
    lines[6] = lines[6][:40]  # torn at the end
    Path("run.jsonl").write_bytes(b"".join(lines))
    capsys.readouterr()
    assert main([*command, "--resume"]) == 1
    message = capsys.readouterr().err
    assert "2 damaged lines in the journal, passed over: 3, 5" in message
    assert re.search(r"labelled +2\n +unmarked +4\n +total +6 ", message)
    kept = Path("run.jsonl").read_bytes().splitlines(keepends=True)
    assert kept[:6] == lines[:6]
    assert main([*command, "--resume"]) == 1
    assert (
        Path("run.jsonl").read_bytes().count(b'"uri":"uploads') == 7
    )  # 4, one of them garbled, and 3 again


def test_two_runs_on_one_journal(tree, settings, monkeypatch, tmp_path):
    hostile_plugin.install(tmp_path / "plugin")
    (tree / "slow").write_bytes(hostile("slow 3"))
    env = os.environ | {"PYTHONPATH": str(tmp_path / "plugin")}
    command = ["verify", "uploads", "--journal", "run.jsonl", *settings]
    first = program(*command, env=env)
    while not Path("run.jsonl").exists() or not rows(Path("run.jsonl")):
        time.sleep(0.02)
    first.send_signal(signal.SIGSTOP)  # however long the second one takes to start
    try:
        second = program(*command, "--resume", env=env)
        assert b"Another run" in second.communicate()[1]
    finally:
        first.send_signal(signal.SIGCONT)
    assert second.returncode == 2
    first.communicate()
    assert len(rows(Path("run.jsonl"))) == 7


def test_a_full_disk(tree, settings, plain):
    """The journal stays whole, the cause is named, and the run goes on when there is room."""
    for number in range(60):
        (tree / f"{number}.png").write_bytes(plain)
    command = ["verify", "uploads", "--journal", "run.jsonl", "-j", "2", *settings]
    code = (
        "import resource, signal, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000));"
        "from aikz_label.cli import entry; sys.argv = sys.argv[:]; entry()"
    )
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, check=False)
    assert done.returncode == 2
    assert b"cannot be written" in done.stderr
    assert b"--resume" in done.stderr
    content = Path("run.jsonl").read_bytes()
    assert content.endswith(b"\n")
    assert 0 < len(rows(Path("run.jsonl"))) < 66
    assert main([*command, "--resume"]) == 1
    assert (
        len({row["uri"] for row in rows(Path("run.jsonl"))}) == len(rows(Path("run.jsonl"))) == 66
    )


def test_hashes_are_recorded(tree, settings, plain):
    import hashlib

    main(["verify", "uploads/a.png", "--hash", "--journal", "run.jsonl", *settings])
    (row,) = rows(Path("run.jsonl"))
    assert row["sha256"] == hashlib.sha256(plain).hexdigest()


KILLS = int(os.environ.get("AIKZ_KILLS", "8"))


def written(journal: Path) -> int:
    """Bytes of a journal that may not be there yet."""
    return journal.stat().st_size if journal.exists() else 0


def test_killed_at_random_moments_and_resumed(tree, settings, plain):
    """Every file exactly once, however often the run is killed: while it starts, and in the midst of writing."""
    for number in range(400):
        (tree / f"{number}.png").write_bytes(plain)
    command = ["verify", "uploads", "--journal", "run.jsonl", "-j", "2", "--resume", *settings]
    dice, killed, journal = random.Random(20261125), 0, Path("run.jsonl")
    for _ in range(KILLS):
        before = written(journal)
        process = program(*command)
        # by what it has written, since how far it is after some time depends on the machine
        enough = before + dice.randrange(1, 10_000)
        starting = dice.random() < 0.2 and time.monotonic() + 0.3 * dice.random()
        while process.poll() is None and written(journal) < enough:
            if starting and time.monotonic() > starting:
                break
            time.sleep(0.001)
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        if journal.exists() and dice.random() < 0.5:
            with journal.open("ab") as stream:
                stream.write(b'{"uri":"uploads/torn')
    assert main(command) == 1
    found = [row["uri"] for row in rows(journal)]
    assert len(found) == len(set(found)) == 406
    assert killed


# --- interruptions and terminals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_says_how_to_go_on(tree, settings, plain, number, code):
    for index in range(300):
        (tree / f"{index}.png").write_bytes(plain)
    command = ["verify", "uploads", "--journal", "run.jsonl", *settings]
    process = program(*command, start_new_session=True)
    while not Path("run.jsonl").exists() or not rows(Path("run.jsonl")):
        time.sleep(0.01)
    os.killpg(process.pid, number)  # as a terminal does: everybody in the group gets it
    message = process.communicate()[1].decode()
    assert process.returncode == code
    assert "Traceback" not in message
    done = rows(Path("run.jsonl"))
    assert len(done) < 306
    assert not [row for row in done if row["verdict"] == "unreadable"]
    line = re.search(r"go on with: (.*)", message)
    assert line is not None
    assert line[1].endswith("--resume")
    assert main([*command, "--resume"]) == 1
    found = [row["uri"] for row in rows(Path("run.jsonl"))]
    assert len(found) == len(set(found)) == 306


def test_the_second_interruption_does_not_wait(tree, settings, tmp_path):
    hostile_plugin.install(tmp_path / "plugin")
    (tree / "slow").write_bytes(hostile(f"spin {tmp_path / 'pid'}"))
    env = os.environ | {"PYTHONPATH": str(tmp_path / "plugin")}
    process = program("verify", "uploads", "--timeout", "100", *settings, env=env)
    while not (tmp_path / "pid").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    process.communicate()


def on_a_terminal(arguments, columns=80) -> str:
    """What a run writes to a terminal."""
    import fcntl
    import pty
    import struct
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "aikz_label", *arguments], stdout=follower, stderr=follower
    )
    os.close(follower)
    seen = b""
    try:
        while block := os.read(leader, 4096):
            seen += block
    except OSError:
        pass
    process.wait()
    os.close(leader)
    return seen.decode()


def test_progress_fits_its_terminal(tree, settings, plain, tmp_path):
    for index in range(300):
        (tree / f"{index}.png").write_bytes(plain)
    seen = on_a_terminal(["verify", "uploads", "--journal", "run.jsonl", *settings], 60)
    drawn = [line for line in seen.split("\r\x1b[K") if line.startswith("verified")]
    assert drawn
    assert re.search(r"verified \d+/306 ", drawn[-1])
    assert "unmarked" in drawn[-1]
    assert max(map(len, drawn)) < 60
    quiet = on_a_terminal(["verify", "uploads", "--no-progress", *settings])
    assert "verified" not in quiet


def test_what_is_printed_cannot_write_to_the_terminal(tree, settings, plain):
    for name in (
        "\x1b[2J\x9b.png",
        "\u202egpj.exe",
        "a\nverify: labelled",
        os.fsdecode(b"\xff.png"),
    ):
        (tree / name).write_bytes(plain)
    for arguments in (["uploads"], ["uploads", "--json"]):
        out, err = program("verify", *arguments, *settings).communicate()
        assert out.count(b"unmarked") > 4
        for raw in (b"\x1b", b"\xc2\x9b", "\u202e".encode(), b"\xff", b"\nverify: labelled"):
            assert raw not in out + err


# --- marking many ----------------------------------------------------------------------------------------------------


def test_marking_a_tree(tree, settings, capsys):
    Path("out").mkdir()
    command = ["mark", "uploads", "--origin", "created", "--out-dir", "out", *settings]
    assert main(command) == 1  # two are marked already
    printed = capsys.readouterr()
    assert printed.out.count("labelled (self-issued)") == 4
    assert printed.err.count("already-marked") == 2
    assert re.search(r"written +4\n +refused +2\n +total +6 ", printed.err)
    found = sorted(str(path) for path in Path("out").rglob("*") if path.is_file())
    assert found == [
        "out/.hidden/f.labelled.png",
        "out/a.labelled.png",
        "out/deep/er/c.labelled.png",
        "out/tmp/e.labelled.png",
    ]
    assert main(["verify", "out", *settings]) == 0
    assert main(command) == 2  # nothing is replaced
    assert "exists already" in capsys.readouterr().err


def test_results_inside_the_source_folder_are_not_sources(tree, settings, capsys):
    (tree / "out").mkdir()
    main(["mark", "uploads", "--origin", "created", "--out-dir", "uploads/out", *settings])
    assert capsys.readouterr().out.count("labelled (self") == 4
    assert len(list((tree / "out").rglob("*.png"))) == 4


@pytest.mark.parametrize("kind", ["segfault", "hang", "killed"])
def test_a_file_that_kills_the_marker_costs_itself(tree, settings, tmp_path, kind):
    hostile_plugin.install(tmp_path / "plugin")
    (tree / "0evil.png").write_bytes(hostile(kind))
    Path("out").mkdir()
    seconds = "10" if kind == "hang" else "60"
    command = ["mark", "uploads", "-g", "*.png", "--origin", "created", "--out-dir", "out"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "plugin")}
    process = program(*command, "--timeout", seconds, *settings, env=environment)
    out, err = process.communicate()
    assert process.returncode == 1, err
    assert out.count(b"labelled (self-issued)") == 4
    code = b"[deadline]" if kind == "hang" else b"[crashed]"
    assert code in err
    assert len([path for path in Path("out").rglob("*") if path.is_file()]) == 4


def test_what_is_wrong_for_all_is_said_once(tree, settings, stranger, tmp_path):
    Path("out").mkdir()
    for signer in ("file:absent.pem", "kms:1"):
        process = program(
            "mark",
            "uploads",
            "--origin",
            "created",
            "--out-dir",
            "out",
            "--signer",
            signer,
            *settings,
        )
        _, err = process.communicate()
        assert process.returncode == 2
        assert err.count(b"aikz-label:") == 1, err
    assert list(Path("out").iterdir()) == []


def test_killed_while_marking_many(tree, settings, photo):
    """Whole and labelled, or not there."""
    from aikz_label import verify

    source = Path("source")
    source.mkdir()
    for number in range(12):
        shutil.copy(photo, source / f"{number}.jpg")
    Path("out").mkdir()
    dice = random.Random(7)
    for _ in range(4):
        before = len(list(Path("out").iterdir()))
        process = program("mark", "source", "--origin", "created", "--out-dir", "out", *settings)
        while process.poll() is None and len(list(Path("out").iterdir())) == before:
            time.sleep(0.02)
        time.sleep(0.5 * dice.random())
        process.kill()
        process.communicate()
        time.sleep(0.2)
        for path in Path("out").iterdir():
            assert verify(path, config=settings[1]).verdict == "labelled"
    results = [path.name for path in Path("out").iterdir()]
    assert results
    assert all(name.endswith(".labelled.jpg") for name in results)


def test_files_that_change_or_vanish_meanwhile(tree, settings, plain, tmp_path):
    """Never a traceback, one row each, and never `labelled` for what was not."""
    swapped = tree / "swap.png"
    swapped.write_bytes(plain)
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            (tree / "next").write_bytes(plain)
            (tree / "next").replace(swapped)
            swapped.unlink()
            swapped.symlink_to("/etc/passwd")
            swapped.replace(tree / "gone")
            swapped.write_bytes(plain[:50])

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        process = program("verify", "--json", *["uploads/swap.png"] * 300, *settings)
        out, err = process.communicate()
    finally:
        stop.set()
        thread.join()
    assert b"Traceback" not in err
    verdicts = [json.loads(line)["verdict"] for line in out.splitlines()]
    assert len(verdicts) == 300
    assert set(verdicts) <= {"unmarked", "unreadable"}


def test_many_descriptors_are_not_needed(tree, settings):
    process = program(
        "verify", "uploads", "-j", "4", *settings,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
    )  # fmt: skip
    assert process.wait() == 1
    process.communicate()
